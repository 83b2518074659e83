/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_out: what goes to standard output, gathered in memory that is wiped and written with few system calls, no
 * stdio.
 *
 * A failure sticks and shows at the flush, so that a short write, a full disk or a closed pipe is never taken for
 * success.
 */
#ifndef SV_CLI_OUT_H
#define SV_CLI_OUT_H

#include "vault/base/buf.h"
#include "vault/base/types.h"

struct sv_out {
	struct sv_buf buf;
	int fd;
	enum sv_code rc;
	int sys_errno;
	bool wrote; /* something has left the process */
};

#define SV_OUT_INIT(f)                                                                          \
	{                                                                                       \
		.buf = SV_BUF_LOCKED(0), .fd = (f), .rc = SV_OK, .sys_errno = 0, .wrote = false \
	}

void sv_out_bytes(struct sv_out *o, const void *p, size_t n);
void sv_out_str(struct sv_out *o, const char *s);
void sv_out_fmt(struct sv_out *o, const char *fmt, ...) SV_PRINTF(2, 3);
/* Escaped for a terminal: names, descriptions, paths. */
void sv_out_escaped(struct sv_out *o, struct sv_text t);
/* Escaped and filled with blanks to width columns. */
void sv_out_column(struct sv_out *o, struct sv_text t, size_t width);
void sv_out_spaces(struct sv_out *o, size_t n);
/* Write what is gathered.  SV_ERR_IO with errno; EPIPE has the code too, and main keeps quiet about it. */
enum sv_code sv_out_flush(struct sv_out *o, struct sv_err *err) SV_CHECK;
void sv_out_clear(struct sv_out *o);

/* Columns that a text takes on a terminal once escaped, counting a character as one. */
size_t sv_text_columns(struct sv_text t);
/* Write all of it; SIGPIPE is ignored from here on.  SV_ERR_IO. */
enum sv_code sv_write_all(int fd, const void *p, size_t n, struct sv_err *err) SV_CHECK;
/* Before another program is run: what SIGPIPE did when this one was started. */
void sv_write_restore_signal(void);

static inline struct sv_text sv_text_of(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return (struct sv_text){ s, n };
}

#endif

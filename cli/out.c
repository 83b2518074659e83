/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathered output, written whole.
 */
#include "cli/out.h"

#include "vault/base/name.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT   ((size_t)64 << 10)
#define ESCAPE_MAX 10 /* longest escape of one byte or character: \u{10FFFF} */

static bool quiet_pipe;
static void (*pipe_before)(int);

void sv_write_restore_signal(void)
{
	if (quiet_pipe)
		(void)signal(SIGPIPE, pipe_before);
	quiet_pipe = false;
}

enum sv_code sv_write_all(int fd, const void *p, size_t n, struct sv_err *err)
{
	const char *at = p;

	if (!quiet_pipe) {
		pipe_before = signal(SIGPIPE, SIG_IGN);
		quiet_pipe = true;
	}
	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot write %s",
					  fd == STDOUT_FILENO ? "to standard output" : "all of it");
		at += w;
		n -= (size_t)w;
	}
	return SV_OK;
}

static void drain(struct sv_out *o)
{
	struct sv_err err = SV_ERR_INIT;

	if (o->rc == SV_OK && sv_buf_unread(&o->buf) > 0) {
		o->wrote = true;
		o->rc = sv_write_all(o->fd, sv_buf_head(&o->buf), sv_buf_unread(&o->buf), &err);
		o->sys_errno = err.sys_errno;
	}
	sv_buf_reset(&o->buf);
}

void sv_out_bytes(struct sv_out *o, const void *p, size_t n)
{
	if (o->rc != SV_OK)
		return;
	if (sv_buf_unread(&o->buf) + n > FLUSH_AT)
		drain(o);
	if (o->buf.cap == 0 && o->rc == SV_OK)
		o->rc = sv_buf_reserve(&o->buf, 16384);
	if (o->rc == SV_OK)
		o->rc = sv_buf_put(&o->buf, p, n);
}

void sv_out_str(struct sv_out *o, const char *s)
{
	sv_out_bytes(o, s, strlen(s));
}

void sv_out_fmt(struct sv_out *o, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		sv_out_bytes(o, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	sv_wipe(line, sizeof(line));
}

static bool plain(struct sv_text t)
{
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] < 0x20 || (unsigned char)t.p[i] > 0x7e || t.p[i] == '\\')
			return false;
	return true;
}

void sv_out_escaped(struct sv_out *o, struct sv_text t)
{
	unsigned char *room;
	size_t cap = t.n * ESCAPE_MAX + 1;
	size_t at;

	if (plain(t)) {
		sv_out_bytes(o, t.p, t.n);
		return;
	}
	if (o->rc != SV_OK)
		return;
	at = o->buf.len;
	if ((o->rc = sv_buf_extend(&o->buf, cap, &room)) == SV_OK)
		o->buf.len = at + sv_escape(t.p, t.n, (char *)room, cap);
}

void sv_out_spaces(struct sv_out *o, size_t n)
{
	static const char blanks[33] = "                                ";

	while (n > 0) {
		size_t part = n < 32 ? n : 32;

		sv_out_bytes(o, blanks, part);
		n -= part;
	}
}

size_t sv_text_columns(struct sv_text t)
{
	char escaped[SV_NAME_MAX * ESCAPE_MAX + 1];
	size_t columns = 0;
	size_t n;

	if (plain(t))
		return t.n;
	n = sv_escape(t.p, t.n, escaped, sizeof(escaped));
	if (n >= sizeof(escaped))
		return n;
	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)escaped[i] & 0xc0) != 0x80;
	return columns;
}

void sv_out_column(struct sv_out *o, struct sv_text t, size_t width)
{
	size_t used = sv_text_columns(t);

	sv_out_escaped(o, t);
	if (used < width)
		sv_out_spaces(o, width - used);
}

enum sv_code sv_out_flush(struct sv_out *o, struct sv_err *err)
{
	drain(o);
	if (o->rc == SV_ERR_IO)
		return sv_err_sys(err, SV_ERR_IO, o->sys_errno, "cannot write to standard output");
	if (o->rc != SV_OK)
		return sv_err_set(err, o->rc, "no memory for the output");
	return SV_OK;
}

void sv_out_clear(struct sv_out *o)
{
	sv_buf_clear(&o->buf);
}

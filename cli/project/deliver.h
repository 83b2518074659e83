/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that are given as files instead of variables; none of them is ever on a disk.
 *
 *	memory	a sealed memfd that the program inherits; the variable holds /proc/PID/fd/N, which opens as a regular
 *file, is seekable and gone with the process path	a file of mode 0400 with a real name in a private directory on
 *tmpfs; a small process removes it even when sv itself is killed fifo	a named pipe there, served to one reader after
 *the other fd	a sealed memfd at a number that the person chose; 0 is standard input
 */
#ifndef SV_PROJECT_DELIVER_H
#define SV_PROJECT_DELIVER_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SV_DELIVER_MAX        256
#define SV_DELIVER_PATH_BYTES 4096

struct sv_delivery {
	int fd;       /* memory, fd: the memfd; -1 */
	int at;       /* fd: the number wanted; -1 */
	char *path;   /* path, fifo: malloc'd */
	pid_t server; /* of a FIFO */
};

struct sv_deliveries {
	struct sv_delivery v[SV_DELIVER_MAX];
	size_t n;
	char dir[SV_DELIVER_PATH_BYTES]; /* "" until one is made */
	int dir_fd;
	int janitor_pipe; /* closed at the end; the janitor then removes dir */
	pid_t janitor;
};

#define SV_DELIVERIES_INIT                                              \
	{                                                               \
		.n = 0, .dir_fd = -1, .janitor_pipe = -1, .janitor = -1 \
	}

/* Each adds one entry; name is the secret's, for the file's own name.  SV_ERR_IO, SV_ERR_NOMEM, SV_ERR_TOO_BIG. */
enum sv_code sv_deliver_memory(struct sv_deliveries *d, const void *value, size_t len, struct sv_err *err) SV_CHECK;
enum sv_code sv_deliver_fd(struct sv_deliveries *d, int at, const void *value, size_t len, struct sv_err *err) SV_CHECK;
/* SV_ERR_FAIL: no private directory in memory is to be had. */
enum sv_code sv_deliver_path(struct sv_deliveries *d, const char *name, const void *value, size_t len,
			     struct sv_err *err) SV_CHECK;
enum sv_code sv_deliver_fifo(struct sv_deliveries *d, const char *name, const void *value, size_t len,
			     struct sv_err *err) SV_CHECK;
/* New contents of a path delivery, by rename. */
enum sv_code sv_deliver_renew(struct sv_deliveries *d, size_t i, const void *value, size_t len,
			      struct sv_err *err) SV_CHECK;

/* In the process that will exec: put the wanted descriptors in their places.  Async-signal-safe; errno on false. */
bool sv_deliver_place(const struct sv_deliveries *d);
/* The text of the variable of entry i in process pid; false when out is too small. */
bool sv_deliver_text(const struct sv_deliveries *d, size_t i, pid_t pid, char *out, size_t size);
/* Close the memfds of this process (the child has its own). */
void sv_deliver_close_fds(struct sv_deliveries *d);
/* Remove everything. */
void sv_deliver_clear(struct sv_deliveries *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directories belong to the project in which a command is run: from the working directory upwards.
 *
 * The way up ends before the home directory, the root of the file system, another file system, and a directory that
 * belongs to somebody else: a file that another user can leave in a common parent must not speak for this project.  The
 * working directory itself is looked at also when it is the home directory or the root, but never when it belongs to
 * somebody else.
 */
#ifndef SV_PROJECT_ROOT_H
#define SV_PROJECT_ROOT_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define SV_ROOT_LEVELS_MAX 64

struct sv_root_level {
	char *path; /* absolute, without links */
	int fd;     /* the open directory */
	struct stat st;
};

struct sv_root {
	struct sv_root_level level[SV_ROOT_LEVELS_MAX]; /* 0 is the working directory */
	size_t n;
	bool foreign; /* the working directory belongs to another user: n is 0 */
};

#define SV_ROOT_INIT   \
	{              \
		.n = 0 \
	}

/* dir NULL: the working directory.  home NULL: $HOME.  SV_ERR_IO, SV_ERR_NOT_FOUND. */
enum sv_code sv_root_find(struct sv_root *r, const char *dir, const char *home, struct sv_err *err) SV_CHECK;
/* The lowest level that holds an entry of the name; -1: none. */
int sv_root_holding(const struct sv_root *r, const char *name);
void sv_root_clear(struct sv_root *r);

/*
 * Read a file below dir_fd whole: a regular file, or a link to one that does not lead out of the directory; at most max
 * bytes; *text is malloc'd with a NUL behind it. SV_ERR_NOT_FOUND, SV_ERR_DENIED (a link to elsewhere, no regular
 * file), SV_ERR_TOO_BIG, SV_ERR_IO.
 */
enum sv_code sv_root_read(int dir_fd, const char *path, size_t max, char **text, size_t *len,
			  struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way up, by descriptors, so that a directory that is exchanged meanwhile cannot be mistaken for another.
 */
#include "cli/project/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2), Linux 5.6; declared here because older headers lack it. */
#define RESOLVE_BENEATH_FLAG       0x08u
#define RESOLVE_NO_MAGICLINKS_FLAG 0x02u
struct how {
	uint64_t flags, mode, resolve;
};

static int open_beneath(int dir_fd, const char *path)
{
#ifdef SYS_openat2
	struct how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			   .resolve = RESOLVE_BENEATH_FLAG | RESOLVE_NO_MAGICLINKS_FLAG };
	long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return (int)fd;
#endif
	return openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
}

static enum sv_code read_all(int fd, size_t max, char **text, size_t *len, struct sv_err *err)
{
	struct stat st;
	char *p;
	size_t n = 0;
	size_t size;

	if (fstat(fd, &st) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return sv_err_set(err, SV_ERR_DENIED, "is not a regular file");
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return sv_err_set(err, SV_ERR_TOO_BIG, "is larger than %zu bytes", max);
	size = (size_t)st.st_size;
	if ((p = malloc(size + 1)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory to read it");
	while (n < size) {
		ssize_t got = read(fd, p + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(p);
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot be read");
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	p[n] = '\0';
	*text = p;
	*len = n;
	return SV_OK;
}

enum sv_code sv_root_read(int dir_fd, const char *path, size_t max, char **text, size_t *len, struct sv_err *err)
{
	int fd = path[0] == '/' || dir_fd == AT_FDCWD ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
						      : open_beneath(dir_fd, path);
	enum sv_code rc;

	*text = NULL;
	*len = 0;
	if (fd < 0 && (errno == EXDEV || errno == ELOOP))
		return sv_err_set(err, SV_ERR_DENIED, "is a link that leads out of its directory");
	if (fd < 0)
		return sv_err_sys(err, errno == ENOENT || errno == ENOTDIR ? SV_ERR_NOT_FOUND : SV_ERR_IO, errno,
				  "cannot be opened");
	rc = read_all(fd, max, text, len, err);
	(void)close(fd);
	return rc;
}

static enum sv_code first_level(struct sv_root *r, const char *dir, struct sv_err *err)
{
	struct sv_root_level *l = &r->level[0];

	l->fd = open(dir != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->fd < 0)
		return sv_err_sys(err, errno == ENOENT ? SV_ERR_NOT_FOUND : SV_ERR_IO, errno,
				  "cannot open the directory");
	l->path = dir != NULL ? realpath(dir, NULL) : getcwd(NULL, 0);
	if (l->path == NULL || l->path[0] != '/' || fstat(l->fd, &l->st) != 0) {
		int why = errno;

		free(l->path);
		l->path = NULL;
		(void)close(l->fd);
		return sv_err_sys(err, SV_ERR_IO, why, "the working directory cannot be found out");
	}
	return SV_OK;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The next level up, or false at an end of the way. */
static bool climb(struct sv_root *r, const struct stat *home, const struct stat *top)
{
	const struct sv_root_level *l = &r->level[r->n - 1];
	struct sv_root_level *up = &r->level[r->n];
	const char *slash = strrchr(l->path, '/');

	if (r->n == SV_ROOT_LEVELS_MAX || slash == NULL || slash == l->path)
		return false;
	if (home != NULL && same(&l->st, home))
		return false;
	up->fd = openat(l->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (up->fd < 0)
		return false;
	if (fstat(up->fd, &up->st) != 0 || up->st.st_dev != l->st.st_dev || up->st.st_uid != geteuid() ||
	    same(&up->st, top) || (home != NULL && same(&up->st, home)) ||
	    (up->path = strndup(l->path, (size_t)(slash - l->path))) == NULL) {
		(void)close(up->fd);
		return false;
	}
	r->n++;
	return true;
}

enum sv_code sv_root_find(struct sv_root *r, const char *dir, const char *home, struct sv_err *err)
{
	struct stat home_st;
	struct stat top;
	bool has_home;
	enum sv_code rc;

	memset(r, 0, sizeof(*r));
	if (home == NULL)
		home = getenv("HOME");
	has_home = home != NULL && stat(home, &home_st) == 0;
	if (stat("/", &top) != 0)
		memset(&top, 0, sizeof(top));
	if ((rc = first_level(r, dir, err)) != SV_OK)
		return rc;
	if (r->level[0].st.st_uid != geteuid()) {
		r->n = 1;
		sv_root_clear(r);
		r->foreign = true;
		return SV_OK;
	}
	r->n = 1;
	while (climb(r, has_home ? &home_st : NULL, &top)) {
	}
	return SV_OK;
}

int sv_root_holding(const struct sv_root *r, const char *name)
{
	struct stat st;

	for (size_t i = 0; i < r->n; i++)
		if (fstatat(r->level[i].fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return (int)i;
	return -1;
}

void sv_root_clear(struct sv_root *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->level[i].path);
		(void)close(r->level[i].fd);
	}
	memset(r, 0, sizeof(*r));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Temporary file in the same directory, by descriptor of that directory.
 */
#include "cli/project/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static enum sv_code check_target(int dir, const char *name, bool replace, struct sv_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? SV_OK : sv_err_sys(err, SV_ERR_IO, errno, "cannot look at it");
	if (S_ISLNK(st.st_mode))
		return sv_err_set(err, SV_ERR_DENIED, "is a link, which is not followed");
	if (!S_ISREG(st.st_mode))
		return sv_err_set(err, SV_ERR_DENIED, "is not a regular file");
	return replace ? SV_OK : sv_err_set(err, SV_ERR_EXISTS, "is there already");
}

static enum sv_code write_at(int dir, const char *temp, const void *p, size_t n, mode_t mode, struct sv_err *err)
{
	int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const char *at = p;
	enum sv_code rc = SV_OK;

	if (fd < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot be written");
	while (n > 0 && rc == SV_OK) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot be written");
			break;
		}
		at += w;
		n -= (size_t)w;
	}
	if (rc == SV_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot be written");
	if (close(fd) != 0 && rc == SV_OK)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot be written");
	return rc;
}

enum sv_code sv_atomic_write(const char *path, const void *p, size_t n, mode_t mode, bool replace, struct sv_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *parent = slash == NULL   ? strdup(".")
		       : slash == path ? strdup("/")
				       : strndup(path, (size_t)(slash - path));
	char temp[32];
	uint64_t tag = 0;
	int dir = -1;
	bool made = false;
	enum sv_code rc;

	if (parent == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for a path");
	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || *name == '\0') {
		rc = sv_err_sys(err, SV_ERR_IO, dir < 0 ? errno : EISDIR, "cannot be written");
		goto out;
	}
	if ((rc = check_target(dir, name, replace, err)) != SV_OK)
		goto out;
	if (getrandom(&tag, sizeof(tag), 0) != (ssize_t)sizeof(tag))
		tag = (uint64_t)getpid(); /* O_EXCL decides */
	(void)snprintf(temp, sizeof(temp), ".sv-%016llx", (unsigned long long)tag);
	made = true;
	if ((rc = write_at(dir, temp, p, n, mode, err)) != SV_OK)
		goto out;
	/* link(2) fails when something has come meanwhile; rename(2) replaces a link itself, it follows none. */
	if (replace ? renameat(dir, temp, dir, name) != 0 : linkat(dir, temp, dir, name, 0) != 0) {
		rc = sv_err_sys(err, errno == EEXIST ? SV_ERR_EXISTS : SV_ERR_IO, errno, "cannot be written");
		goto out;
	}
	made = !replace;
	(void)fsync(dir);
out:
	if (made)
		(void)unlinkat(dir, temp, 0);
	if (dir >= 0)
		(void)close(dir);
	free(parent);
	if (rc != SV_OK)
		sv_err_prefix(err, "%s", path);
	return rc;
}

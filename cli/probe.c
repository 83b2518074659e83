/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of an SQLite file: magic at 0, user_version at 60, application_id at 68, big-endian (SQLite "Database File
 * Format", section 1.3); the numbers of a vault are in vault/FORMAT.md.
 */
#include "cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES   100
#define APPLICATION_ID 0x53765631u
#define FORMAT_NEWEST  1

static uint32_t big32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum sv_code check_file(int fd, const char *path, struct sv_err *err)
{
	unsigned char head[HEADER_BYTES];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return sv_err_set(err, SV_ERR_NOT_A_VAULT, "%s is not a regular file", path);
	if (st.st_uid != geteuid())
		return sv_err_set(err, SV_ERR_DENIED, "%s belongs to another user", path);
	if ((st.st_mode & 077) != 0)
		return sv_err_set(err, SV_ERR_DENIED, "%s is open to other users; chmod 600 closes it", path);
	n = read(fd, head, sizeof(head));
	if (n < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "%s", path);
	/* A hot journal may hold the first page: then only the agent can tell. */
	if (n != HEADER_BYTES || memcmp(head, "SQLite format 3", 16) != 0 || big32(head + 68) != APPLICATION_ID)
		return sv_err_set(err, SV_ERR_NOT_A_VAULT, "%s is no vault, or cut short", path);
	if (big32(head + 60) > FORMAT_NEWEST)
		return sv_err_set(err, SV_ERR_UNSUPPORTED, "%s was made by a newer version of sv", path);
	return SV_OK;
}

enum sv_code sv_probe_vault(const char *path, struct sv_err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum sv_code rc;

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return sv_err_set(err, SV_ERR_NO_VAULT, "there is no vault at %s", path);
		if (errno == ELOOP)
			return sv_err_set(err, SV_ERR_NOT_A_VAULT, "%s is a symbolic link", path);
		return sv_err_sys(err, errno == EACCES ? SV_ERR_DENIED : SV_ERR_IO, errno, "%s", path);
	}
	rc = check_file(fd, path, err);
	(void)close(fd);
	return rc;
}

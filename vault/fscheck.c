/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files from outside: owner, mode, kind and header checks before anything parses them.  SQLite would follow links, wait
 * on a FIFO, and act on a planted journal; so nothing reaches it that did not pass here.
 */
#include "vault/fscheck.h"

#include "vault/crypt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

static const unsigned char journal_magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 }; /* SQLite pager.c */

enum sv_code sv_place_init(struct sv_place *p, const char *path, struct sv_err *err)
{
	const char *slash = strrchr(path, '/');

	*p = (struct sv_place){ .dir_fd = -1 };
	if (path[0] != '/' || slash[1] == '\0' || strlen(path) >= PATH_MAX)
		return sv_err_set(err, SV_ERR_USAGE, "the path of a vault must be absolute and name a file");
	p->dir = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	p->name = strdup(slash + 1);
	if (p->dir == NULL || p->name == NULL) {
		sv_place_clear(p);
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	}
	return SV_OK;
}

void sv_place_clear(struct sv_place *p)
{
	if (p->dir_fd >= 0)
		close(p->dir_fd);
	free(p->dir);
	free(p->name);
	*p = (struct sv_place){ .dir_fd = -1 };
}

char *sv_place_name(const struct sv_place *p, const char *suffix)
{
	char *s;

	return asprintf(&s, "%s%s", p->name, suffix) < 0 ? NULL : s;
}

/* Whoever can write to an ancestor could exchange what is below it. */
static enum sv_code check_ancestors(const char *dir, struct sv_err *err)
{
	char real[PATH_MAX];
	struct stat st;

	if (realpath(dir, real) == NULL)
		return sv_err_sys(err, SV_ERR_IO, errno, "the vault's directory");
	for (char *end = real + strlen(real); end > real;) {
		while (end > real && *end != '/')
			end--;
		end[end == real] = '\0';
		if (stat(real, &st) != 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "a directory above the vault");
		if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (st.st_mode & S_ISVTX) == 0)
			return sv_err_set(err, SV_ERR_DENIED, "a directory above the vault is writable by others");
		if (st.st_uid != 0 && st.st_uid != geteuid())
			return sv_err_set(err, SV_ERR_DENIED, "a directory above the vault belongs to another user");
	}
	return SV_OK;
}

enum sv_code sv_place_open(struct sv_place *p, struct sv_err *err)
{
	struct stat st;
	int fd;

	if (p->dir_fd >= 0)
		close(p->dir_fd);
	p->dir_fd = -1;
	if ((fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
		if (errno == ENOENT)
			return sv_err_set(err, SV_ERR_NO_VAULT, "there is no vault (its directory does not exist)");
		if (errno == ENOTDIR || errno == ELOOP)
			return sv_err_set(err, SV_ERR_DENIED, "the vault's directory is a link or not a directory");
		return sv_err_sys(err, errno == EACCES ? SV_ERR_DENIED : SV_ERR_IO, errno, "the vault's directory");
	}
	if (fstat(fd, &st) != 0) {
		int e = errno;

		close(fd);
		return sv_err_sys(err, SV_ERR_IO, e, "the vault's directory");
	}
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		close(fd);
		return sv_err_set(err, SV_ERR_DENIED,
				  st.st_uid != geteuid() ? "the vault's directory belongs to another user"
							 : "the vault's directory is writable by others");
	}
	p->dir_fd = fd;
	return check_ancestors(p->dir, err);
}

enum sv_code sv_place_mkdirs(const char *dir, struct sv_err *err)
{
	char path[PATH_MAX];
	size_t n = strlen(dir);

	if (n == 0 || n >= sizeof(path) || dir[0] != '/')
		return sv_err_set(err, SV_ERR_USAGE, "not an absolute directory");
	memcpy(path, dir, n + 1);
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			int why = errno;

			if ((why != EROFS && why != EACCES) || access(path, F_OK) != 0)
				return sv_err_sys(err, SV_ERR_IO, why, "the directory %s cannot be made", path);
		}
		*p = c;
		if (c == '\0')
			return SV_OK;
	}
}

static enum sv_code check_stat(const struct stat *st, const char *what, struct sv_err *err)
{
	if (!S_ISREG(st->st_mode))
		return sv_err_set(err, SV_ERR_NOT_A_VAULT, "%s is not a regular file", what);
	if (st->st_uid != geteuid())
		return sv_err_set(err, SV_ERR_DENIED, "%s belongs to another user", what);
	if ((st->st_mode & 077) != 0)
		return sv_err_set(err, SV_ERR_DENIED, "%s is open to other users; its mode must be 0600", what);
	if (st->st_nlink != 1)
		return sv_err_set(err, SV_ERR_DENIED, "%s has a second name (a hard link)", what);
	return SV_OK;
}

static bool read_all(int fd, void *p, size_t n, off_t off)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = pread(fd, (char *)p + done, n - done, off + (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		done += (size_t)r;
	}
	return true;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

enum sv_code sv_file_check_header(int fd, struct sv_err *err)
{
	unsigned char h[100];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "the vault file");
	if (st.st_size < SV_PAGE_BYTES || !read_all(fd, h, sizeof(h), 0))
		return sv_err_set(err, SV_ERR_NOT_A_VAULT, "the file is too short to be a vault");
	/* SQLite file format, section 1.3: magic, page size, write and read version, reserved bytes, encoding */
	if (memcmp(h, "SQLite format 3", 16) != 0 || be32(h + 68) != SV_APP_ID)
		return sv_err_set(err, SV_ERR_NOT_A_VAULT, "the file is not a vault");
	if (be32(h + 60) != SV_USER_VERSION)
		return be32(h + 60) > SV_USER_VERSION ? sv_err_set(err, SV_ERR_UNSUPPORTED,
								   "the vault is in format %u, this version reads "
								   "format %u; a newer sv is needed",
								   (unsigned)be32(h + 60), SV_USER_VERSION)
						      : sv_err_set(err, SV_ERR_NOT_A_VAULT, "the file is not a vault");
	if (h[16] != SV_PAGE_BYTES >> 8 || h[17] != 0 || h[18] != 1 || h[19] != 1 || h[20] != 0 || be32(h + 56) != 1)
		return sv_err_set(err, SV_ERR_NOT_A_VAULT,
				  "the file is a database, but not one that a vault can be in");
	if ((uint64_t)st.st_size > SV_FILE_BYTES_MAX)
		return sv_err_set(err, SV_ERR_LIMITS, "the file is larger than a vault may be");
	if (st.st_size % SV_PAGE_BYTES != 0 || (uint64_t)st.st_size != (uint64_t)be32(h + 28) * SV_PAGE_BYTES)
		return sv_err_set(err, SV_ERR_NOT_A_VAULT, "the vault file is cut short or has something behind it");
	return SV_OK;
}

enum sv_code sv_file_check_fs(int fd, struct sv_err *err)
{
#ifdef __linux__
	/* statfs(2): NFS, SMB, SMB2, CIFS, AFS, Coda, 9P, Ceph, NCP, FUSE is left alone (many local ones) */
	static const unsigned long remote[] = { 0x6969,     0x517b,     0xfe534d42, 0xff534d42, 0x5346414f,
						0x73757245, 0x01021997, 0x00c36400, 0x564c };
	struct statfs s;

	if (fstatfs(fd, &s) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "the vault's file system");
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (((unsigned long)s.f_type & 0xffffffffUL) == remote[i])
			return sv_err_set(err, SV_ERR_UNSUPPORTED,
					  "the vault is on a network file system, where it cannot be kept safely");
#else
	(void)fd;
	(void)err;
#endif
	return SV_OK;
}

/* A journal beside the vault: *hot when SQLite may act on it. */
static enum sv_code check_journal(const struct sv_place *p, bool *hot, struct sv_err *err)
{
	unsigned char head[8], tail[8];
	char *name = sv_place_name(p, "-journal");
	enum sv_code rc = SV_OK;
	struct stat st;
	int fd = -1;

	*hot = false;
	if (name == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	if ((fd = openat(p->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0) {
		if (errno == ELOOP)
			rc = sv_err_set(err, SV_ERR_NOT_A_VAULT, "the vault's journal is a link");
		else if (errno != ENOENT)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault's journal");
		goto out;
	}
	if (fstat(fd, &st) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault's journal");
		goto out;
	}
	if ((rc = check_stat(&st, "the vault's journal", err)) != SV_OK)
		goto out;
	if (st.st_size >= 8 && read_all(fd, head, 8, 0) && read_all(fd, tail, 8, st.st_size - 8)) {
		/*
		 * A super-journal's name stands before a closing magic; acting on it deletes files, and we never write
		 * one.
		 */
		if (st.st_size > 8 && memcmp(tail, journal_magic, 8) == 0)
			rc = sv_err_set(err, SV_ERR_INTEGRITY, "the vault's journal is not one that sv wrote");
		*hot = head[0] != 0;
	}
out:
	if (fd >= 0)
		close(fd);
	free(name);
	return rc;
}

static enum sv_code refuse_beside(const struct sv_place *p, const char *suffix, struct sv_err *err)
{
	char *name = sv_place_name(p, suffix);
	enum sv_code rc = SV_OK;
	struct stat st;

	if (name == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	if (fstatat(p->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		rc = sv_err_set(err, SV_ERR_INTEGRITY,
				"a %s file stands beside the vault: another program has written to it", suffix + 1);
	free(name);
	return rc;
}

enum sv_code sv_place_open_file(const struct sv_place *p, int *out, bool *hot, struct sv_err *err)
{
	enum sv_code rc;
	struct stat st;
	int fd;

	*out = -1;
	*hot = false;
	if ((fd = openat(p->dir_fd, p->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0) {
		int e = errno;

		if (e == ENOENT)
			return sv_err_set(err, SV_ERR_NO_VAULT, "there is no vault");
		if (e == ELOOP)
			return sv_err_set(err, SV_ERR_NOT_A_VAULT, "the vault file is a link");
		if (e == EISDIR || e == ENXIO)
			return sv_err_set(err, SV_ERR_NOT_A_VAULT, "the vault file is not a regular file");
		return sv_err_sys(err, e == EACCES || e == EPERM ? SV_ERR_DENIED : SV_ERR_IO, e, "the vault file");
	}
	if (fstat(fd, &st) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault file");
		goto out;
	}
	if ((rc = check_stat(&st, "the vault file", err)) != SV_OK || (rc = sv_file_check_fs(fd, err)) != SV_OK ||
	    (rc = check_journal(p, hot, err)) != SV_OK)
		goto out;
	/* A hot journal's file may be cut or half written; it is looked at again when SQLite has rolled it back. */
	if (!*hot && (rc = sv_file_check_header(fd, err)) != SV_OK)
		goto out;
	if ((rc = refuse_beside(p, "-wal", err)) != SV_OK || (rc = refuse_beside(p, "-shm", err)) != SV_OK)
		goto out;
	*out = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

bool sv_place_same(const struct sv_place *p, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(p->dir_fd, p->name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

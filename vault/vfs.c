/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system as SQLite sees it.  Interface: sqlite.org/c3ref/vfs.html, version 1 methods only, so that no shared
 * memory and no mapping exist.  Locks: open file description locks, which closing another descriptor of the file does
 * not drop.
 */
#include "vault/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FIRST 0x40000000 /* SQLite's pending byte; reserved and shared bytes follow (os.h) */
#define LOCK_BYTES 512

struct sv_vfs {
	sqlite3_vfs base;
	char name[32];
	const struct sv_place *place;
	char *path, *journal_path, *journal_name;
	int fd; /* to be taken by the first xOpen, and known afterwards */
	bool opened, journal;
	int last_errno;
};

struct file {
	sqlite3_file base;
	struct sv_vfs *v;
	int fd;
	bool journal, sync_dir, locked;
};

#ifdef SV_TESTING
struct sv_vfs_test sv_vfs_test;
#define BEFORE(v, op, j, data, n, off)                                                                              \
	do {                                                                                                        \
		int e_ = sv_vfs_test.before == NULL ? 0 : sv_vfs_test.before(sv_vfs_test.ctx, op, j, data, n, off); \
		if (e_ != 0)                                                                                        \
			return fail(v, e_, SQLITE_IOERR);                                                           \
	} while (0)
#else
#define BEFORE(v, op, j, data, n, off) ((void)0)
#endif

static int fail(struct sv_vfs *v, int e, int code)
{
	v->last_errno = e;
	return e == ENOSPC || e == EDQUOT ? SQLITE_FULL : code;
}

static int set_lock(int fd, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = LOCK_FIRST, .l_len = LOCK_BYTES };

#ifdef F_OFD_SETLK
	return fcntl(fd, F_OFD_SETLK, &l);
#else
	return fcntl(fd, F_SETLK, &l);
#endif
}

static int f_close(sqlite3_file *sf)
{
	struct file *f = (struct file *)sf;

	if (f->fd >= 0) {
		if (f->locked) /* a copy's descriptor may live on with our caller */
			(void)set_lock(f->fd, F_UNLCK);
		close(f->fd);
		if (!f->journal)
			f->v->fd = -1;
	}
	f->fd = -1;
	return SQLITE_OK;
}

static int f_read(sqlite3_file *sf, void *p, int n, sqlite3_int64 off)
{
	struct file *f = (struct file *)sf;

	for (int done = 0; done < n;) {
		ssize_t r = pread(f->fd, (char *)p + done, (size_t)(n - done), off + done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return fail(f->v, errno, SQLITE_IOERR_READ);
		if (r == 0) {
			memset((char *)p + done, 0, (size_t)(n - done));
			return SQLITE_IOERR_SHORT_READ;
		}
		done += (int)r;
	}
	return SQLITE_OK;
}

static int f_write(sqlite3_file *sf, const void *p, int n, sqlite3_int64 off)
{
	struct file *f = (struct file *)sf;

	BEFORE(f->v, SV_VFS_WRITE, f->journal, p, (size_t)n, off);
	for (int done = 0; done < n;) {
		ssize_t w = pwrite(f->fd, (const char *)p + done, (size_t)(n - done), off + done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return fail(f->v, w < 0 ? errno : ENOSPC, SQLITE_IOERR_WRITE);
		done += (int)w;
	}
	return SQLITE_OK;
}

static int f_truncate(sqlite3_file *sf, sqlite3_int64 n)
{
	struct file *f = (struct file *)sf;

	BEFORE(f->v, SV_VFS_TRUNCATE, f->journal, NULL, 0, n);
	return ftruncate(f->fd, n) == 0 ? SQLITE_OK : fail(f->v, errno, SQLITE_IOERR_TRUNCATE);
}

static int f_sync(sqlite3_file *sf, int flags)
{
	struct file *f = (struct file *)sf;

	BEFORE(f->v, SV_VFS_SYNC, f->journal, NULL, 0, 0);
	if (((flags & SQLITE_SYNC_DATAONLY) != 0 ? fdatasync(f->fd) : fsync(f->fd)) != 0)
		return fail(f->v, errno, SQLITE_IOERR_FSYNC);
	if (f->sync_dir) {
		if (fsync(f->v->place->dir_fd) != 0)
			return fail(f->v, errno, SQLITE_IOERR_DIR_FSYNC);
		f->sync_dir = false;
	}
	return SQLITE_OK;
}

static int f_size(sqlite3_file *sf, sqlite3_int64 *n)
{
	struct file *f = (struct file *)sf;
	struct stat st;

	if (fstat(f->fd, &st) != 0)
		return fail(f->v, errno, SQLITE_IOERR_FSTAT);
	*n = st.st_size;
	return SQLITE_OK;
}

static int f_lock(sqlite3_file *sf, int level)
{
	struct file *f = (struct file *)sf;

	if (level == SQLITE_LOCK_NONE || f->locked)
		return SQLITE_OK;
	if (set_lock(f->fd, F_WRLCK) != 0)
		return errno == EAGAIN || errno == EACCES ? SQLITE_BUSY : fail(f->v, errno, SQLITE_IOERR_LOCK);
	f->locked = true;
	return SQLITE_OK;
}

static int f_unlock(sqlite3_file *sf, int level)
{
	struct file *f = (struct file *)sf;

	if (level == SQLITE_LOCK_NONE && f->locked) {
		f->locked = false;
		if (set_lock(f->fd, F_UNLCK) != 0)
			return fail(f->v, errno, SQLITE_IOERR_UNLOCK);
	}
	return SQLITE_OK;
}

static int f_reserved(sqlite3_file *sf, int *out)
{
	(void)sf;
	*out = 0; /* whoever else could hold it is locked out or locks us out */
	return SQLITE_OK;
}

static int f_control(sqlite3_file *sf, int op, void *arg)
{
	(void)sf;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int f_sector(sqlite3_file *sf)
{
	(void)sf;
	return SV_PAGE_BYTES;
}

static int f_traits(sqlite3_file *sf)
{
	(void)sf;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as stock SQLite on Linux */
}

static const sqlite3_io_methods methods = {
	1,         f_close,  f_read,   f_write, f_truncate, f_sync, f_size, f_lock, f_unlock, f_reserved,
	f_control, f_sector, f_traits, NULL,    NULL,       NULL,   NULL,   NULL,   NULL,
};

static int open_journal(struct sv_vfs *v, struct file *f, bool create)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;

	f->fd = openat(v->place->dir_fd, v->journal_name, flags);
	if (f->fd < 0 && errno == ENOENT && create) {
		BEFORE(v, SV_VFS_CREATE, true, NULL, 0, 0);
		f->fd = openat(v->place->dir_fd, v->journal_name, flags | O_CREAT | O_EXCL, 0600);
		f->sync_dir = true;
	}
	if (f->fd < 0)
		return fail(v, errno, SQLITE_CANTOPEN);
	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
	    (st.st_mode & 077) != 0) {
		close(f->fd);
		f->fd = -1;
		return SQLITE_PERM;
	}
	return SQLITE_OK;
}

static int v_open(sqlite3_vfs *sv, const char *name, sqlite3_file *sf, int flags, int *out_flags)
{
	struct sv_vfs *v = sv->pAppData;
	struct file *f = (struct file *)sf;
	int rc = SQLITE_IOERR;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->v = v;
	if (name != NULL && (flags & SQLITE_OPEN_MAIN_DB) != 0 && strcmp(name, v->path) == 0 && !v->opened) {
		f->fd = v->fd;
		v->opened = true;
		rc = SQLITE_OK;
	} else if (name != NULL && (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 && v->journal &&
		   strcmp(name, v->journal_path) == 0) {
		f->journal = true;
		rc = open_journal(v, f, (flags & SQLITE_OPEN_CREATE) != 0);
	}
	if (rc == SQLITE_OK) {
		f->base.pMethods = &methods;
		if (out_flags != NULL)
			*out_flags = flags;
	}
	return rc;
}

static int v_delete(sqlite3_vfs *sv, const char *name, int sync_dir)
{
	struct sv_vfs *v = sv->pAppData;

	if (strcmp(name, v->journal_path) != 0)
		return SQLITE_IOERR_DELETE;
	if (!v->journal)
		return SQLITE_IOERR_DELETE_NOENT; /* for this connection there is none */
	BEFORE(v, SV_VFS_DELETE, true, NULL, 0, 0);
	if (unlinkat(v->place->dir_fd, v->journal_name, 0) != 0)
		return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : fail(v, errno, SQLITE_IOERR_DELETE);
	if (sync_dir && fsync(v->place->dir_fd) != 0)
		return fail(v, errno, SQLITE_IOERR_DIR_FSYNC);
	return SQLITE_OK;
}

static int v_access(sqlite3_vfs *sv, const char *name, int flags, int *out)
{
	struct sv_vfs *v = sv->pAppData;
	size_t n = strlen(v->path);
	struct stat st;

	*out = 0;
	if (strcmp(name, v->journal_path) == 0) {
		if (v->journal && fstatat(v->place->dir_fd, v->journal_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			*out = S_ISREG(st.st_mode) && (flags != SQLITE_ACCESS_EXISTS || st.st_size > 0);
		return SQLITE_OK;
	}
	/* a write-ahead log was refused before SQLite was started; one that came since does not exist for it */
	if (strncmp(name, v->path, n) == 0 && strcmp(name + n, "-wal") == 0)
		return SQLITE_OK;
	return SQLITE_IOERR_ACCESS;
}

static int v_full(sqlite3_vfs *sv, const char *name, int n, char *out)
{
	(void)sv;
	if (strlen(name) >= (size_t)n)
		return SQLITE_CANTOPEN;
	memcpy(out, name, strlen(name) + 1);
	return SQLITE_OK;
}

static int v_random(sqlite3_vfs *sv, int n, char *out)
{
	(void)sv;
	randombytes_buf(out, (size_t)n);
	return n;
}

static int v_sleep(sqlite3_vfs *sv, int us)
{
	(void)sv;
	return us;
}

static int v_time(sqlite3_vfs *sv, double *out)
{
	(void)sv;
	*out = 2440587.5 + (double)time(NULL) / 86400.0;
	return SQLITE_OK;
}

static int v_last_error(sqlite3_vfs *sv, int n, char *out)
{
	(void)n;
	(void)out;
	return ((struct sv_vfs *)sv->pAppData)->last_errno;
}

struct sv_vfs *sv_vfs_new(const struct sv_place *place, int fd, bool journal)
{
	struct sv_vfs *v = calloc(1, sizeof(*v));

	if (v == NULL || asprintf(&v->path, "%s/%s", place->dir, place->name) < 0 ||
	    asprintf(&v->journal_path, "%s-journal", v->path) < 0 ||
	    (v->journal_name = sv_place_name(place, "-journal")) == NULL)
		goto fail;
	(void)snprintf(v->name, sizeof(v->name), "sv-%p", (void *)v);
	v->place = place;
	v->journal = journal;
	v->fd = fd;
	v->base = (sqlite3_vfs){ .iVersion = 1,
				 .szOsFile = sizeof(struct file),
				 .mxPathname = 4096 + 64,
				 .zName = v->name,
				 .pAppData = v,
				 .xOpen = v_open,
				 .xDelete = v_delete,
				 .xAccess = v_access,
				 .xFullPathname = v_full,
				 .xRandomness = v_random,
				 .xSleep = v_sleep,
				 .xCurrentTime = v_time,
				 .xGetLastError = v_last_error };
	if (sqlite3_vfs_register(&v->base, 0) != SQLITE_OK)
		goto fail;
	return v;
fail:
	close(fd);
	if (v != NULL) {
		free(v->path);
		free(v->journal_path);
		free(v->journal_name);
		free(v);
	}
	return NULL;
}

void sv_vfs_free(struct sv_vfs *v)
{
	if (v == NULL)
		return;
	(void)sqlite3_vfs_unregister(&v->base);
	if (v->fd >= 0 && !v->opened)
		close(v->fd);
	free(v->path);
	free(v->journal_path);
	free(v->journal_name);
	free(v);
}

const char *sv_vfs_name(const struct sv_vfs *v)
{
	return v->name;
}

const char *sv_vfs_path(const struct sv_vfs *v)
{
	return v->path;
}

int sv_vfs_fd(const struct sv_vfs *v)
{
	return v->fd;
}

int sv_vfs_errno(const struct sv_vfs *v)
{
	return v->last_errno;
}

int sv_vfs_wipe_journal(const struct sv_place *place)
{
	static const char zero[65536];
	char *name = sv_place_name(place, "-journal");
	struct stat st;
	int fd = -1, e = 0;

	if (name == NULL)
		return ENOMEM;
	if ((fd = openat(place->dir_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0) {
		e = errno == ENOENT ? 0 : errno;
		goto out;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		e = EINVAL;
		goto out;
	}
	for (off_t off = 0; off < st.st_size;) {
		size_t n = st.st_size - off < (off_t)sizeof(zero) ? (size_t)(st.st_size - off) : sizeof(zero);
		ssize_t w = pwrite(fd, zero, n, off);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			e = w < 0 ? errno : EIO;
			goto out;
		}
		off += w;
	}
	if (fsync(fd) != 0 || unlinkat(place->dir_fd, name, 0) != 0 || fsync(place->dir_fd) != 0)
		e = errno;
out:
	if (fd >= 0)
		close(fd);
	free(name);
	return e;
}

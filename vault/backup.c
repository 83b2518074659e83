/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consistent copy.  We hold the file's lock and no change is under way, so its bytes are a whole vault; the copy is
 * believed only after it was read back against the keys.
 */
#include "vault/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_all(int from, int to, uint64_t *bytes)
{
	static unsigned char buf[65536]; /* ciphertext */
	off_t off = 0;

	for (;;) {
		ssize_t n = pread(from, buf, sizeof(buf), off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		for (ssize_t done = 0; done < n;) {
			ssize_t w = pwrite(to, buf + done, (size_t)(n - done), off + done);

			if (w < 0 && errno == EINTR)
				continue;
			if (w <= 0)
				return w < 0 ? errno : ENOSPC;
			done += w;
		}
		off += n;
	}
	*bytes = (uint64_t)off;
	return fsync(to) == 0 ? 0 : errno;
}

/* A descriptor of the copy that can be read and that SQLite may close. */
static int reader(int fd)
{
	char path[64];

	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

enum sv_code sv_vault_backup_fd(struct sv_vault *v, int fd, uint64_t *bytes, struct sv_err *err)
{
	struct sv_store *copy = NULL;
	enum sv_code rc = sv_vault_need_unlocked(v, err);
	struct stat st;
	int e, rd;

	*bytes = 0;
	if (rc != SV_OK)
		return rc;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != 0)
		return sv_err_set(err, SV_ERR_USAGE, "a backup needs a new, empty file");
	sv_store_done(v->store);
	if ((e = copy_all(sv_store_fd(v->store), fd, bytes)) != 0)
		return sv_err_sys(err, SV_ERR_IO, e, "writing the backup");
	if ((rd = reader(fd)) < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "reading the backup");
	if ((rc = sv_store_open(&v->place, rd, SV_STORE_COPY, &copy, err)) == SV_OK)
		rc = sv_verify_store(v, copy, NULL, err);
	sv_store_close(&copy);
	if (rc != SV_OK)
		sv_err_prefix(err, "the backup is not good");
	return rc;
}

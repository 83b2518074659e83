/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollback witness.  The file has a fixed size and two places, written in turn (seq modulo 2), each with its own
 * MAC: a write is one pwrite and one fdatasync that changes no file metadata, and a torn one leaves the other place.
 * That is a third of the price of write-rename-sync, and it happens with every change.
 */
#include "vault/witness.h"

#include "vault/base/secmem.h"
#include "vault/fscheck.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "svwit001"
#define PLACE 512 /* bytes from one place to the next: a sector */
#define BODY  (8 + SV_ID_BYTES + 8 + 8 + SV_HASH_BYTES)
#define ENTRY (BODY + SV_HASH_BYTES)

static void hex_name(const struct sv_scope *s, char out[2 * SV_ID_BYTES + 1])
{
	(void)sodium_bin2hex(out, 2 * SV_ID_BYTES + 1, s->vault_id, SV_ID_BYTES);
}

static void entry_mac(const struct sv_scope *s, const unsigned char *body, uint8_t out[SV_HASH_BYTES])
{
	struct sv_mac m;

	sv_mac_init(&m, s->keys->wit, "sv1.witn");
	sv_mac_put(&m, body, BODY);
	sv_mac_final(&m, out);
}

static enum sv_code open_file(const char *dir, const struct sv_scope *s, bool create, int *dir_fd, int *fd, bool *made,
			      struct sv_err *err)
{
	char name[2 * SV_ID_BYTES + 1];
	struct stat st;
	enum sv_code rc;

	*dir_fd = *fd = -1;
	*made = false;
	hex_name(s, name);
	*dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd < 0 && errno == ENOENT && create) {
		if ((rc = sv_place_mkdirs(dir, err)) != SV_OK)
			return rc;
		*dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (*dir_fd < 0)
		return errno == ENOENT && !create
			       ? SV_OK
			       : sv_err_sys(err, SV_ERR_IO, errno, "the directory of the rollback witness");
	*fd = openat(*dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT) {
		if (!create)
			return SV_OK;
		*fd = openat(*dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		*made = true;
	}
	if (*fd < 0)
		return sv_err_sys(err, errno == ELOOP ? SV_ERR_DENIED : SV_ERR_IO, errno, "the rollback witness");
	if (fstat(*fd, &st) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "the rollback witness");
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return sv_err_set(err, SV_ERR_DENIED, "the rollback witness is not a private file of ours");
	return SV_OK;
}

static void close_both(int dir_fd, int fd)
{
	if (fd >= 0)
		close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
}

enum sv_code sv_witness_read(const char *dir, const struct sv_scope *s, enum sv_witness_found *found,
			     struct sv_witness *w, struct sv_err *err)
{
	unsigned char b[2 * PLACE];
	int dir_fd, fd;
	bool made;
	enum sv_code rc = open_file(dir, s, false, &dir_fd, &fd, &made, err);
	ssize_t n;

	*found = SV_WITNESS_NONE;
	if (rc != SV_OK || fd < 0)
		goto out;
	memset(b, 0, sizeof(b));
	if ((n = pread(fd, b, sizeof(b), 0)) < 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the rollback witness");
		goto out;
	}
	*found = SV_WITNESS_DAMAGED;
	for (int i = 0; i < 2; i++) {
		const unsigned char *e = b + i * PLACE;
		uint8_t mac[SV_HASH_BYTES];
		uint64_t epoch = sv_rd64(e + 8 + SV_ID_BYTES), seq = sv_rd64(e + 16 + SV_ID_BYTES);

		if (memcmp(e, MAGIC, 8) != 0 || memcmp(e + 8, s->vault_id, SV_ID_BYTES) != 0)
			continue;
		if (epoch != s->epoch) { /* made with other keys: nothing in it can be checked */
			if (epoch > s->epoch)
				*found = SV_WITNESS_NEW_KEYS;
			else if (*found == SV_WITNESS_DAMAGED)
				*found = SV_WITNESS_OLD_KEYS;
			continue;
		}
		entry_mac(s, e, mac);
		if (!sv_equal_ct(mac, e + BODY, sizeof(mac)) || *found == SV_WITNESS_NEW_KEYS)
			continue;
		if (*found == SV_WITNESS_GOOD && w->seq >= seq)
			continue;
		*found = SV_WITNESS_GOOD;
		w->seq = seq;
		memcpy(w->mac, e + 24 + SV_ID_BYTES, SV_HASH_BYTES);
	}
out:
	close_both(dir_fd, fd);
	return rc;
}

enum sv_code sv_witness_write(const char *dir, const struct sv_scope *s, const struct sv_witness *w, bool whole,
			      struct sv_err *err)
{
	unsigned char b[2 * PLACE], *e = b;
	int dir_fd, fd;
	bool made;
	enum sv_code rc = open_file(dir, s, true, &dir_fd, &fd, &made, err);
	size_t n = PLACE;
	off_t off = (off_t)(w->seq % 2) * PLACE;

	if (rc != SV_OK)
		goto out;
	memset(b, 0, sizeof(b));
	if (made || whole) { /* made whole, so that later writes change no metadata */
		n = sizeof(b);
		e = b + off;
		off = 0;
	}
	memcpy(e, MAGIC, 8);
	memcpy(e + 8, s->vault_id, SV_ID_BYTES);
	sv_le64(e + 8 + SV_ID_BYTES, s->epoch);
	sv_le64(e + 16 + SV_ID_BYTES, w->seq);
	memcpy(e + 24 + SV_ID_BYTES, w->mac, SV_HASH_BYTES);
	entry_mac(s, e, e + BODY);
	if (pwrite(fd, b, n, off) != (ssize_t)n || fdatasync(fd) != 0 || (made && fsync(dir_fd) != 0))
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the rollback witness");
out:
	close_both(dir_fd, fd);
	return rc;
}

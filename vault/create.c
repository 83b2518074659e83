/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a vault: written whole under another name, synced, and only then given its own, so that a crash leaves a vault
 * or none.
 */
#include "vault/vault_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct making { /* locked */
	unsigned char vmk[SV_KEY_BYTES];
	struct sv_keys keys;
};

/* The first row: environment "default". */
static enum sv_code put_default(struct sv_store *store, const struct sv_scope *s, int64_t now, struct sv_rows *rows,
				struct sv_err *err)
{
	static const uint8_t none[SV_ID_BYTES];
	struct sv_record r = { .kind = SV_KIND_ENV,
			       .verb = SV_VERB_ENV,
			       .name = { SV_ENV_DEFAULT, sizeof(SV_ENV_DEFAULT) - 1 },
			       .txn = 1,
			       .origin = 1,
			       .created_s = now,
			       .changed_s = now };
	struct sv_buf plain = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX), value = SV_BUF_LOCKED(4096);
	unsigned char meta[1024], val[1024];
	uint32_t h = sv_rows_new(rows);
	struct sv_row *row;
	struct sv_raw raw;
	enum sv_code rc;

	if (h == SV_ROW_NONE)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	row = sv_rows_at(rows, h);
	randombytes_buf(row->id, SV_ID_BYTES);
	row->rev = 1;
	sv_crypt_tag(s, r.kind, SV_LIVE, none, r.name, row->tag);
	if ((rc = sv_record_encode(&r, &plain, err)) != SV_OK)
		goto out;
	if ((rc = sv_pad_put(&value, NULL, 0)) != SV_OK) {
		(void)sv_err_set(err, rc, "no locked memory");
		goto out;
	}
	memcpy(raw.id, row->id, SV_ID_BYTES);
	raw.rev = 1;
	raw.tag = row->tag;
	sv_crypt_seal(s, SV_ROLE_META, (struct sv_row_ref){ row->id, 1, row->tag }, plain.data, plain.len, meta);
	sv_crypt_seal(s, SV_ROLE_VALUE, (struct sv_row_ref){ row->id, 1, row->tag }, value.data, value.len, val);
	raw.meta = meta;
	raw.meta_n = plain.len + SV_SEAL_EXTRA;
	raw.val = val;
	raw.val_n = value.len + SV_SEAL_EXTRA;
	sv_crypt_leaf(s, (struct sv_row_ref){ row->id, 1, row->tag }, raw.meta, raw.meta_n, raw.val, raw.val_n,
		      row->leaf);
	rc = sv_rows_append(rows, h) ? sv_store_insert(store, &raw, err)
				     : sv_err_set(err, SV_ERR_NOMEM, "out of memory");
out:
	sv_buf_clear(&plain);
	sv_buf_clear(&value);
	return rc;
}

static enum sv_code fill(struct sv_store *store, struct sv_scope *s, const unsigned char *vmk,
			 const struct sv_slot_new *slots, size_t n, int64_t now, struct sv_err *err)
{
	struct sv_state_row row = { .suite = s->suite, .epoch = s->epoch, .seq = 1, .nrec = 1 };
	struct sv_head head = { .created_s = now, .changed_s = now };
	struct sv_rows rows = { .free = SV_ROW_NONE };
	struct sv_slot made[SV_SLOTS_MAX];
	enum sv_code rc;

	memcpy(row.vault_id, s->vault_id, SV_ID_BYTES);
	for (size_t i = 0; i < n; i++)
		sv_slot_wrap(s, (uint8_t)i, &slots[i], vmk, &made[i]);
	if ((rc = sv_store_begin(store, err)) != SV_OK || (rc = put_default(store, s, now, &rows, err)) != SV_OK)
		goto out;
	sv_rows_root(&rows, s, row.root);
	if ((rc = sv_state_seal_head(s, &head, &row, err)) != SV_OK)
		goto out;
	sv_state_mac(s, &row, made, n, row.mac);
	if ((rc = sv_store_put_slots(store, made, n, err)) != SV_OK ||
	    (rc = sv_store_put_state(store, &row, true, err)) != SV_OK)
		goto out;
	rc = sv_store_commit(store, err);
out:
	sv_rows_clear(&rows);
	return rc;
}

/* What may stand there already: nothing, or the emptied journal of a vault that was removed. */
static enum sv_code check_free(const struct sv_place *p, struct sv_err *err)
{
	char *journal = sv_place_name(p, "-journal");
	enum sv_code rc = SV_OK;
	unsigned char first = 0;
	struct stat st;
	int fd;

	if (journal == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	if (fstatat(p->dir_fd, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		rc = sv_err_set(err, SV_ERR_EXISTS, "there is a file already where the vault would be");
	} else if ((fd = openat(p->dir_fd, journal, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) >= 0) {
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_size > 0 && pread(fd, &first, 1, 0) != 1) ||
		    first != 0)
			rc = sv_err_set(err, SV_ERR_EXISTS,
					"the journal of another vault stands where the new one would be");
		else if (unlinkat(p->dir_fd, journal, 0) != 0)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "an old journal cannot be removed");
		close(fd);
	} else if (errno != ENOENT) {
		rc = sv_err_set(err, SV_ERR_EXISTS, "something stands where the vault's journal would be");
	}
	free(journal);
	return rc;
}

static int rename_new(const struct sv_place *p, const char *from)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(p->dir_fd, from, p->dir_fd, p->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
#endif
	if (linkat(p->dir_fd, from, p->dir_fd, p->name, 0) != 0)
		return errno;
	return unlinkat(p->dir_fd, from, 0) == 0 ? 0 : errno;
}

static enum sv_code write_file(const struct sv_place *p, struct sv_scope *s, const unsigned char *vmk,
			       const struct sv_slot_new *slots, size_t n, int64_t now, struct sv_err *err)
{
	struct sv_place tmp = { .dir_fd = p->dir_fd, .dir = p->dir };
	struct sv_store *store = NULL;
	int fd, keep = -1, e;
	enum sv_code rc;
	uint32_t rnd[2];

	randombytes_buf(rnd, sizeof(rnd));
	if (asprintf(&tmp.name, ".%s.%08x%08x.new", p->name, rnd[0], rnd[1]) < 0)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	if ((fd = openat(p->dir_fd, tmp.name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault file cannot be made");
		free(tmp.name);
		return rc;
	}
	if (fchmod(fd, 0600) != 0 || (keep = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault file cannot be made");
		close(fd);
		goto out;
	}
	if ((rc = sv_file_check_fs(keep, err)) != SV_OK) {
		close(fd);
		goto out;
	}
	if ((rc = sv_store_open(&tmp, fd, SV_STORE_NEW, &store, err)) != SV_OK ||
	    (rc = fill(store, s, vmk, slots, n, now, err)) != SV_OK)
		goto out;
	sv_store_close(&store);
	if (fsync(keep) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault file");
		goto out;
	}
	if ((e = rename_new(p, tmp.name)) != 0) {
		rc = sv_err_sys(err, e == EEXIST ? SV_ERR_EXISTS : SV_ERR_IO, e, "the vault file");
		goto out;
	}
	if (fsync(p->dir_fd) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "the vault's directory");
		(void)unlinkat(p->dir_fd, p->name, 0);
	}
out:
	sv_store_close(&store);
	if (keep >= 0)
		close(keep);
	if (rc != SV_OK)
		(void)unlinkat(p->dir_fd, tmp.name, 0);
	free(tmp.name);
	return rc;
}

enum sv_code sv_vault_create(const struct sv_vault_config *cfg, const struct sv_slot_new *slots, size_t n_slots,
			     struct sv_vault **v, struct sv_err *err)
{
	struct sv_scope s = { .suite = SV_SUITE, .epoch = 1 };
	struct sv_place place = { .dir_fd = -1 };
	struct making *m = NULL;
	struct sv_keys *keys = NULL;
	int64_t now;
	enum sv_code rc;

	*v = NULL;
	if (sodium_init() < 0)
		return sv_err_set(err, SV_ERR_FAIL, "libsodium cannot be initialised");
	if ((rc = sv_slots_check_new(slots, n_slots, err)) != SV_OK ||
	    (rc = sv_place_init(&place, cfg->path, err)) != SV_OK)
		return rc;
	if ((rc = sv_place_mkdirs(place.dir, err)) != SV_OK || (rc = sv_place_open(&place, err)) != SV_OK ||
	    (rc = check_free(&place, err)) != SV_OK)
		goto out;
	if ((m = sv_secmem_alloc(sizeof(*m))) == NULL || (keys = sv_secmem_alloc(sizeof(*keys))) == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory");
		goto out;
	}
	now = cfg->clock != NULL ? cfg->clock(cfg->clock_ctx) : (int64_t)time(NULL);
	randombytes_buf(s.vault_id, SV_ID_BYTES);
	randombytes_buf(m->vmk, SV_KEY_BYTES);
	sv_keys_derive(m->vmk, keys);
	s.keys = keys;
	if ((rc = write_file(&place, &s, m->vmk, slots, n_slots, now, err)) != SV_OK)
		goto out;
	if ((rc = sv_vault_open(cfg, v, err)) == SV_OK) {
		rc = sv_vault_believe(*v, keys, false, err);
		keys = NULL;
	}
	if (rc != SV_OK) {
		sv_vault_close(v);
		(void)unlinkat(place.dir_fd, place.name, 0);
	}
out:
	sv_secmem_free(keys);
	sv_secmem_free(m);
	sv_place_clear(&place);
	sv_stack_scrub();
	return rc;
}

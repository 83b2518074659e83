/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a file to something believed: slot key, leaves, root, state MAC, facts, witness, in this order.  Nothing is
 * released before all of it held.
 */
#include "vault/vault_int.h"

#include "vault/kdf.h"
#include "vault/vfs.h"

#include <string.h>
#include <sys/stat.h>

/*
 * Files over this size are not run through quick_check at every unlock (it costs as much as the authenticated pass and
 * proves less: every byte that is used is under the root); sv_vault_verify() always does it.
 */
#define QUICK_CHECK_BYTES ((off_t)16 << 20)

enum sv_code sv_vault_need_store(struct sv_vault *v, struct sv_err *err)
{
	enum sv_code rc;
	bool hot;
	int fd;

	if (v->store != NULL)
		return SV_OK;
	if ((rc = sv_place_open(&v->place, err)) != SV_OK ||
	    (rc = sv_place_open_file(&v->place, &fd, &hot, err)) != SV_OK)
		return rc;
	return sv_store_open(&v->place, fd, SV_STORE_VAULT, &v->store, err);
}

static enum sv_code load_row(void *ctx, const struct sv_raw *raw, struct sv_err *err)
{
	struct sv_vault *v = ctx;
	struct sv_row *row;
	uint32_t h;

	if (v->rows.n == SV_ROWS_MAX)
		return sv_err_set(err, SV_ERR_LIMITS, "the vault has more rows than are allowed");
	if ((h = sv_rows_new(&v->rows)) == SV_ROW_NONE)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
	row = sv_rows_at(&v->rows, h);
	memcpy(row->id, raw->id, SV_ID_BYTES);
	memcpy(row->tag, raw->tag, SV_HASH_BYTES);
	row->rev = raw->rev;
	sv_crypt_leaf(&v->scope, (struct sv_row_ref){ raw->id, raw->rev, raw->tag }, raw->meta, raw->meta_n, raw->val,
		      raw->val_n, row->leaf);
	if (!sv_rows_append(&v->rows, h)) {
		sv_rows_release(&v->rows, h);
		return sv_err_set(err, SV_ERR_INTEGRITY, "the rows of the vault are out of order");
	}
	return SV_OK;
}

static enum sv_code verify_rows(struct sv_vault *v, const struct sv_state_row *row, struct sv_err *err)
{
	uint8_t hash[SV_HASH_BYTES];
	enum sv_code rc;
	struct stat st;

	if (fstat(sv_store_fd(v->store), &st) == 0 && st.st_size <= QUICK_CHECK_BYTES &&
	    (rc = sv_store_quick_check(v->store, err)) != SV_OK)
		return rc;
	if ((rc = sv_store_scan(v->store, load_row, v, err)) != SV_OK)
		return rc;
	if (v->rows.n != row->nrec)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: rows are missing or were added");
	sv_rows_root(&v->rows, &v->scope, hash);
	if (!sv_equal_ct(hash, row->root, sizeof(hash)))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: its rows do not give its root");
	sv_state_mac(&v->scope, row, v->slots, v->n_slots, hash);
	if (!sv_equal_ct(hash, row->mac, sizeof(hash)))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: its state does not hold");
	if (!sv_rows_hash_all(&v->rows))
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
	return SV_OK;
}

void sv_vault_advance_witness(struct sv_vault *v)
{
	struct sv_witness w = { .seq = v->seq };

	memcpy(w.mac, v->mac, SV_HASH_BYTES);
	/*
	 * the change is saved either way; a witness that lags only notices less, and is brought up at the next commit
	 * or unlock
	 */
	v->witness_stale = sv_witness_write(v->state_dir, &v->scope, &w, v->witness_stale, NULL) != SV_OK;
}

enum sv_code sv_vault_check_witness(struct sv_vault *v, bool accept, bool advance, struct sv_err *err)
{
	enum sv_witness_found found;
	struct sv_witness w = { 0 };
	enum sv_code rc = sv_witness_read(v->state_dir, &v->scope, &found, &w, err);
	bool whole = false;

	if (rc != SV_OK)
		return rc;
	v->witness_new = found == SV_WITNESS_NONE;
	switch (found) {
	case SV_WITNESS_NONE:
	case SV_WITNESS_OLD_KEYS: break;
	case SV_WITNESS_DAMAGED:
		rc = SV_ERR_ROLLBACK;
		(void)sv_err_set(err, rc,
				 "the rollback witness of this vault is damaged, so it cannot be told whether the "
				 "vault is the newest");
		break;
	case SV_WITNESS_NEW_KEYS:
		rc = SV_ERR_ROLLBACK;
		(void)sv_err_set(err, rc,
				 "the vault is older than what this machine has seen: it is from before the last "
				 "change of passphrase");
		break;
	case SV_WITNESS_GOOD:
		if (v->seq < w.seq) {
			rc = SV_ERR_ROLLBACK;
			(void)sv_err_set(
				err, rc,
				"the vault is older than what this machine has seen (change %llu, and %llu was here)",
				(unsigned long long)v->seq, (unsigned long long)w.seq);
		} else if (v->seq == w.seq && !sv_equal_ct(w.mac, v->mac, SV_HASH_BYTES)) {
			rc = SV_ERR_FORK;
			(void)sv_err_set(err, rc,
					 "the vault is not the one this machine has seen, though both have change %llu",
					 (unsigned long long)v->seq);
		} else if (v->seq == w.seq) {
			return SV_OK;
		}
		break;
	}
	if (rc != SV_OK && !accept)
		return rc;
	whole = rc != SV_OK || found == SV_WITNESS_OLD_KEYS;
	if (!advance)
		return SV_OK;
	/* a re-key was cut off before its end: finish it, before the witness forgets that */
	if (found == SV_WITNESS_OLD_KEYS && (rc = sv_vault_wipe_journal(v, err)) != SV_OK)
		return rc;
	w.seq = v->seq;
	memcpy(w.mac, v->mac, SV_HASH_BYTES);
	rc = sv_witness_write(v->state_dir, &v->scope, &w, whole, err);
	/* without a place for it there would never be one; a full disk under an existing one only makes it lag */
	if (rc != SV_OK && found == SV_WITNESS_GOOD && !whole) {
		v->witness_stale = true;
		rc = SV_OK;
	}
	return rc;
}

enum sv_code sv_vault_wipe_journal(struct sv_vault *v, struct sv_err *err)
{
	struct sv_state_row row;
	enum sv_code rc;
	int e;

	sv_store_close(&v->store);
	e = sv_vfs_wipe_journal(&v->place);
	if ((rc = sv_vault_need_store(v, err)) != SV_OK || (rc = sv_store_state(v->store, &row, err)) != SV_OK)
		return rc;
	if (row.seq != v->seq || !sv_equal_ct(row.mac, v->mac, SV_HASH_BYTES))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault file was altered while it was open");
	return e == 0 ? SV_OK : sv_err_sys(err, SV_ERR_IO, e, "the journal with the old key slots cannot be removed");
}

/* The environment that every vault has; its id is needed at every look-up. */
static enum sv_code find_default(struct sv_vault *v, struct sv_err *err)
{
	static const uint8_t none[SV_ID_BYTES];
	uint8_t tag[SV_HASH_BYTES];
	uint32_t cursor = 0, h;

	sv_crypt_tag(&v->scope, SV_KIND_ENV, SV_LIVE, none,
		     (struct sv_text){ SV_ENV_DEFAULT, sizeof(SV_ENV_DEFAULT) - 1 }, tag);
	if ((h = sv_rows_by_tag(&v->rows, tag, &cursor)) == SV_ROW_NONE)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault has no default environment");
	memcpy(v->default_env, sv_rows_at(&v->rows, h)->id, SV_ID_BYTES);
	return SV_OK;
}

enum sv_code sv_vault_believe(struct sv_vault *v, struct sv_keys *keys, bool accept_rollback, struct sv_err *err)
{
	struct sv_state_row row;
	enum sv_code rc;

	v->keys = keys;
	v->scope.keys = keys;
	if ((rc = sv_vault_need_store(v, err)) != SV_OK || (rc = sv_store_state(v->store, &row, err)) != SV_OK)
		goto out;
	if (memcmp(row.vault_id, v->scope.vault_id, SV_ID_BYTES) != 0 || row.epoch != v->scope.epoch) {
		rc = sv_err_set(err, SV_ERR_CONFLICT, "the vault file was replaced by another; try again");
		goto out;
	}
	sv_rows_clear(&v->rows);
	if (sv_buf_reserve(&v->plain, 1024) != SV_OK) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory");
		goto out;
	}
	if ((rc = verify_rows(v, &row, err)) != SV_OK ||
	    (rc = sv_state_open_head(&v->scope, &row, &v->head, err)) != SV_OK)
		goto out;
	v->seq = row.seq;
	memcpy(v->mac, row.mac, SV_HASH_BYTES);
	memcpy(v->root, row.root, SV_HASH_BYTES);
	v->witness_stale = false;
	if ((rc = sv_vault_check_witness(v, accept_rollback, true, err)) != SV_OK ||
	    (rc = find_default(v, err)) != SV_OK)
		goto out;
	return SV_OK;
out:
	sv_vault_drop(v);
	return rc;
}

enum sv_code sv_vault_unlock(struct sv_vault *v, uint8_t slot_id, const unsigned char *key, bool accept_rollback,
			     struct sv_err *err)
{
	struct {
		unsigned char vmk[SV_KEY_BYTES];
	} *s = NULL;
	struct sv_slot_info infos[SV_SLOTS_MAX];
	const struct sv_slot *slot = NULL;
	struct sv_keys *keys;
	size_t n;
	enum sv_code rc;

	if ((rc = sv_vault_slots(v, infos, &n, err)) != SV_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (v->slots[i].id == slot_id)
			slot = &v->slots[i];
	if (slot == NULL || (slot->kind != SV_SLOT_PASSPHRASE && slot->kind != SV_SLOT_RECOVERY))
		return sv_err_set(err, SV_ERR_NOT_FOUND, "the vault has no key slot %u that this version can use",
				  slot_id);
	if ((s = sv_secmem_alloc(sizeof(*s))) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory");
	rc = sv_slot_unwrap(&v->scope, slot, key, s->vmk);
	if (rc == SV_ERR_PASSPHRASE)
		(void)sv_err_set(err, rc,
				 slot->kind == SV_SLOT_RECOVERY ? "the recovery code is wrong"
								: "the passphrase is wrong");
	else if (rc != SV_OK)
		(void)sv_err_set(err, rc, "the vault was altered: a key slot does not open");
	if (rc != SV_OK || v->keys != NULL)
		goto out;
	if ((keys = sv_secmem_alloc(sizeof(*keys))) == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory");
		goto out;
	}
	sv_keys_derive(s->vmk, keys);
	sv_wipe(s, sizeof(*s));
	rc = sv_vault_believe(v, keys, accept_rollback, err);
	v->kdf_below_floor = slot->mem < SV_KDF_FLOOR_MEM || slot->ops < SV_KDF_FLOOR_OPS;
out:
	sv_secmem_free(s);
	return rc;
}

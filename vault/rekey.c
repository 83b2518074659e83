/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New keys for everything, in one transaction: every row opened, sealed under the new keys and written over itself.  No
 * second file is built, because a stale hot journal of the old one could be rolled into it.  Afterwards the journal,
 * which holds the old slots and rows, is overwritten and removed.
 */
#include "vault/vault_int.h"

#include <stdlib.h>
#include <string.h>

struct fresh {
	unsigned char vmk[SV_KEY_BYTES];
};

struct work {
	struct sv_scope scope;
	struct sv_rows rows;
	struct sv_slot slots[SV_SLOTS_MAX];
	struct sv_state_row row;
	struct sv_head head;
	unsigned char *blobs;
	size_t cap;
};

static enum sv_code prove(struct sv_vault *v, uint8_t id, const unsigned char *key, struct fresh *f, struct sv_err *err)
{
	for (size_t i = 0; i < v->n_slots; i++) {
		enum sv_code rc;

		if (v->slots[i].id != id)
			continue;
		rc = sv_slot_unwrap(&v->scope, &v->slots[i], key, f->vmk);
		sv_wipe(f, sizeof(*f));
		if (rc == SV_ERR_PASSPHRASE)
			return sv_err_set(err, rc, "the present passphrase or recovery code is wrong");
		return rc == SV_OK ? rc : sv_err_set(err, rc, "the vault was altered: a key slot does not open");
	}
	return sv_err_set(err, SV_ERR_NOT_FOUND, "the vault has no key slot %u", id);
}

static enum sv_code seal_row(struct sv_vault *v, struct work *k, uint32_t old_h, struct sv_err *err)
{
	const struct sv_row *old = sv_rows_at(&v->rows, old_h);
	uint32_t h = sv_rows_new(&k->rows);
	struct sv_loaded l;
	struct sv_raw raw;
	struct sv_row *row;
	size_t meta_n, val_n;
	enum sv_code rc;

	if (h == SV_ROW_NONE)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
	row = sv_rows_at(&k->rows, h);
	memcpy(row->id, old->id, SV_ID_BYTES);
	row->rev = old->rev;
	row->used_s = old->used_s;
	if (!sv_rows_append(&k->rows, h))
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
	if ((rc = sv_row_fetch(v, old_h, &raw, err)) != SV_OK)
		return rc;
	meta_n = raw.meta_n;
	val_n = raw.val_n;
	rc = sv_blobs_load(v, &raw, true, &l, err);
	sv_store_done(v->store);
	if (rc != SV_OK)
		return rc;
	if (meta_n + val_n > k->cap) {
		unsigned char *more = malloc(meta_n + val_n);

		if (more == NULL) {
			sv_loaded_clear(&l);
			return sv_err_set(err, SV_ERR_NOMEM, "out of memory for a row");
		}
		free(k->blobs);
		k->blobs = more;
		k->cap = meta_n + val_n;
	}
	sv_crypt_tag(&k->scope, l.r.kind, (enum sv_state)l.r.state, l.r.env_id, l.r.name, row->tag);
	raw = (struct sv_raw){ .rev = row->rev,
			       .tag = row->tag,
			       .meta = k->blobs,
			       .meta_n = meta_n,
			       .val = k->blobs + meta_n,
			       .val_n = val_n };
	memcpy(raw.id, row->id, SV_ID_BYTES);
	/* the padded plaintexts as they are */
	sv_crypt_seal(&k->scope, SV_ROLE_META, (struct sv_row_ref){ row->id, row->rev, row->tag }, l.meta,
		      meta_n - SV_SEAL_EXTRA, k->blobs);
	sv_crypt_seal(&k->scope, SV_ROLE_VALUE, (struct sv_row_ref){ row->id, row->rev, row->tag }, l.val,
		      val_n - SV_SEAL_EXTRA, k->blobs + meta_n);
	sv_loaded_clear(&l);
	sv_crypt_leaf(&k->scope, (struct sv_row_ref){ row->id, row->rev, row->tag }, raw.meta, raw.meta_n, raw.val,
		      raw.val_n, row->leaf);
	return sv_store_update(v->store, &raw, err);
}

static enum sv_code write_all(struct sv_vault *v, struct work *k, size_t n_slots, struct sv_err *err)
{
	enum sv_code rc = sv_commit_begin(v, err);

	for (uint32_t i = 0; i < v->rows.n && rc == SV_OK; i++)
		rc = seal_row(v, k, v->rows.order[i], err);
	if (rc != SV_OK)
		return rc;
	if (!sv_rows_hash_all(&k->rows))
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
	k->row.nrec = k->rows.n;
	sv_rows_root(&k->rows, &k->scope, k->row.root);
	if ((rc = sv_state_seal_head(&k->scope, &k->head, &k->row, err)) != SV_OK)
		return rc;
	sv_state_mac(&k->scope, &k->row, k->slots, n_slots, k->row.mac);
	if ((rc = sv_store_put_slots(v->store, k->slots, n_slots, err)) != SV_OK ||
	    (rc = sv_store_put_state(v->store, &k->row, false, err)) != SV_OK)
		return rc;
	return sv_store_commit(v->store, err);
}

static void take_over(struct sv_vault *v, struct work *k, struct sv_keys **keys, size_t n_slots)
{
	sv_secmem_free(v->keys);
	v->keys = *keys;
	*keys = NULL;
	v->scope = k->scope;
	sv_rows_clear(&v->rows);
	v->rows = k->rows;
	k->rows = (struct sv_rows){ .free = SV_ROW_NONE };
	memcpy(v->slots, k->slots, sizeof(v->slots));
	v->n_slots = n_slots;
	v->head = k->head;
	v->seq = k->row.seq;
	memcpy(v->mac, k->row.mac, SV_HASH_BYTES);
	memcpy(v->root, k->row.root, SV_HASH_BYTES);
	v->kdf_below_floor = false;
}

enum sv_code sv_vault_rekey(struct sv_vault *v, uint8_t proof_slot, const unsigned char *proof,
			    const struct sv_slot_new *slots, size_t n_slots, struct sv_err *err)
{
	struct sv_err local = SV_ERR_INIT, *e = err != NULL ? err : &local;
	struct sv_keys *keys = NULL;
	struct fresh *f = NULL;
	struct work k = { .rows = { .free = SV_ROW_NONE } };
	enum sv_code rc;

	if ((rc = sv_vault_need_unlocked(v, e)) != SV_OK || (rc = sv_slots_check_new(slots, n_slots, e)) != SV_OK)
		return rc;
	if ((f = sv_secmem_alloc(sizeof(*f))) == NULL || (keys = sv_secmem_alloc(sizeof(*keys))) == NULL) {
		rc = sv_err_set(e, SV_ERR_NOMEM, "no locked memory");
		goto out;
	}
	if ((rc = prove(v, proof_slot, proof, f, e)) != SV_OK)
		goto out;
	randombytes_buf(f->vmk, sizeof(f->vmk));
	sv_keys_derive(f->vmk, keys);
	k.scope = v->scope;
	k.scope.epoch++;
	k.scope.keys = keys;
	k.head = v->head;
	k.head.changed_s = sv_vault_now(v);
	k.row = (struct sv_state_row){ .suite = k.scope.suite, .epoch = k.scope.epoch, .seq = v->seq + 1 };
	memcpy(k.row.vault_id, v->scope.vault_id, SV_ID_BYTES);
	for (size_t i = 0; i < n_slots; i++)
		sv_slot_wrap(&k.scope, (uint8_t)i, &slots[i], f->vmk, &k.slots[i]);
	sv_secmem_free(f);
	f = NULL;
	e->code = SV_OK;
	if ((rc = write_all(v, &k, n_slots, e)) != SV_OK && (rc = sv_commit_resolve(v, &k.row, &k.scope, e)) != SV_OK)
		goto out;
	e->code = SV_OK;
	take_over(v, &k, &keys, n_slots);
	/*
	 * The new keys are in force from here on.  When the journal cannot be wiped now, the witness stays at the old
	 * epoch and the next unlock tries again.
	 */
	if (sv_vault_wipe_journal(v, NULL) == SV_OK) {
		v->witness_stale = true; /* both places of the witness */
		sv_vault_advance_witness(v);
	} else if (v->store == NULL) {
		sv_vault_drop(v);
		rc = sv_err_set(e, SV_ERR_IO, "the vault has its new keys, but cannot be opened again; it is locked");
	}
out:
	sv_rows_clear(&k.rows);
	free(k.blobs);
	sv_secmem_free(keys);
	sv_secmem_free(f);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a transaction: all of it or nothing, and the truth about which.
 *
 *	check -> seal leaves -> plan the index -> BEGIN -> same state? -> rows, state -> COMMIT -> index -> witness ->
 *OK (any error from BEGIN to COMMIT: close, reopen, read which state is there)
 *
 * A failed COMMIT says nothing about what is on the disk (of 200 single faults injected, 6 reported an error with the
 * new state written), so the authenticated state is read back.
 */
#include "vault/vault_int.h"

#include <stdlib.h>
#include <string.h>

enum sv_code sv_commit_begin(struct sv_vault *v, struct sv_err *err)
{
	struct sv_state_row row;
	enum sv_code rc;

	if (!sv_place_same(&v->place, sv_store_fd(v->store))) {
		sv_vault_drop(v);
		return sv_err_set(err, SV_ERR_CONFLICT,
				  "the vault file was removed or replaced by another; nothing was saved, and the vault "
				  "is locked");
	}
	if ((rc = sv_store_begin(v->store, err)) != SV_OK || (rc = sv_store_state(v->store, &row, err)) != SV_OK)
		return rc;
	if (row.seq != v->seq || !sv_equal_ct(row.mac, v->mac, SV_HASH_BYTES))
		return sv_err_set(err, SV_ERR_INTEGRITY,
				  "the vault file was altered while it was open; nothing was saved");
	return SV_OK;
}

enum sv_code sv_commit_resolve(struct sv_vault *v, const struct sv_state_row *row, const struct sv_scope *scope,
			       struct sv_err *err)
{
	struct sv_err why = SV_ERR_INIT;
	struct sv_state_row now;
	enum sv_code rc;

	if (v->store == NULL)
		return err != NULL && err->code != SV_OK ? err->code : SV_ERR_IO;
	if (err != NULL)
		why = *err;
	sv_store_rollback(v->store);
	sv_store_close(&v->store);
	rc = sv_vault_need_store(v, NULL);
	if (rc == SV_OK)
		rc = sv_store_state(v->store, &now, NULL);
	if (rc != SV_OK) {
		sv_vault_drop(v);
		return sv_err_set(err, SV_ERR_IO,
				  "writing failed (%s), and it cannot be told whether the change is saved; the vault "
				  "is locked, unlock it to see",
				  why.msg);
	}
	if (now.epoch == scope->epoch && now.seq == row->seq && sv_equal_ct(now.mac, row->mac, SV_HASH_BYTES))
		return SV_OK;
	if (now.epoch == v->scope.epoch && now.seq == v->seq && sv_equal_ct(now.mac, v->mac, SV_HASH_BYTES)) {
		enum sv_code code = why.code == SV_OK ? SV_ERR_IO : why.code;

		if (code == SV_ERR_CONFLICT || code == SV_ERR_INTEGRITY)
			return code; /* the sentence says all */
		return sv_err_sys(err, code, why.sys_errno, "the change is not saved, the vault is as it was: %s",
				  why.msg);
	}
	sv_vault_drop(v);
	return sv_err_set(err, SV_ERR_INTEGRITY,
			  "the vault file is at neither the old nor the new state; the vault is locked");
}

/* Every staged change still fits what is there, and no two live things share a name. */
enum sv_code sv_commit_check(struct sv_vault *v, const struct sv_tx *tx, struct sv_err *err)
{
	for (uint32_t i = 0; i < tx->n; i++) {
		const struct sv_staged *st = &tx->s[i];
		uint32_t h = SV_ROW_NONE, cursor = 0, other;

		if (st->dead)
			continue;
		if (st->base_rev != 0)
			h = sv_rows_current(&v->rows, st->id);
		if ((h == SV_ROW_NONE ? 0 : sv_rows_at(&v->rows, h)->rev) != st->base_rev)
			return sv_err_set(err, SV_ERR_CONFLICT,
					  "somebody else changed the same secret meanwhile; nothing was saved");
		if (!st->live || st->remove)
			continue;
		while ((other = sv_tx_by_tag(tx, st->tag, &cursor)) != SV_STAGED_NONE)
			if (other != i)
				return sv_err_set(err, SV_ERR_CONFLICT,
						  "two secrets would have one name; nothing was saved");
		cursor = 0;
		while ((h = sv_rows_by_tag(&v->rows, st->tag, &cursor)) != SV_ROW_NONE)
			if (!sv_tx_overrides(tx, sv_rows_at(&v->rows, h)->id))
				return sv_err_set(err, SV_ERR_CONFLICT,
						  "the name is taken by another secret; nothing was saved");
	}
	return SV_OK;
}

static int staged_cmp(const void *a, const void *b)
{
	const struct sv_staged *x = *(const struct sv_staged *const *)a, *y = *(const struct sv_staged *const *)b;
	int c = memcmp(x->id, y->id, SV_ID_BYTES);

	return c != 0 ? c : x->rev < y->rev ? -1 : x->rev > y->rev;
}

static int handle_cmp(const void *a, const void *b, void *rows)
{
	return sv_rows_cmp(sv_rows_at(rows, *(const uint32_t *)a), sv_rows_at(rows, *(const uint32_t *)b));
}

void sv_commit_count(const struct sv_tx *tx, struct sv_commit *out)
{
	*out = (struct sv_commit){ .unchanged = tx->unchanged };
	for (uint32_t i = 0; i < tx->n; i++) {
		const struct sv_staged *st = &tx->s[i];

		if (st->dead || st->kind != SV_KIND_SECRET)
			continue;
		out->added += st->live && !st->was_live;
		out->changed += st->live && st->was_live;
		out->removed += !st->live && st->was_live;
	}
}

struct work {
	struct sv_staged **sorted; /* what becomes a row, by (id, rev): neighbours in the file are written together */
	struct sv_handles add, del;
	struct sv_rows_plan plan;
	struct sv_state_row row;
	struct sv_head head;
	struct sv_names *index;
};

static enum sv_code prepare(struct sv_vault *v, struct sv_tx *tx, struct work *k, struct sv_err *err)
{
	int64_t now = sv_vault_now(v);
	uint32_t n = 0;
	enum sv_code rc;

	k->head = v->head;
	if ((rc = sv_commit_check(v, tx, err)) != SV_OK || (rc = sv_prune(v, tx, now, &k->del, &k->head, err)) != SV_OK)
		return rc;
	if (tx->txn != v->seq + 1 && (rc = sv_tx_reseal(tx, v->seq + 1, err)) != SV_OK)
		return rc;
	if ((k->sorted = malloc((tx->n + 1) * sizeof(*k->sorted))) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
	for (uint32_t i = 0; i < tx->n; i++) {
		struct sv_staged *st = &tx->s[i];

		if (!st->dead && !st->remove)
			k->sorted[n++] = st;
	}
	if (n > 1)
		qsort(k->sorted, n, sizeof(*k->sorted), staged_cmp);
	for (uint32_t i = 0; i < n; i++) {
		struct sv_staged *st = k->sorted[i];
		struct sv_row *row;

		if ((st->handle = sv_rows_new(&v->rows)) == SV_ROW_NONE)
			return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
		if (!sv_handles_put(&k->add, st->handle)) {
			sv_rows_release(&v->rows, st->handle);
			return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
		}
		row = sv_rows_at(&v->rows, st->handle);
		memcpy(row->id, st->id, SV_ID_BYTES);
		memcpy(row->tag, st->tag, SV_HASH_BYTES);
		row->rev = st->rev;
		sv_crypt_leaf(&v->scope, (struct sv_row_ref){ st->id, st->rev, st->tag }, st->meta, st->meta_n, st->val,
			      st->val_n, row->leaf);
	}
	if (k->del.n > 1)
		qsort_r(k->del.h, k->del.n, sizeof(*k->del.h), handle_cmp, &v->rows);
	if (!sv_rows_plan(&v->rows, k->add.h, k->add.n, k->del.h, k->del.n, &k->plan))
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the row index");
	if (k->plan.n > SV_ROWS_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "the vault would have more rows than are allowed");
	/* times of use are no change that a person made */
	for (uint32_t i = 0; i < tx->n; i++)
		if (!tx->s[i].dead && tx->s[i].kind != SV_OBJECT_USAGE)
			k->head.changed_s = now;
	k->head.secrets = (uint32_t)((int64_t)k->head.secrets + tx->secrets_delta);
	k->row = (struct sv_state_row){
		.suite = v->scope.suite, .epoch = v->scope.epoch, .seq = v->seq + 1, .nrec = k->plan.n
	};
	memcpy(k->row.vault_id, v->scope.vault_id, SV_ID_BYTES);
	sv_rows_plan_root(&v->rows, &k->plan, &v->scope, k->add.h, k->add.n, k->del.h, k->del.n, k->row.root);
	if ((rc = sv_state_seal_head(&v->scope, &k->head, &k->row, err)) != SV_OK)
		return rc;
	sv_state_mac(&v->scope, &k->row, v->slots, v->n_slots, k->row.mac);
	return sv_index_prepare(v, tx, &k->index, err);
}

static enum sv_code write_all(struct sv_vault *v, const struct work *k, struct sv_err *err)
{
	enum sv_code rc = sv_commit_begin(v, err);

	for (uint32_t i = 0; i < k->del.n && rc == SV_OK; i++) {
		const struct sv_row *row = sv_rows_at(&v->rows, k->del.h[i]);

		rc = sv_store_delete(v->store, row->id, row->rev, err);
	}
	for (uint32_t i = 0; i < k->add.n && rc == SV_OK; i++) {
		struct sv_raw raw = sv_staged_raw(k->sorted[i]);

		rc = sv_store_insert(v->store, &raw, err);
	}
	if (rc == SV_OK)
		rc = sv_store_put_state(v->store, &k->row, false, err);
	return rc == SV_OK ? sv_store_commit(v->store, err) : rc;
}

/* Environments that were staged, as the cache should know them from now on. */
static void refresh_envs(struct sv_vault *v, const struct sv_tx *tx)
{
	for (uint32_t i = 0; i < tx->n; i++) {
		struct sv_raw raw = sv_staged_raw(&tx->s[i]);
		struct sv_loaded l;
		struct sv_env e;

		if (tx->s[i].dead || tx->s[i].kind != SV_KIND_ENV)
			continue;
		if (sv_blobs_load(v, &raw, false, &l, NULL) != SV_OK) {
			sv_index_reset(v);
			sv_envs_clear(v);
			return;
		}
		sv_env_from_record(l.id, &l.r, &e);
		if (sv_env_remember(v, &e) != SV_OK) {
			sv_index_reset(v);
			sv_envs_clear(v);
		}
		sv_loaded_clear(&l);
	}
}

enum sv_code sv_tx_commit(struct sv_tx **txp, struct sv_commit *out, struct sv_err *err)
{
	struct sv_tx *tx = *txp;
	struct sv_vault *v = tx->v;
	struct sv_err local = SV_ERR_INIT, *e = err != NULL ? err : &local;
	struct sv_commit dummy;
	struct work k = { 0 };
	bool any = false;
	enum sv_code rc;

	if (out == NULL)
		out = &dummy;
	sv_commit_count(tx, out);
	if ((rc = sv_tx_usable(tx, e)) != SV_OK)
		goto out;
	for (uint32_t i = 0; i < tx->n && !any; i++)
		any = !tx->s[i].dead;
	if (!any)
		goto out;
	if ((rc = prepare(v, tx, &k, e)) != SV_OK)
		goto out;
	e->code = SV_OK;
	if ((rc = write_all(v, &k, e)) != SV_OK && (rc = sv_commit_resolve(v, &k.row, &v->scope, e)) != SV_OK)
		goto out;
	e->code = SV_OK;
	sv_rows_apply(&v->rows, &k.plan, k.add.h, k.add.n, k.del.h, k.del.n);
	k.add.n = 0;
	v->seq = k.row.seq;
	memcpy(v->mac, k.row.mac, SV_HASH_BYTES);
	memcpy(v->root, k.row.root, SV_HASH_BYTES);
	v->head = k.head;
	if (v->names != NULL && sv_names_flush(v->names) != SV_OK)
		sv_index_reset(v);
	if (tx->envs_touched)
		refresh_envs(v, tx);
	sv_vault_advance_witness(v);
	out->txn = v->seq;
out:
	if (rc != SV_OK) {
		*out = (struct sv_commit){ 0 };
		if (k.index != NULL) /* changes were collected that did not happen */
			sv_index_reset(v);
		if (v->keys != NULL)
			for (uint32_t i = 0; i < k.add.n; i++)
				sv_rows_release(&v->rows, k.add.h[i]);
	}
	sv_rows_plan_clear(&k.plan);
	free(k.sorted);
	free(k.add.h);
	free(k.del.h);
	sv_tx_abort(txp);
	return rc;
}

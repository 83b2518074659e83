/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undo: the last change that still stands is taken back by new versions with the content of those before it.
 *
 * Which change that is needs every version's metadata; the walk is paid for by whoever undoes, and not by every change.
 * Because changes are taken back from the newest on, whatever came after the one in question has been taken back
 * itself.
 */
#include "vault/vault_int.h"

#include <stdlib.h>
#include <string.h>

struct txns {
	uint64_t *t;
	size_t n, cap;
};

static bool txns_put(struct txns *l, uint64_t t)
{
	if (l->n > 0 && l->t[l->n - 1] == t)
		return true;
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		uint64_t *more = realloc(l->t, cap * sizeof(*more));

		if (more == NULL)
			return false;
		l->t = more;
		l->cap = cap;
	}
	l->t[l->n++] = t;
	return true;
}

static int txn_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The newest change that is no undo and was not undone; 0 when there is none. */
static enum sv_code newest(struct sv_vault *v, uint64_t *txn, struct sv_err *err)
{
	struct txns made = { 0 }, undone = { 0 };
	enum sv_code rc = SV_OK;

	*txn = 0;
	for (uint32_t pos = 0; pos < v->rows.n && rc == SV_OK; pos++) {
		struct sv_loaded l;

		if ((rc = sv_row_load(v, v->rows.order[pos], false, &l, err)) != SV_OK)
			break;
		/* the first commit made the vault */
		if (l.r.kind <= SV_KIND_SECRET && l.r.txn > 1 &&
		    !txns_put(l.r.undo_of != 0 ? &undone : &made, l.r.undo_of != 0 ? l.r.undo_of : l.r.txn))
			rc = sv_err_set(err, SV_ERR_NOMEM, "out of memory");
		sv_loaded_clear(&l);
	}
	if (undone.n > 1)
		qsort(undone.t, undone.n, sizeof(*undone.t), txn_cmp);
	for (size_t i = 0; i < made.n; i++)
		if (made.t[i] > *txn &&
		    (undone.n == 0 || bsearch(&made.t[i], undone.t, undone.n, sizeof(*undone.t), txn_cmp) == NULL))
			*txn = made.t[i];
	free(made.t);
	free(undone.t);
	return rc;
}

static enum sv_code too_old(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_CONFLICT,
			  "the last change cannot be taken back: a version from before it is no longer kept");
}

/* Stage what takes one version of the change back: order[at] within its item's run from..to. */
static enum sv_code take_back(struct sv_tx *tx, uint32_t from, uint32_t at, uint32_t to, struct sv_err *err)
{
	struct sv_vault *v = tx->v;
	uint32_t h = v->rows.order[at], last = v->rows.order[to - 1];
	struct sv_loaded did = { 0 }, cur = { 0 }, before = { 0 };
	struct sv_base base = { .rev = sv_rows_at(&v->rows, last)->rev };
	enum sv_code rc;

	memcpy(base.id, sv_rows_at(&v->rows, h)->id, SV_ID_BYTES);
	if ((rc = sv_row_load(v, h, false, &did, err)) != SV_OK ||
	    (rc = sv_row_load(v, last, false, &cur, err)) != SV_OK)
		goto out;
	base.live = cur.r.state == SV_LIVE;
	if (cur.r.origin != did.r.origin) {
		rc = sv_err_set(
			err, SV_ERR_CONFLICT,
			"the last change cannot be taken back: something that it changed was changed again since");
		goto out;
	}
	if (did.rev == 1) {
		struct sv_record gone = { .kind = cur.r.kind,
					  .state = SV_GONE,
					  .name = cur.r.name,
					  .created_s = cur.r.created_s,
					  .standalone = cur.r.standalone };

		memcpy(gone.env_id, cur.r.env_id, SV_ID_BYTES);
		rc = sv_tx_stage(tx, &base, &gone, NULL, 0, err);
	} else if (at == from || sv_rows_at(&v->rows, v->rows.order[at - 1])->rev != did.rev - 1) {
		rc = too_old(err);
	} else if ((rc = sv_row_load(v, v->rows.order[at - 1], true, &before, err)) == SV_OK) {
		rc = sv_tx_stage(tx, &base, &before.r, before.value, before.value_n, err);
	}
out:
	sv_loaded_clear(&did);
	sv_loaded_clear(&cur);
	sv_loaded_clear(&before);
	return rc;
}

static enum sv_code stage_all(struct sv_tx *tx, struct sv_err *err)
{
	struct sv_vault *v = tx->v;
	enum sv_code rc = SV_OK;
	uint32_t from = 0;

	for (uint32_t pos = 0; pos < v->rows.n && rc == SV_OK; pos++) {
		uint64_t oldest = 0;

		if (!sv_rows_is_current(&v->rows, pos))
			continue;
		for (uint32_t at = from; at <= pos && rc == SV_OK; at++) {
			struct sv_loaded l;
			bool ours;

			if ((rc = sv_row_load(v, v->rows.order[at], false, &l, err)) != SV_OK)
				break;
			if (at == from)
				oldest = l.rev == 1 || l.r.kind > SV_KIND_SECRET ? 0 : l.r.txn;
			ours = l.r.kind <= SV_KIND_SECRET && l.r.txn == tx->undo_of;
			sv_loaded_clear(&l);
			if (ours) {
				oldest = 0;
				rc = take_back(tx, from, at, pos + 1, err);
			}
		}
		/* its version of this change may be among those that went: half an undo is none */
		if (rc == SV_OK && oldest > tx->undo_of)
			rc = too_old(err);
		from = pos + 1;
	}
	return rc;
}

static enum sv_code report(struct sv_tx *tx, sv_info_fn fn, void *ctx, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	for (uint32_t i = 0; i < tx->n && rc == SV_OK; i++) {
		struct sv_raw raw = sv_staged_raw(&tx->s[i]);
		struct sv_loaded l;
		struct sv_info info;

		if (tx->s[i].dead || tx->s[i].kind != SV_KIND_SECRET)
			continue;
		if ((rc = sv_blobs_load(tx->v, &raw, false, &l, err)) != SV_OK)
			break;
		if ((rc = sv_info_fill(tx->v, &l, false, &info, err)) == SV_OK) {
			rc = fn(ctx, &info);
			sv_info_clear(&info);
		}
		sv_loaded_clear(&l);
	}
	return rc;
}

enum sv_code sv_vault_undo(struct sv_vault *v, bool dry_run, sv_info_fn fn, void *ctx, struct sv_commit *out,
			   struct sv_err *err)
{
	struct sv_tx *tx = NULL;
	struct sv_commit dummy;
	uint64_t txn;
	enum sv_code rc;

	if (out == NULL)
		out = &dummy;
	*out = (struct sv_commit){ 0 };
	if ((rc = sv_vault_need_unlocked(v, err)) != SV_OK || (rc = newest(v, &txn, err)) != SV_OK)
		return rc;
	if (txn == 0)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "there is nothing to undo");
	if ((rc = sv_tx_begin(v, SV_VERB_UNDO, &tx, err)) != SV_OK)
		return rc;
	tx->undo_of = txn;
	if ((rc = stage_all(tx, err)) != SV_OK || (rc = sv_commit_check(v, tx, err)) != SV_OK ||
	    (fn != NULL && (rc = report(tx, fn, ctx, err)) != SV_OK))
		goto out;
	if (!dry_run)
		return sv_tx_commit(&tx, out, err);
	sv_commit_count(tx, out);
out:
	sv_tx_abort(&tx);
	return rc;
}

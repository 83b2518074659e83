/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction: versions sealed when they are staged, so that only ciphertext waits, and an overlay by which later
 * operations of the same transaction see the earlier ones.
 */
#include "vault/vault_int.h"

#include <stdlib.h>
#include <string.h>

enum sv_code sv_tx_begin(struct sv_vault *v, enum sv_verb verb, struct sv_tx **out, struct sv_err *err)
{
	enum sv_code rc = sv_vault_need_unlocked(v, err);

	*out = NULL;
	if (rc != SV_OK)
		return rc;
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	(*out)->v = v;
	(*out)->verb = (uint8_t)verb;
	(*out)->txn = v->seq + 1;
	(*out)->key_epoch = v->scope.epoch;
	return SV_OK;
}

void sv_tx_abort(struct sv_tx **tx)
{
	if (*tx == NULL)
		return;
	for (uint32_t i = 0; i < (*tx)->n; i++)
		free((*tx)->s[i].meta);
	free((*tx)->s);
	free((*tx)->by_tag);
	free((*tx)->by_id);
	free(*tx);
	*tx = NULL;
}

size_t sv_tx_bytes(const struct sv_tx *tx)
{
	return tx->bytes;
}

enum sv_code sv_tx_usable(const struct sv_tx *tx, struct sv_err *err)
{
	enum sv_code rc = sv_vault_need_unlocked(tx->v, err);

	if (rc == SV_OK && tx->failed)
		return sv_err_set(err, SV_ERR_FAIL, "an earlier step of the change failed");
	if (rc == SV_OK && tx->key_epoch != tx->v->scope.epoch)
		return sv_err_set(err, SV_ERR_CONFLICT, "the vault was re-keyed meanwhile");
	return rc;
}

/* ---- overlay: entries may be stale (the change got another tag, or came to nothing) and are checked when met ---- */

static void overlay_put(uint32_t *table, uint32_t cap, const uint8_t *key, uint32_t index)
{
	uint32_t i = sv_rd32(key) & (cap - 1);

	while (table[i] != SV_STAGED_NONE)
		i = (i + 1) & (cap - 1);
	table[i] = index;
}

static bool overlay_reserve(struct sv_tx *tx)
{
	uint32_t cap = tx->hash_cap, used = tx->tags_used > tx->n ? tx->tags_used : tx->n;
	uint32_t *tags, *ids;

	if (cap != 0 && (uint64_t)(used + 2) * 2 <= cap)
		return true;
	cap = cap == 0 ? 16 : cap;
	while ((uint64_t)(tx->n + 2) * 4 > cap)
		cap *= 2;
	tags = malloc((size_t)cap * sizeof(*tags));
	ids = malloc((size_t)cap * sizeof(*ids));
	if (tags == NULL || ids == NULL) {
		free(tags);
		free(ids);
		return false;
	}
	memset(tags, 0xff, (size_t)cap * sizeof(*tags));
	memset(ids, 0xff, (size_t)cap * sizeof(*ids));
	for (uint32_t i = 0; i < tx->n; i++) {
		overlay_put(tags, cap, tx->s[i].tag, i);
		overlay_put(ids, cap, tx->s[i].id, i);
	}
	free(tx->by_tag);
	free(tx->by_id);
	tx->by_tag = tags;
	tx->by_id = ids;
	tx->hash_cap = cap;
	tx->tags_used = tx->n;
	return true;
}

static uint32_t by_id(const struct sv_tx *tx, const uint8_t *id)
{
	if (tx->hash_cap == 0)
		return SV_STAGED_NONE;
	for (uint32_t i = sv_rd32(id) & (tx->hash_cap - 1); tx->by_id[i] != SV_STAGED_NONE;
	     i = (i + 1) & (tx->hash_cap - 1))
		if (memcmp(tx->s[tx->by_id[i]].id, id, SV_ID_BYTES) == 0)
			return tx->by_id[i];
	return SV_STAGED_NONE;
}

bool sv_tx_overrides(const struct sv_tx *tx, const uint8_t *id)
{
	uint32_t i = by_id(tx, id);

	return i != SV_STAGED_NONE && !tx->s[i].dead;
}

uint32_t sv_tx_by_tag(const struct sv_tx *tx, const uint8_t *tag, uint32_t *cursor)
{
	uint32_t mask = tx->hash_cap - 1, home = sv_rd32(tag) & mask;

	while (tx->hash_cap != 0 && *cursor < tx->hash_cap) {
		uint32_t i = tx->by_tag[(home + *cursor) & mask];

		(*cursor)++;
		if (i == SV_STAGED_NONE)
			break;
		if (!tx->s[i].dead && !tx->s[i].remove && memcmp(tx->s[i].tag, tag, SV_HASH_BYTES) == 0)
			return i;
	}
	return SV_STAGED_NONE;
}

enum sv_code sv_tx_find(struct sv_vault *v, const struct sv_tx *tx, uint8_t kind, enum sv_state state,
			const uint8_t *env_id, struct sv_text name, struct sv_where *w, struct sv_err *err)
{
	uint8_t tag[SV_HASH_BYTES];
	uint32_t cursor = 0, h;
	uint64_t best = 0;

	*w = (struct sv_where){ SV_STAGED_NONE, SV_ROW_NONE };
	sv_crypt_tag(&v->scope, kind, state, env_id, name, tag);
	if (tx != NULL && (w->staged = sv_tx_by_tag(tx, tag, &cursor)) != SV_STAGED_NONE)
		return SV_OK;
	cursor = 0;
	while ((h = sv_rows_by_tag(&v->rows, tag, &cursor)) != SV_ROW_NONE) {
		struct sv_loaded l;
		enum sv_code rc;

		if (tx != NULL && sv_tx_overrides(tx, sv_rows_at(&v->rows, h)->id))
			continue;
		if (state == SV_LIVE) {
			w->row = h;
			return SV_OK;
		}
		/* several items may have been deleted under one name: the latest deletion is meant */
		if ((rc = sv_row_load(v, h, false, &l, err)) != SV_OK)
			return rc;
		if (w->row == SV_ROW_NONE || l.r.txn > best) {
			w->row = h;
			best = l.r.txn;
		}
		sv_loaded_clear(&l);
	}
	return SV_OK;
}

struct sv_raw sv_staged_raw(const struct sv_staged *st)
{
	struct sv_raw raw = { .rev = st->rev,
			      .tag = st->tag,
			      .meta = st->meta,
			      .meta_n = st->meta_n,
			      .val = st->val,
			      .val_n = st->val_n };

	memcpy(raw.id, st->id, SV_ID_BYTES);
	return raw;
}

enum sv_code sv_where_load(struct sv_vault *v, const struct sv_tx *tx, struct sv_where w, bool want_value,
			   struct sv_loaded *l, struct sv_err *err)
{
	struct sv_raw raw;

	if (w.staged == SV_STAGED_NONE)
		return sv_row_load(v, w.row, want_value, l, err);
	raw = sv_staged_raw(&tx->s[w.staged]);
	return sv_blobs_load(v, &raw, want_value, l, err);
}

struct sv_base sv_where_base(const struct sv_vault *v, const struct sv_tx *tx, struct sv_where w)
{
	struct sv_base b = { .live = true };

	if (w.staged != SV_STAGED_NONE) {
		memcpy(b.id, tx->s[w.staged].id, SV_ID_BYTES);
		b.rev = tx->s[w.staged].base_rev;
		b.live = tx->s[w.staged].was_live;
	} else {
		memcpy(b.id, sv_rows_at(&v->rows, w.row)->id, SV_ID_BYTES);
		b.rev = sv_rows_at(&v->rows, w.row)->rev;
	}
	return b;
}

struct sv_base sv_base_new(void)
{
	struct sv_base b = { .rev = 0 };

	randombytes_buf(b.id, SV_ID_BYTES);
	return b;
}

/* ---- staging ---- */

static enum sv_code slot_for(struct sv_tx *tx, const struct sv_base *base, struct sv_staged **out, struct sv_err *err)
{
	uint32_t i = by_id(tx, base->id);
	struct sv_staged *st;

	if (i == SV_STAGED_NONE) {
		if (tx->n == tx->cap) {
			uint32_t cap = tx->cap == 0 ? 8 : tx->cap * 2;
			struct sv_staged *more = realloc(tx->s, cap * sizeof(*more));

			if (more == NULL)
				return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
			tx->s = more;
			tx->cap = cap;
		}
		if (!overlay_reserve(tx))
			return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
		st = &tx->s[i = tx->n++];
		*st = (struct sv_staged){ .base_rev = base->rev,
					  .was_live = base->live && base->rev != 0,
					  .live = base->live && base->rev != 0,
					  .dead = true };
		memcpy(st->id, base->id, SV_ID_BYTES);
		overlay_put(tx->by_id, tx->hash_cap, st->id, i);
	}
	*out = &tx->s[i];
	return SV_OK;
}

/* Plaintext to a staged change; the blobs replace what was there. */
static enum sv_code seal_into(struct sv_tx *tx, struct sv_staged *st, const struct sv_record *r,
			      const unsigned char *value, size_t n, struct sv_err *err)
{
	struct sv_vault *v = tx->v;
	struct sv_row_ref ref = { st->id, st->rev, st->tag };
	struct sv_buf val = SV_BUF_LOCKED(SV_VALUE_PADDED_MAX);
	unsigned char *blobs;
	enum sv_code rc;

	if ((rc = sv_record_encode(r, &v->plain, err)) != SV_OK)
		goto out;
	if ((rc = sv_pad_put(&val, value, n)) != SV_OK) {
		(void)sv_err_set(err, rc, "no locked memory for a value");
		goto out;
	}
	if ((blobs = malloc(v->plain.len + val.len + 2 * SV_SEAL_EXTRA)) == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
		goto out;
	}
	tx->bytes -= st->meta_n + st->val_n;
	free(st->meta);
	st->meta = blobs;
	st->meta_n = v->plain.len + SV_SEAL_EXTRA;
	st->val = blobs + st->meta_n;
	st->val_n = val.len + SV_SEAL_EXTRA;
	tx->bytes += st->meta_n + st->val_n;
	sv_crypt_seal(&v->scope, SV_ROLE_META, ref, v->plain.data, v->plain.len, st->meta);
	sv_crypt_seal(&v->scope, SV_ROLE_VALUE, ref, val.data, val.len, st->val);
out:
	sv_buf_reset(&v->plain);
	sv_buf_clear(&val);
	return rc;
}

static void count_secret(struct sv_tx *tx, struct sv_staged *st, bool live)
{
	if (st->kind == SV_KIND_SECRET)
		tx->secrets_delta += (int)live - (int)st->live;
	st->live = live;
}

enum sv_code sv_tx_stage(struct sv_tx *tx, const struct sv_base *base, struct sv_record *r, const unsigned char *value,
			 size_t n, struct sv_err *err)
{
	struct sv_staged *st;
	bool live = r->state == SV_LIVE;
	enum sv_code rc = sv_tx_usable(tx, err);
	uint8_t tag[SV_HASH_BYTES];

	if (rc != SV_OK)
		return rc;
	if (base->rev >= SV_REV_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "the secret has as many versions as can be counted");
	if (r->kind == SV_KIND_SECRET && live &&
	    (int64_t)tx->v->head.secrets + tx->secrets_delta + 1 > SV_SECRETS_MAX + (base->live ? 1 : 0))
		return sv_err_set(err, SV_ERR_TOO_BIG, "a vault holds at most %d secrets", SV_SECRETS_MAX);
	if ((rc = slot_for(tx, base, &st, err)) != SV_OK)
		return rc;
	st->kind = r->kind;
	if (!live && !st->was_live && tx->undo_of == 0) { /* made and removed within the transaction */
		count_secret(tx, st, false);
		st->dead = true;
		return SV_OK;
	}
	if (!overlay_reserve(tx))
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
	st->rev = st->base_rev + 1;
	r->txn = tx->txn;
	r->verb = tx->verb;
	r->undo_of = tx->undo_of;
	r->changed_s = sv_vault_now(tx->v);
	if (r->created_s == 0)
		r->created_s = r->changed_s;
	if (r->origin == 0)
		r->origin = st->rev;
	r->value_len = (uint32_t)n;
	sv_crypt_tag(&tx->v->scope, r->kind, (enum sv_state)r->state, r->env_id, r->name, tag);
	memcpy(st->tag, tag, sizeof(tag));
	if ((rc = seal_into(tx, st, r, value, n, err)) != SV_OK) {
		tx->failed = true; /* tag and blobs may disagree now */
		return rc;
	}
	st->dead = false;
	st->remove = false;
	count_secret(tx, st, live);
	overlay_put(tx->by_tag, tx->hash_cap, st->tag, (uint32_t)(st - tx->s));
	tx->tags_used++;
	tx->envs_touched |= r->kind == SV_KIND_ENV;
	return SV_OK;
}

enum sv_code sv_tx_stage_remove(struct sv_tx *tx, const struct sv_base *base, const struct sv_record *r,
				struct sv_err *err)
{
	struct sv_staged *st;
	enum sv_code rc = slot_for(tx, base, &st, err);

	if (rc != SV_OK)
		return rc;
	st->kind = r->kind;
	st->remove = st->alone = true;
	st->live = st->dead = false;
	sv_crypt_tag(&tx->v->scope, r->kind, SV_LIVE, r->env_id, r->name, st->tag);
	return SV_OK;
}

enum sv_code sv_tx_reseal(struct sv_tx *tx, uint64_t txn, struct sv_err *err)
{
	struct sv_vault *v = tx->v;

	for (uint32_t i = 0; i < tx->n; i++) {
		struct sv_staged *st = &tx->s[i];
		struct sv_raw raw = sv_staged_raw(st);
		struct sv_loaded l;
		enum sv_code rc;

		if (st->dead || st->remove)
			continue;
		if ((rc = sv_blobs_load(v, &raw, false, &l, err)) != SV_OK)
			return rc;
		l.r.txn = txn;
		/* fields are of fixed width, so the blob keeps its size */
		if ((rc = sv_record_encode(&l.r, &v->plain, err)) == SV_OK &&
		    v->plain.len + SV_SEAL_EXTRA == st->meta_n)
			sv_crypt_seal(&v->scope, SV_ROLE_META, (struct sv_row_ref){ st->id, st->rev, st->tag },
				      v->plain.data, v->plain.len, st->meta);
		else if (rc == SV_OK)
			rc = sv_err_set(err, SV_ERR_FAIL, "a staged change lost its size");
		sv_buf_reset(&v->plain);
		sv_loaded_clear(&l);
		if (rc != SV_OK)
			return rc;
	}
	tx->txn = txn;
	return SV_OK;
}

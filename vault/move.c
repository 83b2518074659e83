/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming, copying and restoring secrets within a transaction.
 */
#include "vault/vault_int.h"

#include <string.h>

struct ends {
	struct sv_env from, to;
	struct sv_where src, dst;
};

static enum sv_code find_ends(struct sv_tx *tx, struct sv_text env, struct sv_text name, struct sv_text to_env,
			      struct sv_text to_name, bool replace, struct ends *x, struct sv_err *err)
{
	enum sv_code rc;

	if ((rc = sv_tx_usable(tx, err)) != SV_OK || (rc = sv_name_check(to_name.p, to_name.n, err)) != SV_OK ||
	    (rc = sv_env_find(tx->v, tx, env, &x->from, err)) != SV_OK ||
	    (rc = sv_env_find(tx->v, tx, to_env, &x->to, err)) != SV_OK)
		return rc;
	if (name.n == 0 || name.n > SV_NAME_MAX)
		return sv_no_secret(env, name, err);
	if ((rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_LIVE, x->from.id, name, &x->src, err)) != SV_OK)
		return rc;
	if (!sv_where_found(x->src))
		return sv_no_secret(env, name, err);
	if (memcmp(x->from.id, x->to.id, SV_ID_BYTES) == 0 && sv_text_cmp(name, to_name) == 0)
		return sv_err_set(err, SV_ERR_USAGE, "source and target are the same secret");
	if ((rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_LIVE, x->to.id, to_name, &x->dst, err)) != SV_OK)
		return rc;
	if (sv_where_found(x->dst) && !replace)
		return sv_err_set(err, SV_ERR_EXISTS, "there is a secret \"%.*s\" in environment \"%.*s\" already",
				  (int)to_name.n, to_name.p, (int)to_env.n, to_env.p);
	return SV_OK;
}

enum sv_code sv_tx_move(struct sv_tx *tx, struct sv_text env, struct sv_text name, struct sv_text to_env,
			struct sv_text to_name, bool replace, struct sv_err *err)
{
	struct sv_loaded l;
	struct sv_base base;
	struct ends x;
	enum sv_code rc;

	if ((rc = find_ends(tx, env, name, to_env, to_name, replace, &x, err)) != SV_OK)
		return rc;
	if ((rc = sv_where_load(tx->v, tx, x.src, true, &l, err)) != SV_OK)
		return rc;
	base = sv_where_base(tx->v, tx, x.src);
	if (sv_where_found(x.dst) && (rc = sv_tx_remove(tx, to_env, to_name, 0, err)) != SV_OK)
		goto out;
	l.r.name = to_name;
	memcpy(l.r.env_id, x.to.id, SV_ID_BYTES);
	l.r.origin = 0;
	rc = sv_tx_stage(tx, &base, &l.r, l.value, l.value_n, err);
out:
	sv_loaded_clear(&l);
	return rc;
}

enum sv_code sv_tx_copy(struct sv_tx *tx, struct sv_text env, struct sv_text name, struct sv_text to_env,
			struct sv_text to_name, bool replace, struct sv_err *err)
{
	struct sv_put p = {
		.env = to_env, .name = to_name, .mode = SV_PUT_SET, .has_value = true, .meta_fields = SV_MF_ALL
	};
	struct sv_loaded l;
	struct ends x;
	enum sv_code rc;

	if ((rc = find_ends(tx, env, name, to_env, to_name, replace, &x, err)) != SV_OK ||
	    (rc = sv_where_load(tx->v, tx, x.src, true, &l, err)) != SV_OK)
		return rc;
	p.meta = l.r.meta;
	p.value = l.value;
	p.value_len = l.value_n;
	rc = sv_tx_put(tx, &p, err);
	sv_loaded_clear(&l);
	return rc;
}

/* Which version is meant; its handle to *h. */
static enum sv_code pick(struct sv_vault *v, const uint8_t *id, uint64_t version, bool gone, uint32_t *h,
			 struct sv_err *err)
{
	uint32_t from = sv_rows_lower(&v->rows, id, 0), to = sv_rows_lower(&v->rows, id, UINT32_MAX);
	struct sv_loaded l;
	enum sv_code rc;

	if (version != 0) {
		*h = version > SV_REV_MAX ? SV_ROW_NONE : sv_rows_find(&v->rows, id, (uint32_t)version);
		if (*h == SV_ROW_NONE)
			return sv_err_set(err, SV_ERR_NOT_FOUND,
					  "there is no version %llu of the secret; versions %u to %u are kept",
					  (unsigned long long)version,
					  from == to ? 0 : sv_rows_at(&v->rows, v->rows.order[from])->rev,
					  from == to ? 0 : sv_rows_at(&v->rows, v->rows.order[to - 1])->rev);
		return SV_OK;
	}
	if (!gone)
		return sv_err_set(err, SV_ERR_USAGE, "the secret is not deleted; say which version to restore");
	while (to > from) {
		bool live;

		*h = v->rows.order[--to];
		if ((rc = sv_row_load(v, *h, false, &l, err)) != SV_OK)
			return rc;
		live = l.r.state == SV_LIVE;
		sv_loaded_clear(&l);
		if (live)
			return SV_OK;
	}
	return sv_err_set(err, SV_ERR_NOT_FOUND, "no version from before the deletion is kept");
}

enum sv_code sv_tx_restore(struct sv_tx *tx, struct sv_text env, struct sv_text name, uint64_t version,
			   struct sv_err *err)
{
	struct sv_loaded cur = { 0 }, old = { 0 };
	struct sv_base base;
	struct sv_where w;
	struct sv_env e;
	bool gone = false;
	uint32_t h = SV_ROW_NONE;
	enum sv_code rc;

	if ((rc = sv_tx_usable(tx, err)) != SV_OK || (rc = sv_env_find(tx->v, tx, env, &e, err)) != SV_OK)
		return rc;
	if (name.n == 0 || name.n > SV_NAME_MAX)
		return sv_no_secret(env, name, err);
	if ((rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_LIVE, e.id, name, &w, err)) != SV_OK)
		return rc;
	if (!sv_where_found(w)) {
		gone = true;
		if ((rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_GONE, e.id, name, &w, err)) != SV_OK)
			return rc;
		if (!sv_where_found(w))
			return sv_no_secret(env, name, err);
	}
	base = sv_where_base(tx->v, tx, w);
	if (gone && w.staged == SV_STAGED_NONE)
		base.live = false;
	if ((rc = pick(tx->v, base.id, version, gone, &h, err)) != SV_OK ||
	    (rc = sv_where_load(tx->v, tx, w, false, &cur, err)) != SV_OK ||
	    (rc = sv_row_load(tx->v, h, true, &old, err)) != SV_OK)
		goto out;
	if (old.r.state == SV_GONE) {
		rc = sv_err_set(err, SV_ERR_USAGE, "version %llu of the secret is its deletion",
				(unsigned long long)version);
		goto out;
	}
	if (!gone && cur.r.origin == old.r.origin) {
		tx->unchanged++;
		goto out;
	}
	/* name and environment stay what they are now: restoring is about content */
	old.r.name = cur.r.name;
	memcpy(old.r.env_id, cur.r.env_id, SV_ID_BYTES);
	old.r.created_s = cur.r.created_s;
	rc = sv_tx_stage(tx, &base, &old.r, old.value, old.value_n, err);
out:
	sv_loaded_clear(&cur);
	sv_loaded_clear(&old);
	return rc;
}

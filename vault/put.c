/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting and removing secrets within a transaction.
 */
#include "vault/vault_int.h"

#include <string.h>

static enum sv_code check_put(const struct sv_put *p, struct sv_err *err)
{
	struct sv_meta m = { 0 };
	enum sv_code rc;

	if ((rc = sv_name_check(p->name.p, p->name.n, err)) != SV_OK)
		return rc;
	if (!p->has_value && p->mode != SV_PUT_UPDATE)
		return sv_err_set(err, SV_ERR_USAGE, "a new secret needs a value");
	if (p->has_value && p->value_len > SV_VALUE_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "a value has at most %zu bytes, this one has %zu", SV_VALUE_MAX,
				  p->value_len);
	sv_meta_merge(&m, &p->meta, p->meta_fields);
	return sv_meta_check(&m, err);
}

static enum sv_code exists(const struct sv_put *p, struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_EXISTS, "there is a secret \"%.*s\" in environment \"%.*s\" already",
			  (int)p->name.n, p->name.p, (int)p->env.n, p->env.p);
}

static enum sv_code put_new(struct sv_tx *tx, const struct sv_put *p, const struct sv_env *e, struct sv_err *err)
{
	struct sv_record r = { .kind = SV_KIND_SECRET, .name = p->name };
	struct sv_base base = sv_base_new();
	struct sv_where w;
	struct sv_loaded l;
	enum sv_code rc;

	if (p->mode == SV_PUT_UPDATE)
		return sv_no_secret(p->env, p->name, err);
	if (p->if_version != 0)
		return sv_err_set(err, SV_ERR_CONFLICT, "the secret was removed meanwhile");
	memcpy(r.env_id, e->id, SV_ID_BYTES);
	sv_meta_merge(&r.meta, &p->meta, p->meta_fields);
	/* a deleted secret of this name goes on, with its history */
	if ((rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_GONE, e->id, p->name, &w, err)) != SV_OK)
		return rc;
	if (sv_where_found(w)) {
		if ((rc = sv_where_load(tx->v, tx, w, false, &l, err)) != SV_OK)
			return rc;
		r.created_s = l.r.created_s;
		sv_loaded_clear(&l);
		base = sv_where_base(tx->v, tx, w);
		base.live = w.staged != SV_STAGED_NONE && base.live;
	}
	return sv_tx_stage(tx, &base, &r, p->value, p->value_len, err);
}

enum sv_code sv_tx_put(struct sv_tx *tx, const struct sv_put *p, struct sv_err *err)
{
	struct sv_loaded l = { 0 };
	struct sv_meta before;
	struct sv_where w;
	struct sv_base base;
	struct sv_env e;
	enum sv_code rc;

	if ((rc = sv_tx_usable(tx, err)) != SV_OK || (rc = check_put(p, err)) != SV_OK ||
	    (rc = sv_env_find(tx->v, tx, p->env, &e, err)) != SV_OK ||
	    (rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_LIVE, e.id, p->name, &w, err)) != SV_OK)
		return rc;
	if (!sv_where_found(w))
		return put_new(tx, p, &e, err);
	if (p->mode == SV_PUT_ADD)
		return exists(p, err);
	if ((rc = sv_where_load(tx->v, tx, w, true, &l, err)) != SV_OK)
		return rc;
	if (p->if_version != 0 && p->if_version != l.rev) {
		rc = sv_err_set(err, SV_ERR_CONFLICT, "the secret is at version %u, not %llu: somebody else changed it",
				l.rev, (unsigned long long)p->if_version);
		goto out;
	}
	before = l.r.meta;
	sv_meta_merge(&l.r.meta, &p->meta, p->meta_fields);
	if (sv_meta_equal(&before, &l.r.meta) &&
	    (!p->has_value ||
	     (p->value_len == l.value_n && (l.value_n == 0 || sv_equal_ct(p->value, l.value, l.value_n))))) {
		tx->unchanged++;
		goto out;
	}
	base = sv_where_base(tx->v, tx, w);
	l.r.origin = 0;
	rc = sv_tx_stage(tx, &base, &l.r, p->has_value ? p->value : l.value, p->has_value ? p->value_len : l.value_n,
			 err);
out:
	sv_loaded_clear(&l);
	return rc;
}

enum sv_code sv_tx_remove(struct sv_tx *tx, struct sv_text env, struct sv_text name, uint64_t if_version,
			  struct sv_err *err)
{
	struct sv_loaded l;
	struct sv_where w;
	struct sv_base base;
	struct sv_env e;
	enum sv_code rc;

	if ((rc = sv_tx_usable(tx, err)) != SV_OK || (rc = sv_env_find(tx->v, tx, env, &e, err)) != SV_OK)
		return rc;
	if (name.n == 0 || name.n > SV_NAME_MAX)
		return sv_no_secret(env, name, err);
	if ((rc = sv_tx_find(tx->v, tx, SV_KIND_SECRET, SV_LIVE, e.id, name, &w, err)) != SV_OK)
		return rc;
	if (!sv_where_found(w))
		return sv_no_secret(env, name, err);
	if ((rc = sv_where_load(tx->v, tx, w, false, &l, err)) != SV_OK)
		return rc;
	if (if_version != 0 && if_version != l.rev) {
		rc = sv_err_set(err, SV_ERR_CONFLICT, "the secret is at version %u, not %llu: somebody else changed it",
				l.rev, (unsigned long long)if_version);
	} else {
		/* metadata goes with the value; what it was is in the version before */
		struct sv_record r = {
			.kind = SV_KIND_SECRET, .state = SV_GONE, .name = l.r.name, .created_s = l.r.created_s
		};

		memcpy(r.env_id, l.r.env_id, SV_ID_BYTES);
		base = sv_where_base(tx->v, tx, w);
		rc = sv_tx_stage(tx, &base, &r, NULL, 0, err);
	}
	sv_loaded_clear(&l);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environments: items like secrets, found by tag, remembered in locked memory, changed in transactions.
 */
#include "vault/vault_int.h"

#include <string.h>

static const uint8_t no_env[SV_ID_BYTES];

void sv_envs_clear(struct sv_vault *v)
{
	sv_secmem_free(v->envs);
	v->envs = NULL;
	v->n_envs = v->envs_cap = 0;
}

void sv_env_from_record(const uint8_t *id, const struct sv_record *r, struct sv_env *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->id, id, SV_ID_BYTES);
	out->live = r->state == SV_LIVE;
	out->standalone = r->standalone;
	out->name_n = (uint8_t)(r->name.n > SV_ENV_NAME_MAX ? SV_ENV_NAME_MAX : r->name.n);
	memcpy(out->name, r->name.p, out->name_n);
}

enum sv_code sv_env_remember(struct sv_vault *v, const struct sv_env *e)
{
	for (uint32_t i = 0; i < v->n_envs; i++)
		if (memcmp(v->envs[i].id, e->id, SV_ID_BYTES) == 0) {
			v->envs[i] = *e;
			return SV_OK;
		}
	if (v->n_envs == v->envs_cap) {
		uint32_t cap = v->envs_cap == 0 ? 8 : v->envs_cap * 2;
		struct sv_env *more = sv_secmem_alloc(cap * sizeof(*more));

		if (more == NULL)
			return SV_ERR_NOMEM;
		if (v->n_envs > 0)
			memcpy(more, v->envs, v->n_envs * sizeof(*more));
		sv_secmem_free(v->envs);
		v->envs = more;
		v->envs_cap = cap;
	}
	v->envs[v->n_envs++] = *e;
	return SV_OK;
}

static enum sv_code no_such_env(struct sv_text name, struct sv_err *err)
{
	if (sv_env_name_check(name.p, name.n, NULL) != SV_OK)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no environment of that name");
	return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no environment \"%.*s\"", (int)name.n, name.p);
}

enum sv_code sv_env_find(struct sv_vault *v, const struct sv_tx *tx, struct sv_text name, struct sv_env *out,
			 struct sv_err *err)
{
	bool cached = tx == NULL || !tx->envs_touched;
	struct sv_where w;
	struct sv_loaded l;
	enum sv_code rc;

	for (uint32_t i = 0; cached && i < v->n_envs; i++)
		if (v->envs[i].live && v->envs[i].name_n == name.n && memcmp(v->envs[i].name, name.p, name.n) == 0) {
			*out = v->envs[i];
			return SV_OK;
		}
	if (name.n == 0 || name.n > SV_ENV_NAME_MAX)
		return no_such_env(name, err);
	if ((rc = sv_tx_find(v, tx, SV_KIND_ENV, SV_LIVE, no_env, name, &w, err)) != SV_OK)
		return rc;
	if (!sv_where_found(w))
		return no_such_env(name, err);
	if ((rc = sv_where_load(v, tx, w, false, &l, err)) != SV_OK)
		return rc;
	sv_env_from_record(l.id, &l.r, out);
	sv_loaded_clear(&l);
	if (cached && sv_env_remember(v, out) != SV_OK)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for environments");
	return SV_OK;
}

enum sv_code sv_env_by_id(struct sv_vault *v, const uint8_t *id, struct sv_env *out, struct sv_err *err)
{
	struct sv_loaded l;
	enum sv_code rc;
	uint32_t h;

	for (uint32_t i = 0; i < v->n_envs; i++)
		if (memcmp(v->envs[i].id, id, SV_ID_BYTES) == 0) {
			*out = v->envs[i];
			return SV_OK;
		}
	if ((h = sv_rows_current(&v->rows, id)) == SV_ROW_NONE) { /* purged, with old versions still pointing at it */
		memset(out, 0, sizeof(*out));
		out->name_n = 1;
		out->name[0] = '?';
		return SV_OK;
	}
	if ((rc = sv_row_load(v, h, false, &l, err)) != SV_OK)
		return rc;
	sv_env_from_record(id, &l.r, out);
	sv_loaded_clear(&l);
	return sv_env_remember(v, out) == SV_OK ? SV_OK
						: sv_err_set(err, SV_ERR_NOMEM, "no locked memory for environments");
}

static bool is_default(struct sv_text t)
{
	return t.n == sizeof(SV_ENV_DEFAULT) - 1 && memcmp(t.p, SV_ENV_DEFAULT, t.n) == 0;
}

enum sv_code sv_tx_env_create(struct sv_tx *tx, struct sv_text env, bool standalone, struct sv_err *err)
{
	struct sv_record r = { .kind = SV_KIND_ENV, .name = env, .standalone = standalone };
	struct sv_vault *v = tx->v;
	struct sv_base base = sv_base_new();
	struct sv_where w;
	enum sv_code rc;

	if ((rc = sv_tx_usable(tx, err)) != SV_OK || (rc = sv_env_name_check(env.p, env.n, err)) != SV_OK ||
	    (rc = sv_tx_find(v, tx, SV_KIND_ENV, SV_LIVE, no_env, env, &w, err)) != SV_OK)
		return rc;
	if (sv_where_found(w))
		return sv_err_set(err, SV_ERR_EXISTS, "there is an environment \"%.*s\" already", (int)env.n, env.p);
	if ((rc = sv_tx_find(v, tx, SV_KIND_ENV, SV_GONE, no_env, env, &w, err)) != SV_OK)
		return rc;
	if (sv_where_found(w)) {
		base = sv_where_base(v, tx, w);
		base.live = w.staged != SV_STAGED_NONE && base.live;
	}
	return sv_tx_stage(tx, &base, &r, NULL, 0, err);
}

/* The item of a live environment that may be changed. */
static enum sv_code changeable(struct sv_tx *tx, struct sv_text env, const char *what, struct sv_where *w,
			       struct sv_err *err)
{
	enum sv_code rc = sv_tx_usable(tx, err);

	if (rc != SV_OK)
		return rc;
	if (is_default(env))
		return sv_err_set(err, SV_ERR_USAGE, "the environment \"default\" cannot be %s", what);
	if (env.n == 0 || env.n > SV_ENV_NAME_MAX)
		return no_such_env(env, err);
	if ((rc = sv_tx_find(tx->v, tx, SV_KIND_ENV, SV_LIVE, no_env, env, w, err)) != SV_OK)
		return rc;
	return sv_where_found(*w) ? SV_OK : no_such_env(env, err);
}

enum sv_code sv_tx_env_rename(struct sv_tx *tx, struct sv_text env, struct sv_text to, struct sv_err *err)
{
	struct sv_where w, other;
	struct sv_base base;
	struct sv_loaded l;
	enum sv_code rc;

	if ((rc = changeable(tx, env, "renamed", &w, err)) != SV_OK ||
	    (rc = sv_env_name_check(to.p, to.n, err)) != SV_OK ||
	    (rc = sv_tx_find(tx->v, tx, SV_KIND_ENV, SV_LIVE, no_env, to, &other, err)) != SV_OK)
		return rc;
	if (sv_where_found(other))
		return sv_err_set(err, SV_ERR_EXISTS, "there is an environment \"%.*s\" already", (int)to.n, to.p);
	if ((rc = sv_where_load(tx->v, tx, w, false, &l, err)) != SV_OK)
		return rc;
	base = sv_where_base(tx->v, tx, w);
	l.r.name = to;
	l.r.origin = 0;
	rc = sv_tx_stage(tx, &base, &l.r, NULL, 0, err);
	sv_loaded_clear(&l);
	return rc;
}

/* Every secret of the environment, as the transaction sees it: the index first, then what was staged. */
static enum sv_code remove_secrets(struct sv_tx *tx, const struct sv_env *e, bool force, struct sv_err *err)
{
	struct sv_vault *v = tx->v;
	struct sv_text none = { "", 0 };
	struct sv_names_walk walk;
	struct sv_name_entry entry;
	struct sv_where w;
	enum sv_code rc = sv_index_complete(v, err);
	bool some = false;

	if (rc != SV_OK)
		return rc;
	if (sv_names_walk_open(v->names, e->id, none, none, &walk) != SV_OK)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory");
	while (rc == SV_OK && sv_names_walk_next(&walk, &entry)) {
		if ((rc = sv_tx_find(v, tx, SV_KIND_SECRET, SV_LIVE, e->id, entry.name, &w, err)) != SV_OK ||
		    w.row == SV_ROW_NONE)
			continue; /* gone or changed in this transaction: see below */
		some = true;
		if (force)
			rc = sv_tx_remove(tx, sv_env_text(e), entry.name, 0, err);
		else
			break;
	}
	sv_names_walk_close(&walk);
	for (uint32_t i = 0, n = tx->n; i < n && rc == SV_OK; i++) {
		struct sv_raw raw = sv_staged_raw(&tx->s[i]);
		struct sv_loaded l;

		if (tx->s[i].dead || tx->s[i].kind != SV_KIND_SECRET || !tx->s[i].live || (some && !force))
			continue;
		if ((rc = sv_blobs_load(v, &raw, false, &l, err)) != SV_OK)
			break;
		if (memcmp(l.r.env_id, e->id, SV_ID_BYTES) == 0) {
			some = true;
			if (force)
				rc = sv_tx_remove(tx, sv_env_text(e), l.r.name, 0, err);
		}
		sv_loaded_clear(&l);
	}
	if (rc == SV_OK && some && !force)
		return sv_err_set(err, SV_ERR_CONFLICT, "the environment \"%.*s\" holds secrets", (int)e->name_n,
				  e->name);
	return rc;
}

enum sv_code sv_tx_env_remove(struct sv_tx *tx, struct sv_text env, bool force, struct sv_err *err)
{
	struct sv_where w;
	struct sv_base base;
	struct sv_loaded l;
	struct sv_env e;
	enum sv_code rc;

	if ((rc = changeable(tx, env, "removed", &w, err)) != SV_OK ||
	    (rc = sv_env_find(tx->v, tx, env, &e, err)) != SV_OK ||
	    (rc = remove_secrets(tx, &e, force, err)) != SV_OK ||
	    (rc = sv_where_load(tx->v, tx, w, false, &l, err)) != SV_OK)
		return rc;
	base = sv_where_base(tx->v, tx, w);
	l.r.state = SV_GONE;
	l.r.origin = 0;
	rc = sv_tx_stage(tx, &base, &l.r, NULL, 0, err);
	tx->envs_touched = true;
	sv_loaded_clear(&l);
	return rc;
}

enum sv_code sv_vault_env_list(struct sv_vault *v, sv_env_fn fn, void *ctx, struct sv_err *err)
{
	const struct sv_env *last = NULL;
	enum sv_code rc;

	if ((rc = sv_vault_need_unlocked(v, err)) != SV_OK || (rc = sv_index_complete(v, err)) != SV_OK)
		return rc;
	for (;;) { /* in byte order, by repeated search for the next one: there are few */
		const struct sv_env *next = NULL;
		struct sv_env_info info;

		for (uint32_t i = 0; i < v->n_envs; i++) {
			const struct sv_env *e = &v->envs[i];

			if (e->live && (last == NULL || sv_text_cmp(sv_env_text(e), sv_env_text(last)) > 0) &&
			    (next == NULL || sv_text_cmp(sv_env_text(e), sv_env_text(next)) < 0))
				next = e;
		}
		if (next == NULL)
			return SV_OK;
		info = (struct sv_env_info){ .name = sv_env_text(next),
					     .standalone = next->standalone,
					     .secrets = sv_names_count(v->names, next->id) };
		if ((rc = fn(ctx, &info)) != SV_OK)
			return rc == SV_ERR_BUSY ? SV_OK : rc;
		last = next;
	}
}

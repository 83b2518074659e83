/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading secrets: the value alone, one version with its metadata, all versions.
 */
#include "vault/vault_int.h"

#include <string.h>

enum sv_code sv_no_secret(struct sv_text env, struct sv_text name, struct sv_err *err)
{
	if (sv_name_check(name.p, name.n, NULL) != SV_OK)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no secret of that name");
	return sv_err_set(err, SV_ERR_NOT_FOUND, "no secret named \"%.*s\" in environment \"%.*s\"", (int)name.n,
			  name.p, (int)env.n, env.p);
}

/* The current row of a name, in the environment or what it inherits; with `gone` also a deleted one. */
static enum sv_code find(struct sv_vault *v, struct sv_text env, struct sv_text name, bool gone, uint32_t *h,
			 bool *inherited, struct sv_err *err)
{
	struct sv_where w;
	struct sv_env e;
	enum sv_code rc;

	if ((rc = sv_vault_need_unlocked(v, err)) != SV_OK || (rc = sv_env_find(v, NULL, env, &e, err)) != SV_OK)
		return rc;
	if (name.n == 0 || name.n > SV_NAME_MAX)
		return sv_no_secret(env, name, err);
	*inherited = false;
	for (;;) {
		const uint8_t *id = *inherited ? v->default_env : e.id;

		if ((rc = sv_tx_find(v, NULL, SV_KIND_SECRET, SV_LIVE, id, name, &w, err)) != SV_OK)
			return rc;
		if (w.row == SV_ROW_NONE && gone &&
		    (rc = sv_tx_find(v, NULL, SV_KIND_SECRET, SV_GONE, id, name, &w, err)) != SV_OK)
			return rc;
		if (w.row != SV_ROW_NONE) {
			*h = w.row;
			return SV_OK;
		}
		if (*inherited || e.standalone || memcmp(e.id, v->default_env, SV_ID_BYTES) == 0)
			return sv_no_secret(env, name, err);
		*inherited = true;
	}
}

/* The value of a current row and its explicit variable name (may be empty), from the cache or from the file. */
static enum sv_code value_of(struct sv_vault *v, uint32_t h, char *var, size_t *var_n, unsigned char *out, size_t cap,
			     size_t *len, struct sv_err *err)
{
	struct sv_loaded l = { 0 };
	enum sv_code rc = SV_OK;

	if (v->cache == NULL || !sv_cache_get(v->cache, h, sv_rows_at(&v->rows, h), var, var_n, out, cap, len)) {
		if ((rc = sv_row_load(v, h, true, &l, err)) != SV_OK)
			return rc;
		*len = l.value_n;
		*var_n = l.r.meta.var.n;
		if (var != NULL && *var_n > 0)
			memcpy(var, l.r.meta.var.p, *var_n);
		if (l.value_n <= cap && l.value_n > 0)
			memcpy(out, l.value, l.value_n);
		if (v->cache == NULL)
			v->cache = sv_cache_new();
		if (v->cache != NULL)
			sv_cache_put(v->cache, h, sv_rows_at(&v->rows, h), l.r.meta.var, l.value, l.value_n);
		sv_loaded_clear(&l);
	}
	if (*len > cap)
		rc = sv_err_set(err, SV_ERR_TOO_BIG, "the value has %zu bytes and there is room for %zu", *len, cap);
	return rc;
}

enum sv_code sv_vault_get_pair(struct sv_vault *v, struct sv_text env, struct sv_text name, char var[SV_VAR_MAX + 1],
			       size_t *var_n, bool *inherited, unsigned char *out, size_t out_cap, size_t *len,
			       struct sv_err *err)
{
	size_t own = 0;
	uint32_t h;
	enum sv_code rc;

	*len = 0;
	if ((rc = find(v, env, name, false, &h, inherited, err)) != SV_OK ||
	    (rc = value_of(v, h, var, &own, out, out_cap, len, err)) != SV_OK)
		return rc;
	if (var != NULL)
		*var_n = own > 0 ? own : sv_var_from_name(name.p, name.n, var);
	sv_usage_note(v, h);
	return SV_OK;
}

enum sv_code sv_vault_get_into(struct sv_vault *v, struct sv_text env, struct sv_text name, unsigned char *out,
			       size_t out_cap, size_t *len, struct sv_err *err)
{
	bool inherited;

	return sv_vault_get_pair(v, env, name, NULL, NULL, &inherited, out, out_cap, len, err);
}

void sv_info_clear(struct sv_info *info)
{
	sv_secmem_free(info->store);
	memset(info, 0, sizeof(*info));
}

enum sv_code sv_info_fill(struct sv_vault *v, struct sv_loaded *l, bool inherited, struct sv_info *info,
			  struct sv_err *err)
{
	struct sv_env e;
	enum sv_code rc = sv_env_by_id(v, l->r.env_id, &e, err);

	memset(info, 0, sizeof(*info));
	if (rc != SV_OK)
		return rc;
	memcpy(l->meta + l->meta_n, e.name, e.name_n);
	*info = (struct sv_info){ .name = l->r.name,
				  .env = { (char *)l->meta + l->meta_n, e.name_n },
				  .meta = l->r.meta,
				  .version = l->rev,
				  .txn = l->r.txn,
				  .verb = l->r.verb,
				  .gone = l->r.state == SV_GONE,
				  .inherited = inherited,
				  .created_s = l->r.created_s,
				  .changed_s = l->r.changed_s,
				  .used_s = sv_usage_of(v, l->id),
				  .value_len = l->r.value_len,
				  .store = l->meta };
	sv_wipe(&e, sizeof(e));
	l->meta = NULL;
	return SV_OK;
}

/* "has versions 3 to 12" */
static enum sv_code no_version(struct sv_vault *v, uint32_t h, uint64_t version, struct sv_err *err)
{
	const struct sv_row *cur = sv_rows_at(&v->rows, h);
	uint32_t first = sv_rows_lower(&v->rows, cur->id, 0);

	return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no version %llu of the secret; versions %u to %u are kept",
			  (unsigned long long)version, sv_rows_at(&v->rows, v->rows.order[first])->rev, cur->rev);
}

enum sv_code sv_vault_get(struct sv_vault *v, struct sv_text env, struct sv_text name, uint64_t version,
			  struct sv_info *info, struct sv_secret **value, struct sv_err *err)
{
	struct sv_loaded l = { 0 };
	bool inherited;
	uint32_t h;
	enum sv_code rc;

	if (info != NULL)
		memset(info, 0, sizeof(*info));
	if (value != NULL)
		*value = NULL;
	if ((rc = find(v, env, name, version != 0, &h, &inherited, err)) != SV_OK)
		return rc;
	if (version != 0) {
		uint32_t old = version > SV_REV_MAX
				       ? SV_ROW_NONE
				       : sv_rows_find(&v->rows, sv_rows_at(&v->rows, h)->id, (uint32_t)version);

		if (old == SV_ROW_NONE)
			return no_version(v, h, version, err);
		h = old;
	}
	if ((rc = sv_row_load(v, h, value != NULL, &l, err)) != SV_OK)
		return rc;
	if (value != NULL && (*value = sv_secret_from(l.value, l.value_n)) == NULL)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory for a value");
	if (rc == SV_OK && info != NULL && (rc = sv_info_fill(v, &l, inherited, info, err)) != SV_OK && value != NULL)
		sv_secret_free(value);
	sv_loaded_clear(&l);
	return rc;
}

enum sv_code sv_vault_history(struct sv_vault *v, struct sv_text env, struct sv_text name, sv_info_fn fn, void *ctx,
			      struct sv_err *err)
{
	uint8_t id[SV_ID_BYTES];
	bool inherited;
	uint32_t h, from, to;
	enum sv_code rc;

	if ((rc = find(v, env, name, true, &h, &inherited, err)) != SV_OK)
		return rc;
	memcpy(id, sv_rows_at(&v->rows, h)->id, SV_ID_BYTES);
	from = sv_rows_lower(&v->rows, id, 0);
	for (to = sv_rows_lower(&v->rows, id, UINT32_MAX); to > from && rc == SV_OK; to--) {
		struct sv_loaded l;
		struct sv_info info;

		if ((rc = sv_row_load(v, v->rows.order[to - 1], false, &l, err)) != SV_OK)
			break;
		if ((rc = sv_info_fill(v, &l, inherited, &info, err)) == SV_OK) {
			rc = fn(ctx, &info);
			sv_info_clear(&info);
		}
		sv_loaded_clear(&l);
	}
	return rc == SV_ERR_BUSY ? SV_OK : rc;
}

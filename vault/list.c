/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings: the names of an environment merged with those that it inherits.
 */
#include "vault/vault_int.h"

#include <string.h>

struct side {
	struct sv_names_walk walk;
	struct sv_name_entry e;
	bool have;
};

static void advance(struct side *s, struct sv_text group)
{
	s->have = sv_names_walk_next(&s->walk, &s->e) && sv_text_has_prefix(s->e.name, group);
}

static enum sv_code give(const struct sv_name_entry *e, bool inherited, sv_entry_fn fn, void *ctx,
			 char var[SV_VAR_MAX + 1])
{
	struct sv_entry out = { .name = e->name,
				.var = e->var,
				.inherited = inherited,
				.expires_s = e->expires_s,
				.value_len = e->value_len };

	if (out.var.n == 0)
		out.var = (struct sv_text){ var, sv_var_from_name(e->name.p, e->name.n, var) };
	return fn(ctx, &out);
}

enum sv_code sv_vault_list(struct sv_vault *v, struct sv_text env, struct sv_text group, struct sv_text after,
			   sv_entry_fn fn, void *ctx, struct sv_err *err)
{
	struct side own = { 0 }, base = { 0 };
	char *var = NULL;
	struct sv_env e;
	enum sv_code rc;

	if ((rc = sv_vault_need_unlocked(v, err)) != SV_OK || (rc = sv_group_check(group.p, group.n, err)) != SV_OK ||
	    (rc = sv_env_find(v, NULL, env, &e, err)) != SV_OK || (rc = sv_index_complete(v, err)) != SV_OK)
		return rc;
	if ((var = sv_secmem_alloc(SV_VAR_MAX + 1)) == NULL ||
	    sv_names_walk_open(v->names, e.id, group, after, &own.walk) != SV_OK ||
	    (!e.standalone && memcmp(e.id, v->default_env, SV_ID_BYTES) != 0 &&
	     sv_names_walk_open(v->names, v->default_env, group, after, &base.walk) != SV_OK)) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory for a listing");
		goto out;
	}
	advance(&own, group);
	advance(&base, group);
	while (rc == SV_OK && (own.have || base.have)) {
		int c = !own.have ? 1 : !base.have ? -1 : sv_text_cmp(own.e.name, base.e.name);

		rc = c <= 0 ? give(&own.e, false, fn, ctx, var) : give(&base.e, true, fn, ctx, var);
		if (c <= 0)
			advance(&own, group);
		if (c >= 0)
			advance(&base, group);
	}
out:
	sv_names_walk_close(&own.walk);
	sv_names_walk_close(&base.walk);
	sv_secmem_free(var);
	return rc == SV_ERR_BUSY ? SV_OK : rc;
}

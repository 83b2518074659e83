/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One name as a listing would show it, without a listing.
 */
#include "vault/vault_int.h"

#include <string.h>

enum sv_code sv_vault_entry(struct sv_vault *v, struct sv_text env, struct sv_text name, struct sv_entry *e,
			    char var[SV_VAR_MAX + 1], struct sv_err *err)
{
	struct sv_info info;
	enum sv_code rc = sv_vault_get(v, env, name, 0, &info, NULL, err);

	if (rc != SV_OK)
		return rc;
	*e = (struct sv_entry){
		.name = name,
		.var = { var, info.meta.var.n },
		.inherited = info.inherited,
		.expires_s = info.meta.expires_s,
		.value_len = info.value_len,
	};
	if (info.meta.var.n == 0)
		e->var.n = sv_var_from_name(name.p, name.n, var);
	else
		memcpy(var, info.meta.var.p, info.meta.var.n);
	sv_info_clear(&info);
	return SV_OK;
}

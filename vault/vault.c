/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a vault handle: open, facts, lock, close.  Making one is in create.c, believing one in unlock.c.
 */
#include "vault/vault_int.h"

#include "vault/kdf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum sv_code sv_vault_need_unlocked(const struct sv_vault *v, struct sv_err *err)
{
	return v->keys == NULL ? sv_err_set(err, SV_ERR_LOCKED, "the vault is locked") : SV_OK;
}

int64_t sv_vault_now(const struct sv_vault *v)
{
	return v->clock != NULL ? v->clock(v->clock_ctx) : (int64_t)time(NULL);
}

enum sv_code sv_vault_open(const struct sv_vault_config *cfg, struct sv_vault **out, struct sv_err *err)
{
	struct sv_vault *v;
	struct sv_state_row row;
	enum sv_code rc;

	*out = NULL;
	if (sodium_init() < 0)
		return sv_err_set(err, SV_ERR_FAIL, "libsodium cannot be initialised");
	if (cfg->path == NULL || cfg->state_dir == NULL || cfg->state_dir[0] != '/')
		return sv_err_set(err, SV_ERR_USAGE, "a vault needs an absolute path and an absolute state directory");
	if ((v = calloc(1, sizeof(*v))) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	v->rows.free = SV_ROW_NONE;
	v->place.dir_fd = -1;
	v->clock = cfg->clock;
	v->clock_ctx = cfg->clock_ctx;
	v->plain = (struct sv_buf)SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	if ((rc = sv_place_init(&v->place, cfg->path, err)) != SV_OK)
		goto out;
	if ((v->state_dir = strdup(cfg->state_dir)) == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((rc = sv_vault_need_store(v, err)) != SV_OK || (rc = sv_store_state(v->store, &row, err)) != SV_OK)
		goto out;
	memcpy(v->scope.vault_id, row.vault_id, SV_ID_BYTES);
	v->scope.suite = row.suite;
	v->scope.epoch = row.epoch;
	if ((rc = sv_store_slots(v->store, v->slots, &v->n_slots, err)) != SV_OK ||
	    (rc = sv_slots_check(v->slots, v->n_slots, err)) != SV_OK)
		goto out;
	*out = v;
	return SV_OK;
out:
	sv_vault_close(&v);
	return rc;
}

void sv_vault_drop(struct sv_vault *v)
{
	sv_store_close(&v->store);
	sv_names_free(&v->names);
	sv_cache_free(&v->cache);
	v->names_complete = false;
	memset(v->names_next, 0, sizeof(v->names_next));
	sv_envs_clear(v);
	sv_rows_clear(&v->rows);
	sv_secmem_free(v->keys);
	v->keys = NULL;
	v->scope.keys = NULL;
	sv_buf_clear(&v->plain);
	v->usage_loaded = v->usage_changed = false;
	memset(&v->head, 0, sizeof(v->head));
	sv_stack_scrub();
}

void sv_vault_lock(struct sv_vault *v)
{
	if (v == NULL)
		return;
	if (v->keys != NULL)
		sv_usage_flush(v);
	sv_vault_drop(v);
}

void sv_vault_close(struct sv_vault **vp)
{
	struct sv_vault *v = *vp;

	if (v == NULL)
		return;
	sv_vault_lock(v);
	sv_place_clear(&v->place);
	free(v->state_dir);
	free(v);
	*vp = NULL;
}

bool sv_vault_is_unlocked(const struct sv_vault *v)
{
	return v->keys != NULL;
}

enum sv_code sv_vault_slots(struct sv_vault *v, struct sv_slot_info out[SV_SLOTS_MAX], size_t *n, struct sv_err *err)
{
	struct sv_state_row row;
	enum sv_code rc;

	*n = 0;
	if (v->keys == NULL) { /* the file may have been re-keyed or replaced since we looked */
		if ((rc = sv_vault_need_store(v, err)) != SV_OK ||
		    (rc = sv_store_state(v->store, &row, err)) != SV_OK ||
		    (rc = sv_store_slots(v->store, v->slots, &v->n_slots, err)) != SV_OK ||
		    (rc = sv_slots_check(v->slots, v->n_slots, err)) != SV_OK)
			return rc;
		memcpy(v->scope.vault_id, row.vault_id, SV_ID_BYTES);
		v->scope.suite = row.suite;
		v->scope.epoch = row.epoch;
	}
	for (size_t i = 0; i < v->n_slots; i++) {
		out[i] = (struct sv_slot_info){
			.id = v->slots[i].id,
			.kind = v->slots[i].kind,
			.kdf = { .alg = v->slots[i].alg, .ops = v->slots[i].ops, .mem = v->slots[i].mem }
		};
		memcpy(out[i].kdf.salt, v->slots[i].salt, SV_SALT_BYTES);
	}
	*n = v->n_slots;
	return SV_OK;
}

enum sv_code sv_vault_facts(struct sv_vault *v, struct sv_vault_facts *out, struct sv_err *err)
{
	enum sv_code rc = sv_vault_need_unlocked(v, err);

	if (rc != SV_OK)
		return rc;
	*out = (struct sv_vault_facts){ .seq = v->seq,
					.key_epoch = v->scope.epoch,
					.created_s = v->head.created_s,
					.changed_s = v->head.changed_s,
					.secrets = v->head.secrets,
					.rows = v->rows.n,
					.witness_new = v->witness_new,
					.kdf_below_floor = v->kdf_below_floor };
	memcpy(out->vault_id, v->scope.vault_id, SV_ID_BYTES);
	return SV_OK;
}

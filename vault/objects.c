/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other things under the same root: bytes by kind and key, without versions, and the key pair for drafts.
 */
#include "vault/vault_int.h"

#include <string.h>

static const uint8_t no_env[SV_ID_BYTES];

static enum sv_code check(struct sv_vault *v, enum sv_object_kind kind, struct sv_text key, struct sv_err *err)
{
	if (kind < SV_OBJECT_USAGE || (int)kind > UINT8_MAX)
		return sv_err_set(err, SV_ERR_USAGE, "no such kind of object");
	if (key.n < 1 || key.n > SV_NAME_MAX)
		return sv_err_set(err, SV_ERR_USAGE, "the key of an object has 1 to %d bytes", SV_NAME_MAX);
	return sv_vault_need_unlocked(v, err);
}

enum sv_code sv_vault_object_put(struct sv_vault *v, enum sv_object_kind kind, struct sv_text key,
				 const unsigned char *value, size_t len, struct sv_err *err)
{
	struct sv_record r = { .kind = (uint8_t)kind, .name = key };
	struct sv_base base = sv_base_new();
	struct sv_tx *tx = NULL;
	struct sv_where w;
	enum sv_code rc = check(v, kind, key, err);

	if (rc != SV_OK)
		return rc;
	if (value != NULL && len > SV_VALUE_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "an object holds at most %zu bytes", SV_VALUE_MAX);
	if ((rc = sv_tx_find(v, NULL, r.kind, SV_LIVE, no_env, key, &w, err)) != SV_OK ||
	    (rc = sv_tx_begin(v, 0, &tx, err)) != SV_OK)
		return rc;
	if (w.row != SV_ROW_NONE)
		base = sv_where_base(v, NULL, w);
	if (value == NULL && w.row == SV_ROW_NONE)
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "there is no such object");
	else if (value == NULL)
		rc = sv_tx_stage_remove(tx, &base, &r, err);
	else if ((rc = sv_tx_stage(tx, &base, &r, value, len, err)) == SV_OK)
		tx->s[0].alone = true;
	if (rc == SV_OK)
		return sv_tx_commit(&tx, NULL, err);
	sv_tx_abort(&tx);
	return rc;
}

enum sv_code sv_vault_object_get(struct sv_vault *v, enum sv_object_kind kind, struct sv_text key,
				 struct sv_secret **value, struct sv_err *err)
{
	struct sv_where w;
	struct sv_loaded l;
	enum sv_code rc = check(v, kind, key, err);

	*value = NULL;
	if (rc != SV_OK || (rc = sv_tx_find(v, NULL, (uint8_t)kind, SV_LIVE, no_env, key, &w, err)) != SV_OK)
		return rc;
	if (w.row == SV_ROW_NONE)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no such object");
	if ((rc = sv_row_load(v, w.row, true, &l, err)) != SV_OK)
		return rc;
	if ((*value = sv_secret_from(l.value, l.value_n)) == NULL)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory for a value");
	sv_loaded_clear(&l);
	return rc;
}

enum sv_code sv_vault_object_list(struct sv_vault *v, enum sv_object_kind kind, sv_object_fn fn, void *ctx,
				  struct sv_err *err)
{
	const struct sv_text none = { "", 0 };
	uint8_t space[SV_ID_BYTES];
	struct sv_names_walk w;
	struct sv_name_entry e;
	enum sv_code rc;

	if ((rc = check(v, kind, (struct sv_text){ "x", 1 }, err)) != SV_OK ||
	    (rc = sv_index_complete(v, err)) != SV_OK)
		return rc;
	sv_index_space((uint8_t)kind, space);
	if ((rc = sv_names_walk_open(v->names, space, none, none, &w)) != SV_OK)
		return sv_err_set(err, rc, "no locked memory");
	while (rc == SV_OK && sv_names_walk_next(&w, &e))
		rc = fn(ctx, e.name, e.expires_s, e.value_len);
	sv_names_walk_close(&w);
	return rc == SV_ERR_BUSY ? SV_OK : rc;
}

struct draft {
	unsigned char pk[crypto_box_PUBLICKEYBYTES], sk[crypto_box_SECRETKEYBYTES];
};

static __attribute__((noinline)) void draft_pair(const struct sv_vault *v, struct draft *d)
{
	(void)crypto_box_seed_keypair(d->pk, d->sk, v->keys->draft);
}

enum sv_code sv_vault_draft_key(struct sv_vault *v, unsigned char pk[32], struct sv_err *err)
{
	struct draft *d;
	enum sv_code rc = sv_vault_need_unlocked(v, err);

	if (rc != SV_OK)
		return rc;
	if ((d = sv_secmem_alloc(sizeof(*d))) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory");
	draft_pair(v, d);
	memcpy(pk, d->pk, sizeof(d->pk));
	sv_secmem_free(d);
	sv_stack_scrub();
	return SV_OK;
}

enum sv_code sv_vault_draft_open(struct sv_vault *v, const unsigned char *box, size_t len, struct sv_secret **out,
				 struct sv_err *err)
{
	struct draft *d;
	enum sv_code rc = sv_vault_need_unlocked(v, err);

	*out = NULL;
	if (rc != SV_OK)
		return rc;
	if (len < crypto_box_SEALBYTES || len - crypto_box_SEALBYTES > SV_BUF_MAX_DEFAULT)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the draft does not open");
	if ((d = sv_secmem_alloc(sizeof(*d))) == NULL || (*out = sv_secret_new(len - crypto_box_SEALBYTES)) == NULL) {
		sv_secmem_free(d);
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for a draft");
	}
	draft_pair(v, d);
	if (crypto_box_seal_open(sv_secret_peek(*out), box, len, d->pk, d->sk) != 0) {
		sv_secret_free(out);
		rc = sv_err_set(err, SV_ERR_INTEGRITY, "the draft does not open");
	}
	sv_secmem_free(d);
	sv_stack_scrub();
	return rc;
}

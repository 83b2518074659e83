/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a handle to an opened version: fetch, compare the leaf, open the seals, decode.
 */
#include "vault/vault_int.h"

#include <string.h>

void sv_loaded_clear(struct sv_loaded *l)
{
	sv_secmem_free(l->meta);
	sv_secmem_free(l->val);
	memset(l, 0, sizeof(*l));
}

enum sv_code sv_row_fetch(struct sv_vault *v, uint32_t h, struct sv_raw *raw, struct sv_err *err)
{
	const struct sv_row *row = sv_rows_at(&v->rows, h);
	uint8_t leaf[SV_HASH_BYTES];
	enum sv_code rc = sv_store_get(v->store, row->id, row->rev, raw, err);

	if (rc != SV_OK)
		return rc;
	sv_crypt_leaf(&v->scope, (struct sv_row_ref){ raw->id, raw->rev, raw->tag }, raw->meta, raw->meta_n, raw->val,
		      raw->val_n, leaf);
	if (!sv_equal_ct(leaf, row->leaf, sizeof(leaf))) {
		sv_store_done(v->store);
		return sv_err_set(err, SV_ERR_INTEGRITY, "a row of the vault was altered while it was open");
	}
	return SV_OK;
}

static enum sv_code open_value(struct sv_vault *v, const struct sv_raw *raw, struct sv_loaded *l, struct sv_err *err)
{
	struct sv_row_ref ref = { raw->id, raw->rev, raw->tag };

	if (raw->val_n < SV_SEAL_EXTRA || raw->val_n - SV_SEAL_EXTRA > SV_VALUE_PADDED_MAX)
		return sv_err_set(err, SV_ERR_INTEGRITY, "a value has an impossible size");
	if ((l->val = sv_secmem_alloc(raw->val_n - SV_SEAL_EXTRA + 1)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for a value");
	if (sv_crypt_open(&v->scope, SV_ROLE_VALUE, ref, raw->val, raw->val_n, l->val) != SV_OK ||
	    sv_pad_get(l->val, raw->val_n - SV_SEAL_EXTRA, &l->value, &l->value_n) != SV_OK ||
	    l->value_n != l->r.value_len)
		return sv_err_set(err, SV_ERR_INTEGRITY, "a value does not open");
	return SV_OK;
}

enum sv_code sv_blobs_load(struct sv_vault *v, const struct sv_raw *raw, bool want_value, struct sv_loaded *l,
			   struct sv_err *err)
{
	struct sv_row_ref ref = { raw->id, raw->rev, raw->tag };
	enum sv_code rc;

	memset(l, 0, sizeof(*l));
	memcpy(l->id, raw->id, SV_ID_BYTES);
	l->rev = raw->rev;
	if (raw->meta_n < SV_SEAL_EXTRA || (l->meta_n = raw->meta_n - SV_SEAL_EXTRA) > SV_RECORD_BYTES_MAX)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the metadata of a version has an impossible size");
	if ((l->meta = sv_secmem_alloc(l->meta_n + SV_ENV_NAME_MAX)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for metadata");
	if (sv_crypt_open(&v->scope, SV_ROLE_META, ref, raw->meta, raw->meta_n, l->meta) != SV_OK)
		rc = sv_err_set(err, SV_ERR_INTEGRITY, "the metadata of a version does not open");
	else
		rc = sv_record_decode(l->meta, l->meta_n, &l->r, err);
	if (rc == SV_OK && want_value)
		rc = open_value(v, raw, l, err);
	if (rc != SV_OK)
		sv_loaded_clear(l);
	return rc;
}

enum sv_code sv_row_load(struct sv_vault *v, uint32_t h, bool want_value, struct sv_loaded *l, struct sv_err *err)
{
	struct sv_raw raw;
	enum sv_code rc = sv_row_fetch(v, h, &raw, err);

	memset(l, 0, sizeof(*l));
	if (rc == SV_OK) {
		rc = sv_blobs_load(v, &raw, want_value, l, err);
		sv_store_done(v->store);
	}
	return rc;
}

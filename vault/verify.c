/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can be checked about an unlocked vault, and about a copy of it.
 */
#include "vault/verify.h"

#include <string.h>

struct pass {
	struct sv_vault *v;
	struct sv_verify_report *report; /* NULL: leaves only */
	uint32_t pos, secrets;
};

static enum sv_code open_all(struct pass *p, const struct sv_raw *raw, struct sv_err *err)
{
	uint8_t tag[SV_HASH_BYTES];
	struct sv_loaded l;
	enum sv_code rc = sv_blobs_load(p->v, raw, true, &l, err);

	if (rc != SV_OK)
		return rc;
	sv_crypt_tag(&p->v->scope, l.r.kind, (enum sv_state)l.r.state, l.r.env_id, l.r.name, tag);
	if (!sv_equal_ct(tag, raw->tag, sizeof(tag)))
		rc = sv_err_set(err, SV_ERR_INTEGRITY, "a row stands under a name that is not its own");
	p->report->values++;
	p->report->bytes += l.value_n;
	p->secrets += l.r.kind == SV_KIND_SECRET && l.r.state == SV_LIVE && sv_rows_is_current(&p->v->rows, p->pos);
	sv_loaded_clear(&l);
	return rc;
}

static enum sv_code check_row(void *ctx, const struct sv_raw *raw, struct sv_err *err)
{
	struct pass *p = ctx;
	uint8_t leaf[SV_HASH_BYTES];
	const struct sv_row *row;
	enum sv_code rc = SV_OK;

	if (p->pos == p->v->rows.n)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: it has rows more than it should");
	row = sv_rows_at(&p->v->rows, p->v->rows.order[p->pos]);
	sv_crypt_leaf(&p->v->scope, (struct sv_row_ref){ raw->id, raw->rev, raw->tag }, raw->meta, raw->meta_n,
		      raw->val, raw->val_n, leaf);
	if (!sv_equal_ct(leaf, row->leaf, sizeof(leaf)))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: a row is not what it was");
	if (p->report != NULL) {
		rc = open_all(p, raw, err);
		p->report->rows++;
	}
	p->pos++;
	return rc;
}

enum sv_code sv_verify_store(struct sv_vault *v, struct sv_store *store, struct sv_verify_report *report,
			     struct sv_err *err)
{
	struct pass p = { .v = v, .report = report };
	struct sv_slot slots[SV_SLOTS_MAX];
	uint8_t hash[SV_HASH_BYTES];
	struct sv_state_row row;
	struct sv_head head;
	size_t n;
	enum sv_code rc;

	if ((rc = sv_store_quick_check(store, err)) != SV_OK || (rc = sv_store_schema_check(store, err)) != SV_OK ||
	    (rc = sv_store_state(store, &row, err)) != SV_OK || (rc = sv_store_slots(store, slots, &n, err)) != SV_OK ||
	    (rc = sv_slots_check(slots, n, err)) != SV_OK)
		return rc;
	if (memcmp(row.vault_id, v->scope.vault_id, SV_ID_BYTES) != 0 || row.epoch != v->scope.epoch ||
	    row.seq != v->seq || !sv_equal_ct(row.mac, v->mac, SV_HASH_BYTES))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault file is not at the state that was written to it");
	if ((rc = sv_store_scan(store, check_row, &p, err)) != SV_OK)
		return rc;
	if (p.pos != v->rows.n || row.nrec != v->rows.n)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: rows are missing");
	sv_rows_root(&v->rows, &v->scope, hash);
	if (!sv_equal_ct(hash, row.root, sizeof(hash)))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: its rows do not give its root");
	sv_state_mac(&v->scope, &row, slots, n, hash);
	if (!sv_equal_ct(hash, row.mac, sizeof(hash)))
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault was altered: its state does not hold");
	if ((rc = sv_state_open_head(&v->scope, &row, &head, err)) != SV_OK)
		return rc;
	if (report != NULL && p.secrets != head.secrets)
		return sv_err_set(err, SV_ERR_INTEGRITY,
				  "the vault's count of secrets is not the number of its secrets");
	return SV_OK;
}

enum sv_code sv_vault_verify(struct sv_vault *v, struct sv_verify_report *out, struct sv_err *err)
{
	enum sv_code rc = sv_vault_need_unlocked(v, err);

	*out = (struct sv_verify_report){ 0 };
	if (rc != SV_OK)
		return rc;
	if (!sv_place_same(&v->place, sv_store_fd(v->store)))
		return sv_err_set(err, SV_ERR_INTEGRITY,
				  "the vault file was removed or replaced by another while it was open");
	sv_store_done(v->store);
	if ((rc = sv_verify_store(v, v->store, out, err)) != SV_OK)
		return rc;
	if (v->witness_stale) /* it lagged for want of disk space: bring it up first */
		sv_vault_advance_witness(v);
	if (v->witness_stale)
		return sv_err_set(err, SV_ERR_IO, "the vault is sound, but its rollback witness cannot be written");
	return sv_vault_check_witness(v, false, false, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When secrets were last used: kept in the row index, written as one object when the vault is locked.  Never a reason
 * to fail.
 *
 * The object is a list of the first eight bytes of an item id and a time of four bytes; as many as fit into a value.
 */
#include "vault/vault_int.h"

#include <string.h>

#define PREFIX 8
#define ITEM   (PREFIX + 4)

static const struct sv_text key = { "used", 4 };

void sv_usage_load(struct sv_vault *v)
{
	struct sv_secret *s;
	const unsigned char *p;
	size_t n;

	if (v->usage_loaded)
		return;
	v->usage_loaded = true;
	if (sv_vault_object_get(v, SV_OBJECT_USAGE, key, &s, NULL) != SV_OK)
		return;
	p = sv_secret_cpeek(s);
	for (n = sv_secret_len(s); n >= ITEM; n -= ITEM, p += ITEM) {
		uint8_t id[SV_ID_BYTES] = { 0 };
		uint32_t pos;

		memcpy(id, p, PREFIX);
		for (pos = sv_rows_lower(&v->rows, id, 0); pos < v->rows.n; pos++) {
			struct sv_row *row = sv_rows_at(&v->rows, v->rows.order[pos]);

			if (memcmp(row->id, p, PREFIX) != 0)
				break;
			if (sv_rows_is_current(&v->rows, pos) && row->used_s < sv_rd32(p + PREFIX))
				row->used_s = sv_rd32(p + PREFIX);
		}
	}
	sv_secret_free(&s);
}

int64_t sv_usage_of(struct sv_vault *v, const uint8_t *id)
{
	uint32_t h;

	sv_usage_load(v);
	h = sv_rows_current(&v->rows, id);
	return h == SV_ROW_NONE ? 0 : sv_rows_at(&v->rows, h)->used_s;
}

void sv_usage_note(struct sv_vault *v, uint32_t h)
{
	int64_t now = sv_vault_now(v);

	if (now <= 0 || now > UINT32_MAX)
		return;
	sv_rows_at(&v->rows, h)->used_s = (uint32_t)now;
	v->usage_changed = true;
}

void sv_vault_touch(struct sv_vault *v, struct sv_text env, struct sv_text name)
{
	struct sv_where w;
	struct sv_env e;

	if (v->keys == NULL || sv_env_find(v, NULL, env, &e, NULL) != SV_OK ||
	    sv_tx_find(v, NULL, SV_KIND_SECRET, SV_LIVE, e.id, name, &w, NULL) != SV_OK)
		return;
	if (w.row == SV_ROW_NONE && !e.standalone &&
	    sv_tx_find(v, NULL, SV_KIND_SECRET, SV_LIVE, v->default_env, name, &w, NULL) != SV_OK)
		return;
	if (w.row != SV_ROW_NONE)
		sv_usage_note(v, w.row);
}

void sv_usage_flush(struct sv_vault *v)
{
	struct sv_buf b = SV_BUF_LOCKED(SV_VALUE_MAX);

	if (!v->usage_changed)
		return;
	v->usage_changed = false;
	sv_usage_load(v); /* times of an earlier session, which later ones do not lower */
	for (uint32_t pos = 0; pos < v->rows.n && b.len + ITEM <= SV_VALUE_MAX; pos++) {
		const struct sv_row *row = sv_rows_at(&v->rows, v->rows.order[pos]);

		if (row->used_s == 0 || !sv_rows_is_current(&v->rows, pos))
			continue;
		if (sv_buf_put(&b, row->id, PREFIX) != SV_OK || sv_buf_put_u32(&b, row->used_s) != SV_OK)
			break;
	}
	/* when the lock cannot write it, only times of use are lost */
	if (b.len > 0 && sv_vault_object_put(v, SV_OBJECT_USAGE, key, b.data, b.len, NULL) != SV_OK)
		v->usage_loaded = true;
	sv_buf_clear(&b);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling the name index from the rows, a little at a time, and keeping it true with every commit.
 */
#include "vault/vault_int.h"

#include <string.h>
#include <time.h>

/* Objects share the index with environments, under an id that no environment has. */
void sv_index_space(uint8_t kind, uint8_t out[SV_ID_BYTES])
{
	memset(out, 0, SV_ID_BYTES);
	out[SV_ID_BYTES - 1] = kind;
}

void sv_index_reset(struct sv_vault *v)
{
	sv_names_free(&v->names);
	v->names_complete = false;
	memset(v->names_next, 0, sizeof(v->names_next));
}

static void entry_of(const struct sv_record *r, uint8_t space[SV_ID_BYTES], struct sv_name_entry *e)
{
	*e = (struct sv_name_entry){
		.name = r->name, .var = r->meta.var, .expires_s = r->meta.expires_s, .value_len = r->value_len
	};
	if (r->kind == SV_KIND_SECRET) {
		memcpy(space, r->env_id, SV_ID_BYTES);
		return;
	}
	sv_index_space(r->kind, space);
	e->var = (struct sv_text){ NULL, 0 };
	e->expires_s = r->changed_s;
}

static enum sv_code index_row(struct sv_vault *v, uint32_t h, struct sv_err *err)
{
	uint8_t space[SV_ID_BYTES];
	struct sv_name_entry ne;
	struct sv_loaded l;
	struct sv_env e;
	enum sv_code rc = sv_row_load(v, h, false, &l, err);

	if (rc != SV_OK)
		return rc;
	if (l.r.kind == SV_KIND_ENV) {
		sv_env_from_record(l.id, &l.r, &e);
		rc = sv_env_remember(v, &e);
	} else if (l.r.state == SV_LIVE) {
		entry_of(&l.r, space, &ne);
		rc = sv_names_put(v->names, space, &ne);
	}
	sv_loaded_clear(&l);
	return rc == SV_OK ? rc : sv_err_set(err, rc, "no memory for the list of names");
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* budget_us 0: to the end */
static enum sv_code build(struct sv_vault *v, unsigned budget_us, struct sv_err *err)
{
	int64_t end = now_us() + budget_us;
	unsigned done = 0;
	uint32_t pos;

	if (v->names_complete)
		return SV_OK;
	if (v->names == NULL && (v->names = sv_names_new()) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for the list of names");
	for (pos = sv_rows_lower(&v->rows, v->names_next, 0); pos < v->rows.n; pos++) {
		const uint8_t *id = sv_rows_at(&v->rows, v->rows.order[pos])->id;
		enum sv_code rc;

		if (!sv_rows_is_current(&v->rows, pos))
			continue;
		if ((rc = index_row(v, v->rows.order[pos], err)) != SV_OK) {
			sv_index_reset(v);
			return rc;
		}
		/* the next id: this one plus one, as a big-endian number */
		memcpy(v->names_next, id, SV_ID_BYTES);
		for (int i = SV_ID_BYTES - 1; i >= 0 && ++v->names_next[i] == 0;)
			i--;
		if (budget_us != 0 && ++done % 16 == 0 && now_us() >= end)
			break;
	}
	if (pos < v->rows.n && budget_us != 0)
		return SV_OK;
	if (sv_names_flush(v->names) != SV_OK) {
		sv_index_reset(v);
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the list of names");
	}
	v->names_complete = true;
	return SV_OK;
}

bool sv_vault_index_step(struct sv_vault *v, unsigned budget_us)
{
	if (v->keys == NULL)
		return true;
	/* a failure here is told by whoever needs the index */
	return build(v, budget_us == 0 ? 1 : budget_us, NULL) != SV_OK || v->names_complete;
}

enum sv_code sv_index_complete(struct sv_vault *v, struct sv_err *err)
{
	return build(v, 0, err);
}

/* The name that a staged change takes away. */
static enum sv_code collect_old(struct sv_vault *v, const struct sv_staged *st, struct sv_err *err)
{
	uint8_t space[SV_ID_BYTES];
	struct sv_name_entry e;
	struct sv_loaded l;
	enum sv_code rc;
	uint32_t h;

	if (st->base_rev == 0 || (h = sv_rows_current(&v->rows, st->id)) == SV_ROW_NONE)
		return SV_OK;
	if ((rc = sv_row_load(v, h, false, &l, err)) != SV_OK)
		return rc;
	if (l.r.state == SV_LIVE) {
		entry_of(&l.r, space, &e);
		rc = sv_names_drop(v->names, space, e.name);
	}
	sv_loaded_clear(&l);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the list of names");
}

/* The name that it brings. */
static enum sv_code collect_new(struct sv_vault *v, const struct sv_staged *st, struct sv_err *err)
{
	struct sv_raw raw = sv_staged_raw(st);
	uint8_t space[SV_ID_BYTES];
	struct sv_name_entry e;
	struct sv_loaded l;
	enum sv_code rc;

	if (!st->live || st->remove)
		return SV_OK;
	if ((rc = sv_blobs_load(v, &raw, false, &l, err)) != SV_OK)
		return rc;
	entry_of(&l.r, space, &e);
	rc = sv_names_put(v->names, space, &e);
	sv_loaded_clear(&l);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the list of names");
}

enum sv_code sv_index_prepare(struct sv_vault *v, struct sv_tx *tx, struct sv_names **changes, struct sv_err *err)
{
	*changes = NULL;
	if (v->names == NULL)
		return SV_OK;
	if (!sv_names_room(v->names, tx->n < 200 ? 2 * tx->n : UINT32_MAX / 2)) {
		/* many changes: building anew later is cheaper than collecting them in locked memory now */
		if (tx->n >= 200 || sv_names_flush(v->names) != SV_OK || !sv_names_room(v->names, 2 * tx->n)) {
			sv_index_reset(v);
			return SV_OK;
		}
	}
	/* All that goes before all that comes: two secrets may exchange their names. */
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < tx->n; i++) {
			const struct sv_staged *st = &tx->s[i];
			enum sv_code rc;

			if (st->dead || st->kind == SV_KIND_ENV ||
			    (!v->names_complete && memcmp(st->id, v->names_next, SV_ID_BYTES) >= 0))
				continue;
			*changes = v->names;
			rc = pass == 0 ? collect_old(v, st, err) : collect_new(v, st, err);
			if (rc != SV_OK)
				return rc;
		}
	}
	return SV_OK;
}

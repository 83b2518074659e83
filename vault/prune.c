/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a commit lets go of: versions over the limit of their item, and deletions that are over their time.
 */
#include "vault/vault_int.h"

#include <stdlib.h>

/* A deletion may be kept a week longer than promised, so that the look through all rows comes at most once a week. */
#define SLACK_S (7 * 86400)

bool sv_handles_put(struct sv_handles *l, uint32_t h)
{
	if (l->n == l->cap) {
		uint32_t cap = l->cap == 0 ? 16 : l->cap * 2;
		uint32_t *more = realloc(l->h, cap * sizeof(*more));

		if (more == NULL)
			return false;
		l->h = more;
		l->cap = cap;
	}
	l->h[l->n++] = h;
	return true;
}

static bool drop_rows(const struct sv_vault *v, uint32_t from, uint32_t to, struct sv_handles *del)
{
	for (uint32_t i = from; i < to; i++)
		if (!sv_handles_put(del, v->rows.order[i]))
			return false;
	return true;
}

/* All deletions over their time, and when the oldest of the others was made. */
static enum sv_code purge(struct sv_vault *v, const struct sv_tx *tx, int64_t now, struct sv_handles *del,
			  int64_t *oldest, struct sv_err *err)
{
	*oldest = 0;
	for (uint32_t pos = 0, first = 0; pos < v->rows.n; pos++) {
		uint32_t h = v->rows.order[pos], start = first;
		struct sv_loaded l;
		enum sv_code rc;

		if (!sv_rows_is_current(&v->rows, pos))
			continue;
		first = pos + 1;
		if (sv_tx_overrides(tx, sv_rows_at(&v->rows, h)->id))
			continue;
		if ((rc = sv_row_load(v, h, false, &l, err)) != SV_OK)
			return rc;
		if (l.r.state == SV_GONE) {
			if (l.r.changed_s + SV_GONE_KEPT_S < now) {
				if (!drop_rows(v, start, pos + 1, del))
					rc = sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
			} else if (*oldest == 0 || l.r.changed_s < *oldest) {
				*oldest = l.r.changed_s;
			}
		}
		sv_loaded_clear(&l);
		if (rc != SV_OK)
			return rc;
	}
	return SV_OK;
}

enum sv_code sv_prune(struct sv_vault *v, const struct sv_tx *tx, int64_t now, struct sv_handles *del,
		      struct sv_head *head, struct sv_err *err)
{
	bool objects_only = true;
	enum sv_code rc;

	for (uint32_t i = 0; i < tx->n; i++) {
		const struct sv_staged *st = &tx->s[i];
		uint32_t from, to, keep;

		if (st->dead)
			continue;
		objects_only &= st->kind > SV_KIND_SECRET;
		if (st->base_rev != 0) {
			from = sv_rows_lower(&v->rows, st->id, 0);
			to = sv_rows_lower(&v->rows, st->id, UINT32_MAX);
			keep = st->alone ? 0 : SV_VERSIONS_KEPT - 1;
			if (to - from > keep && !drop_rows(v, from, to - keep, del))
				return sv_err_set(err, SV_ERR_NOMEM, "out of memory for the change");
		}
		if (!st->live && st->kind <= SV_KIND_SECRET && (head->gone_oldest_s == 0 || now < head->gone_oldest_s))
			head->gone_oldest_s = now;
	}
	if (!objects_only && head->gone_oldest_s != 0 && head->gone_oldest_s + SV_GONE_KEPT_S + SLACK_S < now) {
		int64_t oldest;

		if ((rc = purge(v, tx, now, del, &oldest, err)) != SV_OK)
			return rc;
		for (uint32_t i = 0; i < tx->n; i++)
			if (!tx->s[i].dead && !tx->s[i].live && tx->s[i].kind <= SV_KIND_SECRET &&
			    (oldest == 0 || now < oldest))
				oldest = now;
		head->gone_oldest_s = oldest;
	}
	return SV_OK;
}

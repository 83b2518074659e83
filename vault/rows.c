/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row index.  The hash is open addressing with linear probing and backward-shift deletion; its keys are keyed
 * hashes, so nobody without the vault's keys can make them collide.
 */
#include "vault/rows.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_SHIFT 9
#define CHUNK_ROWS  (1u << CHUNK_SHIFT)

void sv_rows_clear(struct sv_rows *r)
{
	for (uint32_t i = 0; i < r->n_chunks; i++)
		free(r->chunk[i]);
	free(r->chunk);
	free(r->order);
	free(r->hash);
	*r = (struct sv_rows){ .free = SV_ROW_NONE };
}

struct sv_row *sv_rows_at(const struct sv_rows *r, uint32_t h)
{
	return &r->chunk[h >> CHUNK_SHIFT][h & (CHUNK_ROWS - 1)];
}

uint32_t sv_rows_new(struct sv_rows *r)
{
	uint32_t h;

	if (r->n_pool == 0)
		r->free = SV_ROW_NONE;
	if (r->free != SV_ROW_NONE) {
		h = r->free;
		r->free = sv_rows_at(r, h)->rev;
	} else {
		if (r->n_pool == r->n_chunks * CHUNK_ROWS) {
			if (r->n_chunks == r->chunks_cap) {
				uint32_t cap = r->chunks_cap == 0 ? 8 : r->chunks_cap * 2;
				struct sv_row **more = realloc(r->chunk, cap * sizeof(*more));

				if (more == NULL)
					return SV_ROW_NONE;
				r->chunk = more;
				r->chunks_cap = cap;
			}
			r->chunk[r->n_chunks] = malloc(CHUNK_ROWS * sizeof(struct sv_row));
			if (r->chunk[r->n_chunks] == NULL)
				return SV_ROW_NONE;
			r->n_chunks++;
		}
		h = r->n_pool++;
	}
	memset(sv_rows_at(r, h), 0, sizeof(struct sv_row));
	return h;
}

void sv_rows_release(struct sv_rows *r, uint32_t h)
{
	sv_rows_at(r, h)->rev = r->free;
	r->free = h;
}

static int cmp_key(const struct sv_row *a, const uint8_t *id, uint32_t rev)
{
	int c = memcmp(a->id, id, SV_ID_BYTES);

	return c != 0 ? c : a->rev < rev ? -1 : a->rev > rev;
}

int sv_rows_cmp(const struct sv_row *a, const struct sv_row *b)
{
	return cmp_key(a, b->id, b->rev);
}

bool sv_rows_append(struct sv_rows *r, uint32_t h)
{
	if (r->n > 0 && sv_rows_cmp(sv_rows_at(r, r->order[r->n - 1]), sv_rows_at(r, h)) >= 0)
		return false;
	if (r->n == r->order_cap) {
		uint32_t cap = r->order_cap == 0 ? 64 : r->order_cap + r->order_cap / 2;
		uint32_t *more = realloc(r->order, cap * sizeof(*more));

		if (more == NULL)
			return false;
		r->order = more;
		r->order_cap = cap;
	}
	r->order[r->n++] = h;
	return true;
}

static uint32_t slot_of(const struct sv_rows *r, uint32_t h)
{
	return sv_rd32(sv_rows_at(r, h)->tag) & (r->hash_cap - 1);
}

static void hash_put(struct sv_rows *r, uint32_t h)
{
	uint32_t i = slot_of(r, h);

	while (r->hash[i] != SV_ROW_NONE)
		i = (i + 1) & (r->hash_cap - 1);
	r->hash[i] = h;
	r->n_hashed++;
}

static void hash_drop(struct sv_rows *r, uint32_t h)
{
	uint32_t mask = r->hash_cap - 1, i, j;

	if (r->hash_cap == 0)
		return;
	for (i = slot_of(r, h); r->hash[i] != h; i = (i + 1) & mask)
		if (r->hash[i] == SV_ROW_NONE)
			return;
	for (j = i;;) {
		r->hash[i] = SV_ROW_NONE;
		do {
			uint32_t home;

			j = (j + 1) & mask;
			if (r->hash[j] == SV_ROW_NONE) {
				r->n_hashed--;
				return;
			}
			home = slot_of(r, r->hash[j]);
			/* the entry at j may move to i unless its home lies cyclically in (i, j] */
			if (((j - home) & mask) >= ((j - i) & mask))
				break;
		} while (true);
		r->hash[i] = r->hash[j];
		i = j;
	}
}

/* Room for n entries at a load of at most 2/3. */
static bool hash_reserve(struct sv_rows *r, uint32_t n)
{
	uint32_t cap = r->hash_cap == 0 ? 64 : r->hash_cap, old_cap = r->hash_cap;
	uint32_t *old = r->hash, *bigger;

	while ((uint64_t)n * 3 > (uint64_t)cap * 2)
		cap *= 2;
	if (cap == r->hash_cap)
		return true;
	if ((bigger = malloc((size_t)cap * sizeof(*bigger))) == NULL)
		return false;
	memset(bigger, 0xff, (size_t)cap * sizeof(*bigger));
	r->hash = bigger;
	r->hash_cap = cap;
	r->n_hashed = 0;
	for (uint32_t i = 0; i < old_cap; i++)
		if (old[i] != SV_ROW_NONE)
			hash_put(r, old[i]);
	free(old);
	return true;
}

bool sv_rows_is_current(const struct sv_rows *r, uint32_t pos)
{
	return pos + 1 == r->n ||
	       memcmp(sv_rows_at(r, r->order[pos])->id, sv_rows_at(r, r->order[pos + 1])->id, SV_ID_BYTES) != 0;
}

bool sv_rows_hash_all(struct sv_rows *r)
{
	uint32_t current = 0;

	for (uint32_t i = 0; i < r->n; i++)
		current += sv_rows_is_current(r, i);
	if (!hash_reserve(r, current))
		return false;
	for (uint32_t i = 0; i < r->n; i++)
		if (sv_rows_is_current(r, i))
			hash_put(r, r->order[i]);
	return true;
}

uint32_t sv_rows_lower(const struct sv_rows *r, const uint8_t *id, uint32_t rev)
{
	uint32_t lo = 0, hi = r->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (cmp_key(sv_rows_at(r, r->order[mid]), id, rev) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t sv_rows_find(const struct sv_rows *r, const uint8_t *id, uint32_t rev)
{
	uint32_t pos = sv_rows_lower(r, id, rev);

	if (pos == r->n || cmp_key(sv_rows_at(r, r->order[pos]), id, rev) != 0)
		return SV_ROW_NONE;
	return r->order[pos];
}

uint32_t sv_rows_current(const struct sv_rows *r, const uint8_t *id)
{
	uint32_t pos = sv_rows_lower(r, id, UINT32_MAX);

	if (pos == 0 || memcmp(sv_rows_at(r, r->order[pos - 1])->id, id, SV_ID_BYTES) != 0)
		return SV_ROW_NONE;
	return r->order[pos - 1];
}

uint32_t sv_rows_by_tag(const struct sv_rows *r, const uint8_t *tag, uint32_t *cursor)
{
	uint32_t mask = r->hash_cap - 1, home = sv_rd32(tag) & mask;

	if (r->hash_cap == 0)
		return SV_ROW_NONE;
	while (*cursor < r->hash_cap) {
		uint32_t h = r->hash[(home + *cursor) & mask];

		(*cursor)++;
		if (h == SV_ROW_NONE)
			break;
		if (memcmp(sv_rows_at(r, h)->tag, tag, SV_HASH_BYTES) == 0)
			return h;
	}
	return SV_ROW_NONE;
}

bool sv_rows_plan(struct sv_rows *r, const uint32_t *add, uint32_t n_add, const uint32_t *del, uint32_t n_del,
		  struct sv_rows_plan *p)
{
	uint32_t i = 0, a = 0, d = 0;

	*p = (struct sv_rows_plan){ .order = malloc(((size_t)r->n + n_add + 1) * sizeof(*p->order)),
				    .branch = malloc(sizeof(r->branch)) };
	if (p->order == NULL || p->branch == NULL || !hash_reserve(r, r->n_hashed + n_add)) {
		sv_rows_plan_clear(p);
		return false;
	}
	/* unchanged runs between the places of insertion and deletion are copied whole */
	while (a < n_add || d < n_del) {
		const struct sv_row *na = a < n_add ? sv_rows_at(r, add[a]) : NULL,
				    *nd = d < n_del ? sv_rows_at(r, del[d]) : NULL;
		bool is_add = nd == NULL || (na != NULL && sv_rows_cmp(na, nd) < 0);
		const struct sv_row *next = is_add ? na : nd;

		if (n_add + n_del < 64) {
			uint32_t to = sv_rows_lower(r, next->id, next->rev);

			if (to > i) {
				memcpy(p->order + p->n, r->order + i, (to - i) * sizeof(*p->order));
				p->n += to - i;
				i = to;
			}
		} else {
			while (i < r->n && sv_rows_cmp(sv_rows_at(r, r->order[i]), next) < 0)
				p->order[p->n++] = r->order[i++];
		}
		if (is_add)
			p->order[p->n++] = add[a++];
		else {
			i += i < r->n && r->order[i] == del[d];
			d++;
		}
	}
	if (i < r->n) {
		memcpy(p->order + p->n, r->order + i, (r->n - i) * sizeof(*p->order));
		p->n += r->n - i;
	}
	return true;
}

void sv_rows_plan_clear(struct sv_rows_plan *p)
{
	free(p->order);
	free(p->branch);
	*p = (struct sv_rows_plan){ 0 };
}

void sv_rows_apply(struct sv_rows *r, struct sv_rows_plan *p, const uint32_t *add, uint32_t n_add, const uint32_t *del,
		   uint32_t n_del)
{
	for (uint32_t i = 0; i < n_add; i++) {
		struct sv_row *row = sv_rows_at(r, add[i]);
		uint32_t old = sv_rows_current(r, row->id);

		if (old != SV_ROW_NONE) {
			row->used_s = sv_rows_at(r, old)->used_s;
			hash_drop(r, old);
		}
	}
	for (uint32_t i = 0; i < n_del; i++)
		hash_drop(r, del[i]);
	free(r->order);
	r->order = p->order;
	r->n = p->n;
	r->order_cap = p->n;
	p->order = NULL;
	memcpy(r->branch, p->branch, sizeof(r->branch));
	for (uint32_t i = 0; i < n_add; i++)
		hash_put(r, add[i]);
	for (uint32_t i = 0; i < n_del; i++)
		sv_rows_release(r, del[i]);
}

/* The first position whose id begins with byte b or a later one. */
static uint32_t branch_begin(const struct sv_rows *r, const uint32_t *order, uint32_t n, unsigned b)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (sv_rows_at(r, order[mid])->id[0] < b)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void hash_branch(const struct sv_rows *r, const uint32_t *order, uint32_t n, unsigned b,
			const struct sv_scope *s, uint8_t *out)
{
	uint32_t from = branch_begin(r, order, n, b), to = branch_begin(r, order, n, b + 1);
	struct sv_mac m;

	sv_mac_init(&m, s->keys->mac, "sv1.brch");
	sv_mac_u8(&m, (uint8_t)b);
	sv_mac_u64(&m, to - from);
	for (; from < to; from++)
		sv_mac_put(&m, sv_rows_at(r, order[from])->leaf, SV_HASH_BYTES);
	sv_mac_final(&m, out);
}

static void hash_root(uint32_t n, const uint8_t branch[SV_BRANCHES][SV_HASH_BYTES], const struct sv_scope *s,
		      uint8_t out[SV_HASH_BYTES])
{
	struct sv_mac m;

	sv_mac_init(&m, s->keys->mac, "sv1.root");
	sv_mac_u64(&m, n);
	sv_mac_put(&m, branch, SV_BRANCHES * SV_HASH_BYTES);
	sv_mac_final(&m, out);
}

void sv_rows_root(struct sv_rows *r, const struct sv_scope *s, uint8_t out[SV_HASH_BYTES])
{
	for (unsigned b = 0; b < SV_BRANCHES; b++)
		hash_branch(r, r->order, r->n, b, s, r->branch[b]);
	hash_root(r->n, r->branch, s, out);
}

void sv_rows_plan_root(const struct sv_rows *r, struct sv_rows_plan *p, const struct sv_scope *s, const uint32_t *add,
		       uint32_t n_add, const uint32_t *del, uint32_t n_del, uint8_t out[SV_HASH_BYTES])
{
	bool touched[SV_BRANCHES] = { false };

	for (uint32_t i = 0; i < n_add; i++)
		touched[sv_rows_at(r, add[i])->id[0]] = true;
	for (uint32_t i = 0; i < n_del; i++)
		touched[sv_rows_at(r, del[i])->id[0]] = true;
	memcpy(p->branch, r->branch, sizeof(r->branch));
	for (unsigned b = 0; b < SV_BRANCHES; b++)
		if (touched[b])
			hash_branch(r, p->order, p->n, b, s, p->branch[b]);
	hash_root(p->n, (const uint8_t(*)[SV_HASH_BYTES])p->branch, s, out);
}

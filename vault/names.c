/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name index.  Changes are collected, sorted and merged block by block, so that building it from many names touches
 * each block few times, and a single change opens one.
 */
#include "vault/names.h"

#include "vault/base/secmem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MAX   16384
#define BLOCK_FILL  12288 /* what a block gets when one is split */
#define FIXED       16    /* u16 length, i64 expires, u32 value length, u8 name, u8 var */
#define ENTRY_MAX   (FIXED + 255 + 128)
#define BATCH_BYTES 196608
#define BATCH_ITEMS 4096

struct block {
	unsigned char *sealed;
	uint32_t len, count;
	uint64_t nonce;
};

struct space { /* an environment, or a kind of object */
	uint8_t id[SV_ID_BYTES];
	struct block *b;
	uint32_t n, cap, count;
};

struct item {
	uint32_t off;
	uint32_t space;
	bool drop;
};

struct hot { /* locked */
	unsigned char key[32];
	unsigned char in[BLOCK_MAX], out[BLOCK_MAX], first[ENTRY_MAX];
};

struct sv_names {
	struct hot *hot;
	unsigned char *batch; /* locked, allocated while changes are collected */
	uint32_t batch_n, n_items;
	struct item *items;
	struct space *s;
	uint32_t n, cap;
	uint64_t nonce;
};

int sv_text_cmp(struct sv_text a, struct sv_text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

bool sv_text_has_prefix(struct sv_text t, struct sv_text prefix)
{
	return t.n >= prefix.n && (prefix.n == 0 || memcmp(t.p, prefix.p, prefix.n) == 0);
}

struct sv_names *sv_names_new(void)
{
	struct sv_names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	if ((n->hot = sv_secmem_alloc(sizeof(*n->hot))) == NULL) {
		free(n);
		return NULL;
	}
	randombytes_buf(n->hot->key, sizeof(n->hot->key));
	return n;
}

void sv_names_free(struct sv_names **np)
{
	struct sv_names *n = *np;

	if (n == NULL)
		return;
	for (uint32_t i = 0; i < n->n; i++) {
		for (uint32_t k = 0; k < n->s[i].n; k++)
			free(n->s[i].b[k].sealed);
		free(n->s[i].b);
	}
	free(n->s);
	free(n->items);
	sv_secmem_free(n->batch);
	sv_secmem_free(n->hot);
	free(n);
	*np = NULL;
}

static void crypt_bytes(const struct sv_names *n, uint64_t nonce, const unsigned char *in, size_t len,
			unsigned char *out)
{
	unsigned char nn[crypto_stream_chacha20_NONCEBYTES];

	sv_le64(nn, nonce);
	(void)crypto_stream_chacha20_xor(out, in, len, nn, n->hot->key);
}

static size_t entry_size(const unsigned char *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8;
}

static struct sv_text entry_name(const unsigned char *p)
{
	return (struct sv_text){ (const char *)p + FIXED, p[14] };
}

static void entry_view(const unsigned char *p, struct sv_name_entry *e)
{
	e->expires_s = (int64_t)sv_rd64(p + 2);
	e->value_len = sv_rd32(p + 10);
	e->name = entry_name(p);
	e->var = (struct sv_text){ (const char *)p + FIXED + p[14], p[15] };
}

static const struct space *find_space(const struct sv_names *n, const uint8_t *id)
{
	for (uint32_t i = 0; i < n->n; i++)
		if (memcmp(n->s[i].id, id, SV_ID_BYTES) == 0)
			return &n->s[i];
	return NULL;
}

static enum sv_code need_space(struct sv_names *n, const uint8_t *id, uint32_t *out)
{
	const struct space *s = find_space(n, id);

	if (s != NULL) {
		*out = (uint32_t)(s - n->s);
		return SV_OK;
	}
	if (n->n == n->cap) {
		uint32_t cap = n->cap == 0 ? 4 : n->cap * 2;
		struct space *more = realloc(n->s, cap * sizeof(*more));

		if (more == NULL)
			return SV_ERR_NOMEM;
		n->s = more;
		n->cap = cap;
	}
	n->s[n->n] = (struct space){ 0 };
	memcpy(n->s[n->n].id, id, SV_ID_BYTES);
	*out = n->n++;
	return SV_OK;
}

static enum sv_code collect(struct sv_names *n, const uint8_t *space, const struct sv_name_entry *e, bool drop)
{
	size_t size = FIXED + e->name.n + e->var.n;
	enum sv_code rc;
	unsigned char *p;
	uint32_t s;

	if (e->name.n > 255 || e->var.n > 128)
		return SV_ERR_TOO_BIG;
	if ((n->batch_n + size > BATCH_BYTES || n->n_items == BATCH_ITEMS) && (rc = sv_names_flush(n)) != SV_OK)
		return rc;
	if ((rc = need_space(n, space, &s)) != SV_OK)
		return rc;
	if (n->items == NULL && (n->items = malloc(BATCH_ITEMS * sizeof(*n->items))) == NULL)
		return SV_ERR_NOMEM;
	if (n->batch == NULL && (n->batch = sv_secmem_alloc(BATCH_BYTES)) == NULL)
		return SV_ERR_NOMEM;
	p = n->batch + n->batch_n;
	p[0] = (unsigned char)size;
	p[1] = (unsigned char)(size >> 8);
	sv_le64(p + 2, (uint64_t)e->expires_s);
	sv_le32(p + 10, e->value_len);
	p[14] = (unsigned char)e->name.n;
	p[15] = (unsigned char)e->var.n;
	memcpy(p + FIXED, e->name.p, e->name.n);
	if (e->var.n > 0)
		memcpy(p + FIXED + e->name.n, e->var.p, e->var.n);
	n->items[n->n_items++] = (struct item){ n->batch_n, s, drop };
	n->batch_n += (uint32_t)size;
	return SV_OK;
}

enum sv_code sv_names_put(struct sv_names *n, const uint8_t space[SV_ID_BYTES], const struct sv_name_entry *e)
{
	return collect(n, space, e, false);
}

enum sv_code sv_names_drop(struct sv_names *n, const uint8_t space[SV_ID_BYTES], struct sv_text name)
{
	struct sv_name_entry e = { .name = name };

	return collect(n, space, &e, true);
}

/* By space, name, and for one name in the order of the calls. */
static int item_cmp(const void *pa, const void *pb, void *ctx)
{
	const struct item *a = pa, *b = pb;
	const struct sv_names *n = ctx;
	int c;

	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	c = sv_text_cmp(entry_name(n->batch + a->off), entry_name(n->batch + b->off));
	return c != 0 ? c : a->off < b->off ? -1 : a->off > b->off;
}

/* The first name of a block, in locked scratch. */
static struct sv_text first_name(const struct sv_names *n, const struct block *b)
{
	size_t len = b->len < ENTRY_MAX ? b->len : ENTRY_MAX;

	crypt_bytes(n, b->nonce, b->sealed, len, n->hot->first);
	return entry_name(n->hot->first);
}

/* The last block whose first name is not behind name; 0 when there is none. */
static uint32_t find_block(const struct sv_names *n, const struct space *s, struct sv_text name)
{
	uint32_t lo = 0, hi = s->n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (sv_text_cmp(first_name(n, &s->b[mid]), name) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

struct made {
	struct block *b;
	uint32_t n, cap;
	uint32_t len, count;
};

static enum sv_code emit_block(struct sv_names *n, struct made *m)
{
	struct block *b;

	if (m->len == 0)
		return SV_OK;
	if (m->n == m->cap) {
		uint32_t cap = m->cap == 0 ? 4 : m->cap * 2;
		struct block *more = realloc(m->b, cap * sizeof(*more));

		if (more == NULL)
			return SV_ERR_NOMEM;
		m->b = more;
		m->cap = cap;
	}
	b = &m->b[m->n];
	if ((b->sealed = malloc(m->len)) == NULL)
		return SV_ERR_NOMEM;
	*b = (struct block){ b->sealed, m->len, m->count, n->nonce++ };
	crypt_bytes(n, b->nonce, n->hot->out, m->len, b->sealed);
	m->n++;
	m->len = m->count = 0;
	return SV_OK;
}

static enum sv_code emit(struct sv_names *n, struct made *m, const unsigned char *entry, uint32_t fill)
{
	uint32_t size = (uint32_t)entry_size(entry);
	enum sv_code rc;

	if (m->len + size > fill && (rc = emit_block(n, m)) != SV_OK)
		return rc;
	memcpy(n->hot->out + m->len, entry, size);
	m->len += size;
	m->count++;
	return SV_OK;
}

/* Merge items[0..k) with one block (or none) into new blocks. */
static enum sv_code merge(struct sv_names *n, const struct block *old, const struct item *items, uint32_t k,
			  struct made *m)
{
	uint32_t off = 0, len = old == NULL ? 0 : old->len, total = len, i = 0, fill;
	enum sv_code rc = SV_OK;

	for (uint32_t j = 0; j < k; j++)
		total += items[j].drop ? 0 : (uint32_t)entry_size(n->batch + items[j].off);
	fill = total <= BLOCK_MAX ? BLOCK_MAX : BLOCK_FILL;
	if (len > 0)
		crypt_bytes(n, old->nonce, old->sealed, len, n->hot->in);
	while (rc == SV_OK && (off < len || i < k)) {
		const unsigned char *have = off < len ? n->hot->in + off : NULL,
				    *want = i < k ? n->batch + items[i].off : NULL;
		int c = have == NULL ? 1 : want == NULL ? -1 : sv_text_cmp(entry_name(have), entry_name(want));

		if (c < 0) {
			rc = emit(n, m, have, fill);
			off += (uint32_t)entry_size(have);
			continue;
		}
		if (c == 0)
			off += (uint32_t)entry_size(have);
		/* the last change of a name counts */
		while (i + 1 < k && sv_text_cmp(entry_name(n->batch + items[i + 1].off), entry_name(want)) == 0)
			i++;
		if (!items[i].drop)
			rc = emit(n, m, n->batch + items[i].off, fill);
		i++;
	}
	return rc == SV_OK ? emit_block(n, m) : rc;
}

static enum sv_code splice(struct space *s, uint32_t at, uint32_t drop, const struct made *m)
{
	uint32_t want = s->n - drop + m->n;

	if (want > s->cap) {
		uint32_t cap = want + want / 2 + 4;
		struct block *more = realloc(s->b, cap * sizeof(*more));

		if (more == NULL)
			return SV_ERR_NOMEM;
		s->b = more;
		s->cap = cap;
	}
	if (drop > 0) {
		s->count -= s->b[at].count;
		free(s->b[at].sealed);
	}
	if (s->n > at + drop)
		memmove(s->b + at + m->n, s->b + at + drop, (s->n - at - drop) * sizeof(*s->b));
	for (uint32_t i = 0; i < m->n; i++) {
		s->b[at + i] = m->b[i];
		s->count += m->b[i].count;
	}
	s->n = want;
	return SV_OK;
}

static enum sv_code apply(struct sv_names *n, struct space *s, const struct item *items, uint32_t k)
{
	while (k > 0) {
		uint32_t at = find_block(n, s, entry_name(n->batch + items[0].off)), take = k;
		struct made m = { 0 };
		enum sv_code rc;

		if (at + 1 < s->n) {
			struct sv_text limit = first_name(n, &s->b[at + 1]);

			for (take = 1; take < k && sv_text_cmp(entry_name(n->batch + items[take].off), limit) < 0;)
				take++;
		}
		rc = merge(n, at < s->n ? &s->b[at] : NULL, items, take, &m);
		if (rc == SV_OK)
			rc = splice(s, at, at < s->n, &m);
		if (rc != SV_OK)
			for (uint32_t i = 0; i < m.n; i++)
				free(m.b[i].sealed);
		free(m.b);
		if (rc != SV_OK)
			return rc;
		items += take;
		k -= take;
	}
	return SV_OK;
}

enum sv_code sv_names_flush(struct sv_names *n)
{
	enum sv_code rc = SV_OK;

	if (n->n_items > 1)
		qsort_r(n->items, n->n_items, sizeof(*n->items), item_cmp, n);
	for (uint32_t i = 0, j; i < n->n_items && rc == SV_OK; i = j) {
		for (j = i; j < n->n_items && n->items[j].space == n->items[i].space;)
			j++;
		rc = apply(n, &n->s[n->items[i].space], n->items + i, j - i);
	}
	if (n->n_items > 0)
		sv_wipe(n->hot->in, sizeof(*n->hot) - offsetof(struct hot, in));
	sv_secmem_free(n->batch);
	free(n->items);
	n->batch = NULL;
	n->items = NULL;
	n->batch_n = n->n_items = 0;
	return rc;
}

bool sv_names_room(const struct sv_names *n, uint32_t changes)
{
	return n->n_items + changes <= BATCH_ITEMS && n->batch_n + (uint64_t)changes * ENTRY_MAX <= BATCH_BYTES;
}

uint32_t sv_names_count(const struct sv_names *n, const uint8_t space[SV_ID_BYTES])
{
	const struct space *s = find_space(n, space);

	return s == NULL ? 0 : s->count;
}

static void load_block(struct sv_names_walk *w)
{
	const struct space *s = w->space;
	const struct block *b = &s->b[w->block];

	crypt_bytes(w->n, b->nonce, b->sealed, b->len, w->plain);
	w->len = b->len;
	w->off = 0;
}

enum sv_code sv_names_walk_open(struct sv_names *n, const uint8_t space[SV_ID_BYTES], struct sv_text group,
				struct sv_text after, struct sv_names_walk *w)
{
	const struct space *s = find_space(n, space);
	bool past = sv_text_cmp(after, group) >= 0 && after.n > 0; /* start behind `after`, else at the group */
	struct sv_text from = past ? after : group;

	*w = (struct sv_names_walk){ .n = n };
	if (s == NULL || s->n == 0)
		return SV_OK;
	if ((w->plain = sv_secmem_alloc(BLOCK_MAX)) == NULL)
		return SV_ERR_NOMEM;
	w->space = s;
	w->block = find_block(n, s, from);
	load_block(w);
	for (;;) {
		if (w->off == w->len) {
			if (w->block + 1 == s->n)
				return SV_OK;
			w->block++;
			load_block(w);
			continue;
		}
		if (sv_text_cmp(entry_name(w->plain + w->off), from) >= (past ? 1 : 0))
			return SV_OK;
		w->off += (uint32_t)entry_size(w->plain + w->off);
	}
}

bool sv_names_walk_next(struct sv_names_walk *w, struct sv_name_entry *e)
{
	const struct space *s = w->space;

	if (s == NULL)
		return false;
	if (w->off == w->len) {
		if (w->block + 1 >= s->n)
			return false;
		w->block++;
		load_block(w);
	}
	entry_view(w->plain + w->off, e);
	w->off += (uint32_t)entry_size(w->plain + w->off);
	return true;
}

void sv_names_walk_close(struct sv_names_walk *w)
{
	sv_secmem_free(w->plain);
	*w = (struct sv_names_walk){ 0 };
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ordered set of secrets behind a document: memory, order, lookup, marks and the walk that nests names at their
 * slashes.
 */
#include "cli/edit/tree.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define CHUNK_BYTES ((size_t)256 << 10)

struct sv_tree_chunk {
	struct sv_tree_chunk *next;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

const struct sv_meta sv_meta_none;

void sv_tree_clear(struct sv_tree *t)
{
	while (t->chunks != NULL) {
		struct sv_tree_chunk *next = t->chunks->next;

		sv_secmem_free(t->chunks);
		t->chunks = next;
	}
	if (t->items != NULL)
		sv_wipe(t->items, t->cap * sizeof(*t->items));
	free(t->items);
	*t = (struct sv_tree)SV_TREE_INIT;
}

void *sv_tree_keep(struct sv_tree *t, const void *p, size_t n)
{
	struct sv_tree_chunk *c = t->chunks;
	size_t room = (n + 15) & ~(size_t)15;
	unsigned char *at;

	if (c == NULL || c->size - c->used < room) {
		size_t size = room > CHUNK_BYTES ? room : CHUNK_BYTES;

		c = sv_secmem_alloc(sizeof(*c) + size);
		if (c == NULL)
			return NULL;
		c->used = 0;
		c->size = size;
		c->next = t->chunks;
		t->chunks = c;
	}
	at = c->data + c->used;
	c->used += room;
	if (n > 0 && p != NULL)
		memcpy(at, p, n);
	return at;
}

bool sv_meta_empty(const struct sv_meta *m)
{
	return m->var.n == 0 && m->desc.n == 0 && m->owner.n == 0 && m->url.n == 0 && m->type.n == 0 &&
	       m->n_tags == 0 && m->n_scopes == 0 && m->expires_s == 0 && m->rotate_s == 0;
}

static bool same_list(const struct sv_text *a, size_t na, const struct sv_text *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (!sv_text_same(a[i], b[i]))
			return false;
	return true;
}

uint32_t sv_meta_differs(const struct sv_meta *a, const struct sv_meta *b)
{
	uint32_t f = 0;

	f |= sv_text_same(a->var, b->var) ? 0 : SV_MF_VAR;
	f |= sv_text_same(a->desc, b->desc) ? 0 : SV_MF_DESC;
	f |= sv_text_same(a->owner, b->owner) ? 0 : SV_MF_OWNER;
	f |= sv_text_same(a->url, b->url) ? 0 : SV_MF_URL;
	f |= sv_text_same(a->type, b->type) ? 0 : SV_MF_TYPE;
	f |= same_list(a->tags, a->n_tags, b->tags, b->n_tags) ? 0 : SV_MF_TAGS;
	f |= same_list(a->scopes, a->n_scopes, b->scopes, b->n_scopes) ? 0 : SV_MF_SCOPES;
	f |= a->expires_s == b->expires_s ? 0 : SV_MF_EXPIRES;
	f |= a->rotate_s == b->rotate_s ? 0 : SV_MF_ROTATE;
	return f;
}

bool sv_meta_equal(const struct sv_meta *a, const struct sv_meta *b)
{
	return sv_meta_differs(a, b) == 0;
}

static bool keep_text(struct sv_tree *t, struct sv_text *x)
{
	if (x->n == 0)
		return true;
	x->p = sv_tree_keep(t, x->p, x->n);
	return x->p != NULL;
}

static const struct sv_meta *keep_meta(struct sv_tree *t, const struct sv_meta *m)
{
	struct sv_meta *copy;
	bool ok;

	if (m == NULL || sv_meta_empty(m))
		return &sv_meta_none;
	copy = sv_tree_keep(t, m, sizeof(*m));
	if (copy == NULL)
		return NULL;
	ok = keep_text(t, &copy->var) && keep_text(t, &copy->desc) && keep_text(t, &copy->owner) &&
	     keep_text(t, &copy->url) && keep_text(t, &copy->type);
	for (size_t i = 0; ok && i < copy->n_tags; i++)
		ok = keep_text(t, &copy->tags[i]);
	for (size_t i = 0; ok && i < copy->n_scopes; i++)
		ok = keep_text(t, &copy->scopes[i]);
	return ok ? copy : NULL;
}

static bool grow(struct sv_tree *t)
{
	size_t cap = t->cap == 0 ? 64 : t->cap * 2;
	struct sv_item *items;

	if (t->n < t->cap)
		return true;
	items = calloc(cap, sizeof(*items));
	if (items == NULL)
		return false;
	if (t->n > 0) {
		memcpy(items, t->items, t->n * sizeof(*items));
		sv_wipe(t->items, t->n * sizeof(*items));
	}
	free(t->items);
	t->items = items;
	t->cap = cap;
	return true;
}

enum sv_code sv_tree_add(struct sv_tree *t, struct sv_text name, const unsigned char *value, size_t len,
			 const struct sv_meta *meta, struct sv_item **item, struct sv_err *err)
{
	struct sv_item *it;

	if (t->n >= SV_SECRETS_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "more than %d secrets", SV_SECRETS_MAX);
	if (len > SV_VALUE_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "a value of more than %zu bytes", SV_VALUE_MAX);
	if (!grow(t))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the secrets");
	it = &t->items[t->n];
	*it = (struct sv_item){ .value_len = len };
	it->name = (struct sv_text){ sv_tree_keep(t, name.p, name.n), name.n };
	it->value = value == NULL ? NULL : sv_tree_keep(t, value, len);
	it->meta = keep_meta(t, meta);
	if (it->name.p == NULL || (value != NULL && it->value == NULL) || it->meta == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the secrets");
	it->has_meta = meta != NULL;
	t->bytes += len;
	t->n++;
	if (item != NULL)
		*item = it;
	return SV_OK;
}

enum sv_code sv_tree_copy(struct sv_tree *t, const struct sv_item *from, struct sv_item **item, struct sv_err *err)
{
	struct sv_item *it = NULL;
	struct sv_item fields;
	enum sv_code rc = sv_tree_add(t, from->name, from->value, from->value_len, from->meta, &it, err);

	if (rc != SV_OK)
		return rc;
	fields = *from;
	fields.name = it->name;
	fields.value = it->value;
	fields.meta = it->meta;
	*it = fields;
	if (item != NULL)
		*item = it;
	return SV_OK;
}

static int compare_names(struct sv_text a, struct sv_text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_items(const void *pa, const void *pb)
{
	const struct sv_item *a = pa, *b = pb;
	int c = compare_names(a->name, b->name);

	if (c != 0)
		return c;
	if (a->ghost != b->ghost)
		return a->ghost ? 1 : -1;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return (a->place.column > b->place.column) - (a->place.column < b->place.column);
}

void sv_tree_sort(struct sv_tree *t)
{
	bool sorted = true;

	for (size_t i = 1; sorted && i < t->n; i++)
		sorted = compare_items(&t->items[i - 1], &t->items[i]) <= 0;
	if (!sorted)
		qsort(t->items, t->n, sizeof(*t->items), compare_items);
}

/* The first item whose name is not before the given one. */
static size_t lower(const struct sv_tree *t, size_t lo, size_t hi, struct sv_text name)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_names(t->items[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct sv_item *sv_tree_find(const struct sv_tree *t, struct sv_text name)
{
	size_t i = lower(t, 0, t->n, name);

	if (i < t->n && sv_text_same(t->items[i].name, name) && !t->items[i].ghost)
		return &t->items[i];
	return NULL;
}

struct normal {
	char *text;
	const struct sv_item *item;
};

static int compare_normal(const void *a, const void *b)
{
	return strcmp(((const struct normal *)a)->text, ((const struct normal *)b)->text);
}

static bool is_ascii(struct sv_text t)
{
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] >= 0x80)
			return false;
	return true;
}

/* Two names that differ only in how an accented letter is put together look the same; the vault would keep both. */
static enum sv_code check_normal(const struct sv_tree *t, struct sv_place *place, struct sv_err *err)
{
	struct normal *all = NULL;
	size_t n = 0;
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < t->n; i++)
		n += !is_ascii(t->items[i].name) && !t->items[i].ghost;
	if (n < 2)
		return SV_OK;
	all = calloc(n, sizeof(*all));
	if (all == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the names");
	n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct sv_item *it = &t->items[i];
		utf8proc_uint8_t *text = NULL;

		if (is_ascii(it->name) || it->ghost)
			continue;
		if (utf8proc_map((const utf8proc_uint8_t *)it->name.p, (utf8proc_ssize_t)it->name.n, &text,
				 UTF8PROC_STABLE | UTF8PROC_COMPOSE) < 0) {
			rc = sv_err_set(err, SV_ERR_NAME, "a name that is not valid text");
			*place = it->place;
			goto out;
		}
		all[n].text = (char *)text;
		all[n++].item = it;
	}
	qsort(all, n, sizeof(*all), compare_normal);
	for (size_t i = 1; i < n; i++) {
		const struct sv_item *a = all[i - 1].item, *b = all[i].item;

		if (strcmp(all[i - 1].text, all[i].text) != 0)
			continue;
		if (a->place.line > b->place.line) {
			b = a;
			a = all[i].item;
		}
		*place = b->place;
		rc = sv_err_set(err, SV_ERR_NAME,
				"this name is the one of line %zu spelled with other code points (Unicode "
				"normalisation); they cannot be told apart",
				a->place.line);
		goto out;
	}
out:
	for (size_t i = 0; i < n; i++)
		free(all[i].text);
	free(all);
	return rc;
}

enum sv_code sv_tree_check(struct sv_tree *t, struct sv_place *place, struct sv_err *err)
{
	sv_tree_sort(t);
	for (size_t i = 1; i < t->n; i++) {
		const struct sv_item *a = &t->items[i - 1], *b = &t->items[i];

		if (b->ghost || a->ghost || !sv_text_same(a->name, b->name))
			continue;
		*place = b->place;
		return sv_err_set(err, SV_ERR_NAME, "this name is already on line %zu", a->place.line);
	}
	return check_normal(t, place, err);
}

/* ---- marks
 * ----------------------------------------------------------------------------------------------------------- */

static void hash_text(crypto_generichash_state *h, struct sv_text t)
{
	uint64_t n = t.n;

	(void)crypto_generichash_update(h, (const unsigned char *)&n, sizeof(n));
	if (t.n > 0)
		(void)crypto_generichash_update(h, (const unsigned char *)t.p, t.n);
}

void sv_item_mark(struct sv_item *it, const unsigned char key[SV_MARK_KEY_BYTES])
{
	crypto_generichash_state h;
	const struct sv_meta *m = it->meta;

	if (it->value == NULL)
		return;
	(void)crypto_generichash(it->mark, SV_MARK_BYTES, it->value, it->value_len, key, SV_MARK_KEY_BYTES);
	(void)crypto_generichash_init(&h, key, SV_MARK_KEY_BYTES, SV_MARK_BYTES);
	hash_text(&h, m->var);
	hash_text(&h, m->desc);
	hash_text(&h, m->owner);
	hash_text(&h, m->url);
	hash_text(&h, m->type);
	hash_text(&h, (struct sv_text){ (const char *)&m->n_tags, sizeof(m->n_tags) });
	for (size_t i = 0; i < m->n_tags; i++)
		hash_text(&h, m->tags[i]);
	for (size_t i = 0; i < m->n_scopes; i++)
		hash_text(&h, m->scopes[i]);
	hash_text(&h, (struct sv_text){ (const char *)&m->expires_s, sizeof(m->expires_s) });
	hash_text(&h, (struct sv_text){ (const char *)&m->rotate_s, sizeof(m->rotate_s) });
	(void)crypto_generichash_final(&h, it->meta_mark, SV_MARK_BYTES);
}

void sv_tree_mark(struct sv_tree *t, const unsigned char key[SV_MARK_KEY_BYTES])
{
	for (size_t i = 0; i < t->n; i++)
		sv_item_mark(&t->items[i], key);
}

/* ---- the walk
 * -------------------------------------------------------------------------------------------------------- */

struct walk {
	const struct sv_tree *tree;
	const struct sv_tree_visitor *v;
};

static bool starts_with(struct sv_text t, const char *p, size_t n)
{
	return t.n >= n && memcmp(t.p, p, n) == 0;
}

/* Items lo .. hi share their first `from` bytes; the mapping that is open holds those below the first `base` bytes. */
static enum sv_code walk(const struct walk *w, size_t lo, size_t hi, size_t base, size_t from, unsigned depth)
{
	const struct sv_item *items = w->tree->items;
	enum sv_code rc = SV_OK;

	for (size_t i = lo; rc == SV_OK && i < hi;) {
		struct sv_text name = items[i].name;
		const char *slash = from < name.n ? memchr(name.p + from, '/', name.n - from) : NULL;
		struct sv_text group;
		size_t len, j;
		bool hidden = true;
		size_t at;

		if (slash == NULL) {
			rc = w->v->leaf(w->v->ctx, (struct sv_text){ name.p + base, name.n - base }, &items[i]);
			i++;
			continue;
		}
		len = (size_t)(slash - name.p);
		for (j = i; j < hi && starts_with(items[j].name, name.p, len + 1); j++)
			hidden = hidden && (items[j].ghost || items[j].inherited);
		group = (struct sv_text){ name.p, len };
		at = lower(w->tree, 0, w->tree->n, group);
		if ((at < w->tree->n && sv_text_same(items[at].name, group)) || depth + 1 >= SV_DOC_DEPTH_MAX ||
		    (w->v->flat != NULL && w->v->flat(&items[i], j - i, group))) {
			rc = walk(w, i, j, base, len + 1, depth);
		} else {
			rc = w->v->group(w->v->ctx, (struct sv_text){ name.p + base, len - base }, hidden);
			if (rc == SV_OK)
				rc = walk(w, i, j, len + 1, len + 1, depth + 1);
			if (rc == SV_OK)
				rc = w->v->end(w->v->ctx);
		}
		i = j;
	}
	return rc;
}

enum sv_code sv_tree_walk(const struct sv_tree *t, const struct sv_tree_visitor *v)
{
	const struct walk w = { t, v };

	return walk(&w, 0, t->n, 0, 0, 1);
}

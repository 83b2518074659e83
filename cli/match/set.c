/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles patterns into the automaton of set.h, in time linear in their bytes but for the sort.
 */
#include "cli/match/set.h"

#include "cli/match/grams.h"
#include "vault/base/secmem.h"

#include <stdlib.h>
#include <string.h>

#define DENSE_AT 8 /* children from which a node gets a row */

struct item {
	uint64_t key; /* first 8 bytes, big-endian, so that most comparisons end here */
	uint32_t no;
};

struct build {
	const struct sv_patterns *ps;
	struct sv_match_set *s;
	struct item *items;
	size_t n_items;
	uint32_t *first_item; /* of each unique pattern */
	uint32_t *path;       /* node at each depth of the pattern inserted last */
	uint16_t *fan;        /* children of those nodes */
	uint32_t *last_child; /* of those nodes */
};

/* Locked memory that the set frees with itself. */
static void *take_locked(struct sv_match_set *s, size_t n, size_t size)
{
	void *p;

	if (s->n_blocks == sizeof(s->blocks) / sizeof(s->blocks[0]) || (n > 0 && size > SIZE_MAX / 2 / n))
		return NULL;
	p = sv_secmem_alloc(n * size);
	if (p != NULL)
		s->blocks[s->n_blocks++] = p;
	return p;
}

static int compare(const struct sv_patterns *ps, const struct item *a, const struct item *b)
{
	const struct sv_pattern *x = sv_patterns_at(ps, a->no), *y = sv_patterns_at(ps, b->no);
	size_t n = x->len < y->len ? x->len : y->len;
	int d;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	d = n > 8 ? memcmp(x->p + 8, y->p + 8, n - 8) : 0;
	if (d != 0)
		return d;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return a->no < b->no ? -1 : 1; /* earlier secrets first */
}

static void sift(const struct sv_patterns *ps, struct item *v, size_t at, size_t n)
{
	struct item it = v[at];

	for (size_t kid; (kid = 2 * at + 1) < n; at = kid) {
		if (kid + 1 < n && compare(ps, &v[kid], &v[kid + 1]) < 0)
			kid++;
		if (compare(ps, &it, &v[kid]) >= 0)
			break;
		v[at] = v[kid];
	}
	v[at] = it;
}

/* Heapsort: in place in locked memory, where qsort(3) may copy the keys to the ordinary heap. */
static void sort_items(const struct sv_patterns *ps, struct item *v, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(ps, v, i, n);
	for (size_t i = n; i-- > 1;) {
		struct item it = v[0];

		v[0] = v[i];
		v[i] = it;
		sift(ps, v, 0, i);
	}
}

static bool make_items(struct build *b)
{
	b->n_items = sv_patterns_count(b->ps);
	b->items = sv_secmem_alloc((b->n_items + 1) * sizeof(*b->items));
	if (b->items == NULL)
		return false;
	for (size_t i = 0; i < b->n_items; i++) {
		const struct sv_pattern *p = sv_patterns_at(b->ps, i);

		b->items[i].no = (uint32_t)i;
		for (size_t k = 0; k < 8; k++)
			b->items[i].key = b->items[i].key << 8 | (k < p->len ? p->p[k] : 0);
	}
	sort_items(b->ps, b->items, b->n_items);
	return true;
}

static const struct sv_pattern *item_pattern(const struct build *b, size_t i)
{
	return sv_patterns_at(b->ps, b->items[i].no);
}

/* Equal patterns become one with several owners. */
static bool make_pats(struct build *b)
{
	struct sv_match_set *s = b->s;

	s->pats = calloc(b->n_items + 1, sizeof(*s->pats));
	s->owners = calloc(b->n_items + 1, sizeof(*s->owners));
	b->first_item = calloc(b->n_items + 1, sizeof(*b->first_item));
	if (s->pats == NULL || s->owners == NULL || b->first_item == NULL)
		return false;
	for (size_t i = 0; i < b->n_items; i++) {
		const struct sv_pattern *p = item_pattern(b, i), *before = i > 0 ? item_pattern(b, i - 1) : NULL;

		s->owners[i].who = (struct sv_match_who){ .secret = p->secret, .form = p->form };
		if (before != NULL && before->len == p->len && memcmp(before->p, p->p, p->len) == 0) {
			struct pat *pat = &s->pats[s->n_pats - 1];

			s->owners[i - 1].next = (uint32_t)i + 1;
			pat->word = pat->word && p->word;
			continue;
		}
		b->first_item[s->n_pats] = (uint32_t)i;
		s->pats[s->n_pats++] = (struct pat){ .len = p->len, .owner = (uint32_t)i, .word = p->word };
		s->longest = p->len > s->longest ? p->len : s->longest;
	}
	return true;
}

static const unsigned char *pat_bytes(const struct build *b, size_t i)
{
	return item_pattern(b, b->first_item[i])->p;
}

static size_t pat_head(const struct build *b, size_t i)
{
	return b->s->pats[i].len < SV_MATCH_HEAD ? b->s->pats[i].len : SV_MATCH_HEAD;
}

static size_t common(const struct build *b, size_t i)
{
	const unsigned char *x = pat_bytes(b, i - 1), *y = pat_bytes(b, i);
	size_t n = pat_head(b, i - 1) < pat_head(b, i) ? pat_head(b, i - 1) : pat_head(b, i), k = 0;

	while (k < n && x[k] == y[k])
		k++;
	return k;
}

static bool copy_longs(struct build *b)
{
	struct sv_match_set *s = b->s;
	size_t bytes = 0, at = 0;

	for (size_t i = 0; i < s->n_pats; i++) {
		if (s->pats[i].len > SV_MATCH_HEAD) {
			bytes += s->pats[i].len;
			s->n_longs++;
		}
	}
	if (s->n_longs == 0)
		return true;
	s->long_bytes = take_locked(s, bytes, 1);
	s->longs = calloc(s->n_longs, sizeof(*s->longs));
	if (s->long_bytes == NULL || s->longs == NULL)
		return false;
	s->n_longs = 0;
	for (size_t i = 0; i < s->n_pats; i++) {
		if (s->pats[i].len <= SV_MATCH_HEAD)
			continue;
		memcpy(s->long_bytes + at, pat_bytes(b, i), s->pats[i].len);
		s->longs[s->n_longs++] = (struct long_pat){ .p = s->long_bytes + at, .pat = (uint32_t)i };
		s->pats[i].long_no = (uint32_t)s->n_longs;
		at += s->pats[i].len;
	}
	return true;
}

/* A child of path[depth] for byte c, as the next node of the depth-first order. */
static void add_child(struct build *b, size_t depth, unsigned char c)
{
	struct sv_match_set *s = b->s;
	uint32_t parent = b->path[depth], no = (uint32_t)s->n_nodes++;

	s->nodes[no] =
		(struct node){ .depth = (uint16_t)(depth + 1), .ch = c, .flags = depth + 1 >= 4 ? NODE_KEEP : 0 };
	if (b->fan[depth] == 0)
		s->nodes[parent].flags |= NODE_CHILD;
	else
		s->nodes[b->last_child[depth]].next = no;
	b->last_child[depth] = no;
	b->fan[depth]++;
	if (b->fan[depth] == DENSE_AT && parent != 0) {
		s->nodes[parent].flags |= NODE_DENSE;
		s->n_rows++;
	}
	b->path[depth + 1] = no;
	b->fan[depth + 1] = 0;
}

static void insert(struct build *b, size_t i, size_t from)
{
	struct sv_match_set *s = b->s;
	struct pat *pat = &s->pats[i];
	const unsigned char *p = pat_bytes(b, i);
	size_t head = pat_head(b, i);
	struct node *end;

	for (size_t d = from; d < head; d++)
		add_child(b, d, p[d]);
	for (size_t d = 1; d < 4 && d <= head; d++) {
		if (4 * d >= pat->len)
			s->nodes[b->path[d]].flags |= NODE_KEEP;
	}
	end = &s->nodes[b->path[head]];
	pat->next_out = end->out; /* long patterns with one head */
	end->out = (uint32_t)i + 1;
	if (pat->word) {
		end->flags |= NODE_WORD;
		s->words = true;
	}
}

static bool make_nodes(struct build *b)
{
	struct sv_match_set *s = b->s;
	size_t n = 2; /* the root's first child is node 1 even when there is none */

	for (size_t i = 0; i < s->n_pats; i++)
		n += pat_head(b, i) - (i > 0 ? common(b, i) : 0);
	if (n > UINT32_MAX)
		return false;
	s->nodes = take_locked(s, n, sizeof(*s->nodes));
	b->path = calloc(SV_MATCH_HEAD + 2, sizeof(*b->path));
	b->fan = calloc(SV_MATCH_HEAD + 2, sizeof(*b->fan));
	b->last_child = calloc(SV_MATCH_HEAD + 2, sizeof(*b->last_child));
	if (s->nodes == NULL || b->path == NULL || b->fan == NULL || b->last_child == NULL)
		return false;
	s->nodes[0].flags = NODE_DENSE;
	s->n_nodes = 1;
	s->n_rows = 1;
	for (size_t i = 0; i < s->n_pats; i++)
		insert(b, i, i > 0 ? common(b, i) : 0);
	s->rows = take_locked(s, s->n_rows, sizeof(*s->rows));
	return s->rows != NULL;
}

/* Failure and output of child w of v, whose own are known. */
static void link_node(struct sv_match_set *s, uint32_t v, uint32_t w)
{
	struct node *t = &s->nodes[w];
	uint32_t inherited;

	t->fail = v == 0 ? 0 : node_step(s, s->nodes[v].fail, t->ch);
	inherited = s->nodes[t->fail].out;
	t->flags |= s->nodes[t->fail].flags & NODE_WORD;
	if (t->out == 0) {
		t->out = inherited;
	} else {
		struct pat *p = &s->pats[t->out - 1];

		while (p->next_out != 0)
			p = &s->pats[p->next_out - 1];
		p->next_out = inherited;
	}
}

/*
 * Breadth first, so that what a failure step needs is there.  Both lists together never hold more nodes than there
 * are patterns, because each node of one depth leads to a pattern of its own.
 */
static bool link_nodes(struct sv_match_set *s)
{
	uint32_t *now = calloc(s->n_pats + 1, sizeof(*now)), *then = calloc(s->n_pats + 1, sizeof(*then));
	size_t n_now = 1, n_then, row = 0;
	bool ok = now != NULL && then != NULL;

	for (; ok && n_now > 0; n_now = n_then) {
		uint32_t *swap;

		n_then = 0;
		for (size_t i = 0; i < n_now; i++) {
			uint32_t v = now[i], *to = NULL;
			bool dense = (s->nodes[v].flags & NODE_DENSE) != 0;

			/*
			 * each node is on a cache line of its own: ask for those of a little later, and for where
			 * they fail to
			 */
			if (i + 16 < n_now)
				__builtin_prefetch(&s->nodes[now[i + 16]]);
			if (i + 8 < n_now)
				__builtin_prefetch(&s->nodes[s->nodes[now[i + 8]].fail]);

			if (dense) {
				to = s->rows[row];
				for (unsigned c = 0; v != 0 && c < 256; c++)
					to[c] = node_step(s, s->nodes[v].fail, (unsigned char)c);
			}
			if ((s->nodes[v].flags & NODE_CHILD) != 0) {
				for (uint32_t w = v + 1; w != 0; w = s->nodes[w].next) {
					link_node(s, v, w);
					then[n_then++] = w;
					if (dense)
						to[s->nodes[w].ch] = w;
				}
			}
			if (dense)
				s->nodes[v + 1].next = (uint32_t)row++;
		}
		swap = now;
		now = then;
		then = swap;
	}
	free(now);
	free(then);
	return ok;
}

static bool make_grams(struct build *b)
{
	struct sv_match_set *s = b->s;
	size_t words[CLASS_MAX];

	sv_grams_plan(s, words);
	for (unsigned k = 0; k < s->n_cls; k++) {
		s->cls[k].bits = take_locked(s, words[k], sizeof(uint64_t));
		if (s->cls[k].bits == NULL)
			return false;
	}
	for (size_t i = 0; i < s->n_pats; i++)
		sv_grams_add(s, pat_bytes(b, i), s->pats[i].len);
	return true;
}

static bool copy_names(struct sv_match_set *s, const struct sv_patterns *ps)
{
	size_t n = sv_patterns_secrets(ps);

	s->names = calloc(n + 1, sizeof(*s->names));
	if (s->names == NULL)
		return false;
	for (; s->n_names < n; s->n_names++) {
		s->names[s->n_names] = strdup(sv_patterns_name(ps, s->n_names));
		if (s->names[s->n_names] == NULL)
			return false;
	}
	return true;
}

enum sv_code sv_match_compile(const struct sv_patterns *ps, struct sv_match_set **set, struct sv_err *err)
{
	struct build b = { .ps = ps };
	enum sv_code rc = SV_OK;

	*set = NULL;
	b.s = calloc(1, sizeof(*b.s));
	if (b.s == NULL || !copy_names(b.s, ps) || !make_items(&b) || !make_pats(&b) || !copy_longs(&b) ||
	    !make_nodes(&b) || !link_nodes(b.s) || !make_grams(&b))
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the matcher of %zu patterns", sv_patterns_count(ps));
	sv_secmem_free(b.items);
	free(b.first_item);
	free(b.path);
	free(b.fan);
	free(b.last_child);
	if (rc == SV_OK)
		*set = b.s;
	else
		sv_match_set_free(b.s);
	return rc;
}

void sv_match_set_free(struct sv_match_set *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n_blocks; i++)
		sv_secmem_free(s->blocks[i]);
	for (size_t i = 0; i < s->n_names; i++)
		free(s->names[i]);
	free(s->names);
	free(s->longs);
	free(s->pats);
	free(s->owners);
	free(s);
}

void sv_match_set_stats(const struct sv_match_set *s, struct sv_match_stats *out)
{
	*out = (struct sv_match_stats){ .secrets = s->n_names,
					.patterns = s->n_pats,
					.nodes = s->n_nodes,
					.longest = s->longest,
					.classes = s->n_cls };
	for (unsigned i = 0; i < s->n_blocks; i++)
		out->bytes += sv_secmem_size(s->blocks[i]);
}

size_t sv_match_set_secrets(const struct sv_match_set *s)
{
	return s->n_names;
}

const char *sv_match_set_name(const struct sv_match_set *s, size_t secret)
{
	return s->names[secret];
}

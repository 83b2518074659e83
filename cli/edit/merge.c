/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences and three-way merges of trees.  Everything is decided on identity: each item of the new tree is linked to
 * the item of the old one that it was, by its name or as a rename, and then name, value and metadata are looked at
 * apart.
 */
#include "cli/edit/merge.h"

#include <stdlib.h>
#include <string.h>

#define NONE           SIZE_MAX
#define SAME_VALUE_MAX 512 /* equal values beyond this are paired in order */

static bool takes_part(const struct sv_item *it)
{
	return !it->inherited && !it->ghost;
}

static bool same_value(const struct sv_item *a, const struct sv_item *b)
{
	return memcmp(a->mark, b->mark, SV_MARK_BYTES) == 0;
}

static bool same_meta(const struct sv_item *a, const struct sv_item *b)
{
	return !a->has_meta || !b->has_meta || memcmp(a->meta_mark, b->meta_mark, SV_MARK_BYTES) == 0;
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

struct links {
	size_t *old_of; /* for each item of the new tree: the index of what it was, or NONE */
	size_t *new_of; /* and the other way round */
};

static void links_clear(struct links *l)
{
	free(l->old_of);
	free(l->new_of);
	l->old_of = l->new_of = NULL;
}

static struct sv_text last_segment(struct sv_text name)
{
	size_t at = name.n;

	while (at > 0 && name.p[at - 1] != '/')
		at--;
	return (struct sv_text){ name.p + at, name.n - at };
}

struct loose {
	const struct sv_item *item;
	size_t index;
};

static int compare_loose(const void *pa, const void *pb)
{
	const struct loose *a = pa, *b = pb;
	int c = memcmp(a->item->mark, b->item->mark, SV_MARK_BYTES);

	return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

static size_t run_of(const struct loose *v, size_t n, size_t at)
{
	size_t end = at + 1;

	while (end < n && same_value(v[at].item, v[end].item))
		end++;
	return end - at;
}

static bool fits(const struct sv_item *a, const struct sv_item *b, int pass)
{
	switch (pass) {
	case 0: return same_meta(a, b) && sv_text_same(last_segment(a->name), last_segment(b->name));
	case 1: return same_meta(a, b);
	default: return true;
	}
}

/* Items of one value that went, and that came: pair them. */
static void pair(struct links *l, const struct loose *gone, size_t n_gone, const struct loose *came, size_t n_came)
{
	bool few = n_gone <= SAME_VALUE_MAX && n_came <= SAME_VALUE_MAX;

	for (int pass = few ? 0 : 2; pass < 3; pass++) {
		size_t from = 0;

		for (size_t i = 0; i < n_gone; i++) {
			if (l->new_of[gone[i].index] != NONE)
				continue;
			for (size_t j = from; j < n_came; j++) {
				if (l->old_of[came[j].index] != NONE || !fits(gone[i].item, came[j].item, pass))
					continue;
				l->new_of[gone[i].index] = came[j].index;
				l->old_of[came[j].index] = gone[i].index;
				if (pass == 2)
					from = j + 1;
				break;
			}
		}
	}
}

static enum sv_code find_renames(const struct sv_tree *old, const struct sv_tree *now, struct links *l,
				 struct sv_err *err)
{
	struct loose *gone = calloc(old->n + 1, sizeof(*gone)), *came = calloc(now->n + 1, sizeof(*came));
	size_t n_gone = 0, n_came = 0;

	if (gone == NULL || came == NULL) {
		free(gone);
		free(came);
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the comparison");
	}
	for (size_t i = 0; i < old->n; i++)
		if (takes_part(&old->items[i]) && l->new_of[i] == NONE && old->items[i].value_len > 0)
			gone[n_gone++] = (struct loose){ &old->items[i], i };
	for (size_t i = 0; i < now->n; i++)
		if (takes_part(&now->items[i]) && l->old_of[i] == NONE && now->items[i].value_len > 0)
			came[n_came++] = (struct loose){ &now->items[i], i };
	qsort(gone, n_gone, sizeof(*gone), compare_loose);
	qsort(came, n_came, sizeof(*came), compare_loose);
	for (size_t i = 0, j = 0; i < n_gone && j < n_came;) {
		int c = memcmp(gone[i].item->mark, came[j].item->mark, SV_MARK_BYTES);
		size_t a = run_of(gone, n_gone, i), b = run_of(came, n_came, j);

		if (c == 0)
			pair(l, gone + i, a, came + j, b);
		i += c <= 0 ? a : 0;
		j += c >= 0 ? b : 0;
	}
	free(gone);
	free(came);
	return SV_OK;
}

static enum sv_code link_trees(const struct sv_tree *old, const struct sv_tree *now, struct links *l,
			       struct sv_err *err)
{
	l->old_of = malloc((now->n + 1) * sizeof(size_t));
	l->new_of = malloc((old->n + 1) * sizeof(size_t));
	if (l->old_of == NULL || l->new_of == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the comparison");
	for (size_t i = 0; i < now->n; i++)
		l->old_of[i] = NONE;
	for (size_t i = 0; i < old->n; i++)
		l->new_of[i] = NONE;
	for (size_t i = 0; i < now->n; i++) {
		const struct sv_item *was;

		if (!takes_part(&now->items[i]))
			continue;
		was = sv_tree_find(old, now->items[i].name);
		if (was == NULL || !takes_part(was))
			continue;
		l->old_of[i] = (size_t)(was - old->items);
		l->new_of[was - old->items] = i;
	}
	return find_renames(old, now, l, err);
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

void sv_diff_clear(struct sv_diff *d)
{
	free(d->v);
	*d = (struct sv_diff)SV_DIFF_INIT;
}

static unsigned compare(const struct sv_item *was, const struct sv_item *is)
{
	return (sv_text_same(was->name, is->name) ? 0 : SV_DELTA_RENAMED) | (same_value(was, is) ? 0 : SV_DELTA_VALUE) |
	       (same_meta(was, is) ? 0 : SV_DELTA_META);
}

static void count(struct sv_diff *d, unsigned what)
{
	d->added += (what & SV_DELTA_ADDED) != 0;
	d->removed += (what & SV_DELTA_REMOVED) != 0;
	d->renamed += (what & SV_DELTA_RENAMED) != 0;
	d->changed += (what & SV_DELTA_VALUE) != 0;
	d->meta += (what & SV_DELTA_META) != 0;
}

enum sv_code sv_diff_make(const struct sv_tree *old, const struct sv_tree *now, struct sv_diff *out, struct sv_err *err)
{
	struct links l = { NULL, NULL };
	enum sv_code rc = link_trees(old, now, &l, err);

	*out = (struct sv_diff)SV_DIFF_INIT;
	if (rc != SV_OK)
		goto out;
	out->v = calloc(old->n + now->n + 1, sizeof(*out->v));
	if (out->v == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the comparison");
		goto out;
	}
	for (size_t i = 0; i < now->n; i++) {
		const struct sv_item *is = &now->items[i];
		const struct sv_item *was = l.old_of[i] == NONE ? NULL : &old->items[l.old_of[i]];
		unsigned what = was == NULL ? SV_DELTA_ADDED : compare(was, is);

		if (!takes_part(is))
			continue;
		out->kept += was != NULL;
		if (what != 0)
			out->v[out->n++] = (struct sv_delta){ what, was, is };
		count(out, what);
	}
	for (size_t i = 0; i < old->n; i++) {
		if (!takes_part(&old->items[i]) || l.new_of[i] != NONE)
			continue;
		out->v[out->n++] = (struct sv_delta){ SV_DELTA_REMOVED, &old->items[i], NULL };
		count(out, SV_DELTA_REMOVED);
	}
out:
	links_clear(&l);
	return rc;
}

/* ---- merge ------------------------------------------------------------------------------------------------------- */

struct merge {
	const struct sv_tree *base, *theirs, *mine;
	struct sv_tree *out;
	struct links m, t;
	size_t conflicts;
	struct sv_err *err;
};

static enum sv_code keep(struct merge *g, const struct sv_item *it, bool ghost, bool conflict, struct sv_item **copy)
{
	struct sv_item *made;
	enum sv_code rc = sv_tree_copy(g->out, it, &made, g->err);

	if (rc != SV_OK)
		return rc;
	made->ghost = ghost;
	made->conflict = conflict;
	if (copy != NULL)
		*copy = made;
	return SV_OK;
}

/* Both sides changed it, each in its own way: mine stands, theirs beside it.  Either may be NULL. */
static enum sv_code clash(struct merge *g, const struct sv_item *mine, const struct sv_item *theirs)
{
	enum sv_code rc = SV_OK;

	g->conflicts++;
	if (mine != NULL)
		rc = keep(g, mine, false, true, NULL);
	if (rc == SV_OK && theirs != NULL)
		rc = keep(g, theirs, true, mine == NULL, NULL);
	return rc;
}

/* 0: nobody or both alike, take mine; 1: only theirs changed; -1: both, differently. */
static int pick(bool mine_changed, bool theirs_changed, bool alike)
{
	if (!mine_changed)
		return theirs_changed ? 1 : 0;
	return !theirs_changed || alike ? 0 : -1;
}

static enum sv_code merge_one(struct merge *g, const struct sv_item *b, const struct sv_item *m,
			      const struct sv_item *t)
{
	unsigned dm = m == NULL ? SV_DELTA_REMOVED : compare(b, m), dt = t == NULL ? SV_DELTA_REMOVED : compare(b, t);
	int name, value, meta;
	struct sv_item both;

	if (m == NULL || t == NULL) {
		/* One side took it away: that stands when the other left it alone. */
		if ((m == NULL && t == NULL) || (m == NULL && dt == 0) || (t == NULL && dm == 0))
			return SV_OK;
		return clash(g, m, t);
	}
	name = pick((dm & SV_DELTA_RENAMED) != 0, (dt & SV_DELTA_RENAMED) != 0, sv_text_same(m->name, t->name));
	value = pick((dm & SV_DELTA_VALUE) != 0, (dt & SV_DELTA_VALUE) != 0, same_value(m, t));
	meta = pick((dm & SV_DELTA_META) != 0, (dt & SV_DELTA_META) != 0, same_meta(m, t));
	if (name < 0 || value < 0 || meta < 0)
		return clash(g, m, t);
	both = *m;
	if (name == 1)
		both.name = t->name;
	if (value == 1) {
		both.value = t->value;
		both.value_len = t->value_len;
		memcpy(both.mark, t->mark, SV_MARK_BYTES);
	}
	if (meta == 1 || !m->has_meta) {
		both.meta = t->meta;
		both.has_meta = t->has_meta;
		memcpy(both.meta_mark, t->meta_mark, SV_MARK_BYTES);
	}
	both.version = t->version;
	return keep(g, &both, false, false, NULL);
}

/* Two items of one name, from different histories. */
static void settle_names(struct merge *g)
{
	struct sv_tree *o = g->out;
	size_t to = 0;

	sv_tree_sort(o);
	for (size_t i = 0; i < o->n; i++) {
		struct sv_item *it = &o->items[i], *last = to > 0 ? &o->items[to - 1] : NULL;

		if (last != NULL && !it->ghost && !last->ghost && sv_text_same(it->name, last->name)) {
			if (same_value(it, last) && same_meta(it, last)) {
				if (it->has_meta && !last->has_meta)
					*last = *it;
				continue;
			}
			g->conflicts += !last->conflict;
			/* What the person typed has a place in the text; what came from the vault has none. */
			if (last->place.line == 0 && it->place.line != 0) {
				struct sv_item swap = *it;

				*it = *last;
				*last = swap;
			}
			last->conflict = true;
			it->ghost = true;
			it->conflict = false;
		}
		o->items[to++] = *it;
	}
	o->n = to;
	sv_tree_sort(o);
}

enum sv_code sv_merge(const struct sv_tree *base, const struct sv_tree *theirs, const struct sv_tree *mine,
		      struct sv_tree *out, size_t *conflicts, struct sv_err *err)
{
	struct merge g = { .base = base, .theirs = theirs, .mine = mine, .out = out, .err = err };
	enum sv_code rc;

	if ((rc = link_trees(base, mine, &g.m, err)) != SV_OK || (rc = link_trees(base, theirs, &g.t, err)) != SV_OK)
		goto out;
	for (size_t i = 0; rc == SV_OK && i < base->n; i++) {
		const struct sv_item *m = g.m.new_of[i] == NONE ? NULL : &mine->items[g.m.new_of[i]];
		const struct sv_item *t = g.t.new_of[i] == NONE ? NULL : &theirs->items[g.t.new_of[i]];

		if (takes_part(&base->items[i]))
			rc = merge_one(&g, &base->items[i], m, t);
	}
	for (size_t i = 0; rc == SV_OK && i < mine->n; i++)
		if (takes_part(&mine->items[i]) && g.m.old_of[i] == NONE)
			rc = keep(&g, &mine->items[i], false, false, NULL);
	for (size_t i = 0; rc == SV_OK && i < theirs->n; i++) {
		struct sv_item *copy;

		if (!takes_part(&theirs->items[i]) || g.t.old_of[i] != NONE)
			continue;
		rc = keep(&g, &theirs->items[i], false, false, &copy);
		if (rc == SV_OK)
			copy->place = (struct sv_place){ 0, 0 };
	}
	if (rc == SV_OK)
		settle_names(&g);
	*conflicts = g.conflicts;
out:
	links_clear(&g.m);
	links_clear(&g.t);
	return rc;
}

void sv_merge_drop_inherited(const struct sv_tree *present, struct sv_tree *doc)
{
	size_t to = 0;

	for (size_t i = 0; i < doc->n; i++) {
		struct sv_item *it = &doc->items[i];
		const struct sv_item *was = sv_tree_find(present, it->name);

		if (was != NULL && was->inherited && !it->ghost) {
			if (same_value(was, it) && same_meta(was, it))
				continue;
			if (!it->has_meta) {
				it->meta = was->meta;
				it->has_meta = true;
				memcpy(it->meta_mark, was->meta_mark, SV_MARK_BYTES);
			}
		}
		doc->items[to++] = *it;
	}
	doc->n = to;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of finds.  New ones nearly always come last, so that is looked at first.
 */
#include "cli/match/finds.h"

#include <stdlib.h>
#include <string.h>

static void add_who(struct sv_find *f, struct sv_match_who who)
{
	for (unsigned i = 0; i < f->n_who; i++) {
		if (f->who[i].secret == who.secret)
			return;
	}
	if (f->n_who < SV_MATCH_WHO)
		f->who[f->n_who++] = who;
	else
		f->more = true;
}

void sv_finds_also(const struct sv_match_set *s, struct sv_find *f, uint32_t no)
{
	for (uint32_t o = s->pats[no].owner + 1; o != 0 && !f->more; o = s->owners[o - 1].next)
		add_who(f, s->owners[o - 1].who);
}

struct sv_find sv_finds_make(const struct sv_match_set *s, uint32_t no, uint64_t start, uint64_t end)
{
	struct sv_find f = { .start = start, .end = end, .lead_end = end };

	sv_finds_also(s, &f, no);
	return f;
}

/* Leftmost first, then longest: whose find leads does not depend on the order in which they came. */
static struct sv_find merge(const struct sv_find *a, const struct sv_find *b)
{
	bool a_leads = a->start != b->start ? a->start < b->start : a->lead_end >= b->lead_end;
	struct sv_find f = a_leads ? *a : *b;
	const struct sv_find *other = a_leads ? b : a;

	if (other->start == f.start)
		f.cont = f.cont || other->cont;
	if (other->end > f.end)
		f.end = other->end;
	f.shown = f.shown || other->shown;
	for (unsigned i = 0; i < other->n_who; i++)
		add_who(&f, other->who[i]);
	f.more = f.more || other->more;
	return f;
}

static bool make_room(struct finds *l)
{
	struct sv_find *more;
	size_t cap;

	if (l->end < l->cap)
		return true;
	if (l->head > l->cap / 2) {
		memmove(l->v, l->v + l->head, (l->end - l->head) * sizeof(*l->v));
		l->end -= l->head;
		l->head = 0;
		return true;
	}
	cap = l->cap == 0 ? 64 : 2 * l->cap;
	more = realloc(l->v, cap * sizeof(*more));
	if (more == NULL)
		return false;
	l->v = more;
	l->cap = cap;
	return true;
}

/* The first find that starts at or behind end. */
static size_t place_of(const struct finds *l, uint64_t end)
{
	size_t lo = l->head, hi = l->end;

	if (lo == hi || l->v[hi - 1].start < end)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->v[mid].start < end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool sv_finds_put(struct finds *l, const struct sv_find *find)
{
	struct sv_find f = *find;
	size_t lo, hi;

	if (!make_room(l))
		return false;
	hi = place_of(l, f.end);
	lo = hi;
	while (lo > l->head && l->v[lo - 1].end > f.start) {
		lo--;
		f = merge(&l->v[lo], &f);
	}
	/* [lo, hi) became f */
	if (hi != lo + 1) {
		memmove(l->v + lo + 1, l->v + hi, (l->end - hi) * sizeof(*l->v));
		l->end = l->end + lo + 1 - hi;
	}
	l->v[lo] = f;
	return true;
}

void sv_finds_clear(struct finds *l)
{
	free(l->v);
	*l = (struct finds){ 0 };
}

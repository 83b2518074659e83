/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk through escape sequences: their grammar, the way back to stream offsets, and finds in pieces.
 */
#include "cli/match/through.h"

#include "cli/match/grams.h"
#include "vault/base/secmem.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT, ESCAPE, MIDDLE, CSI, STRING, STRING_ESCAPE };
enum said { SAID_TEXT, SAID_INSIDE, SAID_DONE, SAID_BROKEN };

#define ESC     0x1b
#define BEL     0x07
#define SO      0x0e
#define SI      0x0f
#define CSI_MAX 256

typedef unsigned char vec16 __attribute__((vector_size(16)));

static inline bool begins(unsigned char c)
{
	return c == ESC || c == SO || c == SI;
}

/* Bytes that are not 0 where one of v begins a sequence; SO and SI differ in the lowest bit only. */
static inline vec16 begins16(vec16 v)
{
	return (vec16)(v == ESC) | (vec16)((v & 0xfe) == SO);
}

static inline bool any16(vec16 v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	return (half[0] | half[1]) != 0;
}

size_t sv_through_next(const unsigned char *p, size_t i, size_t n)
{
	vec16 v[4];

	for (; i + 64 <= n; i += 64) {
		memcpy(v, p + i, 64);
		if (any16(begins16(v[0]) | begins16(v[1]) | begins16(v[2]) | begins16(v[3])))
			break;
	}
	for (; i + 16 <= n; i += 16) {
		memcpy(v, p + i, 16);
		if (any16(begins16(v[0])))
			break;
	}
	while (i < n && !begins(p[i]))
		i++;
	return i;
}

static enum said after_escape(struct through *t, unsigned char c)
{
	if (c == '[')
		t->where = CSI;
	else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
		t->where = STRING;
	else if (c >= 0x20 && c <= 0x2f)
		t->where = MIDDLE;
	else if (c == ESC)
		t->where = ESCAPE;
	else if (c >= 0x30 && c <= 0x7e)
		return SAID_DONE;
	else
		return SAID_BROKEN;
	return SAID_INSIDE;
}

static enum said read_byte(struct through *t, unsigned char c)
{
	switch (t->where) {
	case TEXT:
		if (c == ESC) {
			t->where = ESCAPE;
			return SAID_INSIDE;
		}
		return c == SO || c == SI ? SAID_DONE : SAID_TEXT;
	case ESCAPE: return after_escape(t, c);
	case MIDDLE:
		if (c >= 0x20 && c <= 0x2f)
			return t->seq_len < CSI_MAX ? SAID_INSIDE : SAID_BROKEN;
		return c >= 0x30 && c <= 0x7e ? SAID_DONE : SAID_BROKEN;
	case CSI:
		if (c >= 0x20 && c <= 0x3f)
			return t->seq_len < CSI_MAX ? SAID_INSIDE : SAID_BROKEN;
		if (c == ESC)
			return after_escape(t, c);
		return c >= 0x40 && c <= 0x7e ? SAID_DONE : SAID_BROKEN;
	case STRING:
		if (c == BEL)
			return SAID_DONE;
		if (c == ESC)
			t->where = STRING_ESCAPE;
		return t->seq_len < SV_MATCH_STRING_MAX ? SAID_INSIDE : SAID_BROKEN;
	default: return c == '\\' ? SAID_DONE : after_escape(t, c);
	}
}

void sv_through_begin(struct through *t, const struct sv_match_set *s, uint64_t at, uint32_t v,
		      const unsigned char *past)
{
	/* the first walk takes the bytes of a sequence for text: leave out what began in one */
	while (s->nodes[v].depth > at - t->seq_end)
		v = s->nodes[v].fail;
	t->active = true;
	t->where = TEXT;
	t->v = v;
	t->text = at;
	t->skipped = t->seq_len = t->base = 0;
	t->since = UINT64_MAX / 2;
	t->head = t->end = 0;
	for (size_t i = 0; past != NULL && i < SV_THROUGH_PAST; i++)
		t->past[(at + i) % SV_THROUGH_PAST] = past[i];
}

/* How many bytes of sequences stand before the text byte at offset text. */
static uint64_t skipped_before(const struct through *t, uint64_t text, size_t *gap)
{
	size_t lo = t->head, hi = t->end;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->gaps[mid].text_at <= text)
			lo = mid + 1;
		else
			hi = mid;
	}
	*gap = lo; /* the first gap behind that byte */
	return lo > t->head ? t->gaps[lo - 1].skipped : t->base;
}

uint64_t sv_through_back(const struct through *t, uint64_t len)
{
	size_t gap;

	return t->text - len + skipped_before(t, t->text - len, &gap);
}

/* A whole sequence was read.  false without memory. */
static bool note_gap(struct through *t, uint64_t depth)
{
	t->skipped += t->seq_len;
	t->seq_len = 0;
	t->since = 0;
	t->where = TEXT;
	t->seq_end = t->text + t->skipped;
	/* gaps before the oldest prefix that is alive are only needed as a sum */
	while (t->head < t->end && t->gaps[t->head].text_at <= t->text - depth)
		t->base = t->gaps[t->head++].skipped;
	if (t->end > t->head && t->gaps[t->end - 1].text_at == t->text) {
		t->gaps[t->end - 1].skipped = t->skipped;
		return true;
	}
	if (t->end == t->cap) {
		if (t->head > t->cap / 2) {
			memmove(t->gaps, t->gaps + t->head, (t->end - t->head) * sizeof(*t->gaps));
			t->end -= t->head;
			t->head = 0;
		} else {
			size_t cap = t->cap == 0 ? 32 : 2 * t->cap;
			struct gap *more = realloc(t->gaps, cap * sizeof(*more));

			if (more == NULL)
				return false;
			t->gaps = more;
			t->cap = cap;
		}
	}
	t->gaps[t->end++] = (struct gap){ .text_at = t->text, .skipped = t->skipped };
	return true;
}

/*
 * The text bytes [text - len, text) in pieces between the sequences, or with very many of them as one, so that what one
 * find costs has a bound.
 */
static bool put_pieces(struct through *t, struct finds *l, struct sv_find f, uint64_t len)
{
	uint64_t from = t->text - len, skipped;
	size_t gap, last;
	bool cont = false;

	f.lead_end = t->text + skipped_before(t, t->text - 1, &last);
	skipped = skipped_before(t, from, &gap);
	if (last - gap > SV_MATCH_PIECES) {
		f.start = from + skipped;
		f.end = f.lead_end;
		return sv_finds_put(l, &f);
	}
	for (;; gap++) {
		uint64_t to = gap < t->end && t->gaps[gap].text_at < t->text ? t->gaps[gap].text_at : t->text;

		f.start = from + skipped;
		f.end = to + skipped;
		f.cont = cont;
		if (!sv_finds_put(l, &f))
			return false;
		if (to == t->text)
			return true;
		cont = true;
		from = to;
		skipped = t->gaps[gap].skipped;
	}
}

static bool report(struct through *t, const struct sv_match_set *s, struct finds *l, bool words, int next)
{
	for (uint32_t k = s->nodes[t->v].out; k != 0; k = s->pats[k - 1].next_out) {
		const struct pat *pat = &s->pats[k - 1];

		if (pat->long_no != 0 || pat->word != words)
			continue;
		if (words && ((next >= 0 && sv_is_word((unsigned char)next)) ||
			      (t->text > pat->len && sv_is_word(t->past[(t->text - pat->len - 1) % SV_THROUGH_PAST]))))
			continue;
		return put_pieces(t, l, sv_finds_make(s, k - 1, 0, 0), pat->len);
	}
	return true;
}

/* One text byte.  false without memory. */
static bool walk_text(struct through *t, const struct sv_match_set *s, struct finds *l, unsigned char c)
{
	if ((s->nodes[t->v].flags & NODE_WORD) != 0 && !report(t, s, l, true, c))
		return false;
	t->v = node_step(s, t->v, c);
	t->past[t->text % SV_THROUGH_PAST] = c;
	t->text++;
	t->since++;
	return s->nodes[t->v].out == 0 || report(t, s, l, false, -1);
}

static bool still_needed(const struct through *t, const struct sv_match_set *s)
{
	const struct node *n = &s->nodes[t->v];

	/* a word must also see what stands before it, so it matters when it begins right behind the sequence */
	if (s->words)
		return n->depth >= t->since || (n->flags & NODE_WORD) != 0;
	return n->depth > t->since;
}

bool sv_through_finish(struct through *t, const struct sv_match_set *s, struct finds *l)
{
	bool ok = !t->active || (s->nodes[t->v].flags & NODE_WORD) == 0 || report(t, s, l, true, -1);

	t->active = false;
	return ok;
}

size_t sv_through_walk(struct through *t, const struct sv_match_set *s, struct finds *l, const unsigned char *p,
		       size_t i, size_t n, bool *failed)
{
	while (i < n && t->active && !*failed) {
		enum said said = read_byte(t, p[i]);
		uint64_t depth = s->nodes[t->v].depth;

		if (said == SAID_BROKEN) {
			/* a terminal drops what it does not understand; the byte itself may begin the next one */
			*failed = !sv_through_finish(t, s, l);
			t->seq_end = t->text + t->skipped + t->seq_len;
			if (!begins(p[i])) {
				t->seq_end++;
				i++;
			}
			return i;
		}
		i++;
		if (said == SAID_TEXT) {
			*failed = !walk_text(t, s, l, p[i - 1]);
			t->active = still_needed(t, s);
			continue;
		}
		t->seq_len++;
		if (said == SAID_INSIDE)
			continue;
		*failed = !note_gap(t, depth);
		if (t->skipped - t->base > SV_MATCH_SKIP_MAX)
			*failed = !sv_through_finish(t, s, l) || *failed;
		else
			t->active = s->words || depth > 0;
	}
	return i;
}

void sv_through_clear(struct through *t)
{
	free(t->gaps);
	sv_wipe(t, sizeof(*t));
}

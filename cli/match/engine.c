/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream through a compiled set: where the automaton runs, long patterns, words, and what is settled.
 */
#include "cli/match/engine.h"

#include "cli/match/grams.h"
#include "cli/match/through.h"
#include "vault/base/secmem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PAST     SV_THROUGH_PAST
#define ALSO_MAX 8 /* shorter patterns inside a find that are looked at for their owners */

/* A long pattern whose head was seen: how much of it matches at `at`, by Knuth-Morris-Pratt. */
struct tracker {
	bool active;
	uint32_t matched;
	uint64_t at;
	uint32_t *fail; /* longest border of each prefix; says where the pattern repeats itself, none of its bytes */
	uint32_t n_fail;
};

struct sv_match {
	const struct sv_match_set *set;
	unsigned flags;
	uint64_t fed;
	uint32_t v; /* the automaton's state behind the last byte */
	struct finds finds;
	struct through through;
	struct tracker *trackers;
	unsigned active_trackers;
	bool failed, ended;
	unsigned char past[PAST]; /* the bytes before the current piece, the last one last */
};

/* A piece of the stream that lies in one place. */
struct piece {
	const unsigned char *p;
	size_t n;
	uint64_t at; /* stream offset of p[0] */
};

struct sv_match *sv_match_new(const struct sv_match_set *set, unsigned flags)
{
	struct sv_match *m = sv_secmem_alloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	m->set = set;
	m->flags = flags;
	m->trackers = calloc(set->n_longs + 1, sizeof(*m->trackers));
	if (m->trackers == NULL) {
		sv_secmem_free(m);
		return NULL;
	}
	return m;
}

void sv_match_free(struct sv_match *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->set->n_longs; i++)
		free(m->trackers[i].fail);
	free(m->trackers);
	sv_finds_clear(&m->finds);
	sv_through_clear(&m->through);
	sv_secmem_free(m);
}

void sv_match_reset(struct sv_match *m)
{
	for (size_t i = 0; i < m->set->n_longs; i++)
		m->trackers[i].active = false;
	m->active_trackers = 0;
	m->fed = 0;
	m->v = 0;
	m->finds.head = m->finds.end = 0;
	m->through.active = false;
	m->through.seq_end = 0;
	m->failed = m->ended = false;
	sv_wipe(m->past, sizeof(m->past));
}

uint64_t sv_match_fed(const struct sv_match *m)
{
	return m->fed;
}

static unsigned depth_of(const struct sv_match *m, uint32_t v)
{
	return m->set->nodes[v].depth;
}

static bool put(struct sv_match *m, const struct sv_find *f)
{
	if (!sv_finds_put(&m->finds, f))
		m->failed = true;
	return !m->failed;
}

/* Make the border table long enough for prefixes of up to n bytes. */
static bool make_borders(struct tracker *t, const unsigned char *p, uint32_t len, uint32_t n)
{
	if (t->fail == NULL) {
		t->fail = malloc((size_t)len * sizeof(*t->fail));
		if (t->fail == NULL)
			return false;
		t->fail[0] = 0;
		t->n_fail = 1;
	}
	for (uint32_t k = t->n_fail; k < n; k++) {
		uint32_t b = t->fail[k - 1];

		while (b > 0 && p[b] != p[k])
			b = t->fail[b - 1];
		t->fail[k] = p[b] == p[k] ? b + 1 : b;
	}
	if (n > t->n_fail)
		t->n_fail = n;
	return true;
}

static void stop_tracker(struct sv_match *m, struct tracker *t)
{
	t->active = false;
	m->active_trackers--;
}

/* Walk one long pattern up to stream offset end, which lies in the piece. */
static void track(struct sv_match *m, const struct piece *in, size_t no, uint64_t end)
{
	const struct long_pat *lp = &m->set->longs[no];
	struct tracker *t = &m->trackers[no];
	uint32_t len = m->set->pats[lp->pat].len;

	while (t->active && t->at < end && !m->failed) {
		unsigned char c = in->p[t->at - in->at];

		if (t->matched < len && lp->p[t->matched] == c) {
			t->matched++;
		} else if (!make_borders(t, lp->p, len, t->matched)) {
			m->failed = true;
		} else {
			uint32_t k = t->fail[t->matched - 1];

			while (k >= SV_MATCH_HEAD && lp->p[k] != c)
				k = t->fail[k - 1];
			t->matched = k >= SV_MATCH_HEAD ? k + 1 : k;
			if (k < SV_MATCH_HEAD) {
				/* the automaton sees the next head */
				stop_tracker(m, t);
				return;
			}
		}
		t->at++;
		if (t->matched == len) {
			struct sv_find f = sv_finds_make(m->set, lp->pat, t->at - len, t->at);

			(void)put(m, &f);
		}
	}
}

/* The patterns, other than words, that end behind stream offset end - 1, in state v. */
static void report(struct sv_match *m, const struct piece *in, uint32_t v, uint64_t end)
{
	const struct sv_match_set *s = m->set;
	struct sv_find f = { 0 };
	unsigned also = 0;

	for (uint32_t k = s->nodes[v].out; k != 0 && also < ALSO_MAX; k = s->pats[k - 1].next_out) {
		const struct pat *pat = &s->pats[k - 1];

		if (pat->long_no != 0) {
			struct tracker *t = &m->trackers[pat->long_no - 1];

			track(m, in, pat->long_no - 1, end);
			if (!t->active) {
				t->active = true;
				t->matched = SV_MATCH_HEAD;
				t->at = end;
				m->active_trackers++;
			}
		} else if (!pat->word && f.n_who == 0) {
			f = sv_finds_make(s, k - 1, end - pat->len, end);
		} else if (!pat->word) {
			sv_finds_also(s, &f, k - 1);
			also++;
		}
	}
	if (f.n_who > 0)
		(void)put(m, &f);
}

static unsigned char byte_at(const struct sv_match *m, const struct piece *in, uint64_t at)
{
	return at >= in->at ? in->p[at - in->at] : m->past[PAST - (in->at - at)];
}

/*
 * The word patterns that end before stream offset end, in state v; next is the byte there or -1 at the end of the
 * stream.
 */
static void report_words(struct sv_match *m, const struct piece *in, uint32_t v, uint64_t end, int next)
{
	const struct sv_match_set *s = m->set;

	if (next >= 0 && sv_is_word((unsigned char)next))
		return;
	for (uint32_t k = s->nodes[v].out; k != 0; k = s->pats[k - 1].next_out) {
		const struct pat *pat = &s->pats[k - 1];

		if (!pat->word || (end > pat->len && sv_is_word(byte_at(m, in, end - pat->len - 1))))
			continue;
		struct sv_find f = sv_finds_make(s, k - 1, end - pat->len, end);

		(void)put(m, &f);
	}
}

/*
 * What is known of one class: no pattern of it starts before place - stride + 1; with hit the look at place did not
 * exclude it.
 */
struct probe {
	size_t place;
	bool hit;
};

/*
 * No pattern starts in [start, *go).  When one may start at *go, the automaton has to walk until nothing that started
 * up to *stop is alive (SSIZE_MAX: to the end of the piece).
 */
static void look_ahead(const struct sv_match_set *s, struct probe probes[CLASS_MAX], const struct piece *in,
		       size_t start, size_t *go, ssize_t *stop)
{
	*go = in->n;
	*stop = SSIZE_MAX;
	for (unsigned k = 0; k < s->n_cls; k++) {
		const struct gram_class *c = &s->cls[k];
		struct probe *pr = &probes[k];
		size_t from;

		if (!pr->hit || pr->place < start) {
			size_t next = pr->hit ? pr->place + c->stride : pr->place;

			if (next < start + c->stride - 1)
				next = start + c->stride - 1;
			pr->place = sv_grams_scan(c, in->p, next, in->n, &pr->hit);
		}
		from = pr->place < start + c->stride - 1 ? start : pr->place - (c->stride - 1);
		if (from < *go || (from == *go && pr->hit && (ssize_t)pr->place < *stop)) {
			*go = from;
			*stop = pr->hit ? (ssize_t)pr->place : SSIZE_MAX;
		}
	}
}

/* Take one piece, so that m->v is the exact state behind it. */
static void run(struct sv_match *m, const unsigned char *p, size_t n)
{
	const struct sv_match_set *s = m->set;
	const struct piece in = { p, n, m->fed };
	struct probe probes[CLASS_MAX] = { { 0 } };
	size_t pos = 0, go;
	ssize_t stop = -1;
	uint32_t v = m->v;

	while (pos < n && !m->failed) {
		const struct node *t = &s->nodes[v];

		/* what is alive began at pos - depth; a word that ended here waits for the byte behind it */
		if ((ssize_t)pos - t->depth <= stop || (t->flags & NODE_WORD) != 0) {
			if ((t->flags & NODE_WORD) != 0)
				report_words(m, &in, v, in.at + pos, p[pos]);
			v = node_step(s, v, p[pos++]);
			if (s->nodes[v].out != 0)
				report(m, &in, v, in.at + pos);
			continue;
		}
		look_ahead(s, probes, &in, pos - t->depth, &go, &stop);
		if (go > pos) {
			pos = go;
			v = 0;
		}
	}
	m->v = v;
	if (m->active_trackers > 0) {
		for (size_t i = 0; i < s->n_longs; i++)
			track(m, &in, i, in.at + n);
	}
	if (!s->words) {
		/* nothing looks back */
	} else if (n >= PAST) {
		memcpy(m->past, p + n - PAST, PAST);
	} else {
		memmove(m->past, m->past + n, PAST - n);
		memcpy(m->past + PAST - n, p, n);
	}
	m->fed += n;
}

/*
 * With sequences: the first walk in pieces, so that its state is exact where the second one begins; it lags behind
 * while that one is under way.
 */
static void run_through(struct sv_match *m, const unsigned char *p, size_t n)
{
	size_t i = 0, ran = 0;

	while (i < n && !m->failed) {
		if (!m->through.active) {
			i = sv_through_next(p, i, n);
			if (i == n)
				break;
			run(m, p + ran, i - ran);
			ran = i;
			sv_through_begin(&m->through, m->set, m->fed, m->v, m->set->words ? m->past : NULL);
		}
		i = sv_through_walk(&m->through, m->set, &m->finds, p, i, n, &m->failed);
	}
	if (!m->failed)
		run(m, p + ran, n - ran);
}

static enum sv_code fail(struct sv_match *m, struct sv_err *err)
{
	m->failed = true;
	return sv_err_set(err, SV_ERR_NOMEM, "no memory for what was found");
}

ssize_t sv_match_feed(struct sv_match *m, const void *p, size_t n, struct sv_err *err)
{
	if (n > SV_MATCH_BLOCK)
		n = SV_MATCH_BLOCK;
	if (!m->failed && n > 0) {
		if ((m->flags & SV_MATCH_SEQUENCES) != 0)
			run_through(m, p, n);
		else
			run(m, p, n);
	}
	if (m->failed || m->ended) {
		(void)fail(m, err);
		return -1;
	}
	return (ssize_t)n;
}

enum sv_code sv_match_end(struct sv_match *m, struct sv_err *err)
{
	const struct piece in = { NULL, 0, m->fed };

	if (m->failed)
		return fail(m, err);
	if ((m->set->nodes[m->v].flags & NODE_WORD) != 0)
		report_words(m, &in, m->v, m->fed, -1);
	if (!sv_through_finish(&m->through, m->set, &m->finds))
		m->failed = true;
	m->ended = true;
	return m->failed ? fail(m, err) : SV_OK;
}

uint64_t sv_match_settled(const struct sv_match *m)
{
	uint64_t at = m->fed;
	unsigned depth;

	if (m->ended)
		return at;
	at -= depth_of(m, m->v);
	if (m->through.active && (depth = depth_of(m, m->through.v)) > 0) {
		uint64_t back = sv_through_back(&m->through, depth);

		at = back < at ? back : at;
	}
	for (size_t i = 0; m->active_trackers > 0 && i < m->set->n_longs; i++) {
		const struct tracker *t = &m->trackers[i];

		if (t->active && t->at - t->matched < at)
			at = t->at - t->matched;
	}
	return at;
}

/* The longest suffix, of those that state v stands for, that must not be let go. */
static unsigned kept_depth(const struct sv_match_set *s, uint32_t v)
{
	while (v != 0 && (s->nodes[v].flags & NODE_KEEP) == 0)
		v = s->nodes[v].fail;
	return s->nodes[v].depth;
}

uint64_t sv_match_harmless(const struct sv_match *m)
{
	uint64_t at = m->fed - kept_depth(m->set, m->v);
	unsigned depth;

	if (m->ended || m->active_trackers > 0)
		return sv_match_settled(m);
	if (m->through.active && (depth = kept_depth(m->set, m->through.v)) > 0) {
		uint64_t back = sv_through_back(&m->through, depth);

		at = back < at ? back : at;
	}
	return at;
}

struct sv_find *sv_match_first(struct sv_match *m)
{
	return m->finds.head < m->finds.end ? &m->finds.v[m->finds.head] : NULL;
}

void sv_match_pop(struct sv_match *m)
{
	if (m->finds.head < m->finds.end)
		m->finds.head++;
	if (m->finds.head == m->finds.end)
		m->finds.head = m->finds.end = 0;
}

enum sv_code sv_match_scan(struct sv_match *m, const void *p, size_t n, bool end, sv_match_found_fn *found, void *ctx,
			   struct sv_err *err)
{
	const unsigned char *at = p;
	enum sv_code rc = SV_OK;
	struct sv_find *f;

	while (n > 0 || end) {
		if (n > 0) {
			ssize_t took = sv_match_feed(m, at, n, err);

			if (took < 0)
				return SV_ERR_NOMEM;
			at += took;
			n -= (size_t)took;
		} else {
			if ((rc = sv_match_end(m, err)) != SV_OK)
				return rc;
			end = false;
		}
		for (uint64_t settled = sv_match_settled(m); (f = sv_match_first(m)) != NULL && f->end <= settled;
		     sv_match_pop(m)) {
			if ((rc = found(ctx, f)) != SV_OK)
				return rc;
		}
	}
	return SV_OK;
}

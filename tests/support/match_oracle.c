/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow matcher of match_oracle.h.
 */
#include "match_oracle.h"

#include <stdlib.h>
#include <string.h>

uint64_t oracle_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void add(struct oracle *o, struct oracle_range r)
{
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 64 : 2 * o->cap;
		o->v = realloc(o->v, o->cap * sizeof(*o->v));
		if (o->v == NULL)
			abort();
	}
	o->v[o->n++] = r;
}

static bool word_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool stands_here(const struct sv_pattern *pat, const unsigned char *p, size_t n, size_t at, int before)
{
	if (pat->len > n - at || memcmp(p + at, pat->p, pat->len) != 0)
		return false;
	if (!pat->word)
		return true;
	if (at > 0)
		before = p[at - 1];
	return (before < 0 || !word_byte((unsigned char)before)) &&
	       (at + pat->len == n || !word_byte(p[at + pat->len]));
}

/* The bytes of the sequence at p[i]: > 0 whole, 0 it does not end, < 0 broken behind so many. */
static long sequence_len(const unsigned char *p, size_t i, size_t n)
{
	size_t from = i;

	if (p[i] != 0x1b)
		return 1;
	i++;
again:
	if (i == n)
		return 0;
	if (p[i] == '[') {
		for (i++; i < n && p[i] >= 0x20 && p[i] <= 0x3f; i++)
			;
		if (i < n && p[i] == 0x1b) {
			i++;
			goto again;
		}
		return i == n ? 0 : p[i] >= 0x40 && p[i] <= 0x7e ? (long)(i + 1 - from) : -(long)(i - from);
	}
	if (strchr("]PX^_", p[i]) != NULL && p[i] != 0) {
		for (i++; i < n && p[i] != 0x07 && p[i] != 0x1b; i++)
			;
		if (i == n)
			return 0;
		if (p[i++] == 0x07)
			return (long)(i - from);
		if (i < n && p[i] == '\\')
			return (long)(i + 1 - from);
		goto again;
	}
	if (p[i] == 0x1b) {
		i++;
		goto again;
	}
	while (i < n && p[i] >= 0x20 && p[i] <= 0x2f)
		i++;
	if (i == n)
		return 0;
	return p[i] >= 0x30 && p[i] <= 0x7e ? (long)(i + 1 - from) : -(long)(i - from);
}

/* One stretch of text without sequences, each byte with its place. */
static void find_in(struct oracle *o, const struct sv_patterns *ps, const unsigned char *text, const size_t *place,
		    size_t n, int before)
{
	for (size_t k = 0; k < sv_patterns_count(ps); k++) {
		const struct sv_pattern *pat = sv_patterns_at(ps, k);
		const unsigned char *hit = text;

		for (size_t at = 0; at < n && (hit = memchr(text + at, pat->p[0], n - at)) != NULL; at++) {
			size_t first, i;
			bool cont = false;

			at = (size_t)(hit - text);
			if (!stands_here(pat, text, n, at, before))
				continue;
			for (first = i = at; i < at + pat->len; i++) {
				if (i + 1 < at + pat->len && place[i + 1] == place[i] + 1)
					continue;
				add(o, (struct oracle_range){ place[first], place[i] + 1, place[at + pat->len - 1] + 1,
							      pat->secret, cont });
				cont = true;
				first = i + 1;
			}
		}
	}
}

static void find_through(struct oracle *o, const struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	unsigned char *text = malloc(n + 1);
	size_t *place = malloc((n + 1) * sizeof(*place)), len = 0;
	int before = -1;

	if (text == NULL || place == NULL)
		abort();
	for (size_t i = 0; i < n;) {
		if (p[i] == 0x1b || p[i] == 0x0e || p[i] == 0x0f) {
			long k = sequence_len(p, i, n);

			if (k > 0) {
				i += (size_t)k;
				continue;
			}
			if (k == 0)
				break;
			/* nothing is followed over a broken one */
			find_in(o, ps, text, place, len, before);
			len = 0;
			i += (size_t)-k;
			if (p[i] != 0x1b && p[i] != 0x0e && p[i] != 0x0f)
				before = p[i++];
			else
				before = p[i - 1];
			continue;
		}
		text[len] = p[i];
		place[len++] = i++;
	}
	find_in(o, ps, text, place, len, before);
	free(text);
	free(place);
}

static int by_start(const void *a, const void *b)
{
	const struct oracle_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->lead_end != y->lead_end)
		return x->lead_end > y->lead_end ? -1 : 1;
	return x->secret < y->secret ? -1 : x->secret > y->secret;
}

void oracle_find(struct oracle *o, const struct sv_patterns *ps, const unsigned char *p, size_t n, bool sequences)
{
	size_t *place = malloc((n + 1) * sizeof(*place)), kept = 0;

	if (place == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		place[i] = i;
	o->n = 0;
	find_in(o, ps, p, place, n, -1);
	if (sequences)
		find_through(o, ps, p, n);
	free(place);
	if (o->n == 0)
		return;
	qsort(o->v, o->n, sizeof(*o->v), by_start);
	for (size_t i = 1; i < o->n; i++) {
		struct oracle_range *last = &o->v[kept], r = o->v[i];

		if (r.start >= last->end) {
			o->v[++kept] = r;
			continue;
		}
		if (r.start == last->start)
			last->cont = last->cont || r.cont;
		if (r.end > last->end)
			last->end = r.end;
	}
	o->n = kept + 1;
}

unsigned char *oracle_mask(const struct oracle *o, const struct sv_patterns *ps, const unsigned char *p, size_t n,
			   size_t *out_len)
{
	unsigned char *out = malloc(n + o->n * 300 + 1);
	size_t at = 0, len = 0;

	if (out == NULL)
		abort();
	for (size_t i = 0; i < o->n; i++) {
		memcpy(out + len, p + at, o->v[i].start - at);
		len += o->v[i].start - at;
		if (!o->v[i].cont) {
			const char *name = sv_patterns_name(ps, o->v[i].secret);

			memcpy(out + len, "[sv:", 4);
			memcpy(out + len + 4, name, strlen(name));
			len += 4 + strlen(name);
			out[len++] = ']';
		}
		at = o->v[i].end;
	}
	memcpy(out + len, p + at, n - at);
	*out_len = len + n - at;
	return out;
}

void oracle_clear(struct oracle *o)
{
	free(o->v);
	*o = (struct oracle){ 0 };
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters: planning, filling and scanning.  Relies on a little- or big-endian machine being consistent with
 * itself only.
 */
#include "cli/match/grams.h"

#include <string.h>

#define GRAMS_BITS     32   /* bits of filter per q-gram; two are set */
#define WORDS_LOG2_MIN 7    /* 1 KiB */
#define WORDS_LOG2_MAX 17   /* 1 MiB: what second-level caches have */
#define PAIR_WORDS     1024 /* the class of short words has a plain bitmap of byte pairs */
#define FOLD_INTO_SHORT \
	512 /* so few patterns of a longer class are cheaper in the shorter one than a scan of their own */

/* Longest first. */
static const struct {
	unsigned min, q, stride;
} kinds[CLASS_MAX] = { { 23, 8, 16 }, { 12, 8, 5 }, { 6, 4, 3 }, { 1, 2, 1 } };

static unsigned kind_of(size_t len)
{
	unsigned k = 0;

	while (len < kinds[k].min)
		k++;
	return k;
}

void sv_grams_plan(struct sv_match_set *s, size_t words[CLASS_MAX])
{
	size_t count[CLASS_MAX] = { 0 };

	for (size_t i = 0; i < s->n_pats; i++)
		count[kind_of(s->pats[i].len)]++;
	if (count[2] > 0 && count[1] <= FOLD_INTO_SHORT) {
		count[2] += count[1];
		count[1] = 0;
	}
	for (unsigned to = 1; to <= 2; to++) {
		if (count[to] > 0 && count[0] <= FOLD_INTO_SHORT) {
			count[to] += count[0];
			count[0] = 0;
		}
	}
	for (unsigned k = 0; k < CLASS_MAX; k++) {
		struct gram_class *c = &s->cls[s->n_cls];

		if (count[k] == 0)
			continue;
		c->q = kinds[k].q;
		c->stride = kinds[k].stride;
		c->words_log2 = WORDS_LOG2_MIN;
		while (c->words_log2 < WORDS_LOG2_MAX &&
		       ((size_t)64 << c->words_log2) < count[k] * c->stride * GRAMS_BITS)
			c->words_log2++;
		c->shift = 64 - c->words_log2;
		words[s->n_cls++] = c->q == 2 ? PAIR_WORDS : (size_t)1 << c->words_log2;
	}
}

static inline uint64_t load8(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load4(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline unsigned pair(unsigned char a, unsigned char b)
{
	return (unsigned)a << 8 | b;
}

static void add_pair(struct gram_class *c, unsigned gram)
{
	c->bits[gram >> 6] |= (uint64_t)1 << (gram & 63);
}

void sv_grams_add(struct sv_match_set *s, const unsigned char *p, size_t len)
{
	struct gram_class *c = s->cls;

	/* the first class whose patterns are no longer than this one */
	while (len < c->q + c->stride - 1 && c->q != 2)
		c++;
	if (c->q == 2) {
		/* a word of one byte is followed by any byte that is no part of a word */
		for (unsigned b = 0; len == 1 && b < 256; b++) {
			if (!sv_is_word((unsigned char)b))
				add_pair(c, pair(p[0], (unsigned char)b));
		}
		if (len > 1)
			add_pair(c, pair(p[0], p[1]));
		return;
	}
	for (unsigned i = 0; i < c->stride; i++) {
		uint64_t h = (c->q == 8 ? load8(p + i) : load4(p + i)) * GRAM_MUL;

		c->bits[h >> c->shift] |=
			(uint64_t)1 << (h >> (c->shift - 6) & 63) | (uint64_t)1 << (h >> (c->shift - 12) & 63);
	}
}

static size_t scan_pairs(const struct gram_class *c, const unsigned char *p, size_t x, size_t n, bool *hit)
{
	for (; x + 2 <= n; x++) {
		unsigned gram = pair(p[x], p[x + 1]);

		if ((c->bits[gram >> 6] >> (gram & 63) & 1) != 0 && (x == 0 || !sv_is_word(p[x - 1]))) {
			*hit = true;
			return x;
		}
	}
	*hit = false;
	return x;
}

/*
 * One loop for each width; four places a turn, so that their loads overlap.  The last look is at the last whole
 * q-gram, wherever the stride stands, so that only q - 1 starts stay open at the end.
 */
#define SCAN(name, load, q)                                                                                     \
	static size_t name(const struct gram_class *cls, const unsigned char *p, size_t x, size_t n, bool *hit) \
	{                                                                                                       \
		const struct gram_class c = *cls;                                                               \
		const size_t s = c.stride;                                                                      \
                                                                                                                \
		while (x + 3 * s + (q) <= n) {                                                                  \
			bool a = gram_hit(&c, load(p + x)), b = gram_hit(&c, load(p + x + s));                  \
			bool d = gram_hit(&c, load(p + x + 2 * s)), e = gram_hit(&c, load(p + x + 3 * s));      \
                                                                                                                \
			if (a | b | d | e) {                                                                    \
				*hit = true;                                                                    \
				return a ? x : b ? x + s : d ? x + 2 * s : x + 3 * s;                           \
			}                                                                                       \
			x += 4 * s;                                                                             \
		}                                                                                               \
		for (; x + (q) <= n; x += s) {                                                                  \
			if (gram_hit(&c, load(p + x))) {                                                        \
				*hit = true;                                                                    \
				return x;                                                                       \
			}                                                                                       \
		}                                                                                               \
		*hit = n >= (q) && x < n - (q) + s && gram_hit(&c, load(p + n - (q)));                          \
		return *hit || n < (q) ? (*hit ? n - (q) : x) : n - (q) + s;                                    \
	}

SCAN(scan_eights, load8, 8)
SCAN(scan_fours, load4, 4)

size_t sv_grams_scan(const struct gram_class *c, const unsigned char *p, size_t x, size_t n, bool *hit)
{
	switch (c->q) {
	case 8: return scan_eights(c, p, x, n, hit);
	case 4: return scan_fours(c, p, x, n, hit);
	default: return scan_pairs(c, p, x, n, hit);
	}
}

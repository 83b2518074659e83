/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters of set.h: which length classes there are, their q-grams, and the scan for the next place that may matter.
 */
#ifndef SV_CLI_MATCH_GRAMS_H
#define SV_CLI_MATCH_GRAMS_H

#include "cli/match/set.h"

/* Choose the classes for the patterns of s and say how many 64-bit words each one's filter takes. */
void sv_grams_plan(struct sv_match_set *s, size_t words[CLASS_MAX]);
/* Put the q-grams of a pattern into its class. */
void sv_grams_add(struct sv_match_set *s, const unsigned char *p, size_t len);

/*
 * From place x on, in steps of the class's stride or less, the first place whose q-gram is in the filter, with *hit
 * true: no pattern starts before x - stride + 1 but may from there on up to the place and behind.  With *hit false no
 * pattern starts before the result - stride + 1, and no later q-gram lies in p[0..n) as a whole.
 */
size_t sv_grams_scan(const struct gram_class *c, const unsigned char *p, size_t x, size_t n, bool *hit);

static inline bool sv_is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

#endif

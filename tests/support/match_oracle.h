/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the matching engine must find, computed the slow way: every pattern at every place of the whole text, with and
 * without terminal escape sequences, then sorted and merged.  Shares with the engine only the list of patterns.
 */
#ifndef SV_MATCH_ORACLE_H
#define SV_MATCH_ORACLE_H

#include "cli/match/patterns.h"

struct oracle_range {
	size_t start, end, lead_end;
	uint32_t secret; /* the first owner of the leftmost and there longest pattern */
	bool cont;
};

struct oracle {
	struct oracle_range *v;
	size_t n, cap;
};

/* Sorted disjoint ranges of p[0..n); sequences: look through escape sequences too. */
void oracle_find(struct oracle *o, const struct sv_patterns *ps, const unsigned char *p, size_t n, bool sequences);
/* The text with [sv:NAME] for the ranges; malloc'ed. */
unsigned char *oracle_mask(const struct oracle *o, const struct sv_patterns *ps, const unsigned char *p, size_t n,
			   size_t *out_len);
void oracle_clear(struct oracle *o);

/* A small generator, the same everywhere. */
uint64_t oracle_random(uint64_t *state);

#endif

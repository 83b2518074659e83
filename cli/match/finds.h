/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of finds that were not popped: sorted, disjoint, merged where they overlap.  Internal to this folder.
 */
#ifndef SV_CLI_MATCH_FINDS_H
#define SV_CLI_MATCH_FINDS_H

#include "cli/match/set.h"

struct finds {
	struct sv_find *v;
	size_t head, end, cap;
};

/* A find of pattern no at [start, end); the other owners of its bytes are noted too. */
struct sv_find sv_finds_make(const struct sv_match_set *s, uint32_t no, uint64_t start, uint64_t end);
/* Note that pattern no is inside f as well. */
void sv_finds_also(const struct sv_match_set *s, struct sv_find *f, uint32_t no);
/* Put f where it belongs.  false without memory. */
bool sv_finds_put(struct finds *l, const struct sv_find *f) SV_CHECK;
void sv_finds_clear(struct finds *l);

#endif

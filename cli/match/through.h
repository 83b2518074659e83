/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching through terminal escape sequences: a second walk of the automaton that does not see them.  Internal to
 * this folder.
 *
 *	off --ESC, SI or SO where a prefix is alive--> in a sequence --its end--> text --ESC--> in a sequence ...
 *	text, and all that is alive began behind the last sequence --> off (the first walk has it too)
 *
 * The walk starts with the state of the first one.  It counts text bytes from that stream offset on; each sequence is
 * noted with the text offset where it stands and how many bytes of sequences came up to there, so that text offsets
 * lead back to the stream. Sequences after ECMA-48: ESC [ ... final; strings ESC ] P X ^ _ ... up to BEL or ESC \;
 * ESC intermediates final.
 */
#ifndef SV_CLI_MATCH_THROUGH_H
#define SV_CLI_MATCH_THROUGH_H

#include "cli/match/finds.h"

#define SV_THROUGH_PAST 64 /* text bytes that words look back at; the longest word pattern is shorter */

struct gap {
	uint64_t text_at; /* text offset of the first byte behind it */
	uint64_t skipped; /* bytes of sequences up to and including this one */
};

struct through {
	bool active;
	uint8_t where; /* in the grammar */
	uint32_t v;
	uint64_t text;    /* text offset of the next text byte */
	uint64_t skipped; /* bytes of whole sequences since the walk began */
	uint64_t seq_len; /* bytes of the one that is being read */
	uint64_t since;   /* text bytes behind the last sequence */
	uint64_t seq_end; /* stream offset behind the last sequence; stays while the walk is off */
	uint64_t base;    /* skipped before the first gap in the list */
	struct gap *gaps;
	size_t head, end, cap;
	unsigned char past[SV_THROUGH_PAST]; /* text bytes, offset modulo size */
};

/* The first byte at or after i that begins a sequence, or n. */
size_t sv_through_next(const unsigned char *p, size_t i, size_t n);

/*
 * Begin at stream offset at with state v; past[] are the SV_THROUGH_PAST bytes before, NULL when words do not matter.
 */
void sv_through_begin(struct through *t, const struct sv_match_set *s, uint64_t at, uint32_t v,
		      const unsigned char *past);
/* Walk from p[i] until off or n; finds go to l.  Returns the next i; *failed when there was no memory. */
size_t sv_through_walk(struct through *t, const struct sv_match_set *s, struct finds *l, const unsigned char *p,
		       size_t i, size_t n, bool *failed);
/* The stream ends: decide words.  false without memory. */
bool sv_through_finish(struct through *t, const struct sv_match_set *s, struct finds *l) SV_CHECK;
/* The stream offset of the text byte len bytes before the next one. */
uint64_t sv_through_back(const struct through *t, uint64_t len);
void sv_through_clear(struct through *t);

#endif

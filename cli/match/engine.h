/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matching engine: many byte patterns, one pass over a stream that comes in pieces of any size, exact and linear.
 *
 * How to use it
 *
 *	ps = sv_patterns_new(SV_FORMS_ALL);			patterns.h: the forms of each value
 *	sv_patterns_add(ps, name, name_len, value, len, err);	once per secret
 *	sv_match_compile(ps, &set, err);			immutable, shared by any number of streams and threads
 *	sv_patterns_free(ps);					the set keeps what it needs
 *
 *	m = sv_match_new(set, SV_MATCH_SEQUENCES);		one per stream
 *	while (there is input) {
 *		n = sv_match_feed(m, p, n, err)			takes up to SV_MATCH_BLOCK bytes
 *		while ((f = sv_match_first(m)) != NULL && f->end <= sv_match_settled(m)) {
 *			... f->start, f->end, f->who ...	absolute offsets in the stream
 *			sv_match_pop(m);
 *		}
 *	}
 *	sv_match_end(m);  and the same loop once more
 *
 * sv_match_scan() is that loop with a callback.  What a find is: a range of bytes in which patterns overlap each
 * other; finds that only touch stay two.  who[0] is the leftmost and there the longest pattern, so it does not depend
 * on how the stream was cut. Everything before sv_match_settled() is decided: no later find starts there, and what
 * lies between it and the end of what was fed is exactly what can still become a find.
 *
 * With SV_MATCH_SEQUENCES a value is also found when a program has put terminal escape sequences (CSI, OSC and the
 * other strings, character sets, SI, SO) between its bytes.  Such a find comes as several ranges, one for each piece
 * between the sequences; all but the first have cont set.  A pattern longer than SV_MATCH_HEAD is not followed
 * through sequences (its lines are). What is no sequence: a string longer than SV_MATCH_STRING_MAX, and more than
 * SV_MATCH_SKIP_MAX bytes of sequences inside one value.
 *
 * How it works, and why so
 *
 * Exactness comes from an Aho-Corasick automaton: its depth is the longest suffix of the stream that begins a pattern
 * (what must be held back), its outputs are the finds, and it is linear whatever the input.  So it only runs where it
 * must.  Every pattern of a length class has s q-grams at its offsets 0..s-1; those of all patterns are in a blocked
 * Bloom filter, and one look at every s-th place proves that no pattern starts in the last s places (Wu and Manber's
 * stride with a Bloom filter for a shift table).  Classes: 23 bytes and more with q 8, s 16; 12 and more with q 8, s 5;
 * 6 and more with q 4, s 3; shorter words with q 2, s 1.  Only the classes that occur cost time.  After a hit the
 * automaton runs from s - 1 places before it until nothing that started up to the hit is alive.
 *
 * Chosen by measuring, on one machine, over log lines in memory, with all forms of 10, 100 and 1,000 random values of
 * 40 bytes (60, 600, 6,000 patterns): this 12.5, 11.0, 9.3 GB/s; the same filter at every byte 1.0; the automaton
 * alone 0.2.  Nibble shuffles over the first three bytes (Teddy) pass at 5.5 GB/s, but leave 9, 52 and 52 percent of
 * the places to be verified.  Hyperscan and Vectorscan would be one more library, in C++, with copies of the patterns
 * in ordinary memory.  A look every 16 bytes needs no vector instruction to pass the speed of the page cache, so
 * there is no dispatch by processor; GNU vectors are used only to find ESC.
 *
 * A pattern over SV_MATCH_HEAD bytes has only its head in the automaton and goes on by Knuth-Morris-Pratt, 5 bytes of
 * memory per byte and the failure table made only as far as a mismatch needs it, where a node is 16.
 *
 * Automaton, filters and long patterns are in sv_secmem.  A stream keeps no byte of the input but the last 64, which
 * words look back at; they are wiped.  A set is read-only after compiling.  sv_match_new() and sv_match_free() use
 * sv_secmem, so call them from one thread; feeding different streams of one set from different threads is fine.
 */
#ifndef SV_CLI_MATCH_ENGINE_H
#define SV_CLI_MATCH_ENGINE_H

#include "cli/match/patterns.h"

#include <sys/types.h>

#define SV_MATCH_BLOCK      32768 /* bytes one sv_match_feed() takes at most */
#define SV_MATCH_HEAD       4096  /* bytes of a pattern in the automaton */
#define SV_MATCH_STRING_MAX 4096  /* bytes in an OSC, DCS, APC, PM or SOS sequence that is skipped */
#define SV_MATCH_SKIP_MAX   16384 /* bytes of sequences skipped inside one value */
#define SV_MATCH_PIECES     200   /* with more sequences inside a value than this, they are part of the find */
#define SV_MATCH_WHO        4

#define SV_MATCH_SEQUENCES 1u /* flag: match through terminal escape sequences */

struct sv_match_set;
struct sv_match;

struct sv_match_who {
	uint32_t secret;
	uint8_t form; /* enum sv_form */
};

struct sv_find {
	uint64_t start, end; /* offsets in the stream; end is the first byte behind */
	uint64_t lead_end;   /* where the pattern of who[0] ends */
	struct sv_match_who who[SV_MATCH_WHO];
	uint8_t n_who; /* different secrets, at least 1 */
	bool more;     /* there were more than SV_MATCH_WHO */
	bool cont;     /* goes on from the range before, behind escape sequences */
	bool shown;    /* for the reader: set when its beginning was dealt with */
};

struct sv_match_stats {
	size_t secrets, patterns, nodes;
	size_t bytes;   /* locked memory of the set */
	size_t longest; /* pattern */
	unsigned classes;
};

/* ps is borrowed.  SV_ERR_NOMEM, SV_ERR_TOO_BIG. */
enum sv_code sv_match_compile(const struct sv_patterns *ps, struct sv_match_set **set, struct sv_err *err) SV_CHECK;
/* Wipe and free; NULL is allowed.  Streams of the set must be gone. */
void sv_match_set_free(struct sv_match_set *set);
void sv_match_set_stats(const struct sv_match_set *set, struct sv_match_stats *out);
size_t sv_match_set_secrets(const struct sv_match_set *set);
/* The escaped name, NUL-terminated; owned by the set. */
const char *sv_match_set_name(const struct sv_match_set *set, size_t secret);

/* A stream at offset 0; NULL without memory.  The set is borrowed and must outlive it. */
struct sv_match *sv_match_new(const struct sv_match_set *set, unsigned flags);
void sv_match_free(struct sv_match *m);
/* Start again at offset 0 (the next file). */
void sv_match_reset(struct sv_match *m);

/*
 * Take the first bytes of p[0..n), at most SV_MATCH_BLOCK, and return how many (n > 0: at least one); the caller
 * keeps the bytes from sv_match_settled() on if it needs them.  -1 with err on SV_ERR_NOMEM: the stream is then
 * broken and every later call returns -1.
 */
ssize_t sv_match_feed(struct sv_match *m, const void *p, size_t n, struct sv_err *err) SV_CHECK;
/* No more bytes: decide what is open.  Afterwards everything is settled. */
enum sv_code sv_match_end(struct sv_match *m, struct sv_err *err) SV_CHECK;

uint64_t sv_match_fed(const struct sv_match *m);     /* bytes fed so far */
uint64_t sv_match_settled(const struct sv_match *m); /* no later find starts before this */
/*
 * Up to where bytes may be let go although they begin a pattern, because the prefix is under 4 bytes and under a
 * quarter of every pattern that it begins; at least sv_match_settled().
 */
uint64_t sv_match_harmless(const struct sv_match *m);

/* The first find that was not popped, or NULL.  It is whole when its end is at or before sv_match_settled(). */
struct sv_find *sv_match_first(struct sv_match *m);
void sv_match_pop(struct sv_match *m);

/*
 * Feed all of p[0..n) and call found() for every whole find; a code other than SV_OK from it ends the scan and is
 * returned.
 */
typedef enum sv_code sv_match_found_fn(void *ctx, const struct sv_find *find);
enum sv_code sv_match_scan(struct sv_match *m, const void *p, size_t n, bool end, sv_match_found_fn *found, void *ctx,
			   struct sv_err *err) SV_CHECK;

#endif

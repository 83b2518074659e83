/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_match_set inside: the automaton, the filters and the long patterns.  Internal to this folder.
 *
 * Nodes are in depth-first order of the sorted patterns, so a node's first child is the next node; its other children
 * hang on `next`.  A node with many children is dense: a row of 256 with the failure steps resolved, whose number is
 * in the `next` of its first child.  The root (node 0) is dense.
 */
#ifndef SV_CLI_MATCH_SET_H
#define SV_CLI_MATCH_SET_H

#include "cli/match/engine.h"

#define NODE_CHILD 1 /* has children */
#define NODE_DENSE 2
#define NODE_WORD  4 /* a word pattern ends here or at a suffix */
#define NODE_KEEP  8 /* this prefix must not be let go: 4 bytes or more, or a quarter of some pattern */

struct node {
	uint32_t fail;
	uint32_t next;
	uint32_t out; /* 1 + number of the longest pattern that ends here; 0: none */
	uint16_t depth;
	uint8_t ch;
	uint8_t flags;
};

struct owner {
	struct sv_match_who who;
	uint32_t next; /* 1 + number of another owner of the same bytes */
};

struct pat {
	uint32_t len;
	uint32_t next_out; /* 1 + number of the next longest pattern that ends where this one does */
	uint32_t owner;    /* the first, in the order of the secrets */
	uint32_t long_no;  /* 1 + number among the long ones; 0: all of it is in the automaton */
	bool word;
};

struct long_pat {
	const unsigned char *p;
	uint32_t pat;
};

/* A length class and its filter. */
struct gram_class {
	unsigned q, stride;
	unsigned shift;      /* of the product, for the word's number */
	unsigned words_log2; /* 64-bit words in bits[] */
	uint64_t *bits;
};

#define CLASS_MAX 4

struct sv_match_set {
	struct node *nodes;
	uint32_t (*rows)[256];
	size_t n_nodes, n_rows;
	struct pat *pats;
	struct owner *owners;
	size_t n_pats;
	struct long_pat *longs;
	size_t n_longs;
	unsigned char *long_bytes;
	struct gram_class cls[CLASS_MAX];
	unsigned n_cls;
	bool words;
	size_t longest;
	char **names;
	size_t n_names;
	void *blocks[8]; /* sv_secmem allocations, to be freed */
	unsigned n_blocks;
};

#define GRAM_MUL 0x9e3779b97f4a7c15ull

/* The filter's word for a q-gram and the two bits in it. */
static inline bool gram_hit(const struct gram_class *c, uint64_t gram)
{
	uint64_t h = gram * GRAM_MUL;
	uint64_t mask = (uint64_t)1 << (h >> (c->shift - 6) & 63) | (uint64_t)1 << (h >> (c->shift - 12) & 63);

	return (c->bits[h >> c->shift] & mask) == mask;
}

static inline uint32_t node_child(const struct sv_match_set *s, uint32_t v, unsigned char c)
{
	for (uint32_t w = v + 1; w != 0; w = s->nodes[w].next) {
		if (s->nodes[w].ch == c)
			return w;
	}
	return 0;
}

/* The automaton's step. */
static inline uint32_t node_step(const struct sv_match_set *s, uint32_t v, unsigned char c)
{
	const struct node *t = s->nodes;

	for (;; v = t[v].fail) {
		if ((t[v].flags & NODE_DENSE) != 0)
			return s->rows[t[v + 1].next][c];
		if ((t[v].flags & NODE_CHILD) != 0) {
			uint32_t w = node_child(s, v, c);

			if (w != 0)
				return w;
		}
	}
}

#endif

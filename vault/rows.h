/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row index: what is known in memory about every row of the vault, and which rows are current.
 *
 * Rows sit in a pool under stable handles; `order` lists handles by (id, rev); `hash` finds current rows by tag.  Tags
 * and leaves are keyed hashes, so ordinary memory will do.  A change is planned first (which may fail), then applied
 * (which cannot), so a failed commit leaves the index as it was.  About 100 bytes a row.
 */
#ifndef SV_VAULT_ROWS_H
#define SV_VAULT_ROWS_H

#include "vault/crypt.h"

#include <stdbool.h>

#define SV_ROW_NONE UINT32_MAX
#define SV_REV_MAX  (UINT32_MAX - 1)
#define SV_BRANCHES 256

struct sv_row {
	uint8_t id[SV_ID_BYTES];
	uint8_t tag[SV_HASH_BYTES];
	uint8_t leaf[SV_HASH_BYTES];
	uint32_t rev;    /* in a free row: the next free handle */
	uint32_t used_s; /* last use, seconds since 1970, of the current row */
};

struct sv_rows {
	struct sv_row **chunk;
	uint32_t n_chunks, chunks_cap, n_pool, free;
	uint32_t *order;
	uint32_t n, order_cap;
	uint32_t *hash;
	uint32_t hash_cap; /* power of two, or 0 */
	uint32_t n_hashed;
	uint8_t branch[SV_BRANCHES][SV_HASH_BYTES]; /* see sv_rows_root */
};

/* What `order` becomes: the merge of it with add, without del. */
struct sv_rows_plan {
	uint32_t *order;
	uint32_t n;
	uint8_t (*branch)[SV_HASH_BYTES];
};

void sv_rows_clear(struct sv_rows *r);
struct sv_row *sv_rows_at(const struct sv_rows *r, uint32_t h);
/* A new pool entry, not yet in order or hash; SV_ROW_NONE without memory. */
uint32_t sv_rows_new(struct sv_rows *r);
void sv_rows_release(struct sv_rows *r, uint32_t h);
/*
 * Loading: append h, which must sort behind all others (false when not, or without memory); then hash all at the end.
 */
bool sv_rows_append(struct sv_rows *r, uint32_t h);
bool sv_rows_hash_all(struct sv_rows *r);

/* First position in order that is not before (id, rev). */
uint32_t sv_rows_lower(const struct sv_rows *r, const uint8_t *id, uint32_t rev);
uint32_t sv_rows_find(const struct sv_rows *r, const uint8_t *id, uint32_t rev);
/* The current row of an id. */
uint32_t sv_rows_current(const struct sv_rows *r, const uint8_t *id);
bool sv_rows_is_current(const struct sv_rows *r, uint32_t pos);
/* Current rows with this tag: *cursor 0 at the start. */
uint32_t sv_rows_by_tag(const struct sv_rows *r, const uint8_t *tag, uint32_t *cursor);

/* add: sorted by (id, rev); del: sorted likewise.  false without memory. */
bool sv_rows_plan(struct sv_rows *r, const uint32_t *add, uint32_t n_add, const uint32_t *del, uint32_t n_del,
		  struct sv_rows_plan *p);
void sv_rows_plan_clear(struct sv_rows_plan *p);
/* Apply; each added row becomes the current one of its id, deleted rows are released.  Takes p->order. */
void sv_rows_apply(struct sv_rows *r, struct sv_rows_plan *p, const uint32_t *add, uint32_t n_add, const uint32_t *del,
		   uint32_t n_del);
int sv_rows_cmp(const struct sv_row *a, const struct sv_row *b);

/*
 * The root: rows whose id begins with byte b hang on branch b, the keyed hash of their number and leaves in order; the
 * root is the keyed hash of the number of rows and the 256 branches.  So a change hashes the branches it touches, not
 * every leaf (FORMAT.md "root").
 */
void sv_rows_root(struct sv_rows *r, const struct sv_scope *s, uint8_t out[SV_HASH_BYTES]);
/* Of the plan, whose changed rows are named; kept in it for sv_rows_apply(). */
void sv_rows_plan_root(const struct sv_rows *r, struct sv_rows_plan *p, const struct sv_scope *s, const uint32_t *add,
		       uint32_t n_add, const uint32_t *del, uint32_t n_del, uint8_t out[SV_HASH_BYTES]);

#endif

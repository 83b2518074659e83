/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed between two trees, and three trees made one: by secret, with renames, by marks alone.
 *
 * Trees are sorted and marked under one key.  Items that are inherited or ghosts do not take part: a document that
 * leaves an inherited value alone says nothing, see sv_merge_drop_inherited().  An item without has_meta has the
 * metadata it had.
 *
 * A rename is an item that went and one that came with the same, not empty, value; where several fit, the same metadata
 * and the same last segment decide.
 */
#ifndef SV_CLI_EDIT_MERGE_H
#define SV_CLI_EDIT_MERGE_H

#include "cli/edit/tree.h"

enum sv_delta_what {
	SV_DELTA_ADDED = 1 << 0,
	SV_DELTA_REMOVED = 1 << 1,
	SV_DELTA_RENAMED = 1 << 2, /* alone or with VALUE, META */
	SV_DELTA_VALUE = 1 << 3,
	SV_DELTA_META = 1 << 4,
};

struct sv_delta {
	unsigned what;
	const struct sv_item *from, *to; /* NULL when added, removed */
};

struct sv_diff {
	struct sv_delta *v; /* in the order of the new names, then the removed ones */
	size_t n;
	size_t added, removed, renamed, changed, meta; /* changed: value, renamed or not */
	size_t kept;                                   /* items of the old tree that are still there in any form */
};
#define SV_DIFF_INIT                      \
	{                                 \
		NULL, 0, 0, 0, 0, 0, 0, 0 \
	}

enum sv_code sv_diff_make(const struct sv_tree *old, const struct sv_tree *now, struct sv_diff *out,
			  struct sv_err *err) SV_CHECK;
void sv_diff_clear(struct sv_diff *d);

/*
 * Three-way merge.  base, theirs, mine are read only; *out is sorted and marked, and holds for each conflict the item
 * of mine with its conflict flag (if it has one) and the one of theirs as a ghost (if it has one).
 */
enum sv_code sv_merge(const struct sv_tree *base, const struct sv_tree *theirs, const struct sv_tree *mine,
		      struct sv_tree *out, size_t *conflicts, struct sv_err *err) SV_CHECK;

/*
 * Take items out of doc that are only what `present` inherits, and give the others of that name its metadata if they
 * have none of their own to say (borrowed from present).
 */
void sv_merge_drop_inherited(const struct sv_tree *present, struct sv_tree *doc);

#endif

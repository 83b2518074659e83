/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the events of a nested document (keys, scalars, mappings, lists) to a tree: names put together, metadata told
 * from groups, lists flattened, depth bounded.  Used by the readers of YAML and JSON.
 *
 * In a full document a mapping with a scalar under `value` is a secret with its metadata; any other mapping is a group.
 */
#ifndef SV_CLI_EDIT_BUILD_H
#define SV_CLI_EDIT_BUILD_H

#include "cli/edit/doc.h"

struct sv_build;

/* Everything is borrowed until sv_build_free(); NULL without memory. */
struct sv_build *sv_build_new(const struct sv_doc_style *style, struct sv_tree *out, struct sv_doc_place *where,
			      struct sv_err *err);
void sv_build_free(struct sv_build **b);

bool sv_build_at_top(const struct sv_build *b); /* nothing is open */
bool sv_build_wants_key(const struct sv_build *b);

/* where->at is set on every error; at is the place of what is added. */
enum sv_code sv_build_key(struct sv_build *b, const char *p, size_t n, struct sv_place at) SV_CHECK;
/* p: n bytes in the tree's memory. */
enum sv_code sv_build_scalar(struct sv_build *b, const unsigned char *p, size_t n, struct sv_place at) SV_CHECK;
/* A key with nothing behind it. */
enum sv_code sv_build_nothing(struct sv_build *b, struct sv_place at) SV_CHECK;
enum sv_code sv_build_open(struct sv_build *b, bool sequence, struct sv_place at) SV_CHECK;
enum sv_code sv_build_close(struct sv_build *b) SV_CHECK;
/* All is read: no group twice. */
enum sv_code sv_build_end(struct sv_build *b) SV_CHECK;
/* Set where->at and the sentence. */
enum sv_code sv_build_fail(struct sv_build *b, struct sv_place at, enum sv_code rc, const char *sentence);

#endif

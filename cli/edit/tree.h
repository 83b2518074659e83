/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_tree: the secrets of one document or of one environment, in name order, with everything that edit, show,
 * import and export need to know about each.
 *
 * Names are the vault's flat names; documents nest them at their slashes.  A name that is a secret and a group at once
 * (`a` and `a/b`) has one spelling in a nested document: the secret keeps its key and what is below it stands beside it
 * under a flat key, `a/b`.  Such flat keys are read everywhere; the writers use them only where nesting has no room
 * (see sv_tree_walk).
 *
 * Values, names and metadata live in locked chunks that belong to the tree and are wiped with it; the views in an item
 * live as long as its tree.
 */
#ifndef SV_CLI_EDIT_TREE_H
#define SV_CLI_EDIT_TREE_H

#include "vault/base/buf.h"
#include "vault/base/name.h"
#include "vault/base/types.h"

#define SV_MARK_BYTES     16
#define SV_MARK_KEY_BYTES 32
#define SV_DOC_DEPTH_MAX  32 /* nested mappings */

/* Where in a text: counted from 1, columns in characters; 0 when it is not known. */
struct sv_place {
	size_t line, column;
};

struct sv_item {
	struct sv_text name;
	const unsigned char *value; /* NULL when only its mark is known */
	size_t value_len;
	const struct sv_meta *meta; /* never NULL */
	bool has_meta;              /* meta is meant; false: the document says nothing about metadata */
	bool inherited;             /* from default, though another environment is looked at */
	bool ghost;            /* shown as a comment beside the item of the same name, and not part of the document */
	bool conflict;         /* both sides changed it */
	uint64_t version;      /* 0: none */
	struct sv_place place; /* of its key */
	unsigned char mark[SV_MARK_BYTES]; /* keyed hash of the value, after sv_tree_mark() */
	unsigned char meta_mark[SV_MARK_BYTES];
};

struct sv_tree_chunk;

struct sv_tree {
	struct sv_item *items;
	size_t n, cap;
	size_t bytes; /* of values */
	struct sv_tree_chunk *chunks;
};

#define SV_TREE_INIT                \
	{                           \
		NULL, 0, 0, 0, NULL \
	}

extern const struct sv_meta sv_meta_none;

void sv_tree_clear(struct sv_tree *t);
/* n bytes of the tree's memory with a copy of p; NULL when there is none. */
void *sv_tree_keep(struct sv_tree *t, const void *p, size_t n);
/*
 * Add an item; name and value are copied, meta (may be NULL) deeply.  *item is valid until the next add. SV_ERR_TOO_BIG
 * past SV_SECRETS_MAX or SV_VALUE_MAX, SV_ERR_NOMEM.
 */
enum sv_code sv_tree_add(struct sv_tree *t, struct sv_text name, const unsigned char *value, size_t len,
			 const struct sv_meta *meta, struct sv_item **item, struct sv_err *err) SV_CHECK;
/* The same with the fields and marks of another tree's item. */
enum sv_code sv_tree_copy(struct sv_tree *t, const struct sv_item *from, struct sv_item **item,
			  struct sv_err *err) SV_CHECK;
/* Name order, bytewise; ghosts behind the item of their name. */
void sv_tree_sort(struct sv_tree *t);
/* The item of that name that is no ghost, or NULL.  The tree is sorted. */
struct sv_item *sv_tree_find(const struct sv_tree *t, struct sv_text name);
/* Sort, then SV_ERR_NAME for two items of one name, or of names that are the same text in Unicode's normal form C;
 * *place is the later one's. */
enum sv_code sv_tree_check(struct sv_tree *t, struct sv_place *place, struct sv_err *err) SV_CHECK;
/* Fill in mark and meta_mark of every item that has a value. */
void sv_tree_mark(struct sv_tree *t, const unsigned char key[SV_MARK_KEY_BYTES]);
void sv_item_mark(struct sv_item *item, const unsigned char key[SV_MARK_KEY_BYTES]);
bool sv_meta_equal(const struct sv_meta *a, const struct sv_meta *b);
bool sv_meta_empty(const struct sv_meta *m);
/* Fields (SV_MF_*) in which they differ. */
uint32_t sv_meta_differs(const struct sv_meta *a, const struct sv_meta *b);

/*
 * Visit the tree as nested mappings: group() before the items below it, end() behind them, leaf() for each item.  Keys
 * are views into names; a key holds slashes where a group must stay flat: it is a secret as well, it is deeper than
 * SV_DOC_DEPTH_MAX allows, or flat() says so.  all_hidden of a group: every item in it is a ghost or inherited.
 */
struct sv_tree_visitor {
	enum sv_code (*group)(void *ctx, struct sv_text key, bool all_hidden);
	enum sv_code (*leaf)(void *ctx, struct sv_text key, const struct sv_item *item);
	enum sv_code (*end)(void *ctx);
	bool (*flat)(const struct sv_item *first, size_t n, struct sv_text group); /* may be NULL */
	void *ctx;
};
enum sv_code sv_tree_walk(const struct sv_tree *t, const struct sv_tree_visitor *v) SV_CHECK;

static inline bool sv_text_same(struct sv_text a, struct sv_text b)
{
	return a.n == b.n && (a.n == 0 || __builtin_memcmp(a.p, b.p, a.n) == 0);
}

#endif

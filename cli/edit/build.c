/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a nested document that is being read: one frame for each mapping or list that is open.
 */
#include "cli/edit/build.h"
#include "cli/edit/metatext.h"

#include <stdio.h>
#include <string.h>

struct frame {
	bool sequence;
	bool want_key;
	bool has_value;           /* full: it is a secret */
	size_t path_len;          /* of the name so far, with its slash */
	size_t index;             /* of the next element of a sequence */
	unsigned seen;            /* full: metadata fields, one bit each */
	struct sv_place key;      /* of the entry that is open */
	struct sv_place self;     /* of the key that this one stands under */
	struct sv_place stray;    /* full: the first scalar that is neither value nor metadata */
	struct sv_place field_at; /* full: the first metadata */
	struct sv_place group_at; /* the first mapping below */
	const unsigned char *value;
	size_t value_len;
	enum sv_metafield list; /* full: the list that is being read */
	struct sv_meta meta;
};

struct sv_build {
	const struct sv_doc_style *style;
	struct sv_tree *out;
	struct sv_tree groups;
	struct sv_doc_place *where;
	struct sv_err *err;
	size_t depth; /* frames in use */
	bool in_list; /* the elements of a metadata list are being read */
	size_t path_len;
	char path[2 * SV_NAME_MAX + 64];
	struct frame frames[SV_DOC_DEPTH_MAX];
};

struct sv_build *sv_build_new(const struct sv_doc_style *style, struct sv_tree *out, struct sv_doc_place *where,
			      struct sv_err *err)
{
	struct sv_build *b = sv_secmem_alloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	b->style = style;
	b->out = out;
	b->where = where;
	b->err = err;
	return b;
}

void sv_build_free(struct sv_build **b)
{
	if (*b != NULL)
		sv_tree_clear(&(*b)->groups);
	sv_secmem_free(*b);
	*b = NULL;
}

enum sv_code sv_build_fail(struct sv_build *b, struct sv_place at, enum sv_code rc, const char *sentence)
{
	b->where->at = at;
	return sv_err_set(b->err, rc, "%s", sentence);
}

static struct frame *top(struct sv_build *b)
{
	return b->depth == 0 ? NULL : &b->frames[b->depth - 1];
}

bool sv_build_at_top(const struct sv_build *b)
{
	return b->depth == 0;
}

bool sv_build_wants_key(const struct sv_build *b)
{
	return b->depth > 0 && !b->in_list && b->frames[b->depth - 1].want_key;
}

static bool append(struct sv_build *b, const char *p, size_t n)
{
	if (n > SV_NAME_MAX || b->path_len + n + 1 > sizeof(b->path))
		return false;
	memcpy(b->path + b->path_len, p, n);
	b->path_len += n;
	return true; /* with the key of a metadata field it may be longer than a name; add() looks at names */
}

static enum sv_code add(struct sv_build *b, struct sv_place at, const unsigned char *p, size_t n,
			const struct sv_meta *meta)
{
	struct sv_item *item;
	enum sv_code rc = sv_name_check(b->path, b->path_len, b->err);

	if (rc == SV_OK)
		rc = sv_tree_add(b->out, (struct sv_text){ b->path, b->path_len }, p, n, meta, &item, b->err);
	if (rc != SV_OK) {
		b->where->at = at;
		return rc;
	}
	item->place = at;
	return SV_OK;
}

enum sv_code sv_build_key(struct sv_build *b, const char *p, size_t n, struct sv_place at)
{
	struct frame *f = top(b);

	f->key = at;
	if (n == 0)
		return sv_build_fail(b, at, SV_ERR_NAME, "a key without a name");
	b->path_len = f->path_len;
	if (!append(b, p, n))
		return sv_build_fail(b, at, SV_ERR_NAME, "the name is longer than 255 bytes");
	f->want_key = false;
	return SV_OK;
}

/* The name of the next element of a sequence. */
static enum sv_code next_element(struct sv_build *b, struct frame *f, struct sv_place at)
{
	char number[24];

	f->key = at;
	b->path_len = f->path_len;
	(void)snprintf(number, sizeof(number), "%zu", f->index++);
	if (!append(b, number, strlen(number)))
		return sv_build_fail(b, at, SV_ERR_NAME, "the name is longer than 255 bytes");
	return SV_OK;
}

/* ---- a full document: the entries of one mapping ----------------------------------------------------------------- */

/* The key of the entry that is open in f: what follows f->path_len. */
static struct sv_text entry_key(const struct sv_build *b, const struct frame *f)
{
	return (struct sv_text){ b->path + f->path_len, b->path_len - f->path_len };
}

static enum sv_code meta_scalar(struct sv_build *b, struct frame *f, enum sv_metafield field, struct sv_text t)
{
	struct sv_text *into = sv_metafield_text(&f->meta, field);
	enum sv_code rc = SV_OK;

	if (t.n > SV_META_TEXT_MAX)
		return sv_build_fail(b, f->key, SV_ERR_TOO_BIG, "metadata of more than 4096 bytes");
	if (into != NULL) {
		*into = t;
		return SV_OK;
	}
	if (field == SV_METAFIELD_EXPIRES)
		rc = sv_metatext_get_date(t, b->style->now_s, &f->meta.expires_s, b->err);
	else if (field == SV_METAFIELD_ROTATE)
		rc = sv_metatext_get_period(t, &f->meta.rotate_s, b->err);
	else
		return sv_build_fail(b, f->key, SV_ERR_USAGE, "a list belongs here: [one, two]");
	if (rc != SV_OK)
		b->where->at = f->key;
	return rc;
}

static enum sv_code list_scalar(struct sv_build *b, struct frame *f, struct sv_text t, struct sv_place at)
{
	struct sv_text *list = f->list == SV_METAFIELD_TAGS ? f->meta.tags : f->meta.scopes;
	size_t *n = f->list == SV_METAFIELD_TAGS ? &f->meta.n_tags : &f->meta.n_scopes;

	if (*n == SV_META_LIST_MAX || t.n == 0 || t.n > SV_META_TEXT_MAX)
		return sv_build_fail(b, at, SV_ERR_TOO_BIG, "at most 32 entries, none empty or over 4096 bytes");
	list[(*n)++] = t;
	return SV_OK;
}

static enum sv_code see_field(struct sv_build *b, struct frame *f, enum sv_metafield field)
{
	if ((f->seen & (1u << field)) != 0)
		return sv_build_fail(b, f->key, SV_ERR_NAME, "the same metadata twice");
	f->seen |= 1u << field;
	if (f->field_at.line == 0)
		f->field_at = f->key;
	return SV_OK;
}

static const char bare_secret[] = "with --full each secret is a mapping: write its value below it, under `value`";

static enum sv_code full_scalar(struct sv_build *b, struct frame *f, const unsigned char *p, size_t n)
{
	struct sv_text k = entry_key(b, f);
	enum sv_metafield field = sv_metafield_find(k);
	enum sv_code rc;

	if (b->depth == 1)
		return sv_build_fail(b, f->key, SV_ERR_USAGE, bare_secret);
	if (k.n == 5 && memcmp(k.p, "value", 5) == 0) {
		if (f->has_value)
			return sv_build_fail(b, f->key, SV_ERR_NAME, "`value` is here twice");
		f->value = p;
		f->value_len = n;
		f->has_value = true;
		return SV_OK;
	}
	if (field == SV_METAFIELD_COUNT) {
		if (f->stray.line == 0)
			f->stray = f->key;
		return SV_OK;
	}
	rc = see_field(b, f, field);
	return rc != SV_OK ? rc : meta_scalar(b, f, field, (struct sv_text){ (const char *)p, n });
}

static enum sv_code full_end(struct sv_build *b, const struct frame *f)
{
	if (!f->has_value) {
		if (f->stray.line != 0)
			return sv_build_fail(b, f->stray, SV_ERR_USAGE, bare_secret);
		if (f->field_at.line != 0)
			return sv_build_fail(b, f->field_at, SV_ERR_USAGE, "metadata without a `value` beside it");
		return SV_OK;
	}
	if (f->stray.line != 0)
		return sv_build_fail(
			b, f->stray, SV_ERR_USAGE,
			"beside `value` stand var, desc, owner, url, type, expires, rotate, tags and scopes only");
	if (f->group_at.line != 0)
		return sv_build_fail(b, f->group_at, SV_ERR_USAGE,
				     "a secret holds no other secrets; write this one as NAME/KEY beside it");
	return add(b, f->self, f->value, f->value_len, &f->meta);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

enum sv_code sv_build_scalar(struct sv_build *b, const unsigned char *p, size_t n, struct sv_place at)
{
	struct frame *f = top(b);
	enum sv_code rc;

	if (f == NULL)
		return sv_build_fail(b, at, SV_ERR_USAGE, "no mapping here; write NAME: value");
	if (n > SV_VALUE_MAX)
		return sv_build_fail(b, at, SV_ERR_TOO_BIG, "the value is larger than 1 MiB");
	if (b->in_list)
		return list_scalar(b, f, (struct sv_text){ (const char *)p, n }, at);
	if (f->sequence && (rc = next_element(b, f, at)) != SV_OK)
		return rc;
	f->want_key = !f->sequence;
	if (b->style->full)
		return full_scalar(b, f, p, n);
	return add(b, f->key, p, n, NULL);
}

enum sv_code sv_build_nothing(struct sv_build *b, struct sv_place at)
{
	struct frame *f = top(b);

	if (f == NULL)
		return SV_OK;
	if (!b->style->skip_empty)
		return sv_build_fail(b, at, SV_ERR_USAGE,
				     "no value here; write '' for an empty one, or delete the key");
	if (b->where->skipped++ == 0)
		b->where->first_skipped = at;
	if (f->sequence)
		f->index++;
	f->want_key = !f->sequence;
	return SV_OK;
}

enum sv_code sv_build_open(struct sv_build *b, bool sequence, struct sv_place at)
{
	struct frame *above = top(b);
	struct sv_item *group = NULL;
	enum sv_metafield field;
	struct frame *f;
	enum sv_code rc;

	if (b->in_list || (above != NULL && above->want_key))
		return sv_build_fail(b, at, SV_ERR_USAGE, "a mapping or list cannot stand here");
	if (sequence) {
		if (above == NULL)
			return sv_build_fail(b, at, SV_ERR_USAGE, "a list where NAME: value belongs");
		field = b->style->full ? sv_metafield_find(entry_key(b, above)) : SV_METAFIELD_COUNT;
		if (field == SV_METAFIELD_TAGS || field == SV_METAFIELD_SCOPES) {
			above->list = field;
			b->in_list = true;
			return see_field(b, above, field);
		}
		if (!b->style->flatten || b->style->full)
			return sv_build_fail(b, at, SV_ERR_USAGE,
					     "a list where a value belongs; give each entry a name of its own");
	}
	if (above != NULL && above->sequence && (rc = next_element(b, above, at)) != SV_OK)
		return rc;
	if (b->depth == SV_DOC_DEPTH_MAX)
		return sv_build_fail(b, at, SV_ERR_TOO_BIG, "nested deeper than 32 levels");
	f = &b->frames[b->depth++];
	memset(f, 0, sizeof(*f));
	f->sequence = sequence;
	f->want_key = !sequence;
	f->self = at;
	if (above == NULL)
		return SV_OK;
	f->self = above->key;
	if (above->group_at.line == 0)
		above->group_at = above->key;
	rc = sv_tree_add(&b->groups, (struct sv_text){ b->path, b->path_len }, NULL, 0, NULL, &group, b->err);
	if (rc != SV_OK)
		return rc;
	group->place = f->self;
	b->path[b->path_len] = '/';
	f->path_len = b->path_len + 1;
	return SV_OK;
}

enum sv_code sv_build_close(struct sv_build *b)
{
	struct frame *f = top(b);
	enum sv_code rc = SV_OK;

	if (b->in_list) {
		b->in_list = false;
		f->want_key = true;
		return SV_OK;
	}
	if (b->depth > 1)
		b->path_len = f->path_len - 1;
	if (b->style->full && !f->sequence)
		rc = full_end(b, f);
	b->depth--;
	if ((f = top(b)) != NULL)
		f->want_key = !f->sequence;
	return rc;
}

enum sv_code sv_build_end(struct sv_build *b)
{
	return sv_tree_check(&b->groups, &b->where->at, b->err);
}

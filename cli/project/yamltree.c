/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From events to a tree: one explicit stack, no recursion, every size bounded.
 */
#include "cli/project/yamltree.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct anchor {
	const char *name;
	struct sv_yaml *node;
};

struct build {
	struct sv_arena *a;
	struct sv_err *err;
	unsigned flags;
	struct sv_yaml *stack[SV_YAML_DEPTH_MAX];
	size_t depth, nodes;
	struct sv_yaml **docs;
	size_t n_docs;
	struct anchor *anchors;
	size_t n_anchors;
};

static enum sv_code at(struct sv_err *err, enum sv_code rc, const yaml_mark_t *m, const char *what)
{
	return sv_err_set(err, rc, "line %u, column %u: %s", (unsigned)m->line + 1, (unsigned)m->column + 1, what);
}

static enum sv_code no_memory(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_NOMEM, "no memory for a YAML file");
}

static enum sv_code duplicate_key(struct build *b, const struct sv_yaml *map, const struct sv_yaml *key)
{
	yaml_mark_t m = { 0, key->line - 1, key->col - 1 };

	for (size_t i = 0; i + 1 < map->n; i += 2)
		if (map->v[i]->len == key->len && memcmp(map->v[i]->text, key->text, key->len) == 0)
			return at(b->err, SV_ERR_FAIL, &m, "this key is there twice");
	return SV_OK;
}

static enum sv_code attach(struct build *b, struct sv_yaml *node, const yaml_mark_t *m)
{
	struct sv_yaml *parent;

	if (b->depth == 0) {
		if ((b->flags & SV_YAML_STRICT) != 0 && b->n_docs == 1)
			return at(b->err, SV_ERR_FAIL, m, "there is a second document in the file");
		if (!SV_ARENA_GROW(b->a, b->docs, b->n_docs))
			return no_memory(b->err);
		b->docs[b->n_docs++] = node;
		return SV_OK;
	}
	parent = b->stack[b->depth - 1];
	if (parent->kind == SV_YAML_MAP && parent->n % 2 == 0) {
		if (node->kind != SV_YAML_SCALAR && (b->flags & SV_YAML_STRICT) != 0)
			return at(b->err, SV_ERR_FAIL, m, "a key must be a plain text");
		if ((b->flags & SV_YAML_STRICT) != 0) {
			enum sv_code rc = duplicate_key(b, parent, node);

			if (rc != SV_OK)
				return rc;
		}
	}
	if (!SV_ARENA_GROW(b->a, parent->v, parent->n))
		return no_memory(b->err);
	parent->v[parent->n++] = node;
	return SV_OK;
}

static enum sv_code make(struct build *b, enum sv_yaml_kind kind, const yaml_event_t *e, const yaml_char_t *anchor,
			 struct sv_yaml **node)
{
	size_t max = (b->flags & SV_YAML_STRICT) != 0 ? SV_YAML_STRICT_NODES_MAX : SV_YAML_NODES_MAX;

	if (++b->nodes > max)
		return at(b->err, SV_ERR_TOO_BIG, &e->start_mark, "too many entries");
	*node = sv_arena_alloc(b->a, sizeof(**node));
	if (*node == NULL)
		return no_memory(b->err);
	(*node)->kind = kind;
	(*node)->line = (unsigned)e->start_mark.line + 1;
	(*node)->col = (unsigned)e->start_mark.column + 1;
	(*node)->text = "";
	if (anchor == NULL)
		return SV_OK;
	if ((b->flags & SV_YAML_STRICT) != 0)
		return at(b->err, SV_ERR_FAIL, &e->start_mark, "anchors are not allowed here");
	if (!SV_ARENA_GROW(b->a, b->anchors, b->n_anchors))
		return no_memory(b->err);
	b->anchors[b->n_anchors] =
		(struct anchor){ sv_arena_text(b->a, (const char *)anchor, strlen((const char *)anchor)), *node };
	return b->anchors[b->n_anchors++].name == NULL ? no_memory(b->err) : SV_OK;
}

static enum sv_code tag_check(struct build *b, const yaml_event_t *e, const yaml_char_t *tag)
{
	if (tag != NULL && (b->flags & SV_YAML_STRICT) != 0)
		return at(b->err, SV_ERR_FAIL, &e->start_mark, "tags are not allowed here");
	return SV_OK;
}

static enum sv_code scalar(struct build *b, const yaml_event_t *e)
{
	struct sv_yaml *node;
	const char *text = (const char *)e->data.scalar.value;
	enum sv_code rc = tag_check(b, e, e->data.scalar.tag);

	if (rc != SV_OK || (rc = make(b, SV_YAML_SCALAR, e, e->data.scalar.anchor, &node)) != SV_OK)
		return rc;
	if (memchr(text, '\0', e->data.scalar.length) != NULL)
		return at(b->err, SV_ERR_FAIL, &e->start_mark, "a NUL byte is not allowed here");
	node->text = sv_arena_text(b->a, text, e->data.scalar.length);
	if (node->text == NULL)
		return no_memory(b->err);
	node->len = e->data.scalar.length;
	node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->closed = true;
	return attach(b, node, &e->start_mark);
}

static enum sv_code open_node(struct build *b, const yaml_event_t *e, enum sv_yaml_kind kind, const yaml_char_t *anchor,
			      const yaml_char_t *tag)
{
	struct sv_yaml *node;
	enum sv_code rc = tag_check(b, e, tag);

	if (rc != SV_OK || (rc = make(b, kind, e, anchor, &node)) != SV_OK)
		return rc;
	if ((rc = attach(b, node, &e->start_mark)) != SV_OK)
		return rc;
	if (b->depth == SV_YAML_DEPTH_MAX)
		return at(b->err, SV_ERR_TOO_BIG, &e->start_mark, "nested too deeply");
	b->stack[b->depth++] = node;
	return SV_OK;
}

static enum sv_code alias(struct build *b, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;

	if ((b->flags & SV_YAML_STRICT) != 0)
		return at(b->err, SV_ERR_FAIL, &e->start_mark, "aliases are not allowed here");
	for (size_t i = b->n_anchors; i-- > 0;)
		if (strcmp(b->anchors[i].name, name) == 0) {
			if (!b->anchors[i].node->closed)
				return at(b->err, SV_ERR_FAIL, &e->start_mark, "this alias is inside what it names");
			return attach(b, b->anchors[i].node, &e->start_mark);
		}
	return at(b->err, SV_ERR_FAIL, &e->start_mark, "this alias names nothing");
}

static enum sv_code event(struct build *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT: return scalar(b, e);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, e, SV_YAML_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, e, SV_YAML_SEQ, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT: b->stack[--b->depth]->closed = true; return SV_OK;
	case YAML_ALIAS_EVENT: return alias(b, e);
	default: return SV_OK;
	}
}

static enum sv_code parser_error(struct sv_err *err, const yaml_parser_t *p)
{
	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(err);
	if (p->error == YAML_READER_ERROR)
		return sv_err_set(err, SV_ERR_FAIL, "line %u, column %u: a byte that is no text (%s)",
				  (unsigned)p->mark.line + 1, (unsigned)p->mark.column + 1,
				  p->problem != NULL ? p->problem : "encoding");
	return at(err, SV_ERR_FAIL, &p->problem_mark, p->problem != NULL ? p->problem : "this is not YAML");
}

enum sv_code sv_yaml_parse(struct sv_arena *a, const char *text, size_t len, unsigned flags, struct sv_yaml ***docs,
			   size_t *n, struct sv_err *err)
{
	struct build b = { .a = a, .err = err, .flags = flags };
	yaml_parser_t parser;
	yaml_event_t e;
	enum sv_code rc = SV_OK;
	bool end = false;

	*docs = NULL;
	*n = 0;
	if (yaml_parser_initialize(&parser) == 0)
		return no_memory(err);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (rc == SV_OK && !end) {
		if (yaml_parser_parse(&parser, &e) == 0) {
			rc = parser_error(err, &parser);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		rc = event(&b, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	if (rc == SV_OK) {
		*docs = b.docs;
		*n = b.n_docs;
	}
	return rc;
}

const struct sv_yaml *sv_yaml_get(const struct sv_yaml *y, const char *key)
{
	size_t len = strlen(key);

	if (y == NULL || y->kind != SV_YAML_MAP)
		return NULL;
	for (size_t i = y->n & ~(size_t)1; i >= 2; i -= 2)
		if (y->v[i - 2]->kind == SV_YAML_SCALAR && y->v[i - 2]->len == len &&
		    memcmp(y->v[i - 2]->text, key, len) == 0)
			return y->v[i - 1];
	return NULL;
}

bool sv_yaml_is_null(const struct sv_yaml *y)
{
	return y->kind == SV_YAML_SCALAR && y->plain &&
	       (y->len == 0 || strcmp(y->text, "~") == 0 || strcasecmp(y->text, "null") == 0);
}

bool sv_yaml_bool(const struct sv_yaml *y, bool *out)
{
	if (y->kind != SV_YAML_SCALAR || !y->plain)
		return false;
	*out = strcasecmp(y->text, "true") == 0;
	return *out || strcasecmp(y->text, "false") == 0;
}

bool sv_yaml_is(const struct sv_yaml *y, const char *text)
{
	return y != NULL && y->kind == SV_YAML_SCALAR && strcmp(y->text, text) == 0;
}

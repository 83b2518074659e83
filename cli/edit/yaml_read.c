/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML to a tree, from libyaml's events, so that nothing is built that a hostile document could make large: no aliases,
 * no merge keys, no tags but two, and values straight into the tree's locked memory.  Every scalar is its text.
 */
#include "cli/edit/build.h"

#include <sodium.h>
#include <string.h>
#include <yaml.h>

#define BINARY_TAG "tag:yaml.org,2002:binary"
#define STRING_TAG "tag:yaml.org,2002:str"

struct reader {
	struct sv_tree *out;
	struct sv_doc_place *where;
	struct sv_err *err;
	struct sv_build *build;
};

static struct sv_place place(const yaml_mark_t *m)
{
	return (struct sv_place){ m->line + 1, m->column + 1 };
}

static enum sv_code fail(struct reader *r, const yaml_event_t *e, enum sv_code rc, const char *sentence)
{
	return sv_build_fail(r->build, place(&e->start_mark), rc, sentence);
}

static enum sv_code no_memory(struct reader *r)
{
	return sv_err_set(r->err, SV_ERR_NOMEM, "no memory for the document");
}

static bool is_binary(const yaml_char_t *tag)
{
	return tag != NULL && strcmp((const char *)tag, BINARY_TAG) == 0;
}

/* Tags and anchors of a scalar, mapping or list. */
static enum sv_code check_properties(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
				     const yaml_char_t *tag)
{
	if (anchor != NULL)
		return fail(r, e, SV_ERR_USAGE,
			    "anchors (&) are not supported; write the value out each time, or quote it");
	if (tag == NULL || strcmp((const char *)tag, STRING_TAG) == 0 || strcmp((const char *)tag, "!") == 0)
		return SV_OK;
	if (e->type == YAML_SCALAR_EVENT && is_binary(tag))
		return SV_OK;
	return fail(r, e, SV_ERR_USAGE, "tags other than !!str and !!binary are not supported");
}

static enum sv_code on_key(struct reader *r, const yaml_event_t *e)
{
	const char *p = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;

	if (is_binary(e->data.scalar.tag))
		return fail(r, e, SV_ERR_USAGE, "a name cannot be !!binary");
	if (n == 2 && memcmp(p, "<<", 2) == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return fail(r, e, SV_ERR_USAGE, "merge keys (<<) are not supported");
	return sv_build_key(r->build, p, n, place(&e->start_mark));
}

static enum sv_code on_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	const yaml_char_t *tag = e->data.scalar.tag;
	size_t n = e->data.scalar.length;
	unsigned char *bytes;
	enum sv_code rc = check_properties(r, e, e->data.scalar.anchor, tag);

	if (rc != SV_OK)
		return rc;
	if (sv_build_wants_key(r->build))
		return on_key(r, e);
	if (n == 0 && tag == NULL && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return sv_build_nothing(r->build, place(&e->start_mark));
	if (n > 2 * SV_VALUE_MAX)
		return fail(r, e, SV_ERR_TOO_BIG, "the value is larger than 1 MiB");
	if (!is_binary(tag)) {
		bytes = sv_tree_keep(r->out, text, n);
		return bytes == NULL ? no_memory(r) : sv_build_scalar(r->build, bytes, n, place(&e->start_mark));
	}
	bytes = sv_tree_keep(r->out, NULL, n + 1);
	if (bytes == NULL)
		return no_memory(r);
	if (sodium_base642bin(bytes, n + 1, text, n, " \n\t", &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return fail(r, e, SV_ERR_USAGE, "what follows !!binary is not base64");
	return sv_build_scalar(r->build, bytes, n, place(&e->start_mark));
}

static enum sv_code on_open(struct reader *r, const yaml_event_t *e)
{
	bool sequence = e->type == YAML_SEQUENCE_START_EVENT;
	const yaml_char_t *anchor = sequence ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
	const yaml_char_t *tag = sequence ? e->data.sequence_start.tag : e->data.mapping_start.tag;
	enum sv_code rc = check_properties(r, e, anchor, tag);

	return rc != SV_OK ? rc : sv_build_open(r->build, sequence, place(&e->start_mark));
}

static enum sv_code on_event(struct reader *r, const yaml_event_t *e, size_t *documents)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			return fail(r, e, SV_ERR_USAGE, "a second document; only one can be read");
		if (e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
			return fail(r, e, SV_ERR_USAGE, "%TAG is not supported");
		return SV_OK;
	case YAML_ALIAS_EVENT:
		return fail(r, e, SV_ERR_USAGE, "aliases (*) are not supported; write the value out, or quote it");
	case YAML_SCALAR_EVENT: return on_scalar(r, e);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT: return on_open(r, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT: return sv_build_close(r->build);
	default: return SV_OK;
	}
}

/* libyaml's own sentences are fixed texts and quote nothing; where a tab is to blame they do not say so. */
static enum sv_code syntax_error(struct reader *r, const yaml_parser_t *parser, const unsigned char *text, size_t len)
{
	struct sv_place at = { parser->problem_mark.line + 1, parser->problem_mark.column + 1 };
	const unsigned char *p = text, *end = text + len;

	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(r);
	for (size_t line = 1; line < at.line && p < end; line++) {
		const unsigned char *eol = memchr(p, '\n', (size_t)(end - p));

		p = eol == NULL ? end : eol + 1;
	}
	for (size_t column = 1; p < end && (*p == ' ' || *p == '\t'); p++, column++)
		if (*p == '\t')
			return sv_build_fail(r->build, (struct sv_place){ at.line, column }, SV_ERR_USAGE,
					     "a tab in the indentation; YAML is indented with blanks");
	r->where->at = at;
	if (parser->context != NULL && parser->problem != NULL)
		return sv_err_set(r->err, SV_ERR_USAGE, "%s: %s", parser->context, parser->problem);
	return sv_err_set(r->err, SV_ERR_USAGE, "%s", parser->problem != NULL ? parser->problem : "not YAML");
}

enum sv_code sv_yaml_read(const struct sv_doc_style *style, const unsigned char *text, size_t len, struct sv_tree *out,
			  struct sv_doc_place *where, struct sv_err *err)
{
	struct reader r = { out, where, err, sv_build_new(style, out, where, err) };
	size_t documents = 0;
	yaml_parser_t parser;
	yaml_event_t event;
	enum sv_code rc = SV_OK;
	bool done = false;

	if (r.build == NULL || !yaml_parser_initialize(&parser)) {
		sv_build_free(&r.build);
		return no_memory(&r);
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text, len);
	while (rc == SV_OK && !done) {
		if (!yaml_parser_parse(&parser, &event)) {
			rc = syntax_error(&r, &parser, text, len);
			break;
		}
		rc = on_event(&r, &event, &documents);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	if (rc == SV_OK)
		rc = sv_build_end(r.build);
	yaml_parser_delete(&parser);
	sv_build_free(&r.build);
	return rc;
}

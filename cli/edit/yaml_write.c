/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as YAML, through libyaml's emitter.
 *
 * Values that other readers would take for a number, a date, a truth value or nothing are quoted.  Values of several
 * lines are literal blocks wherever libyaml can write them exactly as such, else double-quoted.  libyaml writes no
 * comments, so what has to be shown as one (inherited values, the other side of a conflict) is emitted like the rest,
 * the text is parsed again for the lines its keys are on, and those lines are commented out; keys come in one order in
 * both passes.
 */
#include "cli/edit/doc.h"
#include "cli/edit/metatext.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum mark { MARK_NONE, MARK_HIDDEN = 1, MARK_GHOST = 2, MARK_CONFLICT = 4, MARK_INNER = 8 };

struct writer {
	const struct sv_doc_style *style;
	yaml_emitter_t emitter;
	struct sv_buf *out;
	struct sv_buf marks; /* one byte per key, in order */
	bool any_mark;
	enum sv_code rc; /* of the output handler */
};

static int write_handler(void *ctx, unsigned char *p, size_t n)
{
	struct writer *w = ctx;

	w->rc = sv_buf_put(w->out, p, n);
	return w->rc == SV_OK;
}

static bool emit(struct writer *w, yaml_event_t *event, int made)
{
	return made && yaml_emitter_emit(&w->emitter, event);
}

static bool all_in(const char *p, size_t n, const char *set)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\0' || strchr(set, p[i]) == NULL)
			return false;
	return true;
}

/* Would a reader of YAML 1.1 or 1.2 take this plain text for something that is no string? */
static bool ambiguous(const char *p, size_t n)
{
	static const char *const taken[] = {
		"null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "="
	};

	if (n == 0)
		return true;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strlen(taken[i]) == n && strncasecmp(taken[i], p, n) == 0)
			return true;
	if ((*p >= '0' && *p <= '9') || *p == '+' || *p == '-' || *p == '.')
		return all_in(p, n, "0123456789abcdefABCDEFxXoO_.,:+-tTzZ iInN");
	return false;
}

/* Line ends to YAML 1.1, and the byte order mark: only as escapes. */
static bool hidden_breaks(const char *p, size_t n)
{
	return memmem(p, n, "\xe2\x80\xa8", 3) != NULL || memmem(p, n, "\xe2\x80\xa9", 3) != NULL ||
	       memmem(p, n, "\xc2\x85", 2) != NULL || memmem(p, n, "\xef\xbb\xbf", 3) != NULL;
}

static bool scalar(struct writer *w, const char *p, size_t n, bool value)
{
	yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
	const char *line = n == 0 ? NULL : memchr(p, '\n', n);
	yaml_event_t event;

	if (ambiguous(p, n))
		style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
	else if (hidden_breaks(p, n))
		style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	else if (line != NULL)
		style = value && !all_in(p, n, "\n") ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return emit(w, &event,
		    yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)(n == 0 ? "" : p), (int)n, 1,
						 1, style));
}

static bool text_scalar(struct writer *w, const char *text)
{
	return scalar(w, text, strlen(text), true);
}

static bool binary(struct writer *w, const unsigned char *p, size_t n)
{
	size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
	char *text = sv_secmem_alloc(size);
	yaml_event_t event;
	bool ok;

	if (text == NULL)
		return false;
	(void)sodium_bin2base64(text, size, p, n, sodium_base64_VARIANT_ORIGINAL);
	ok = emit(w, &event,
		  yaml_scalar_event_initialize(&event, NULL, (const yaml_char_t *)"tag:yaml.org,2002:binary",
					       (const yaml_char_t *)text, (int)strlen(text), 0, 0,
					       n == 0 ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE));
	sv_secmem_free(text);
	return ok;
}

static bool value(struct writer *w, const struct sv_item *it)
{
	if (w->style->masked)
		return text_scalar(w, SV_DOC_MASK);
	if (!sv_doc_is_text(it->value, it->value_len))
		return binary(w, it->value, it->value_len);
	return scalar(w, (const char *)it->value, it->value_len, true);
}

static bool key(struct writer *w, const char *p, size_t n, unsigned mark)
{
	if (mark != 0)
		w->any_mark = true;
	return sv_buf_put_u8(&w->marks, (uint8_t)mark) == SV_OK && scalar(w, p, n, false);
}

static bool mapping_start(struct writer *w)
{
	yaml_event_t event;

	return emit(w, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

static bool mapping_end(struct writer *w)
{
	yaml_event_t event;

	return emit(w, &event, yaml_mapping_end_event_initialize(&event));
}

static bool list(struct writer *w, const struct sv_text *t, size_t n)
{
	yaml_event_t event;
	bool ok =
		emit(w, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE));

	for (size_t i = 0; ok && i < n; i++)
		ok = scalar(w, t[i].p, t[i].n, false);
	return ok && emit(w, &event, yaml_sequence_end_event_initialize(&event));
}

static bool metadata(struct writer *w, const struct sv_meta *m, unsigned mark)
{
	struct sv_meta copy = *m;
	char text[SV_METATEXT_BYTES];
	bool ok = true;

	for (int i = 0; ok && i < SV_METAFIELD_COUNT; i++) {
		enum sv_metafield f = (enum sv_metafield)i;
		const char *name = sv_metafield_names[i];
		const struct sv_text *t = sv_metafield_text(&copy, f);

		if (t != NULL && t->n > 0)
			ok = key(w, name, strlen(name), mark) && scalar(w, t->p, t->n, true);
		else if (f == SV_METAFIELD_EXPIRES && m->expires_s != 0) {
			sv_metatext_put_date(m->expires_s, text);
			ok = key(w, name, strlen(name), mark) && text_scalar(w, text);
		} else if (f == SV_METAFIELD_ROTATE && m->rotate_s != 0) {
			sv_metatext_put_period(m->rotate_s, text);
			ok = key(w, name, strlen(name), mark) && text_scalar(w, text);
		} else if (f == SV_METAFIELD_TAGS && m->n_tags > 0)
			ok = key(w, name, strlen(name), mark) && list(w, m->tags, m->n_tags);
		else if (f == SV_METAFIELD_SCOPES && m->n_scopes > 0)
			ok = key(w, name, strlen(name), mark) && list(w, m->scopes, m->n_scopes);
	}
	return ok;
}

static enum sv_code verdict(const struct writer *w, bool ok)
{
	return ok ? SV_OK : w->rc != SV_OK ? w->rc : SV_ERR_NOMEM;
}

static enum sv_code on_group(void *ctx, struct sv_text name, bool hidden)
{
	struct writer *w = ctx;

	return verdict(w, key(w, name.p, name.n, hidden ? MARK_HIDDEN | MARK_INNER : MARK_NONE) && mapping_start(w));
}

static enum sv_code on_end(void *ctx)
{
	return verdict(ctx, mapping_end(ctx));
}

static enum sv_code on_leaf(void *ctx, struct sv_text name, const struct sv_item *it)
{
	struct writer *w = ctx;
	unsigned hidden = it->ghost ? MARK_GHOST : it->inherited ? MARK_HIDDEN : MARK_NONE;
	bool ok = key(w, name.p, name.n, hidden | (it->conflict ? MARK_CONFLICT : 0));

	if (!w->style->full)
		return verdict(w, ok && value(w, it));
	if (hidden != 0)
		hidden |= MARK_INNER;
	ok = ok && mapping_start(w) && key(w, "value", 5, hidden) && value(w, it) && metadata(w, it->meta, hidden) &&
	     mapping_end(w);
	return verdict(w, ok);
}

static enum sv_code emit_all(struct writer *w, const struct sv_tree *tree)
{
	const struct sv_tree_visitor visitor = { on_group, on_leaf, on_end, NULL, w };
	yaml_event_t event;
	enum sv_code rc;
	bool ok;

	if (!yaml_emitter_initialize(&w->emitter))
		return SV_ERR_NOMEM;
	yaml_emitter_set_output(&w->emitter, write_handler, w);
	yaml_emitter_set_unicode(&w->emitter, 1);
	yaml_emitter_set_width(&w->emitter, -1);
	yaml_emitter_set_indent(&w->emitter, 2);
	ok = emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
	     emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) && mapping_start(w);
	rc = verdict(w, ok);
	if (rc == SV_OK)
		rc = sv_tree_walk(tree, &visitor);
	if (rc == SV_OK)
		rc = verdict(w, mapping_end(w) && emit(w, &event, yaml_document_end_event_initialize(&event, 1)) &&
					emit(w, &event, yaml_stream_end_event_initialize(&event)) &&
					yaml_emitter_flush(&w->emitter));
	yaml_emitter_delete(&w->emitter);
	return rc;
}

/* ---- the second pass: comments
 * --------------------------------------------------------------------------------------- */

struct segment {
	size_t line;
	unsigned mark;
};

/* The line each key of the text starts on. */
static enum sv_code find_keys(const struct sv_buf *text, const struct sv_buf *marks, struct segment *seg, size_t n)
{
	bool in_mapping[SV_DOC_DEPTH_MAX + 4] = { false };
	bool want_key = false;
	size_t depth = 0, found = 0;
	yaml_parser_t parser;
	yaml_event_t event;
	bool done = false;

	if (!yaml_parser_initialize(&parser))
		return SV_ERR_NOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text->data + text->off, sv_buf_unread(text));
	while (!done && yaml_parser_parse(&parser, &event)) {
		switch (event.type) {
		case YAML_MAPPING_START_EVENT:
		case YAML_SEQUENCE_START_EVENT:
			if (depth + 1 < sizeof(in_mapping))
				in_mapping[++depth] = event.type == YAML_MAPPING_START_EVENT;
			want_key = in_mapping[depth];
			break;
		case YAML_MAPPING_END_EVENT:
		case YAML_SEQUENCE_END_EVENT:
			if (depth > 0)
				depth--;
			want_key = in_mapping[depth];
			break;
		case YAML_SCALAR_EVENT:
			if (!in_mapping[depth])
				break;
			if (want_key && found < n) {
				seg[found].line = event.start_mark.line;
				seg[found].mark = marks->data[found];
				found++;
			}
			want_key = !want_key;
			break;
		case YAML_STREAM_END_EVENT: done = true; break;
		default: break;
		}
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return done && found == n ? SV_OK : SV_ERR_FAIL;
}

static const char conflict_line[] = "#:sv: conflict: changed here and in the vault; settle it, then delete this line\n";

static enum sv_code comment_out(const struct sv_doc_style *style, const struct sv_buf *text, const struct segment *seg,
				size_t n, struct sv_buf *out)
{
	const char *inherited = style->hidden_note != NULL ? style->hidden_note : "inherited from default";
	const unsigned char *p = text->data + text->off, *end = text->data + text->len;
	size_t line = 0, next = 0;
	unsigned mark = MARK_NONE;
	enum sv_code rc = SV_OK;

	while (rc == SV_OK && p < end) {
		const unsigned char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = eol == NULL ? (size_t)(end - p) : (size_t)(eol - p);
		const char *note = NULL;

		if (next < n && seg[next].line == line) {
			mark = seg[next++].mark;
			if ((mark & (MARK_HIDDEN | MARK_GHOST)) != 0 && (mark & MARK_INNER) == 0)
				note = (mark & MARK_GHOST) != 0 ? "in the vault now" : inherited;
			if ((mark & MARK_CONFLICT) != 0)
				rc = sv_buf_put(out, conflict_line, sizeof(conflict_line) - 1);
		}
		if (rc == SV_OK && (mark & (MARK_HIDDEN | MARK_GHOST)) != 0)
			rc = sv_buf_put(out, "# ", 2);
		if (rc == SV_OK)
			rc = sv_buf_put(out, p, len);
		if (rc == SV_OK && note != NULL) {
			rc = sv_buf_put(out, "  # ", 4);
			if (rc == SV_OK)
				rc = sv_buf_put(out, note, strlen(note));
		}
		if (rc == SV_OK)
			rc = sv_buf_put(out, "\n", 1);
		line++;
		p += len + 1;
	}
	return rc;
}

enum sv_code sv_yaml_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			   struct sv_err *err)
{
	struct sv_buf text = SV_BUF_LOCKED(4 * SV_DOC_BYTES_MAX);
	struct writer w = { .style = style, .out = &text, .marks = SV_BUF_INIT, .rc = SV_OK };
	struct segment *seg = NULL;
	size_t n;
	enum sv_code rc = SV_OK;

	if (style->header != NULL)
		rc = sv_buf_put(out, style->header, strlen(style->header));
	if (rc == SV_OK && tree->n > 0)
		rc = emit_all(&w, tree);
	if (rc != SV_OK || tree->n == 0)
		goto out;
	/* libyaml ends a text with kept line feeds in it by a document end, which nobody needs. */
	if (text.len > 5 && memcmp(text.data + text.len - 5, "\n...\n", 5) == 0)
		text.len -= 4;
	n = w.marks.len;
	if (!w.any_mark) {
		rc = sv_buf_put(out, text.data, text.len);
		goto out;
	}
	seg = calloc(n, sizeof(*seg));
	rc = seg == NULL ? SV_ERR_NOMEM : find_keys(&text, &w.marks, seg, n);
	if (rc == SV_OK)
		rc = comment_out(style, &text, seg, n, out);
out:
	if (rc != SV_OK)
		rc = sv_err_set(err, rc,
				rc == SV_ERR_TOO_BIG ? "the document is too big for one text"
						     : "the document cannot be written as YAML");
	free(seg);
	sv_buf_clear(&w.marks);
	sv_buf_clear(&text);
	return rc;
}

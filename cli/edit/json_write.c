/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as JSON objects.  Bytes that are no UTF-8 are {"!!binary": "base64"}; a group with a secret of that name is
 * kept flat so that the two are never taken for each other.
 */
#include "cli/edit/doc.h"
#include "cli/edit/metatext.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct writer {
	const struct sv_doc_style *style;
	struct sv_buf *out;
	size_t depth;
	bool comma;
	enum sv_code rc;
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (w->rc == SV_OK)
		w->rc = sv_buf_put(w->out, p, n);
}

static void str(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void indent(struct writer *w)
{
	if (w->comma)
		str(w, ",");
	str(w, "\n");
	for (size_t i = 0; i < w->depth; i++)
		str(w, "  ");
	w->comma = true;
}

/* Code points that are shown as escapes: the separators that a reader of lines would stumble over, and what hides. */
static bool escaped_sequence(const unsigned char *p, size_t n, size_t *length, unsigned *code)
{
	size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned c = len == 2 ? p[0] & 0x1fu : len == 3 ? p[0] & 0x0fu : p[0] & 0x07u;

	*length = len;
	if (len > n)
		return false;
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3fu);
	*code = c;
	return c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static void string(struct writer *w, const unsigned char *p, size_t n)
{
	size_t run = 0;
	char escape[8];

	str(w, "\"");
	for (size_t i = 0; i < n;) {
		unsigned code = p[i];
		size_t len = 1;

		bool plain;

		if (p[i] >= 0x80)
			plain = !escaped_sequence(p + i, n - i, &len, &code);
		else
			plain = p[i] >= 0x20 && p[i] != 0x7f && p[i] != '"' && p[i] != '\\';
		if (plain) {
			run += len;
			i += len;
			continue;
		}
		put(w, p + i - run, run);
		run = 0;
		i += len;
		if (code == '\n' || code == '\t' || code == '\r')
			(void)snprintf(escape, sizeof(escape), "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
		else if (code == '"' || code == '\\')
			(void)snprintf(escape, sizeof(escape), "\\%c", (int)code);
		else
			(void)snprintf(escape, sizeof(escape), "\\u%04x", code);
		str(w, escape);
	}
	put(w, p + n - run, run);
	str(w, "\"");
	sv_wipe(escape, sizeof(escape));
}

static void text(struct writer *w, const char *s)
{
	string(w, (const unsigned char *)s, strlen(s));
}

static void key(struct writer *w, const char *p, size_t n)
{
	indent(w);
	string(w, (const unsigned char *)p, n);
	str(w, ": ");
}

static void open_object(struct writer *w)
{
	str(w, "{");
	w->depth++;
	w->comma = false;
}

static void close_object(struct writer *w)
{
	bool empty = !w->comma;

	w->depth--;
	w->comma = false;
	if (!empty)
		indent(w);
	str(w, "}");
	w->comma = true;
}

static void value(struct writer *w, const struct sv_item *it)
{
	size_t size;
	char *base64;

	if (w->style->masked) {
		text(w, SV_DOC_MASK);
		return;
	}
	if (sv_utf8_valid(it->value, it->value_len)) {
		string(w, it->value, it->value_len);
		return;
	}
	size = sodium_base64_ENCODED_LEN(it->value_len, sodium_base64_VARIANT_ORIGINAL);
	base64 = sv_secmem_alloc(size);
	if (base64 == NULL) {
		w->rc = SV_ERR_NOMEM;
		return;
	}
	(void)sodium_bin2base64(base64, size, it->value, it->value_len, sodium_base64_VARIANT_ORIGINAL);
	str(w, "{ \"" SV_DOC_BINARY_KEY "\": ");
	text(w, base64);
	str(w, " }");
	sv_secmem_free(base64);
}

static void list(struct writer *w, const struct sv_text *t, size_t n)
{
	str(w, "[");
	for (size_t i = 0; i < n; i++) {
		str(w, i > 0 ? ", " : "");
		string(w, (const unsigned char *)t[i].p, t[i].n);
	}
	str(w, "]");
}

static void metadata(struct writer *w, const struct sv_meta *m)
{
	struct sv_meta copy = *m;
	char buf[SV_METATEXT_BYTES];

	for (int i = 0; i < SV_METAFIELD_COUNT; i++) {
		enum sv_metafield f = (enum sv_metafield)i;
		const char *name = sv_metafield_names[i];
		const struct sv_text *t = sv_metafield_text(&copy, f);

		if (t != NULL && t->n > 0) {
			key(w, name, strlen(name));
			string(w, (const unsigned char *)t->p, t->n);
		} else if (f == SV_METAFIELD_EXPIRES && m->expires_s != 0) {
			sv_metatext_put_date(m->expires_s, buf);
			key(w, name, strlen(name));
			text(w, buf);
		} else if (f == SV_METAFIELD_ROTATE && m->rotate_s != 0) {
			sv_metatext_put_period(m->rotate_s, buf);
			key(w, name, strlen(name));
			text(w, buf);
		} else if (f == SV_METAFIELD_TAGS && m->n_tags > 0) {
			key(w, name, strlen(name));
			list(w, m->tags, m->n_tags);
		} else if (f == SV_METAFIELD_SCOPES && m->n_scopes > 0) {
			key(w, name, strlen(name));
			list(w, m->scopes, m->n_scopes);
		}
	}
}

static enum sv_code on_group(void *ctx, struct sv_text name, bool hidden)
{
	struct writer *w = ctx;

	(void)hidden;
	key(w, name.p, name.n);
	open_object(w);
	return w->rc;
}

static enum sv_code on_leaf(void *ctx, struct sv_text name, const struct sv_item *it)
{
	struct writer *w = ctx;

	key(w, name.p, name.n);
	if (w->style->full) {
		open_object(w);
		key(w, "value", 5);
		value(w, it);
		metadata(w, it->meta);
		close_object(w);
	} else {
		value(w, it);
	}
	return w->rc;
}

static enum sv_code on_end(void *ctx)
{
	close_object(ctx);
	return ((struct writer *)ctx)->rc;
}

static bool holds_binary_key(const struct sv_item *first, size_t n, struct sv_text group)
{
	for (size_t i = 0; i < n; i++) {
		struct sv_text rest = { first[i].name.p + group.n + 1, first[i].name.n - group.n - 1 };

		if (rest.n >= sizeof(SV_DOC_BINARY_KEY) - 1 &&
		    memcmp(rest.p, SV_DOC_BINARY_KEY, sizeof(SV_DOC_BINARY_KEY) - 1) == 0)
			return true;
	}
	return false;
}

/* JSON has no comments: what the other formats show as one is left out. */
enum sv_code sv_json_doc_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			       struct sv_err *err)
{
	struct writer w = { .style = style, .out = out, .rc = SV_OK };
	const struct sv_tree_visitor visitor = { on_group, on_leaf, on_end, holds_binary_key, &w };
	struct sv_tree own = SV_TREE_INIT;
	enum sv_code rc = SV_OK;

	for (size_t i = 0; rc == SV_OK && i < tree->n; i++)
		if (!tree->items[i].ghost && !tree->items[i].inherited)
			rc = sv_tree_copy(&own, &tree->items[i], NULL, err);
	if (rc == SV_OK) {
		open_object(&w);
		rc = sv_tree_walk(&own, &visitor);
		close_object(&w);
		str(&w, "\n");
		if (rc == SV_OK)
			rc = w.rc;
		if (rc != SV_OK)
			rc = sv_err_set(err, rc, "the document is too big for one text");
	}
	sv_tree_clear(&own);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as NAME=value lines, and back.  Names are the vault's names (they hold no '='), quoted when they would not
 *survive bare.
 *
 *	# comment; empty lines are passed over
 *	NAME=bare          to the end of the line without the blanks around it; no quote, backslash, dollar or ` #` in
 *it NAME='as it is'    no escapes; may go over lines NAME="with \n"     \n \r \t \" \\ \$ \xNN; may go over lines
 *
 * A dollar is never expanded.  `export ` in front of a bare name is allowed.
 */
#include "cli/edit/doc.h"

#include <stdio.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static bool bare_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("_./:@%+,-~^*?()[]{}|<>;&!", c) != NULL);
}

static bool bare(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!bare_byte(p[i]))
			return false;
	return n > 0;
}

/* Length of a run that may stand in double quotes as it is; 0: the byte needs an escape. */
static size_t plain_run(const unsigned char *p, size_t n)
{
	char seen[16];
	size_t len;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f && p[0] != '"' && p[0] != '\\' && p[0] != '$';
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	/* What the escaper leaves as it is can be seen and typed. */
	if (len > n || !sv_utf8_valid(p, len) || sv_escape((const char *)p, len, seen, sizeof(seen)) != len)
		return 0;
	return memcmp(seen, p, len) == 0 ? len : 0;
}

static enum sv_code put_quoted(struct sv_buf *out, const unsigned char *p, size_t n)
{
	enum sv_code rc = sv_buf_put(out, "\"", 1);
	char escape[8];

	for (size_t i = 0; rc == SV_OK && i < n;) {
		size_t len = plain_run(p + i, n - i);

		if (len > 0) {
			rc = sv_buf_put(out, p + i, len);
			i += len;
			continue;
		}
		switch (p[i]) {
		case '\n': memcpy(escape, "\\n", 3); break;
		case '\r': memcpy(escape, "\\r", 3); break;
		case '\t': memcpy(escape, "\\t", 3); break;
		case '"': memcpy(escape, "\\\"", 3); break;
		case '\\': memcpy(escape, "\\\\", 3); break;
		case '$': memcpy(escape, "\\$", 3); break;
		default: (void)snprintf(escape, sizeof(escape), "\\x%02X", p[i]); break;
		}
		rc = sv_buf_put(out, escape, strlen(escape));
		i++;
	}
	sv_wipe(escape, sizeof(escape));
	return rc == SV_OK ? sv_buf_put(out, "\"", 1) : rc;
}

static enum sv_code put_text(struct sv_buf *out, const unsigned char *p, size_t n)
{
	return bare(p, n) ? sv_buf_put(out, p, n) : put_quoted(out, p, n);
}

static enum sv_code put_line(const struct sv_doc_style *style, const struct sv_item *it, struct sv_buf *out)
{
	static const char conflict[] =
		"#:sv: conflict: changed here and in the vault; settle it, then delete this line\n";
	const char *note = it->ghost                    ? "in the vault now"
			   : !it->inherited             ? NULL
			   : style->hidden_note != NULL ? style->hidden_note
							: "inherited from default";
	enum sv_code rc = it->conflict ? sv_buf_put(out, conflict, sizeof(conflict) - 1) : SV_OK;

	if (rc == SV_OK && note != NULL)
		rc = sv_buf_put(out, "# ", 2);
	if (rc == SV_OK)
		rc = put_text(out, (const unsigned char *)it->name.p, it->name.n);
	if (rc == SV_OK)
		rc = sv_buf_put(out, "=", 1);
	if (rc == SV_OK && style->masked)
		rc = sv_buf_put(out, SV_DOC_MASK, strlen(SV_DOC_MASK));
	else if (rc == SV_OK)
		rc = put_text(out, it->value, it->value_len);
	if (rc == SV_OK && note != NULL && (rc = sv_buf_put(out, "  # ", 4)) == SV_OK)
		rc = sv_buf_put(out, note, strlen(note));
	return rc == SV_OK ? sv_buf_put(out, "\n", 1) : rc;
}

enum sv_code sv_env_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			  struct sv_err *err)
{
	enum sv_code rc = style->header == NULL ? SV_OK : sv_buf_put(out, style->header, strlen(style->header));

	for (size_t i = 0; rc == SV_OK && i < tree->n; i++)
		rc = put_line(style, &tree->items[i], out);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "the document is too big for one text");
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct reader {
	const struct sv_doc_style *style;
	struct sv_tree *out;
	struct sv_doc_place *where;
	struct sv_err *err;
	const unsigned char *p, *line_start, *end;
	size_t line;
};

static struct sv_place here(const struct reader *r, const unsigned char *at)
{
	struct sv_place p =
		sv_doc_place_of(r->line_start, (size_t)(r->end - r->line_start), (size_t)(at - r->line_start));

	p.line += r->line - 1;
	return p;
}

static enum sv_code fail(struct reader *r, const unsigned char *at, const char *sentence)
{
	r->where->at = here(r, at);
	return sv_err_set(r->err, SV_ERR_USAGE, "%s", sentence);
}

static void blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
}

static int hex(unsigned char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* One escape; r->p is behind the backslash. */
static bool unescape(struct reader *r, unsigned char *out)
{
	unsigned char c = *r->p++;

	switch (c) {
	case 'n': *out = '\n'; return true;
	case 'r': *out = '\r'; return true;
	case 't': *out = '\t'; return true;
	case '"':
	case '\\':
	case '$': *out = c; return true;
	case 'x':
		if (r->end - r->p < 2 || hex(r->p[0]) < 0 || hex(r->p[1]) < 0)
			return false;
		*out = (unsigned char)(hex(r->p[0]) * 16 + hex(r->p[1]));
		r->p += 2;
		return true;
	default: return false;
	}
}

/* A quoted text into the tree's memory; r->p at the opening quote. */
static enum sv_code quoted(struct reader *r, const unsigned char **p, size_t *n)
{
	const unsigned char *start = r->p, *close = start + 1;
	unsigned char quote = *r->p++, *bytes;
	size_t len = 0;

	while (close < r->end && *close != quote)
		close += *close == '\\' && quote == '"' && close + 1 < r->end ? 2 : 1;
	if (close >= r->end)
		return fail(r, start, "a quote that is never closed");
	bytes = sv_tree_keep(r->out, NULL, (size_t)(close - start));
	if (bytes == NULL)
		return sv_err_set(r->err, SV_ERR_NOMEM, "no memory for the document");
	while (r->p < close) {
		unsigned char c = *r->p++;

		if (c == '\\' && quote == '"') {
			if (!unescape(r, &c))
				return fail(r, r->p - 1,
					    "not an escape; there are \\n \\r \\t \\\" \\\\ \\$ and \\xNN in double "
					    "quotes");
		}
		bytes[len++] = c;
	}
	r->p = close + 1;
	*p = bytes;
	*n = len;
	return SV_OK;
}

static enum sv_code bare_value(struct reader *r, const unsigned char *eol, const unsigned char **p, size_t *n)
{
	const unsigned char *start = r->p, *stop = eol;

	while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	for (const unsigned char *q = start; q < stop; q++)
		if (strchr("\"'\\$`", *q) != NULL || (*q == '#' && (q == start || q[-1] == ' ' || q[-1] == '\t')))
			return fail(r, q,
				    "put the value in single quotes; bare it has no quote, backslash, dollar or "
				    "comment in it");
	if (stop == start && !r->style->skip_empty)
		return fail(r, start, "no value here; write '' for an empty one, or delete the line");
	*p = start;
	*n = (size_t)(stop - start);
	r->p = eol;
	return SV_OK;
}

/* NAME or "NAME" in front of the equals sign; name is a view of the text or of the tree. */
static enum sv_code read_name(struct reader *r, const unsigned char *eol, struct sv_text *name)
{
	const unsigned char *start = r->p, *stop;
	enum sv_code rc;

	if (*r->p == '"' || *r->p == '\'') {
		const unsigned char *p = NULL;

		rc = quoted(r, &p, &name->n);
		name->p = (const char *)p;
		if (rc != SV_OK)
			return rc;
		blanks(r);
		if (r->p >= r->end || *r->p != '=')
			return fail(r, r->p, "an equals sign belongs behind the name");
		r->p++;
		return SV_OK;
	}
	if (eol - start > 7 && memcmp(start, "export ", 7) == 0) {
		r->p += 7;
		blanks(r);
		start = r->p;
	}
	stop = memchr(start, '=', (size_t)(eol - start));
	if (stop == NULL)
		return fail(r, start, "not NAME=value");
	r->p = stop + 1;
	while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	*name = (struct sv_text){ (const char *)start, (size_t)(stop - start) };
	return SV_OK;
}

static enum sv_code read_line(struct reader *r, const unsigned char *eol)
{
	const unsigned char *start = r->p, *value = NULL;
	struct sv_text name = { NULL, 0 };
	struct sv_place at = here(r, start);
	struct sv_item *item;
	size_t len = 0;
	enum sv_code rc = read_name(r, eol, &name);

	if (rc != SV_OK)
		return rc;
	blanks(r);
	if (r->p < r->end && (*r->p == '"' || *r->p == '\'')) {
		if ((rc = quoted(r, &value, &len)) != SV_OK)
			return rc;
		blanks(r);
		if (r->p < r->end && *r->p == '#' && (r->p[-1] == ' ' || r->p[-1] == '\t'))
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		if (r->p < r->end && *r->p != '\n')
			return fail(r, r->p, "text behind the closing quote");
	} else {
		if ((rc = bare_value(r, eol, &value, &len)) != SV_OK)
			return rc;
		if (len == 0) {
			if (r->where->skipped++ == 0)
				r->where->first_skipped = at;
			return SV_OK;
		}
	}
	rc = sv_name_check(name.p, name.n, r->err);
	if (rc == SV_OK)
		rc = sv_tree_add(r->out, name, value, len, NULL, &item, r->err);
	if (rc == SV_OK)
		item->place = at;
	else
		r->where->at = at;
	return rc;
}

enum sv_code sv_env_read(const struct sv_doc_style *style, const unsigned char *text, size_t len, struct sv_tree *out,
			 struct sv_doc_place *where, struct sv_err *err)
{
	struct reader r = { style, out, where, err, text, text, text + len, 1 };
	enum sv_code rc = SV_OK;

	while (rc == SV_OK && r.p < r.end) {
		const unsigned char *eol = memchr(r.p, '\n', (size_t)(r.end - r.p));

		if (eol == NULL)
			eol = r.end;
		r.line_start = r.p;
		blanks(&r);
		if (r.p < eol && *r.p != '#')
			rc = read_line(&r, eol);
		else
			r.p = eol;
		for (const unsigned char *q = r.line_start; q < r.p; q++)
			r.line += *q == '\n';
		if (r.p < r.end)
			r.p++;
		r.line++;
	}
	return rc;
}

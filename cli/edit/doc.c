/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three formats of a document have in common: the look at the raw text before any parser sees it, and the
 * check of the names afterwards.
 */
#include "cli/edit/doc.h"

#include <string.h>

static const char *const words[] = { "yaml", "env", "json" };

bool sv_doc_format_parse(const char *name, enum sv_doc_format *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], name) == 0) {
			*out = (enum sv_doc_format)i;
			return true;
		}
	}
	return false;
}

const char *sv_doc_format_word(enum sv_doc_format f)
{
	return words[f];
}

struct sv_place sv_doc_place_of(const unsigned char *text, size_t len, size_t at)
{
	struct sv_place p = { 1, 1 };

	for (size_t i = 0; i < at && i < len; i++) {
		if (text[i] == '\n') {
			p.line++;
			p.column = 1;
		} else if ((text[i] & 0xc0) != 0x80) {
			p.column++;
		}
	}
	return p;
}

void sv_doc_err_place(struct sv_err *err, const char *what, struct sv_place at)
{
	if (at.line != 0)
		sv_err_prefix(err, "%s, line %zu, column %zu", what, at.line, at.column);
	else
		sv_err_prefix(err, "%s", what);
}

bool sv_doc_is_text(const unsigned char *p, size_t n)
{
	return n == 0 || (memchr(p, 0, n) == NULL && sv_utf8_valid(p, n));
}

/* Length of the UTF-8 sequence at p, 0 when it is none. */
static size_t sequence(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	return len <= n && sv_utf8_valid(p, len) ? len : 0;
}

static const char *complaint(const unsigned char *p, size_t n, size_t at)
{
	unsigned char c = p[at];
	size_t len;

	if (c == '\r')
		return at + 1 < n && p[at + 1] == '\n'
			       ? "a CRLF line end; save the text with Unix line ends"
			       : "a carriage return; in a value write it as \\r in double quotes";
	if (c == 0)
		return "a NUL byte";
	if (c < 0x20 || c == 0x7f)
		return "a control character; in a value write it as an escape in double quotes";
	if (c < 0x80)
		return NULL;
	if (at == 0 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		return "a byte order mark; save the text as UTF-8 without one";
	if (at == 0 && n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0))
		return "the text is UTF-16; save it as UTF-8";
	if ((len = sequence(p + at, n - at)) == 0)
		return "a byte that is not valid UTF-8; write such a value as binary";
	if (len == 2 && c == 0xc2 && p[at + 1] < 0xa0)
		return p[at + 1] == 0x85
			       ? "a next-line character (U+0085); in a value write it as an escape in double quotes"
			       : "a control character; in a value write it as an escape in double quotes";
	if (len == 3 && c == 0xe2 && p[at + 1] == 0x80 && (p[at + 2] == 0xa8 || p[at + 2] == 0xa9))
		return "a line or paragraph separator (U+2028, U+2029); in a value write it as an escape in double "
		       "quotes";
	if (len == 3 && c == 0xef && p[at + 1] == 0xbb && p[at + 2] == 0xbf)
		return "a byte order mark inside the text; in a value write it as an escape in double quotes";
	if (len == 3 && c == 0xef && p[at + 1] == 0xbf && p[at + 2] >= 0xbe)
		return "a code point that is no character; write such a value as binary";
	return NULL;
}

/* Everything that a parser might silently take, change or trip over. */
static enum sv_code scan(const unsigned char *p, size_t n, struct sv_place *at, struct sv_err *err)
{
	size_t i = 0;

	while (i < n) {
		const char *what;

		if ((p[i] >= 0x20 && p[i] < 0x7f) || p[i] == '\n' || p[i] == '\t') {
			i++;
			continue;
		}
		what = complaint(p, n, i);
		if (what != NULL) {
			*at = sv_doc_place_of(p, n, i);
			return sv_err_set(err, SV_ERR_USAGE, "%s", what);
		}
		i += sequence(p + i, n - i);
	}
	return SV_OK;
}

enum sv_code sv_doc_read(const struct sv_doc_style *style, const unsigned char *text, size_t len, struct sv_tree *out,
			 struct sv_doc_place *where, struct sv_err *err)
{
	struct sv_doc_place unused;
	enum sv_code rc;

	if (where == NULL)
		where = &unused;
	*where = (struct sv_doc_place){ 0 };
	if (len == 0)
		return SV_OK;
	if (len > SV_DOC_BYTES_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "the text is larger than %zu MiB", SV_DOC_BYTES_MAX >> 20);
	if ((rc = scan(text, len, &where->at, err)) != SV_OK)
		return rc;
	switch (style->format) {
	case SV_DOC_ENV: rc = sv_env_read(style, text, len, out, where, err); break;
	case SV_DOC_JSON: rc = sv_json_doc_read(style, text, len, out, where, err); break;
	case SV_DOC_YAML:
	default: rc = sv_yaml_read(style, text, len, out, where, err); break;
	}
	return rc != SV_OK ? rc : sv_tree_check(out, &where->at, err);
}

enum sv_code sv_doc_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			  struct sv_err *err)
{
	switch (style->format) {
	case SV_DOC_ENV: return sv_env_write(style, tree, out, err);
	case SV_DOC_JSON: return sv_json_doc_write(style, tree, out, err);
	case SV_DOC_YAML:
	default: return sv_yaml_write(style, tree, out, err);
	}
}

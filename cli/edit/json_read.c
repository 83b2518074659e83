/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to a tree: a strict reader of our own, because strings must come back byte for byte and numbers as they were
 * typed, straight into locked memory, and errors must not quote the text.  Lines that begin with '#' are passed over.
 */
#include "cli/edit/build.h"

#include <sodium.h>
#include <string.h>

struct reader {
	struct sv_tree *out;
	struct sv_err *err;
	struct sv_build *build;
	const unsigned char *text, *p, *end;
	const unsigned char *seen; /* up to here the place is known */
	struct sv_place at;
};

/* Places are asked for in order, so one pass over the text counts them all. */
static struct sv_place place(struct reader *r, const unsigned char *at)
{
	if (at < r->seen)
		return sv_doc_place_of(r->text, (size_t)(r->end - r->text), (size_t)(at - r->text));
	for (; r->seen < at; r->seen++) {
		if (*r->seen == '\n') {
			r->at.line++;
			r->at.column = 1;
		} else if ((*r->seen & 0xc0) != 0x80) {
			r->at.column++;
		}
	}
	return r->at;
}

static enum sv_code fail(struct reader *r, const unsigned char *at, const char *sentence)
{
	return sv_build_fail(r->build, place(r, at), SV_ERR_USAGE, sentence);
}

static void skip(struct reader *r)
{
	while (r->p < r->end) {
		if (*r->p == ' ' || *r->p == '\t' || *r->p == '\n') {
			r->p++;
		} else if (*r->p == '#' && (r->p == r->text || r->p[-1] == '\n')) {
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		} else {
			return;
		}
	}
}

static bool hex4(const unsigned char *p, const unsigned char *end, unsigned *out)
{
	unsigned v = 0;

	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		unsigned char c = p[i];
		unsigned digit = (unsigned)(c >= '0' && c <= '9'   ? c - '0'
					    : c >= 'a' && c <= 'f' ? c - 'a' + 10
					    : c >= 'A' && c <= 'F' ? c - 'A' + 10
								   : 16);

		if (digit == 16)
			return false;
		v = v << 4 | digit;
	}
	*out = v;
	return true;
}

static size_t put_utf8(unsigned char *to, unsigned c)
{
	if (c < 0x80) {
		to[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (unsigned char)(0xc0 | c >> 6);
		to[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (unsigned char)(0xe0 | c >> 12);
		to[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (unsigned char)(0xf0 | c >> 18);
	to[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

/* One escape behind its backslash; false when it is none. */
static bool unescape(struct reader *r, unsigned char *to, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	unsigned char c = *r->p++;
	const char *at = c == '\0' ? NULL : strchr(from, c);
	unsigned hi, lo;

	if (at != NULL) {
		to[(*n)++] = (unsigned char)into[at - from];
		return true;
	}
	if (c != 'u' || !hex4(r->p, r->end, &hi))
		return false;
	r->p += 4;
	if (hi >= 0xdc00 && hi < 0xe000)
		return false;
	if (hi >= 0xd800 && hi < 0xdc00) {
		if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u' || !hex4(r->p + 2, r->end, &lo) ||
		    lo < 0xdc00 || lo >= 0xe000)
			return false;
		r->p += 6;
		hi = 0x10000 + ((hi - 0xd800) << 10 | (lo - 0xdc00));
	}
	*n += put_utf8(to + *n, hi);
	return true;
}

/* A string into the tree's memory; r->p at its quote. */
static enum sv_code read_string(struct reader *r, const unsigned char **p, size_t *n)
{
	const unsigned char *start = r->p, *close = start + 1;
	unsigned char *bytes;
	size_t len = 0;

	while (close < r->end && *close != '"' && *close != '\n')
		close += *close == '\\' && close + 1 < r->end ? 2 : 1;
	if (close >= r->end || *close == '\n')
		return fail(r, start, "a string that is never closed");
	bytes = sv_tree_keep(r->out, NULL, (size_t)(close - start));
	if (bytes == NULL)
		return sv_err_set(r->err, SV_ERR_NOMEM, "no memory for the document");
	for (r->p++; r->p < close;) {
		const unsigned char *at = r->p;

		if (*r->p == '\t')
			return fail(r, at, "a tab in a string; write it as \\t");
		if (*r->p != '\\') {
			bytes[len++] = *r->p++;
			continue;
		}
		r->p++;
		if (!unescape(r, bytes, &len) || r->p > close)
			return fail(r, at, "not an escape of JSON");
	}
	r->p = close + 1;
	*p = bytes;
	*n = len;
	return SV_OK;
}

static size_t literal_len(const struct reader *r)
{
	const unsigned char *q = r->p;

	while (q < r->end && ((*q >= '0' && *q <= '9') || (*q >= 'a' && *q <= 'z') || *q == '.' || *q == '+' ||
			      *q == '-' || *q == 'E'))
		q++;
	return (size_t)(q - r->p);
}

static size_t digits(const unsigned char *p, size_t n, size_t at)
{
	size_t i = at;

	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	return i - at;
}

/* A number as JSON has it. */
static bool is_number(const unsigned char *p, size_t n)
{
	size_t i = n > 0 && p[0] == '-' ? 1 : 0;
	size_t len = digits(p, n, i);

	if (len == 0 || (len > 1 && p[i] == '0'))
		return false;
	i += len;
	if (i < n && p[i] == '.') {
		if ((len = digits(p, n, ++i)) == 0)
			return false;
		i += len;
	}
	if (i < n && (p[i] == 'e' || p[i] == 'E')) {
		i++;
		if (i < n && (p[i] == '+' || p[i] == '-'))
			i++;
		if ((len = digits(p, n, i)) == 0)
			return false;
		i += len;
	}
	return i == n;
}

/* Numbers and truth values are the text that was typed. */
static enum sv_code read_literal(struct reader *r)
{
	const unsigned char *start = r->p;
	size_t n = literal_len(r);
	struct sv_place at = place(r, start);
	unsigned char *bytes;

	if (n == 4 && memcmp(start, "null", 4) == 0) {
		r->p += n;
		return sv_build_nothing(r->build, at);
	}
	if (!(n == 4 && memcmp(start, "true", 4) == 0) && !(n == 5 && memcmp(start, "false", 5) == 0) &&
	    !is_number(start, n))
		return fail(r, start, "not a JSON value; texts stand in double quotes");
	bytes = sv_tree_keep(r->out, start, n);
	if (bytes == NULL)
		return sv_err_set(r->err, SV_ERR_NOMEM, "no memory for the document");
	r->p += n;
	return sv_build_scalar(r->build, bytes, n, at);
}

/* {"!!binary": "..."}: *is says whether that stands here; r->p moves only then. */
static enum sv_code read_binary(struct reader *r, bool *is)
{
	const unsigned char *start = r->p, *p = NULL;
	struct sv_place at;
	unsigned char *bytes;
	size_t n = 0;
	enum sv_code rc;

	*is = false;
	r->p++;
	skip(r);
	if (r->end - r->p < 10 || memcmp(r->p, "\"" SV_DOC_BINARY_KEY "\"", 10) != 0)
		goto no;
	r->p += 10;
	skip(r);
	if (r->p >= r->end || *r->p++ != ':')
		goto no;
	skip(r);
	if (r->p >= r->end || *r->p != '"')
		goto no;
	*is = true;
	at = place(r, start);
	if ((rc = read_string(r, &p, &n)) != SV_OK)
		return rc;
	skip(r);
	if (r->p >= r->end || *r->p++ != '}')
		return fail(r, start, "an object with " SV_DOC_BINARY_KEY " has no other key");
	bytes = sv_tree_keep(r->out, NULL, n + 1);
	if (bytes == NULL)
		return sv_err_set(r->err, SV_ERR_NOMEM, "no memory for the document");
	if (sodium_base642bin(bytes, n + 1, (const char *)p, n, " \n\t", &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return fail(r, start, "what stands under " SV_DOC_BINARY_KEY " is not base64");
	return sv_build_scalar(r->build, bytes, n, at);
no:
	r->p = start;
	return SV_OK;
}

/* What is open: how much, and which of it are arrays, a bit each. */
struct nest {
	size_t depth;
	uint64_t arrays;
};

static bool in_array(const struct nest *n)
{
	return n->depth > 0 && (n->arrays >> (n->depth - 1) & 1) != 0;
}

static enum sv_code read_key(struct reader *r)
{
	const unsigned char *start = r->p, *p = NULL;
	struct sv_place at = place(r, start);
	size_t n = 0;
	enum sv_code rc;

	if (*r->p != '"')
		return fail(r, start, "a name in double quotes belongs here");
	if ((rc = read_string(r, &p, &n)) != SV_OK)
		return rc;
	if ((rc = sv_build_key(r->build, (const char *)p, n, at)) != SV_OK)
		return rc;
	skip(r);
	if (r->p >= r->end || *r->p != ':')
		return fail(r, r->p, "a colon belongs behind the name");
	r->p++;
	return SV_OK;
}

/* A value, or the opening of one; *open says which. */
static enum sv_code read_value(struct reader *r, struct nest *nest, bool *open)
{
	const unsigned char *start = r->p, *p = NULL;
	struct sv_place at = place(r, start);
	bool binary = false;
	size_t n = 0;
	enum sv_code rc;

	*open = false;
	if (*start == '{' && !sv_build_at_top(r->build) && ((rc = read_binary(r, &binary)) != SV_OK || binary))
		return rc;
	if (*start == '{' || *start == '[') {
		if ((rc = sv_build_open(r->build, *start == '[', at)) != SV_OK)
			return rc;
		if (nest->depth == 63)
			return fail(r, start, "nested deeper than 32 levels");
		nest->arrays =
			(nest->arrays & ~(UINT64_C(1) << nest->depth)) | ((uint64_t)(*start == '[') << nest->depth);
		nest->depth++;
		r->p++;
		*open = true;
		return SV_OK;
	}
	if (*start != '"')
		return read_literal(r);
	rc = read_string(r, &p, &n);
	return rc != SV_OK ? rc : sv_build_scalar(r->build, p, n, at);
}

static enum sv_code read_all(struct reader *r)
{
	struct nest nest = { 0, 0 };
	bool first = true; /* of the object or array that is open */
	bool open;
	enum sv_code rc;

	skip(r);
	if (r->p == r->end)
		return SV_OK;
	if (*r->p != '{')
		return fail(r, r->p, "an object belongs here: { \"NAME\": \"value\" }");
	if ((rc = read_value(r, &nest, &open)) != SV_OK)
		return rc;
	while (nest.depth > 0) {
		skip(r);
		if (r->p == r->end)
			return fail(r, r->p, "the text ends in the middle");
		if (*r->p == (in_array(&nest) ? ']' : '}')) {
			r->p++;
			nest.depth--;
			first = false;
			if ((rc = sv_build_close(r->build)) != SV_OK)
				return rc;
			continue;
		}
		if (!first) {
			if (*r->p != ',')
				return fail(r, r->p, "a comma or the end belongs here");
			r->p++;
			skip(r);
			if (r->p == r->end || *r->p == '}' || *r->p == ']')
				return fail(r, r->p, "another entry belongs behind the comma");
		}
		if (!in_array(&nest) && (rc = read_key(r)) != SV_OK)
			return rc;
		skip(r);
		if (r->p == r->end)
			return fail(r, r->p, "the text ends in the middle");
		if ((rc = read_value(r, &nest, &open)) != SV_OK)
			return rc;
		first = open;
	}
	skip(r);
	return r->p == r->end ? SV_OK : fail(r, r->p, "text behind the end");
}

enum sv_code sv_json_doc_read(const struct sv_doc_style *style, const unsigned char *text_bytes, size_t len,
			      struct sv_tree *out, struct sv_doc_place *where, struct sv_err *err)
{
	struct reader r = { out,        err,        sv_build_new(style, out, where, err),
			    text_bytes, text_bytes, text_bytes + len,
			    text_bytes, { 1, 1 } };
	enum sv_code rc;

	if (r.build == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the document");
	rc = read_all(&r);
	if (rc == SV_OK)
		rc = sv_build_end(r.build);
	sv_build_free(&r.build);
	return rc;
}

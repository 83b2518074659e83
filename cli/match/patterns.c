/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of patterns and the choice of which forms a value has.  Relies on forms.c for the encoders and sv_secmem
 * for the bytes.
 */
#include "cli/match/patterns.h"

#include "cli/match/forms.h"
#include "vault/base/name.h"
#include "vault/base/secmem.h"
#include "vault/base/types.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)
#define NEAR        40 /* more than the forms of a value of one line */

struct block {
	struct block *next; /* the block is one sv_secmem allocation, this head first */
	size_t used, size;
};

struct sv_patterns {
	unsigned forms;
	struct block *blocks;
	size_t bytes;
	struct sv_pattern *pats;
	size_t n_pats, cap_pats;
	char **names;
	size_t n_names, cap_names;
	unsigned char *scratch[2];
	size_t scratch_size;
	/* of the value that is being added */
	size_t first;
	uint32_t secret;
	bool word;
	bool big;
};

static const char *const form_words[SV_FORM_COUNT] = {
	"raw", "line", "base64", "base64url", "hex", "url", "json", "xml", "shell",
};

const char *sv_form_word(enum sv_form form)
{
	return (unsigned)form < SV_FORM_COUNT ? form_words[form] : "unknown";
}

struct sv_patterns *sv_patterns_new(unsigned forms)
{
	struct sv_patterns *ps = calloc(1, sizeof(*ps));

	if (ps != NULL)
		ps->forms = forms | 1u << SV_FORM_RAW;
	return ps;
}

static void drop_scratch(struct sv_patterns *ps)
{
	for (size_t i = 0; i < 2; i++) {
		sv_secmem_free(ps->scratch[i]);
		ps->scratch[i] = NULL;
	}
	ps->scratch_size = 0;
}

void sv_patterns_free(struct sv_patterns *ps)
{
	if (ps == NULL)
		return;
	for (struct block *b = ps->blocks, *next; b != NULL; b = next) {
		next = b->next;
		sv_secmem_free(b);
	}
	for (size_t i = 0; i < ps->n_names; i++)
		free(ps->names[i]);
	drop_scratch(ps);
	free(ps->names);
	free(ps->pats);
	free(ps);
}

static unsigned char *take_bytes(struct sv_patterns *ps, size_t n)
{
	struct block *b = ps->blocks;
	unsigned char *p;

	if (n > SV_PATTERN_BYTES_MAX - ps->bytes)
		return NULL;
	if (b == NULL || b->size - b->used < n) {
		/* small vaults take little locked memory: blocks grow with what is there */
		size_t size = ps->bytes < 16384 ? 16384 : ps->bytes < BLOCK_BYTES ? ps->bytes : BLOCK_BYTES;

		if (size < n)
			size = n;
		b = sv_secmem_alloc(sizeof(*b) + size);
		if (b == NULL)
			return NULL;
		b->next = ps->blocks;
		b->used = 0;
		b->size = size;
		ps->blocks = b;
	}
	p = (unsigned char *)(b + 1) + b->used;
	b->used += n;
	ps->bytes += n;
	return p;
}

/*
 * Copy one pattern into the list, unless it is among the last few already; the compiler of engine.h finds the other
 * equal ones.
 */
static enum sv_code put(struct sv_patterns *ps, enum sv_form form, const unsigned char *p, size_t n)
{
	unsigned char *copy;

	if (n == 0 || (!ps->word && n < SV_PATTERN_WORD_BYTES))
		return SV_OK;
	for (size_t i = ps->n_pats - ps->first > NEAR ? ps->n_pats - NEAR : ps->first; i < ps->n_pats; i++) {
		if (ps->pats[i].len == n && memcmp(ps->pats[i].p, p, n) == 0)
			return SV_OK;
	}
	if (ps->n_pats == ps->cap_pats) {
		size_t cap = ps->cap_pats == 0 ? 64 : 2 * ps->cap_pats;
		struct sv_pattern *more = realloc(ps->pats, cap * sizeof(*more)); /* pointers and lengths only */

		if (more == NULL)
			return SV_ERR_NOMEM;
		ps->pats = more;
		ps->cap_pats = cap;
	}
	copy = take_bytes(ps, n);
	if (copy == NULL)
		return SV_ERR_NOMEM;
	memcpy(copy, p, n);
	ps->pats[ps->n_pats++] = (struct sv_pattern){
		.p = copy,
		.len = (uint32_t)n,
		.secret = ps->secret,
		.form = (uint8_t)form,
		.word = ps->word,
	};
	return SV_OK;
}

static bool wanted(const struct sv_patterns *ps, enum sv_form form)
{
	return (ps->forms >> form & 1) != 0;
}

/* How many of a form's n styles to make: the first one only for a big value, so that it does not take a hundred MiB. */
static size_t styles_of(const struct sv_patterns *ps, size_t n)
{
	return ps->big ? 1 : n;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Long enough, not all the same few bytes, and not the armour of PEM and OpenPGP. */
static bool line_counts(const unsigned char *p, size_t n)
{
	unsigned char seen[32] = { 0 };
	unsigned kinds = 0;

	if (n < SV_PATTERN_LINE_MIN)
		return false;
	if (n >= 14 && memcmp(p + n - 5, "-----", 5) == 0 &&
	    (memcmp(p, "-----BEGIN ", 11) == 0 || memcmp(p, "-----END ", 9) == 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned bit = 1u << (p[i] & 7);

		if ((seen[p[i] >> 3] & bit) == 0)
			kinds++;
		seen[p[i] >> 3] = (unsigned char)(seen[p[i] >> 3] | bit);
	}
	sv_wipe(seen, sizeof(seen));
	return kinds >= SV_PATTERN_LINE_KINDS;
}

static enum sv_code put_lines(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	enum sv_code rc = SV_OK;

	for (size_t from = 0; from < n && rc == SV_OK;) {
		const unsigned char *nl = memchr(p + from, '\n', n - from);
		size_t end = nl != NULL ? (size_t)(nl - p) : n, a = from, b = end;

		while (a < b && is_blank(p[a]))
			a++;
		while (b > a && is_blank(p[b - 1]))
			b--;
		if (line_counts(p + a, b - a))
			rc = put(ps, SV_FORM_LINE, p + a, b - a);
		from = end + 1;
	}
	return rc;
}

/* The value with the other line ends: what a terminal makes of LF, or what a tool makes of CRLF. */
static enum sv_code put_line_ends(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	unsigned char *out = ps->scratch[0];
	bool crlf = memchr(p, '\r', n) != NULL;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (crlf && p[i] == '\r' && i + 1 < n && p[i + 1] == '\n')
			continue;
		if (!crlf && p[i] == '\n')
			out[len++] = '\r';
		out[len++] = p[i];
	}
	return put(ps, SV_FORM_RAW, out, len);
}

static enum sv_code put_base64(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	static const char *const eols[] = { "\n", "\r\n" };
	static const size_t columns[] = { 64, 76 };
	unsigned char *out = ps->scratch[0], *broken = ps->scratch[1];
	enum sv_code rc = SV_OK;

	for (unsigned i = 0; i < 6 && rc == SV_OK; i++) {
		enum sv_form form = i < 3 ? SV_FORM_BASE64 : SV_FORM_BASE64URL;

		if (wanted(ps, form))
			rc = put(ps, form, out, sv_form_base64(out, p, n, i % 3, i >= 3));
	}
	if (!wanted(ps, SV_FORM_BASE64))
		return rc;
	size_t len = sv_form_base64(out, p, n, 0, false);

	for (unsigned i = 0; i < 4 && rc == SV_OK; i++) {
		if (len > columns[i / 2])
			rc = put(ps, SV_FORM_BASE64, broken,
				 sv_form_wrap(broken, out, len, columns[i / 2], eols[i % 2]));
	}
	return rc;
}

static enum sv_code put_url(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	/*
	 * RFC 3986; the same with '+'; encodeURIComponent; with '/' (Python quote); application/x-www-form-urlencoded
	 */
	static const struct {
		const char *keep;
		bool plus;
	} sets[] = {
		{ "-_.~", false }, { "-_.~", true }, { "-_.~!*'()", false }, { "-_.~/", false }, { "-_.*", true }
	};
	unsigned char *out = ps->scratch[0];
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < styles_of(ps, 2 * sizeof(sets) / sizeof(sets[0])) && rc == SV_OK; i++)
		rc = put(ps, SV_FORM_URL, out, sv_form_url(out, p, n, sets[i / 2].keep, sets[i / 2].plus, i % 2 == 0));
	return rc;
}

static enum sv_code put_json(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	static const struct sv_json_style styles[] = {
		{ .slash = false },
		{ .upper = true },
		{ .slash = true },
		{ .html = true },
		{ .ascii = true },
		{ .ascii = true, .upper = true },
		{ .ascii = true, .slash = true },
	};
	unsigned char *out = ps->scratch[0], *twice = ps->scratch[1];
	bool utf8 = sv_utf8_valid(p, n);
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < styles_of(ps, sizeof(styles) / sizeof(styles[0])) && rc == SV_OK; i++) {
		if (!styles[i].ascii || utf8)
			rc = put(ps, SV_FORM_JSON, out, sv_form_json(out, p, n, styles[i]));
	}
	if (rc == SV_OK && !ps->big) {
		size_t len = sv_form_json(out, p, n, styles[0]);

		rc = put(ps, SV_FORM_JSON, twice, sv_form_json(twice, out, len, styles[0]));
	}
	return rc;
}

static enum sv_code put_xml(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	static const struct {
		const char *quot, *apos;
	} styles[] = { { NULL, NULL },         { "&quot;", NULL },     { "&quot;", "&apos;" }, { "&quot;", "&#39;" },
		       { "&quot;", "&#x27;" }, { "&quot;", "&#039;" }, { "&#34;", "&#39;" } };
	unsigned char *out = ps->scratch[0];
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < styles_of(ps, sizeof(styles) / sizeof(styles[0])) && rc == SV_OK; i++)
		rc = put(ps, SV_FORM_XML, out, sv_form_xml(out, p, n, styles[i].quot, styles[i].apos));
	return rc;
}

static enum sv_code put_shell(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	unsigned char *out = ps->scratch[0];
	enum sv_code rc;

	if ((rc = put(ps, SV_FORM_SHELL, out, sv_form_single(out, p, n, "'\\''"))) != SV_OK ||
	    (rc = put(ps, SV_FORM_SHELL, out, sv_form_single(out, p, n, "'\"'\"'"))) != SV_OK ||
	    (rc = put(ps, SV_FORM_SHELL, out, sv_form_backslash(out, p, n, "$`\"\\"))) != SV_OK ||
	    (rc = put(ps, SV_FORM_SHELL, out, sv_form_backslash(out, p, n, " !\"#$&'()*,;<>?[\\]^`{|}"))) != SV_OK)
		return rc;
	return put(ps, SV_FORM_SHELL, out, sv_form_ansi_c(out, p, n));
}

static enum sv_code put_hex(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	unsigned char *out = ps->scratch[0];
	enum sv_code rc = put(ps, SV_FORM_HEX, out, sv_form_hex(out, p, n, false));

	return rc != SV_OK ? rc : put(ps, SV_FORM_HEX, out, sv_form_hex(out, p, n, true));
}

static enum sv_code put_all(struct sv_patterns *ps, const unsigned char *p, size_t n)
{
	enum sv_code rc = put(ps, SV_FORM_RAW, p, n);

	if (rc == SV_OK && memchr(p, '\n', n) != NULL) {
		rc = put_line_ends(ps, p, n);
		if (rc == SV_OK && !ps->word && wanted(ps, SV_FORM_LINE))
			rc = put_lines(ps, p, n);
	}
	if (rc == SV_OK && !ps->word)
		rc = put_base64(ps, p, n);
	if (rc == SV_OK && wanted(ps, SV_FORM_HEX) && n >= 3)
		rc = put_hex(ps, p, n);
	if (rc == SV_OK && wanted(ps, SV_FORM_URL))
		rc = put_url(ps, p, n);
	if (rc == SV_OK && wanted(ps, SV_FORM_JSON))
		rc = put_json(ps, p, n);
	if (rc == SV_OK && wanted(ps, SV_FORM_XML))
		rc = put_xml(ps, p, n);
	if (rc == SV_OK && wanted(ps, SV_FORM_SHELL))
		rc = put_shell(ps, p, n);
	return rc;
}

/*
 * Scratch for the longest form of n bytes: two encoders may follow each other, so the second has room for the first's
 * output.
 */
static bool make_scratch(struct sv_patterns *ps, size_t n)
{
	size_t size = sv_form_room(n);

	if (size <= ps->scratch_size)
		return true;
	drop_scratch(ps);
	for (size_t i = 0; i < 2; i++) {
		ps->scratch[i] = sv_secmem_alloc(size);
		if (ps->scratch[i] == NULL)
			return false;
	}
	ps->scratch_size = size;
	return true;
}

static enum sv_code put_name(struct sv_patterns *ps, const char *name, size_t name_len)
{
	size_t need = sv_escape(name, name_len, NULL, 0) + 1;
	char *copy;

	if (ps->n_names == ps->cap_names) {
		size_t cap = ps->cap_names == 0 ? 16 : 2 * ps->cap_names;
		char **more = realloc(ps->names, cap * sizeof(*more));

		if (more == NULL)
			return SV_ERR_NOMEM;
		ps->names = more;
		ps->cap_names = cap;
	}
	copy = malloc(need);
	if (copy == NULL)
		return SV_ERR_NOMEM;
	(void)sv_escape(name, name_len, copy, need);
	ps->names[ps->n_names++] = copy;
	return SV_OK;
}

enum sv_code sv_patterns_add(struct sv_patterns *ps, const char *name, size_t name_len, const void *value, size_t len,
			     struct sv_err *err)
{
	const unsigned char *p = value;
	enum sv_code rc;

	if (len > SV_VALUE_MAX || name_len > SV_NAME_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "a value of %zu bytes is over the limit", len);
	if (ps->n_names >= SV_PATTERN_SECRETS_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "more than %d values to look for", SV_PATTERN_SECRETS_MAX);
	while (len > 0 && p[len - 1] == '\n')
		len -= len > 1 && p[len - 2] == '\r' ? 2 : 1;
	rc = put_name(ps, name, name_len);
	if (rc == SV_OK && len > 0) {
		ps->first = ps->n_pats;
		ps->secret = (uint32_t)(ps->n_names - 1);
		ps->word = len < SV_PATTERN_WORD_BYTES;
		ps->big = len > SV_PATTERN_BIG_BYTES;
		rc = make_scratch(ps, len) ? put_all(ps, p, len) : SV_ERR_NOMEM;
	}
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for what to look for");
}

size_t sv_patterns_count(const struct sv_patterns *ps)
{
	return ps->n_pats;
}

const struct sv_pattern *sv_patterns_at(const struct sv_patterns *ps, size_t i)
{
	return &ps->pats[i];
}

size_t sv_patterns_secrets(const struct sv_patterns *ps)
{
	return ps->n_names;
}

const char *sv_patterns_name(const struct sv_patterns *ps, size_t secret)
{
	return ps->names[secret];
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patterns.[ch] and forms.[ch]: which forms a value has, and that encoders written here a second time meet them in
 * any surroundings.
 */
#include "tests/support/sv_test.h"

#include "cli/match/engine.h"
#include "tests/support/match_oracle.h"
#include "vault/base/secmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES   40
#define ROUNDS   20000
#define TEXT_MAX 4096

static uint64_t seed;

static size_t below(size_t n)
{
	return (size_t)(oracle_random(&seed) % n);
}

static bool has(const struct sv_patterns *ps, enum sv_form form, const char *text)
{
	for (size_t i = 0; i < sv_patterns_count(ps); i++) {
		const struct sv_pattern *p = sv_patterns_at(ps, i);

		if (p->form == form && p->len == strlen(text) && memcmp(p->p, text, p->len) == 0)
			return true;
	}
	return false;
}

static struct sv_patterns *patterns_of(const char *value, unsigned forms)
{
	struct sv_patterns *ps = sv_patterns_new(forms);

	assert_non_null(ps);
	assert_int_equal(sv_patterns_add(ps, "N", 1, value, strlen(value), NULL), SV_OK);
	return ps;
}

static void each_form_is_there(void **state)
{
	static const struct {
		const char *value;
		enum sv_form form;
		const char *pattern;
	} table[] = {
		{ "hunter2secret", SV_FORM_RAW, "hunter2secret" },
		{ "hunter2secret\r\n\n", SV_FORM_RAW, "hunter2secret" },
		{ "hunter2secret", SV_FORM_BASE64, "aHVudGVyMnNlY3Jld" },
		{ "hunter2secret", SV_FORM_BASE64, "h1bnRlcjJzZWNyZX" },
		{ "hunter2secret", SV_FORM_BASE64, "odW50ZXIyc2VjcmV0" },
		{ "\xfb\xff\xfe\xfb\xff\xfe", SV_FORM_BASE64, "+//++//+" },
		{ "\xfb\xff\xfe\xfb\xff\xfe", SV_FORM_BASE64URL, "-__--__-" },
		{ "hunter2secret", SV_FORM_HEX, "68756e74657232736563726574" },
		{ "hunter2secret", SV_FORM_HEX, "68756E74657232736563726574" },
		{ "a b/c~d*e!", SV_FORM_URL, "a%20b%2Fc~d%2Ae%21" },
		{ "a b/c~d*e!", SV_FORM_URL, "a%20b%2fc~d%2ae%21" },
		{ "a b/c~d*e!", SV_FORM_URL, "a+b%2Fc~d%2Ae%21" },
		{ "a b/c~d*e!", SV_FORM_URL, "a+b%2fc~d%2ae%21" },
		{ "a b/c~d*e!", SV_FORM_URL, "a%20b%2Fc~d*e!" },
		{ "a b/c~d*e!", SV_FORM_URL, "a%20b/c~d%2Ae%21" },
		{ "a b/c~d*e!", SV_FORM_URL, "a+b%2Fc%7Ed*e%21" },
		{ "say \"hi\"\n/\\", SV_FORM_JSON, "say \\\"hi\\\"\\n/\\\\" },
		{ "say \"hi\"\n/\\", SV_FORM_JSON, "say \\\"hi\\\"\\n\\/\\\\" },
		{ "say \"hi\"\n/\\", SV_FORM_JSON, "say \\\\\\\"hi\\\\\\\"\\\\n/\\\\\\\\" },
		{ "bell\x1f end", SV_FORM_JSON, "bell\\u001f end" },
		{ "bell\x1f end", SV_FORM_JSON, "bell\\u001F end" },
		{ "na\xc3\xafve \xf0\x9f\x98\x80", SV_FORM_JSON, "na\\u00efve \\ud83d\\ude00" },
		{ "a<b>&c end", SV_FORM_JSON, "a\\u003cb\\u003e\\u0026c end" },
		{ "a<b>&c\"d'", SV_FORM_XML, "a&lt;b&gt;&amp;c\"d'" },
		{ "a<b>&c\"d'", SV_FORM_XML, "a&lt;b&gt;&amp;c&quot;d&apos;" },
		{ "a<b>&c\"d'", SV_FORM_XML, "a&lt;b&gt;&amp;c&quot;d&#39;" },
		{ "a<b>&c\"d'", SV_FORM_XML, "a&lt;b&gt;&amp;c&quot;d&#x27;" },
		{ "a<b>&c\"d'", SV_FORM_XML, "a&lt;b&gt;&amp;c&#34;d&#39;" },
		{ "it's $5 `x`", SV_FORM_SHELL, "it'\\''s $5 `x`" },
		{ "it's $5 `x`", SV_FORM_SHELL, "it'\"'\"'s $5 `x`" },
		{ "it's $5 `x`", SV_FORM_SHELL, "it's \\$5 \\`x\\`" },
		{ "it's $5 `x`", SV_FORM_SHELL, "it\\'s\\ \\$5\\ \\`x\\`" },
		{ "tab\there\n1'", SV_FORM_SHELL, "tab\\there\\n1\\'" },
		{ "first line\n  second line\t\nx\n", SV_FORM_LINE, "first line" },
		{ "first line\n  second line\t\nx\n", SV_FORM_LINE, "second line" },
		{ "first line\n  second line\t\nx\n", SV_FORM_RAW, "first line\r\n  second line\t\r\nx" },
		{ "first line\r\nsecond line", SV_FORM_RAW, "first line\nsecond line" },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		struct sv_patterns *ps = patterns_of(table[i].value, SV_FORMS_ALL);

		if (!has(ps, table[i].form, table[i].pattern))
			fail_msg("row %zu: no %s form of %s", i, sv_form_word(table[i].form), table[i].value);
		sv_patterns_free(ps);
	}
}

static void what_would_mask_everything_is_left_out(void **state)
{
	static const char json[] = "{\n  \"a\": 1,\n  \"private_key\": \"xyz\"\n}\n";
	static const char pem[] =
		"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n==========\n-----END PRIVATE KEY-----\n";
	struct sv_patterns *ps = patterns_of(json, SV_FORMS_ALL);

	(void)state;
	assert_false(has(ps, SV_FORM_LINE, "{"));
	assert_false(has(ps, SV_FORM_LINE, "}"));
	assert_false(has(ps, SV_FORM_LINE, "\"a\": 1,"));
	assert_true(has(ps, SV_FORM_LINE, "\"private_key\": \"xyz\""));
	sv_patterns_free(ps);
	ps = patterns_of(pem, SV_FORMS_ALL);
	assert_true(has(ps, SV_FORM_LINE, "MIIEvQIBADANBgkq"));
	assert_false(has(ps, SV_FORM_LINE, "-----BEGIN PRIVATE KEY-----"));
	assert_false(has(ps, SV_FORM_LINE, "-----END PRIVATE KEY-----"));
	assert_false(has(ps, SV_FORM_LINE, "=========="));
	sv_patterns_free(ps);
}

static void short_values_are_words_and_equal_forms_are_one(void **state)
{
	struct sv_patterns *ps = patterns_of("ab", SV_FORMS_ALL);

	(void)state;
	assert_int_equal(sv_patterns_count(ps), 1);
	assert_true(sv_patterns_at(ps, 0)->word);
	sv_patterns_free(ps);
	ps = patterns_of("abcde", SV_FORMS_ALL);
	assert_int_equal(sv_patterns_count(ps), 2); /* hex in one case: no letter in it */
	sv_patterns_free(ps);
	ps = patterns_of("abcdef", SV_FORMS_RAW);
	assert_int_equal(sv_patterns_count(ps), 1);
	assert_false(sv_patterns_at(ps, 0)->word);
	sv_patterns_free(ps);
	ps = patterns_of("\n", SV_FORMS_ALL);
	assert_int_equal(sv_patterns_count(ps), 0);
	assert_int_equal(sv_patterns_secrets(ps), 1);
	sv_patterns_free(ps);
	for (size_t n = SV_PATTERN_WORD_BYTES; n < 40; n++) {
		char v[64] = { 0 };

		for (size_t i = 0; i < n; i++)
			v[i] = (char)('!' + i * 37 % 90);
		ps = patterns_of(v, SV_FORMS_ALL);
		for (size_t i = 0; i < sv_patterns_count(ps); i++)
			assert_true(sv_patterns_at(ps, i)->len >= SV_PATTERN_WORD_BYTES);
		sv_patterns_free(ps);
	}
}

static void names_are_escaped_and_limits_hold(void **state)
{
	struct sv_patterns *ps = sv_patterns_new(SV_FORMS_ALL);
	struct sv_err err = SV_ERR_INIT;
	char *big = calloc(1, ((size_t)1 << 20) + 1);

	(void)state;
	assert_true(ps != NULL && big != NULL);
	assert_int_equal(sv_patterns_add(ps, "a\033b", 3, "value-1", 7, &err), SV_OK);
	assert_string_equal(sv_patterns_name(ps, 0), "a\\x1bb");
	assert_int_equal(sv_patterns_add(ps, "n", 1, big, ((size_t)1 << 20) + 1, &err), SV_ERR_TOO_BIG);
	assert_int_equal(sv_patterns_add(ps, "n", 1, big, (size_t)1 << 20, &err), SV_OK);
	sv_patterns_free(ps);
	free(big);
}

/* Encoders that share nothing with forms.c. */

static size_t encode_base64(char *out, const unsigned char *p, size_t n, bool url)
{
	const char *set = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			      : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = 0;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v =
			(uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
		size_t chars = n - i >= 3 ? 4 : n - i + 1;

		for (size_t k = 0; k < chars; k++)
			out[len++] = set[v >> (18 - 6 * k) & 63];
		while (!url && chars++ < 4)
			out[len++] = '=';
	}
	return len;
}

/* style: 'x' and 'X' hex, '%' and '^' the same behind a percent sign, '\\' a backslash; special NULL: every byte. */
static size_t encode_each(char *out, const unsigned char *p, size_t n, const char *special, char style)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (special != NULL && strchr(special, p[i]) == NULL)
			out[len++] = (char)p[i];
		else if (style == '\\')
			len += (size_t)sprintf(out + len, "\\%c", p[i]);
		else if (style == 'x' || style == 'X')
			len += (size_t)sprintf(out + len, style == 'x' ? "%02x" : "%02X", p[i]);
		else
			len += (size_t)sprintf(out + len, style == '^' ? "%%%02x" : "%%%02X", p[i]);
	}
	return len;
}

static size_t encode(char *out, const unsigned char *p, size_t n, unsigned kind)
{
	size_t len = 0;

	switch (kind) {
	case 0:
	case 1: return encode_base64(out, p, n, kind == 1);
	case 2: return encode_each(out, p, n, NULL, 'x');
	case 3: return encode_each(out, p, n, NULL, 'X');
	case 4: return encode_each(out, p, n, " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}", '%');
	case 5: return encode_each(out, p, n, " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}", '^');
	case 6: return encode_each(out, p, n, "\"\\", '\\');
	case 7: return encode_each(out, p, n, " !\"#$&'()*,;<>?[\\]^`{|}", '\\');
	case 8:
		for (size_t i = 0; i < n; i++) {
			const char *e = p[i] == '&'   ? "&amp;"
					: p[i] == '<' ? "&lt;"
					: p[i] == '>' ? "&gt;"
					: p[i] == '"' ? "&quot;"
						      : NULL;

			if (e != NULL)
				len += (size_t)sprintf(out + len, "%s", e);
			else
				out[len++] = (char)p[i];
		}
		return len;
	default: memcpy(out, p, n); return n;
	}
}

#define KINDS 10

struct hit {
	uint32_t secret;
	size_t from, to; /* bytes of the text that must not be left alone */
	bool found;
};

static enum sv_code look(void *ctx, const struct sv_find *f)
{
	struct hit *h = ctx;

	for (unsigned i = 0; i < f->n_who; i++) {
		if (f->who[i].secret == h->secret && f->start <= h->from && f->end >= h->to)
			h->found = true;
	}
	return SV_OK;
}

/*
 * Every kind, 20,000 values in surroundings of their own; none may be missed, and what is found covers the encoding's
 * core.
 */
static void no_encoding_in_any_surroundings_is_missed(void **state)
{
	struct sv_patterns *ps = sv_patterns_new(SV_FORMS_ALL);
	struct sv_match_set *set;
	struct sv_match *m;
	unsigned char values[VALUES][48], plain[256];
	size_t lens[VALUES];
	char *text = malloc(TEXT_MAX);

	(void)state;
	seed = 7;
	assert_true(ps != NULL && text != NULL);
	for (size_t i = 0; i < VALUES; i++) {
		lens[i] = 6 + below(40);
		for (size_t k = 0; k < lens[i]; k++)
			values[i][k] = (unsigned char)(33 + below(94));
		assert_int_equal(sv_patterns_add(ps, "N", 1, values[i], lens[i], NULL), SV_OK);
	}
	assert_int_equal(sv_match_compile(ps, &set, NULL), SV_OK);
	m = sv_match_new(set, 0);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (size_t round = 0; round < ROUNDS; round++) {
			struct hit h = { .secret = (uint32_t)below(VALUES) };
			size_t before = below(24), behind = below(24), n = before + lens[h.secret] + behind, len;

			for (size_t k = 0; k < n; k++)
				plain[k] = (unsigned char)(kind < 4 ? below(256) : 'a' + below(26));
			memcpy(plain + before, values[h.secret], lens[h.secret]);
			len = encode(text, plain, n, kind);
			if (kind < 2) {
				h.from = (8 * before + 5) / 6;
				h.to = 8 * (before + lens[h.secret]) / 6;
			} else {
				char scratch[512];

				h.from = encode(scratch, plain, before, kind);
				h.to = encode(scratch, plain, before + lens[h.secret], kind);
			}
			sv_match_reset(m);
			assert_int_equal(sv_match_scan(m, text, len, true, look, &h, NULL), SV_OK);
			if (!h.found)
				fail_msg("kind %u round %zu: %zu bytes before, %zu in the value", kind, round, before,
					 lens[h.secret]);
		}
	}
	sv_match_free(m);
	sv_match_set_free(set);
	sv_patterns_free(ps);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_is_there),
		cmocka_unit_test(what_would_mask_everything_is_left_out),
		cmocka_unit_test(short_values_are_words_and_equal_forms_are_one),
		cmocka_unit_test(names_are_escaped_and_limits_hold),
		cmocka_unit_test(no_encoding_in_any_surroundings_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

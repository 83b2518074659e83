/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that is no document: each is refused with a place, and no message holds a value.
 */
#include "cli/edit/doc.h"
#include "tests/support/sv_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY "Kanarienvogel"

struct bad {
	const char *text;
	size_t len; /* 0: strlen */
	size_t line, column;
	const char *says;
};

#define BYTES(s) s, sizeof(s) - 1

static void refuse(const struct sv_doc_style *style, const struct bad *b)
{
	struct sv_tree t = SV_TREE_INIT;
	struct sv_doc_place where;
	struct sv_err err = SV_ERR_INIT;
	size_t len = b->len != 0 ? b->len : strlen(b->text);

	if (sv_doc_read(style, (const unsigned char *)b->text, len, &t, &where, &err) == SV_OK)
		fail_msg("taken: %s", b->text);
	if (where.at.line != b->line || where.at.column != b->column || strstr(err.msg, b->says) == NULL)
		fail_msg("%s: line %zu, column %zu: %s", b->text, where.at.line, where.at.column, err.msg);
	assert_null(strstr(err.msg, CANARY));
	sv_tree_clear(&t);
}

static void yaml_that_is_refused(void **state)
{
	static const struct bad table[] = {
		{ "a: " CANARY "\na: " CANARY "\n", 0, 2, 1, "already on line 1" },
		{ "a:\n  b: " CANARY "\na/b: x\n", 0, 3, 1, "already on line 2" },
		{ "g:\n  a: x\nh: y\ng:\n  b: " CANARY "\n", 0, 4, 1, "already on line 1" },
		{ "a: [" CANARY "]\n", 0, 1, 4, "a list where a value belongs" },
		{ "- " CANARY "\n", 0, 1, 1, "a list where NAME: value belongs" },
		{ CANARY "\n", 0, 1, 1, "no mapping here" },
		{ "a: &x " CANARY "\nb: *x\n", 0, 1, 4, "anchors" },
		{ "a: *" CANARY "\n", 0, 1, 4, "aliases" },
		{ "<<: " CANARY "\n", 0, 1, 1, "merge keys" },
		{ "a: !!int " CANARY "\n", 0, 1, 4, "tags" },
		{ "a: !secret " CANARY "\n", 0, 1, 4, "tags" },
		{ "a: !!map {" CANARY ": x}\n", 0, 1, 4, "tags" },
		{ "%TAG ! !x\n---\na: " CANARY "\n", 0, 1, 1, "%TAG" },
		{ "a: !!binary (" CANARY "\n", 0, 1, 4, "base64" },
		{ "!!binary YQ==: " CANARY "\n", 0, 1, 1, "!!binary" },
		{ "a: 1\nb:\nc: " CANARY "\n", 0, 2, 3, "no value here" },
		{ "a:\n\tb: " CANARY "\n", 0, 2, 1, "tab" },
		{ "a: " CANARY "\r\nb: x\r\n", 0, 1, 17, "CRLF" },
		{ "a: x\rb\n", 0, 1, 5, "carriage return" },
		{ BYTES("\xef\xbb\xbf"
			"a: " CANARY "\n"),
		  1, 1, "byte order mark" },
		{ BYTES("a: b\nc: \xef\xbb\xbf\n"), 2, 4, "byte order mark" },
		{ BYTES("\xff\xfe"
			"a\0:\0"),
		  1, 1, "UTF-16" },
		{ BYTES("a: b\nc: " CANARY "\0\n"), 2, 17, "NUL" },
		{ BYTES("a: \x01" CANARY "\n"), 1, 4, "control" },
		{ BYTES("a: \xc2\x85\n"), 1, 4, "U+0085" },
		{ BYTES("a: \xe2\x80\xa8\n"), 1, 4, "U+2028" },
		{ BYTES("\xc3\xa4: \xff" CANARY "\n"), 1, 4, "UTF-8" },
		{ BYTES("a: \xed\xa0\x80\n"), 1, 4, "UTF-8" },
		{ "\xc3\xa4: x\na\xcc\x88: " CANARY "\n", 0, 2, 1, "line 1" },
		{ "a: x\n--- \nb: " CANARY "\n", 0, 2, 1, "second document" },
		{ "a=b: " CANARY "\n", 0, 1, 1, "" },
		{ "a//b: " CANARY "\n", 0, 1, 1, "" },
		{ "../x: " CANARY "\n", 0, 1, 1, "" },
		{ "? [a]\n: " CANARY "\n", 0, 1, 3, "cannot stand here" },
		{ "'': " CANARY "\n", 0, 1, 1, "without a name" },
		{ "a: \"" CANARY "\n", 0, 2, 1, "" },
		{ "a: " CANARY ": x\n", 0, 1, 17, "mapping values are not allowed" },
		{ "a: {" CANARY ": x\n", 0, 2, 1, "" },
	};
	const struct sv_doc_style style = { .format = SV_DOC_YAML };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++)
		refuse(&style, &table[i]);
}

static void full_yaml_that_is_refused(void **state)
{
	static const struct bad table[] = {
		{ "a: " CANARY "\n", 0, 1, 1, "under `value`" },
		{ "a:\n  desc: " CANARY "\n", 0, 2, 3, "without a `value`" },
		{ "a:\n  x: " CANARY "\n", 0, 2, 3, "under `value`" },
		{ "a:\n  value: x\n  colour: " CANARY "\n", 0, 3, 3, "beside `value`" },
		{ "a:\n  value: x\n  b:\n    value: " CANARY "\n", 0, 3, 3, "no other secrets" },
		{ "a:\n  value: x\n  value: " CANARY "\n", 0, 3, 3, "twice" },
		{ "a:\n  value: x\n  desc: y\n  desc: " CANARY "\n", 0, 4, 3, "twice" },
		{ "a:\n  value: x\n  expires: " CANARY "\n", 0, 3, 3, "not a date" },
		{ "a:\n  value: x\n  expires: 2031-02-30\n", 0, 3, 3, "not a date" },
		{ "a:\n  value: x\n  rotate: " CANARY "\n", 0, 3, 3, "not a period" },
		{ "a:\n  value: x\n  tags: " CANARY "\n", 0, 3, 3, "a list belongs here" },
		{ "a:\n  value: [x]\n", 0, 2, 10, "a list where a value belongs" },
	};
	const struct sv_doc_style style = { .format = SV_DOC_YAML, .full = true };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++)
		refuse(&style, &table[i]);
}

static void env_lines_that_are_refused(void **state)
{
	static const struct bad table[] = {
		{ "A=x\nA=" CANARY "\n", 0, 2, 1, "already on line 1" },
		{ "A=x\n" CANARY "\n", 0, 2, 1, "not NAME=value" },
		{ "A='" CANARY "\n", 0, 1, 3, "never closed" },
		{ "A=" CANARY "'x\n", 0, 1, 16, "single quotes" },
		{ "A=$" CANARY "\n", 0, 1, 3, "single quotes" },
		{ "A=" CANARY " # x\n", 0, 1, 17, "single quotes" },
		{ "A=\"\\q\"\n", 0, 1, 5, "not an escape" },
		{ "A='x' " CANARY "\n", 0, 1, 7, "closing quote" },
		{ "A=\n", 0, 1, 3, "no value" },
		{ "=x\n", 0, 1, 1, "" },
	};
	const struct sv_doc_style style = { .format = SV_DOC_ENV };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++)
		refuse(&style, &table[i]);
}

static void json_that_is_refused(void **state)
{
	static const struct bad table[] = {
		{ "{\"a\": \"x\", \"a\": \"" CANARY "\"}", 0, 1, 12, "already" },
		{ "[]", 0, 1, 1, "an object belongs here" },
		{ "{\"a\": [\"" CANARY "\"]}", 0, 1, 7, "a list" },
		{ "{\"a\": " CANARY "}", 0, 1, 7, "double quotes" },
		{ "{\"a\": 01}", 0, 1, 7, "double quotes" },
		{ "{\"a\": \"" CANARY, 0, 1, 7, "never closed" },
		{ "{\"a\": \"\\x\"}", 0, 1, 8, "escape" },
		{ "{\"a\": \"\\ud800\"}", 0, 1, 8, "escape" },
		{ "{\"a\": \"x\",}", 0, 1, 11, "another entry" },
		{ "{\"a\": \"x\" \"b\"}", 0, 1, 11, "comma" },
		{ "{\"a\" \"x\"}", 0, 1, 6, "colon" },
		{ "{a: 1}", 0, 1, 2, "double quotes" },
		{ "{\"a\": null}", 0, 1, 7, "no value" },
		{ "{\"a\": \"x\"} x", 0, 1, 12, "behind the end" },
		{ "{\"a\": \"x\"", 0, 1, 10, "ends in the middle" },
		{ "{\"a\": {\"!!binary\": \"*\"}}", 0, 1, 7, "base64" },
	};
	const struct sv_doc_style style = { .format = SV_DOC_JSON };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++)
		refuse(&style, &table[i]);
}

static void nesting_is_bounded(void **state)
{
	const struct sv_doc_style styles[] = { { .format = SV_DOC_YAML },
					       { .format = SV_DOC_JSON },
					       { .format = SV_DOC_YAML, .flatten = true } };

	(void)state;
	for (size_t s = 0; s < SV_COUNT(styles); s++) {
		for (size_t depth = 31; depth < 5000; depth = depth < 34 ? depth + 1 : depth * 3) {
			size_t n = 0, size = depth * 8 + 64;
			char *text = malloc(size);
			struct sv_tree t = SV_TREE_INIT;
			enum sv_code rc;

			assert_non_null(text);
			for (size_t i = 0; i < depth; i++)
				n += (size_t)snprintf(text + n, size - n, s == 2 && i > 0 ? "[" : "{\"a\": ");
			n += (size_t)snprintf(text + n, size - n, "\"x\"");
			for (size_t i = depth; i-- > 0;)
				text[n++] = s == 2 && i > 0 ? ']' : '}';
			rc = sv_doc_read(&styles[s], (unsigned char *)text, n, &t, NULL, NULL);
			assert_int_equal(rc, depth <= 32 ? SV_OK : SV_ERR_TOO_BIG);
			sv_tree_clear(&t);
			free(text);
		}
	}
}

static void size_is_bounded(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML };
	size_t n = SV_DOC_BYTES_MAX + 1;
	unsigned char *text = malloc(n);
	struct sv_tree t = SV_TREE_INIT;
	struct sv_doc_place where;
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	assert_non_null(text);
	memset(text, '#', n);
	assert_int_equal(sv_doc_read(&style, text, n, &t, &where, &err), SV_ERR_TOO_BIG);
	assert_int_equal(sv_doc_read(&style, text, n - 1, &t, &where, &err), SV_OK);
	memcpy(text, "k: ", 3);
	memset(text + 3, 'x', n - 4);
	assert_int_equal(sv_doc_read(&style, text, n - 1, &t, &where, &err), SV_ERR_TOO_BIG);
	assert_int_equal(where.at.line, 1);
	sv_tree_clear(&t);
	free(text);
}

/* 10 MB of the smallest entries: more secrets than a vault may have, refused without building them all. */
static void a_flood_of_keys_is_refused(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML };
	char *text = malloc(SV_DOC_BYTES_MAX);
	size_t n = 0;
	struct sv_tree t = SV_TREE_INIT;
	struct sv_doc_place where;
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; n + 32 < SV_DOC_BYTES_MAX; i++)
		n += (size_t)sprintf(text + n, "k%u: v\n", i);
	assert_int_equal(sv_doc_read(&style, (unsigned char *)text, n, &t, &where, &err), SV_ERR_TOO_BIG);
	assert_int_equal(where.at.line, SV_SECRETS_MAX + 1);
	sv_tree_clear(&t);
	free(text);
}

/* Every truncation and many flips of a good text: no crash, no message with the value. */
static void mangled_texts_never_leak_into_messages(void **state)
{
	static const char good[] = "a: " CANARY "\ng:\n  b: |\n    " CANARY "\n  c: \"" CANARY
				   "\\n\"\n  d: !!binary aGk=\n'e f': '" CANARY "'\n";
	const struct sv_doc_style styles[] = { { .format = SV_DOC_YAML },
					       { .format = SV_DOC_YAML, .full = true },
					       { .format = SV_DOC_ENV },
					       { .format = SV_DOC_JSON } };
	unsigned char text[sizeof(good)];

	(void)state;
	for (size_t s = 0; s < SV_COUNT(styles); s++) {
		for (size_t i = 0; i < sizeof(good) - 1; i++) {
			static const unsigned char odd[] = "\0\t\n\r :#&*!|>'\"{}[],%@`\x80\xff-?<=";

			for (size_t k = 0; k <= sizeof(odd); k++) {
				struct sv_tree t = SV_TREE_INIT;
				struct sv_err err = SV_ERR_INIT;
				size_t len = sizeof(good) - 1;

				memcpy(text, good, sizeof(good));
				if (k == sizeof(odd))
					len = i;
				else
					text[i] = odd[k];
				if (sv_doc_read(&styles[s], text, len, &t, NULL, &err) != SV_OK) {
					assert_int_not_equal(err.msg[0], 0);
					assert_null(strstr(err.msg, "Kanari"));
				}
				sv_tree_clear(&t);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_that_is_refused),       cmocka_unit_test(full_yaml_that_is_refused),
		cmocka_unit_test(env_lines_that_are_refused), cmocka_unit_test(json_that_is_refused),
		cmocka_unit_test(nesting_is_bounded),         cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(a_flood_of_keys_is_refused), cmocka_unit_test(mangled_texts_never_leak_into_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

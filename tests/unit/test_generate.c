/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random values: their shape, their alphabet, every class, and that nothing is favoured.
 */
#include "tests/support/sv_test.h"

#include "cli/generate.h"

#include <stdio.h>
#include <string.h>

static void make(const char *spec, char *text, size_t size)
{
	struct sv_secret *s = NULL;
	size_t n;

	assert_int_equal(sv_generate(spec, &s, NULL), SV_OK);
	n = sv_secret_len(s);
	assert_true(n < size);
	memcpy(text, sv_secret_cpeek(s), n);
	text[n] = '\0';
	assert_int_equal(strlen(text), n);
	sv_secret_free(&s);
}

static void each_spec_gives_its_length_and_alphabet(void **state)
{
	static const struct {
		const char *spec;
		size_t len;
		const char *alphabet;
	} rows[] = {
		{ "40", 40, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+:@,%" },
		{ "12:lower", 12, "abcdefghijklmnopqrstuvwxyz" },
		{ "12:upper,digit", 12, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" },
		{ "8:symbol", 8, "._-+:@,%" },
		{ "alnum:24", 24, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" },
		{ "digits:6", 6, "0123456789" },
		{ "hex:32", 64, "0123456789abcdef" },
		{ "base64:32", 44, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=" },
		{ "words:6", 35, "abdfghijklmnoprstuvz-" },
		{ "4096", 4096, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+:@,%" },
	};
	static char text[8192];

	(void)state;
	for (size_t i = 0; i < SV_COUNT(rows); i++)
		for (int round = 0; round < 20; round++) {
			make(rows[i].spec, text, sizeof(text));
			assert_int_equal(strlen(text), rows[i].len);
			assert_int_equal(strspn(text, rows[i].alphabet), rows[i].len);
		}
}

static void every_class_is_there(void **state)
{
	char text[64];

	(void)state;
	for (int round = 0; round < 300; round++) {
		make("4", text, sizeof(text));
		assert_true(strpbrk(text, "abcdefghijklmnopqrstuvwxyz") != NULL);
		assert_true(strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL);
		assert_true(strpbrk(text, "0123456789") != NULL);
		assert_true(strpbrk(text, "._-+:@,%") != NULL);
		assert_null(strchr("._-+:@,%", text[0]));
		make("2:digit,symbol", text, sizeof(text));
		assert_true(strpbrk(text, "0123456789") != NULL && strpbrk(text, "._-+:@,%") != NULL);
	}
}

static void what_is_no_spec_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"4097",
		"-5",
		"x",
		"hex",
		"hex:",
		"hex:0",
		"hex:x",
		"hex:4097",
		"12:",
		"12:lower,",
		"12:,lower",
		"12:latin",
		"12:lower,lower",
		"3:lower,upper,digit,symbol",
		"1",
		"words:6:6",
		"words:6x",
		"Hex:32",
		" 40",
		"40 ",
		"99999999999999999999",
	};
	struct sv_secret *s;

	(void)state;
	for (size_t i = 0; i < SV_COUNT(bad); i++) {
		assert_int_equal(sv_generate_check(bad[i], NULL), SV_ERR_USAGE);
		assert_int_equal(sv_generate(bad[i], &s, NULL), SV_ERR_USAGE);
		assert_null(s);
	}
}

static void no_digit_is_favoured(void **state)
{
	static char text[4200];
	unsigned seen[10] = { 0 };
	unsigned total = 0;

	(void)state;
	for (int round = 0; round < 25; round++) {
		make("digits:4000", text, sizeof(text));
		for (const char *p = text; *p != '\0'; p++, total++)
			seen[*p - '0']++;
	}
	/* 100,000 digits: 10,000 of each, standard deviation 95; nine deviations are never seen by chance. */
	assert_int_equal(total, 100000);
	for (size_t d = 0; d < 10; d++)
		assert_in_range(seen[d], 9150, 10850);
}

static void two_values_differ(void **state)
{
	char a[64], b[64];

	(void)state;
	make("32", a, sizeof(a));
	make("32", b, sizeof(b));
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_spec_gives_its_length_and_alphabet),
		cmocka_unit_test(every_class_is_there),
		cmocka_unit_test(what_is_no_spec_is_refused),
		cmocka_unit_test(no_digit_is_favoured),
		cmocka_unit_test(two_values_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

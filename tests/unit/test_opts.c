/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option rows: every kind, every way to write one, and what is refused.
 */
#include "tests/support/sv_test.h"

#include "cli/opts.h"

#include <string.h>

static const char *items[2];

struct into {
	bool flag;
	const char *text;
	struct sv_opt_list list;
	int fd;
	uint64_t number;
	struct sv_opt_maybe maybe;
};

struct globals {
	bool quiet;
};

#define I(member) offsetof(struct into, member)

static const struct sv_opt rows[] = {
	{ "flag", 'f', SV_OPT_FLAG, I(flag), NULL, "" },
	{ "text", 't', SV_OPT_TEXT, I(text), "TEXT", "" },
	{ "list", 'l', SV_OPT_LIST, I(list), "ITEM", "" },
	{ "fd", 0, SV_OPT_FD, I(fd), "N", "" },
	{ "number", 0, SV_OPT_NUMBER, I(number), "N", "" },
	{ "maybe", 0, SV_OPT_MAYBE, I(maybe), "SPEC", "" },
	SV_OPT_END,
};
static const struct sv_opt globals[] = { { "quiet", 'q', SV_OPT_FLAG, 0, NULL, "" }, SV_OPT_END };

static struct into got;
static struct globals global;
static char *args[16];
static int n_args;
static struct sv_err err;

static enum sv_code parse_mode(bool stop, int argc, const char *const *argv)
{
	const struct sv_opts_set set = { rows, &got, globals, &global, stop };

	got = (struct into){ .fd = -1, .list = { items, 0, 2 } };
	global = (struct globals){ false };
	err = (struct sv_err)SV_ERR_INIT;
	return sv_opts_parse(&set, argc, (char **)(uintptr_t)argv, args, &n_args, &err);
}

#define PARSE(...)                                                                         \
	parse_mode(false, (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)), \
		   (const char *[]){ __VA_ARGS__ })
#define PARSE_STOP(...)                                                                   \
	parse_mode(true, (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)), \
		   (const char *[]){ __VA_ARGS__ })

static void each_kind_is_stored_where_its_row_says(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--flag", "--text", "a b", "--fd=7", "--number", "42", "--maybe=40", "--quiet"), SV_OK);
	assert_true(got.flag);
	assert_string_equal(got.text, "a b");
	assert_int_equal(got.fd, 7);
	assert_int_equal(got.number, 42);
	assert_true(got.maybe.set);
	assert_string_equal(got.maybe.text, "40");
	assert_true(global.quiet);
	assert_int_equal(n_args, 0);
}

static void letters_take_values_beside_or_behind_them(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-f", "-tone", "-l", "x", "-ly", "-q"), SV_OK);
	assert_string_equal(got.text, "one");
	assert_int_equal(got.list.n, 2);
	assert_string_equal(got.list.v[0], "x");
	assert_string_equal(got.list.v[1], "y");
	assert_true(global.quiet);
}

static void arguments_and_options_may_be_mixed(void **state)
{
	(void)state;
	assert_int_equal(PARSE("one", "--flag", "two", "-", "--", "--text", "-q"), SV_OK);
	assert_int_equal(n_args, 5);
	assert_string_equal(args[0], "one");
	assert_string_equal(args[1], "two");
	assert_string_equal(args[2], "-");
	assert_string_equal(args[3], "--text");
	assert_string_equal(args[4], "-q");
	assert_null(args[5]);
	assert_null(got.text);
	assert_false(global.quiet);
}

static void an_optional_value_is_taken_by_equals_only(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--maybe", "40"), SV_OK);
	assert_true(got.maybe.set);
	assert_null(got.maybe.text);
	assert_int_equal(n_args, 1);
}

static void the_first_argument_ends_options_when_a_command_follows(void **state)
{
	(void)state;
	assert_int_equal(PARSE_STOP("-q", "docker", "--flag", "-x"), SV_OK);
	assert_int_equal(n_args, 3);
	assert_false(got.flag);
	assert_int_equal(PARSE_STOP("-q", "--", "docker", "--", "x"), SV_OK);
	assert_int_equal(n_args, 3);
	assert_int_equal(PARSE_STOP("--", "-x"), SV_OK);
	assert_int_equal(n_args, 1);
	assert_int_equal(PARSE_STOP("-q"), SV_OK);
	assert_int_equal(n_args, 0);
}

static void an_equals_sign_may_be_in_the_value(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--text=a=b", "--list", "X=y"), SV_OK);
	assert_string_equal(got.text, "a=b");
	assert_string_equal(got.list.v[0], "X=y");
	assert_int_equal(PARSE("--text="), SV_OK);
	assert_string_equal(got.text, "");
}

static void what_cannot_be_meant_is_refused(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--nothing"), SV_ERR_USAGE);
	assert_int_equal(PARSE("-z"), SV_ERR_USAGE);
	assert_int_equal(PARSE("--tex", "x"), SV_ERR_USAGE);
	assert_int_equal(PARSE("--text"), SV_ERR_USAGE);
	assert_int_equal(PARSE("-t"), SV_ERR_USAGE);
	assert_int_equal(PARSE("--flag=yes"), SV_ERR_USAGE);
	assert_int_equal(PARSE("--list=1", "--list=2", "--list=3"), SV_ERR_USAGE);
	for (size_t i = 0; i < 7; i++) {
		static const char *const bad[] = { "", "-1", "1x", "+1", "1048576", "99999999999999999999", " 1" };

		assert_int_equal(PARSE("--fd", bad[i]), SV_ERR_USAGE);
	}
	assert_int_equal(PARSE("--number", "0"), SV_ERR_USAGE);
	assert_int_equal(PARSE("--number", "1000000000000001"), SV_ERR_USAGE);
}

static void an_error_never_repeats_what_stands_behind_an_option(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--passphrase=hunter2"), SV_ERR_USAGE);
	assert_null(strstr(err.msg, "hunter2"));
	assert_int_equal(PARSE("--fd=hunter2"), SV_ERR_USAGE);
	assert_null(strstr(err.msg, "hunter2"));
	assert_int_equal(PARSE("-phunter2"), SV_ERR_USAGE);
	assert_null(strstr(err.msg, "hunter2"));
}

static void numbers_stop_at_their_limit(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_true(sv_number_parse("18446744073709551615", UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(sv_number_parse("18446744073709551616", UINT64_MAX, &v));
	assert_true(sv_number_parse("007", 7, &v));
	assert_false(sv_number_parse("8", 7, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_stored_where_its_row_says),
		cmocka_unit_test(letters_take_values_beside_or_behind_them),
		cmocka_unit_test(arguments_and_options_may_be_mixed),
		cmocka_unit_test(an_optional_value_is_taken_by_equals_only),
		cmocka_unit_test(the_first_argument_ends_options_when_a_command_follows),
		cmocka_unit_test(an_equals_sign_may_be_in_the_value),
		cmocka_unit_test(what_cannot_be_meant_is_refused),
		cmocka_unit_test(an_error_never_repeats_what_stands_behind_an_option),
		cmocka_unit_test(numbers_stop_at_their_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

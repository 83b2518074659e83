/* SPDX-License-Identifier: Apache-2.0 */
/* vault/base/name: which names are legal, what variable they give, and how they are shown. */
#include "tests/support/sv_test.h"
#include "vault/base/name.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool good;
} names[] = {
	{ "NPM_TOKEN", true },
	{ "npm/read-token", true },
	{ "a", true },
	{ "a b", true },
	{ "gr\xc3\xbc\xc3\x9f"
	  "e/x",
	  true },
	{ "\xe9\x8d\xb5", true },
	{ "\xf0\x9f\x94\x91", true },
	{ "a.b", true },
	{ "...", true },
	{ "a/.b", true },
	{ "user@host", true },
	{ "a@1b", true },
	{ "@1", false },
	{ "sv:/x", true },
	{ "a$b`c'd\"e", true },
	{ "", false },
	{ "/", false },
	{ "/a", false },
	{ "a/", false },
	{ "a//b", false },
	{ ".", false },
	{ "..", false },
	{ "../x", false },
	{ "x/..", false },
	{ "x/../y", false },
	{ "x/./y", false },
	{ "-a", false },
	{ "--all", false },
	{ "a=b", false },
	{ " a", false },
	{ "a ", false },
	{ "a\xc2\xa0", false },
	{ "a\tb", false },
	{ "a\nb", false },
	{ "a\x1b[31mb", false },
	{ "a\x7f", false },
	{ "a\xc2\x85"
	  "b",
	  false },
	{ "a\xe2\x80\xae"
	  "b",
	  false },
	{ "a\xe2\x80\x8b"
	  "b",
	  false },
	{ "a\xe2\x80\xa8"
	  "b",
	  false },
	{ "\xef\xbb\xbf"
	  "a",
	  false },
	{ "a\xff", false },
	{ "\xc0\xaf", false },
	{ "\xed\xa0\x80", false },
	{ "\xf4\x90\x80\x80", false },
	{ "\xe2\x82", false },
	{ "\xf0\x9f\x94", false },
	{ "a@1", false },
	{ "a/b@12", false },
	{ "sv://x/y", false },
};

static void names_are_judged(void **state)
{
	struct sv_err err;

	(void)state;
	for (size_t i = 0; i < SV_COUNT(names); i++) {
		enum sv_code rc = sv_name_check(names[i].name, strlen(names[i].name), &err);

		if ((rc == SV_OK) != names[i].good)
			fail_msg("name %zu was judged wrongly: %s", i, rc == SV_OK ? "accepted" : err.msg);
		if (rc != SV_OK) {
			assert_int_equal(rc, SV_ERR_NAME);
			assert_true(strlen(err.msg) > 10);
		}
	}
	assert_int_equal(sv_name_check("a\0b", 3, NULL), SV_ERR_NAME);
}

static void a_name_has_at_most_255_bytes(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_int_equal(sv_name_check(name, 255, NULL), SV_OK);
	assert_int_equal(sv_name_check(name, 256, NULL), SV_ERR_NAME);
	assert_int_equal(sv_name_check(name, 300, NULL), SV_ERR_NAME);
}

static void groups_end_with_one_slash(void **state)
{
	(void)state;
	assert_int_equal(sv_group_check("", 0, NULL), SV_OK);
	assert_int_equal(sv_group_check("a/", 2, NULL), SV_OK);
	assert_int_equal(sv_group_check("a/b/", 4, NULL), SV_OK);
	assert_int_equal(sv_group_check("a@1/", 4, NULL), SV_OK);
	assert_int_equal(sv_group_check("a", 1, NULL), SV_ERR_NAME);
	assert_int_equal(sv_group_check("/", 1, NULL), SV_ERR_NAME);
	assert_int_equal(sv_group_check("a//", 3, NULL), SV_ERR_NAME);
	assert_int_equal(sv_group_check("../", 3, NULL), SV_ERR_NAME);
}

static void environments_and_variables_are_plain_words(void **state)
{
	(void)state;
	assert_int_equal(sv_env_name_check("default", 7, NULL), SV_OK);
	assert_int_equal(sv_env_name_check("rc-1.2_x", 8, NULL), SV_OK);
	assert_int_equal(sv_env_name_check("", 0, NULL), SV_ERR_NAME);
	assert_int_equal(sv_env_name_check("-x", 2, NULL), SV_ERR_NAME);
	assert_int_equal(sv_env_name_check("a/b", 3, NULL), SV_ERR_NAME);
	assert_int_equal(
		sv_env_name_check("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 65, NULL),
		SV_ERR_NAME);
	assert_int_equal(sv_var_check("A_1", 3, NULL), SV_OK);
	assert_int_equal(sv_var_check("_", 1, NULL), SV_OK);
	assert_int_equal(sv_var_check("1A", 2, NULL), SV_ERR_NAME);
	assert_int_equal(sv_var_check("A-B", 3, NULL), SV_ERR_NAME);
	assert_int_equal(sv_var_check("", 0, NULL), SV_ERR_NAME);
}

static const struct {
	const char *name, *var;
} vars[] = {
	{ "npm/read-token", "READ_TOKEN" }, { "NPM_TOKEN", "NPM_TOKEN" }, { "tf/TF_VAR_pat_token", "TF_VAR_pat_token" },
	{ "github.com", "GITHUB_COM" },     { "gcp/2fa", "_2FA" },        { "MixedCase-x", "MixedCase_x" },
	{ "gr\xc3\xbc", "GR__" },           { "UPPER/lower", "LOWER" },
};

static void variables_come_from_the_last_segment(void **state)
{
	char out[SV_VAR_MAX + 1];
	char longname[255];

	(void)state;
	for (size_t i = 0; i < SV_COUNT(vars); i++) {
		size_t n = sv_var_from_name(vars[i].name, strlen(vars[i].name), out);

		assert_string_equal(out, vars[i].var);
		assert_int_equal(n, strlen(out));
		assert_int_equal(sv_var_check(out, n, NULL), SV_OK);
	}
	memset(longname, 'x', sizeof(longname));
	assert_int_equal(sv_var_from_name(longname, sizeof(longname), out), SV_VAR_MAX);
}

static void variables_that_load_code_are_dangerous(void **state)
{
	static const char *const bad[] = { "PATH",     "LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV",
					   "ENV",      "IFS",        "NODE_OPTIONS",    "PYTHONPATH",
					   "PERL5LIB", "RUBYOPT",    "GIT_SSH_COMMAND", "DYLD_INSERT_LIBRARIES",
					   "SV_VAULT", "PS4" };
	static const char *const good[] = { "NPM_TOKEN",  "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "GIT_TOKEN",
					    "PATH_TOKEN", "ENVX",         "LDAP_PASSWORD" };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(bad); i++)
		assert_true(sv_var_dangerous(bad[i], strlen(bad[i])));
	for (size_t i = 0; i < SV_COUNT(good); i++)
		assert_false(sv_var_dangerous(good[i], strlen(good[i])));
}

static void no_byte_that_steers_a_terminal_passes_the_escaper(void **state)
{
	char out[64];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char in[2] = { (char)c, 'x' };
		size_t n = sv_escape(in, 2, out, sizeof(out));

		assert_int_equal(n, strlen(out));
		for (size_t i = 0; i < n; i++)
			assert_true((unsigned char)out[i] >= 0x20 && (unsigned char)out[i] < 0x7f);
	}
	assert_int_equal(sv_escape("\xc2\x9b"
				   "31m",
				   5, out, sizeof(out)),
			 strlen("\\u{9b}31m"));
	assert_string_equal(out, "\\u{9b}31m");
	(void)sv_escape("a\\b", 3, out, sizeof(out));
	assert_string_equal(out, "a\\\\b");
	(void)sv_escape("gr\xc3\xbcn \xe2\x80\xae!", 10, out, sizeof(out));
	assert_string_equal(out, "gr\xc3\xbcn \\u{202e}!");
}

static void escaping_never_cuts_in_half(void **state)
{
	static const char text[] = "\xc3\xbc\x1b\xe2\x82\xac\xff";
	char whole[64], out[64];
	size_t need;

	(void)state;
	need = sv_escape(text, sizeof(text) - 1, whole, sizeof(whole));
	for (size_t room = 1; room <= need + 1; room++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(sv_escape(text, sizeof(text) - 1, out, room), need);
		assert_true(strlen(out) < room);
		assert_true(sv_utf8_valid(out, strlen(out)));
		assert_memory_equal(out, whole, strlen(out));
		assert_true(strlen(out) == need || strlen(out) % 2 == 0 || out[strlen(out) - 1] != '\\');
	}
	assert_int_equal(sv_escape(text, sizeof(text) - 1, NULL, 0), need);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged),
		cmocka_unit_test(a_name_has_at_most_255_bytes),
		cmocka_unit_test(groups_end_with_one_slash),
		cmocka_unit_test(environments_and_variables_are_plain_words),
		cmocka_unit_test(variables_come_from_the_last_segment),
		cmocka_unit_test(variables_that_load_code_are_dangerous),
		cmocka_unit_test(no_byte_that_steers_a_terminal_passes_the_escaper),
		cmocka_unit_test(escaping_never_cuts_in_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References: NAME, NAME@N, GROUP/, sv://ENV/NAME.
 */
#include "tests/support/sv_test.h"

#include "cli/out.h"
#include "cli/ref.h"

#include <string.h>

static void references_are_read(void **state)
{
	static const struct {
		const char *text, *env, *name;
		uint64_t version;
	} rows[] = {
		{ "npm/token", "cur", "npm/token", 0 },
		{ "npm/token@3", "cur", "npm/token", 3 },
		{ "a@b", "cur", "a@b", 0 },
		{ "a@b@12", "cur", "a@b", 12 },
		{ "sv:///npm/token", "cur", "npm/token", 0 },
		{ "sv://prod/npm/token@2", "prod", "npm/token", 2 },
		{ "a@1b", "cur", "a@1b", 0 },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(rows); i++) {
		struct sv_msg_ref ref;

		assert_int_equal(sv_ref_parse(rows[i].text, sv_text_of("cur"), &ref, NULL), SV_OK);
		assert_int_equal(ref.env.n, strlen(rows[i].env));
		assert_memory_equal(ref.env.p, rows[i].env, ref.env.n);
		assert_int_equal(ref.name.n, strlen(rows[i].name));
		assert_memory_equal(ref.name.p, rows[i].name, ref.name.n);
		assert_true(ref.version == rows[i].version);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "",       "a/",        "../x", "a@0", "sv://", "sv://prod",
					   "sv:///", "sv://-x/a", "a=b",  "-x",  "a\nb",  "a@99999999999999999999" };
	struct sv_msg_ref ref;

	(void)state;
	for (size_t i = 0; i < SV_COUNT(bad); i++)
		assert_int_not_equal(sv_ref_parse(bad[i], sv_text_of("cur"), &ref, NULL), SV_OK);
}

static void groups_end_in_a_slash(void **state)
{
	struct sv_text name;

	(void)state;
	assert_true(sv_ref_is_group("mysql/"));
	assert_false(sv_ref_is_group("mysql"));
	assert_false(sv_ref_is_group(""));
	assert_int_equal(sv_ref_name("mysql/", true, &name, NULL), SV_OK);
	assert_int_not_equal(sv_ref_name("mysql/", false, &name, NULL), SV_OK);
	assert_int_not_equal(sv_ref_name("mysql//", true, &name, NULL), SV_OK);
	assert_int_not_equal(sv_ref_name("/", true, &name, NULL), SV_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(groups_end_in_a_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

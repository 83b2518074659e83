/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a child: what is replaced, kept, removed and refused.
 */
#include "tests/support/sv_test.h"

#include "cli/childenv.h"
#include "vault/base/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sv_err err;
static char **envp;
static void *room;

static struct sv_childenv_var var(const char *pair, const char *name)
{
	char *own = (char *)(uintptr_t)pair;
	size_t len = strcspn(pair, "=");

	return (struct sv_childenv_var){ own, len, strlen(pair + len + 1), { name, strlen(name) }, false };
}

static enum sv_code build(const char *const *inherited, const struct sv_childenv_var *vars, size_t n, unsigned flags)
{
	size_t n_inherited = 0;

	while (inherited[n_inherited] != NULL)
		n_inherited++;
	free(room);
	room = malloc(sv_childenv_room(n_inherited, n));
	assert_non_null(room);
	envp = NULL;
	err = (struct sv_err)SV_ERR_INIT;
	return sv_childenv_build((char *const *)(uintptr_t)inherited, vars, n, flags, room, &envp, &err);
}

static int drop_room(void **state)
{
	(void)state;
	free(room);
	room = NULL;
	return 0;
}

static size_t count(void)
{
	size_t n = 0;

	while (envp[n] != NULL)
		n++;
	return n;
}

static bool has(const char *pair)
{
	for (char **e = envp; *e != NULL; e++)
		if (strcmp(*e, pair) == 0)
			return true;
	return false;
}

static void secrets_are_added_to_what_is_there(void **state)
{
	const char *const inherited[] = { "HOME=/h", "PATH=/bin", NULL };
	const struct sv_childenv_var vars[] = { var("TOKEN=abc", "npm/token"), var("KEY=x=y", "key") };

	(void)state;
	assert_int_equal(build(inherited, vars, 2, 0), SV_OK);
	assert_int_equal(count(), 4);
	assert_true(has("HOME=/h") && has("PATH=/bin") && has("TOKEN=abc") && has("KEY=x=y"));
}

static void the_pairs_are_used_where_they_stand(void **state)
{
	const char *const inherited[] = { NULL };
	const struct sv_childenv_var vars[] = { var("TOKEN=abc", "npm/token") };

	(void)state;
	assert_int_equal(build(inherited, vars, 1, 0), SV_OK);
	assert_ptr_equal(envp[0], vars[0].pair);
	assert_null(envp[1]);
}

static void an_inherited_variable_of_the_same_name_is_replaced(void **state)
{
	const char *const inherited[] = { "TOKEN=old", "TOKENS=other", NULL };
	const struct sv_childenv_var vars[] = { var("TOKEN=new", "token") };

	(void)state;
	assert_int_equal(build(inherited, vars, 1, 0), SV_OK);
	assert_int_equal(count(), 2);
	assert_true(has("TOKEN=new") && has("TOKENS=other"));
}

static void keep_leaves_it(void **state)
{
	const char *const inherited[] = { "TOKEN=old", "EMPTY=", NULL };
	const struct sv_childenv_var vars[] = { var("TOKEN=new", "token"), var("EMPTY=x", "empty"),
						var("MORE=1", "more") };

	(void)state;
	assert_int_equal(build(inherited, vars, 3, SV_CHILDENV_KEEP), SV_OK);
	assert_int_equal(count(), 3);
	assert_true(has("TOKEN=old") && has("EMPTY=") && has("MORE=1"));
}

static void duplicates_in_the_inherited_environment_become_one(void **state)
{
	const char *const inherited[] = { "A=1", "B=2", "A=3", "A=4", NULL };

	(void)state;
	assert_int_equal(build(inherited, NULL, 0, 0), SV_OK);
	assert_int_equal(count(), 2);
	assert_true(has("A=1") && has("B=2"));
}

static void odd_entries_of_the_environment_pass(void **state)
{
	const char *const inherited[] = { "", "NOEQUALS", "=C:=x", "BASH_FUNC_f%%=() { :; }", "A B=1", NULL };

	(void)state;
	assert_int_equal(build(inherited, NULL, 0, 0), SV_OK);
	assert_int_equal(count(), 5);
}

static void the_plumbing_of_the_vault_is_removed(void **state)
{
	const char *const inherited[] = { "SV_VAULT=/v", "SV_SOCKET=/s", "SV_ENV=dev", "SV_VAULTS=x", NULL };

	(void)state;
	for (unsigned flags = 0; flags <= SV_CHILDENV_KEEP; flags++) {
		assert_int_equal(build(inherited, NULL, 0, flags), SV_OK);
		assert_int_equal(count(), 2);
		assert_true(has("SV_ENV=dev") && has("SV_VAULTS=x"));
	}
}

static void two_secrets_for_one_variable_are_a_conflict_that_names_both(void **state)
{
	const char *const inherited[] = { NULL };
	const struct sv_childenv_var vars[] = { var("TOKEN=a", "npm/token"), var("TOKEN=b", "pypi/token") };

	(void)state;
	assert_int_equal(build(inherited, vars, 2, 0), SV_ERR_CONFLICT);
	assert_non_null(strstr(err.msg, "npm/token"));
	assert_non_null(strstr(err.msg, "pypi/token"));
	assert_non_null(strstr(err.msg, "TOKEN"));
	assert_int_equal(build(inherited, vars, 2, SV_CHILDENV_KEEP), SV_ERR_CONFLICT);
}

static void one_secret_selected_twice_is_none(void **state)
{
	const char *const inherited[] = { NULL };
	const struct sv_childenv_var vars[] = { var("TOKEN=a", "npm/token"), var("TOKEN=a", "npm/token") };

	(void)state;
	assert_int_equal(build(inherited, vars, 2, 0), SV_OK);
	assert_int_equal(count(), 1);
}

static void dangerous_names_need_force(void **state)
{
	static const char *const pairs[] = { "PATH=/x", "LD_PRELOAD=/x", "BASH_ENV=/x", "SV_VAULT=/x" };
	const char *const inherited[] = { NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct sv_childenv_var vars[] = { var(pairs[i], "evil/one") };

		assert_int_equal(build(inherited, vars, 1, 0), SV_ERR_DENIED);
		assert_non_null(strstr(err.msg, "evil/one"));
		assert_null(strstr(err.msg, "/x"));
		assert_int_equal(build(inherited, vars, 1, SV_CHILDENV_FORCE), SV_OK);
		assert_true(has(pairs[i]));
	}
}

static void values_that_no_variable_can_hold_are_refused(void **state)
{
	const char *const inherited[] = { NULL };
	struct sv_childenv_var v = var("KEY=", "some/key");
	char nul[] = "KEY=a\0b";
	char *large = malloc(SV_VAR_PAIR_MAX + 2);

	(void)state;
	assert_int_equal(build(inherited, &v, 1, 0), SV_ERR_FAIL);
	assert_non_null(strstr(err.msg, "some/key"));

	v = (struct sv_childenv_var){ nul, 3, 3, { "some/key", 8 }, false };
	assert_int_equal(build(inherited, &v, 1, SV_CHILDENV_FORCE), SV_ERR_FAIL);
	assert_non_null(strstr(err.msg, "some/key"));
	assert_non_null(strstr(err.msg, "NUL"));

	assert_non_null(large);
	memset(large, 'x', SV_VAR_PAIR_MAX + 1);
	memcpy(large, "KEY=", 4);
	large[SV_VAR_PAIR_MAX] = '\0';
	v = (struct sv_childenv_var){ large, 3, SV_VAR_PAIR_MAX - 4, { "some/key", 8 }, false };
	assert_int_equal(build(inherited, &v, 1, 0), SV_OK);
	large[SV_VAR_PAIR_MAX] = 'x';
	large[SV_VAR_PAIR_MAX + 1] = '\0';
	v.value_len++;
	assert_int_equal(build(inherited, &v, 1, 0), SV_ERR_TOO_BIG);
	assert_non_null(strstr(err.msg, "some/key"));
	free(large);
}

static void illegal_variable_names_are_refused(void **state)
{
	static const char *const pairs[] = { "1A=x", "A-B=x", "A B=x" };
	const char *const inherited[] = { NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct sv_childenv_var v = var(pairs[i], "one");

		assert_int_equal(build(inherited, &v, 1, SV_CHILDENV_FORCE), SV_ERR_NAME);
	}
}

static void thousands_of_variables_fit(void **state)
{
	enum { N = 4096 };
	static char pairs[N][24], others[N][24];
	static struct sv_childenv_var vars[N];
	static const char *inherited[N + 1];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(pairs[i], sizeof(pairs[i]), "V%zu=%zu", i, i);
		(void)snprintf(others[i], sizeof(others[i]), "V%zu=old", i + N / 2);
		vars[i] = var(pairs[i], pairs[i]);
		inherited[i] = others[i];
	}
	inherited[N] = NULL;
	assert_int_equal(build(inherited, vars, N, 0), SV_OK);
	assert_int_equal(count(), N + N / 2);
	assert_int_equal(build(inherited, vars, N, SV_CHILDENV_KEEP), SV_OK);
	assert_int_equal(count(), N + N / 2);
	assert_true(has("V4095=old"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_added_to_what_is_there),
		cmocka_unit_test(the_pairs_are_used_where_they_stand),
		cmocka_unit_test(an_inherited_variable_of_the_same_name_is_replaced),
		cmocka_unit_test(keep_leaves_it),
		cmocka_unit_test(duplicates_in_the_inherited_environment_become_one),
		cmocka_unit_test(odd_entries_of_the_environment_pass),
		cmocka_unit_test(the_plumbing_of_the_vault_is_removed),
		cmocka_unit_test(two_secrets_for_one_variable_are_a_conflict_that_names_both),
		cmocka_unit_test(one_secret_selected_twice_is_none),
		cmocka_unit_test(dangerous_names_need_force),
		cmocka_unit_test(values_that_no_variable_can_hold_are_refused),
		cmocka_unit_test(illegal_variable_names_are_refused),
		cmocka_unit_test(thousands_of_variables_fit),
	};

	return cmocka_run_group_tests(tests, NULL, drop_room);
}

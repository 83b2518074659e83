/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the editor's command is split and completed.
 */
#include "cli/edit/editor.h"
#include "tests/support/sv_test.h"

#include <stdlib.h>
#include <string.h>

static void words_are_split_as_a_shell_does(void **state)
{
	static const struct {
		const char *text;
		const char *words[5];
	} table[] = {
		{ "vim", { "vim" } },
		{ "  vim\t-n ", { "vim", "-n" } },
		{ "'/opt/my editor/bin' --wait", { "/opt/my editor/bin", "--wait" } },
		{ "\"a b\"'c d'e", { "a bc de" } },
		{ "a\\ b", { "a b" } },
		{ "a \"x\\\"y\\n\"", { "a", "x\"y\\n" } },
		{ "a ''", { "a", "" } },
		{ "a '$HOME' `id`", { "a", "$HOME", "`id`" } },
		{ "a; rm -rf x", { "a;", "rm", "-rf", "x" } },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		struct sv_editor e = { .argc = 0 };
		size_t n = 0;

		assert_int_equal(sv_editor_split(table[i].text, &e, NULL), SV_OK);
		for (; n < 5 && table[i].words[n] != NULL; n++)
			assert_string_equal(e.argv[n], table[i].words[n]);
		assert_int_equal(e.argc, n);
		assert_null(e.argv[n]);
	}
}

static void a_command_that_cannot_be_split_is_refused(void **state)
{
	static const char *const texts[] = { "", "  ", "vim 'x", "vim \"x", "vim \"x\\\"" };
	char *many = malloc(4000);

	(void)state;
	for (size_t i = 0; i < SV_COUNT(texts); i++) {
		struct sv_editor e = { .argc = 0 };

		assert_int_equal(sv_editor_split(texts[i], &e, NULL), SV_ERR_USAGE);
	}
	assert_non_null(many);
	for (size_t i = 0; i < 3999; i++)
		many[i] = i % 2 == 0 ? 'x' : ' ';
	many[3999] = '\0';
	struct sv_editor e = { .argc = 0 };

	assert_int_equal(sv_editor_split(many, &e, NULL), SV_ERR_TOO_BIG);
	free(many);
}

static bool has(const struct sv_editor *e, const char *part)
{
	for (size_t i = 0; i < e->argc; i++)
		if (strstr(e->argv[i], part) != NULL)
			return true;
	return false;
}

static void known_editors_get_their_options(void **state)
{
	static const struct {
		const char *program, *wants[4];
	} table[] = {
		{ "vim.basic", { "noswapfile", "NONE", "noundofile", "--" } },
		{ "nvim", { "noswapfile", "NONE", "shada=", "--" } },
		{ "nano", { "--rcfile=/d/", NULL } },
		{ "emacs-nox", { "make-backup-files nil", "create-lockfiles nil", NULL } },
		{ "micro", { "-savehistory", "-backup", NULL } },
		{ "ed", { "/d/f", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		struct sv_editor e = { .argc = 0 };

		assert_int_equal(sv_editor_split(table[i].program, &e, NULL), SV_OK);
		strcpy(e.program, table[i].program);
		assert_int_equal(sv_editor_finish(&e, "/d", "/d/f", 0, NULL), SV_OK);
		for (size_t w = 0; w < 4 && table[i].wants[w] != NULL; w++)
			assert_true(has(&e, table[i].wants[w]));
		assert_string_equal(e.argv[e.argc - 1], "/d/f");
		sv_editor_clear(&e);
	}
}

static void copies_of_editors_are_known(void **state)
{
	(void)state;
	assert_true(sv_editor_is_copy(".sv-copy", "secrets.yaml"));
	assert_true(sv_editor_is_copy("#secrets.yaml#", "secrets.yaml"));
	assert_true(sv_editor_is_copy("#!run!sv!edit!secrets.yaml#", "secrets.yaml"));
	assert_true(sv_editor_is_copy("secrets.yaml.save", "secrets.yaml"));
	assert_true(sv_editor_is_copy("secrets.yaml.save.2", "secrets.yaml"));
	assert_false(sv_editor_is_copy("secrets.yaml", "secrets.yaml"));
	assert_false(sv_editor_is_copy("other", "secrets.yaml"));
	assert_false(sv_editor_is_copy("#x#", "secrets.yaml"));
}

static void editors_that_hand_the_file_over_are_recognised(void **state)
{
	static const char *const waiting[] = { "sh --remote x", NULL };
	struct sv_editor e;

	(void)state;
	assert_int_equal(setenv("VISUAL", waiting[0], 1), 0);
	assert_int_equal(sv_editor_choose(&e, NULL), SV_OK);
	assert_true(e.hand_off);
	assert_int_equal(setenv("VISUAL", "sh", 1), 0);
	assert_int_equal(sv_editor_choose(&e, NULL), SV_OK);
	assert_false(e.hand_off);
	assert_int_equal(setenv("VISUAL", "no-such-editor-anywhere", 1), 0);
	assert_int_equal(sv_editor_choose(&e, NULL), SV_ERR_NOT_FOUND);
	assert_int_equal(setenv("VISUAL", "", 1), 0);
	assert_int_equal(setenv("EDITOR", "'sh", 1), 0);
	assert_int_equal(sv_editor_choose(&e, NULL), SV_ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_as_a_shell_does),
		cmocka_unit_test(a_command_that_cannot_be_split_is_refused),
		cmocka_unit_test(known_editors_get_their_options),
		cmocka_unit_test(copies_of_editors_are_known),
		cmocka_unit_test(editors_that_hand_the_file_over_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

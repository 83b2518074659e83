/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that help and completion are made of are complete and without contradiction.
 */
#include "tests/support/sv_test.h"

#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

static void every_command_has_a_row_that_can_be_shown(void **state)
{
	(void)state;
	for (const struct sv_cmd *const *c = sv_commands; *c != NULL; c++) {
		struct sv_out o = SV_OUT_INIT(-1);

		assert_non_null((*c)->fn);
		assert_non_null((*c)->synopsis);
		assert_true((*c)->help != NULL && (*c)->help[0] != '\0');
		assert_true((*c)->opts == NULL || (*c)->args != NULL);
		assert_ptr_equal(sv_help_find((*c)->name), *c);
		sv_help_command(&o, *c);
		assert_int_equal(o.rc, SV_OK);
		assert_true(sv_buf_unread(&o.buf) > 100);
		sv_out_clear(&o);
	}
}

static void the_overview_names_every_command(void **state)
{
	struct sv_out o = SV_OUT_INIT(-1);
	char *text;
	size_t n;

	(void)state;
	sv_help_overview(&o);
	n = sv_buf_unread(&o.buf);
	text = malloc(n + 1);
	assert_non_null(text);
	memcpy(text, sv_buf_head(&o.buf), n);
	text[n] = '\0';
	for (const struct sv_cmd *const *c = sv_commands; *c != NULL; c++) {
		char word[64] = "\n  ";

		strcat(word, (*c)->name);
		strcat(word, " ");
		assert_non_null(strstr(text, word));
	}
	free(text);
	sv_out_clear(&o);
}

static void check_options(const struct sv_opt *rows, const struct sv_opt *others)
{
	for (const struct sv_opt *a = rows; a != NULL && a->name != NULL; a++) {
		assert_true(a->help != NULL && a->help[0] != '\0');
		assert_true((a->kind == SV_OPT_FLAG) == (a->arg == NULL));
		for (const struct sv_opt *b = others; b->name != NULL; b++) {
			if (a == b)
				continue;
			assert_true(a->letter == 0 || a->letter != b->letter);
			assert_string_not_equal(a->name, b->name);
		}
	}
}

static void no_two_options_share_a_name_or_letter(void **state)
{
	(void)state;
	check_options(sv_global_opts, sv_global_opts);
	for (const struct sv_cmd *const *c = sv_commands; *c != NULL; c++) {
		if ((*c)->opts == NULL)
			continue;
		check_options((*c)->opts, (*c)->opts);
		check_options((*c)->opts, sv_global_opts);
	}
}

static void words_are_compared_by_their_letters(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned d;
	} rows[] = {
		{ "get", "get", 0 }, { "gte", "get", 2 }, { "unlok", "unlock", 1 },
		{ "", "abc", 3 },    { "", "abcd", 4 },   { "history", "init", 4 },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(rows); i++) {
		assert_int_equal(sv_help_distance(rows[i].a, strlen(rows[i].a), rows[i].b, strlen(rows[i].b)),
				 rows[i].d);
		assert_int_equal(sv_help_distance(rows[i].b, strlen(rows[i].b), rows[i].a, strlen(rows[i].a)),
				 rows[i].d);
	}
	assert_string_equal(sv_help_similar("unlok"), "unlock");
	assert_string_equal(sv_help_similar("staus"), "status");
	assert_null(sv_help_similar("somethingelse"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_a_row_that_can_be_shown),
		cmocka_unit_test(the_overview_names_every_command),
		cmocka_unit_test(no_two_options_share_a_name_or_letter),
		cmocka_unit_test(words_are_compared_by_their_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

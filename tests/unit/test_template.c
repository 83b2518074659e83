/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates and env files: what is a reference and what is text.
 */
#include "tests/support/sv_test.h"

#include "cli/project/template.h"

#include <stdio.h>
#include <string.h>

/* Text as it is, references as <env:name>. */
static const char *shape(const char *text, struct sv_err *err)
{
	static char out[1024];
	struct sv_arena a = SV_ARENA_INIT;
	struct sv_template t;
	size_t n = 0;

	out[0] = '\0';
	if (sv_template_parse(&a, text, strlen(text), &t, err) != SV_OK) {
		sv_arena_clear(&a);
		return err->msg;
	}
	for (size_t i = 0; i < t.n; i++)
		n += (size_t)(t.v[i].name != NULL
				      ? snprintf(out + n, sizeof(out) - n, "<%s:%s>",
						 t.v[i].env != NULL ? t.v[i].env : "", t.v[i].name)
				      : snprintf(out + n, sizeof(out) - n, "%.*s", (int)t.v[i].text.n, t.v[i].text.p));
	sv_arena_clear(&a);
	return out;
}

static void references_are_found_and_other_braces_left_alone(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "{{ sv:///a/b }}", "<:a/b>" },
		{ "x{{sv://rc/a}}y{{\tsv:///b\t}}", "x<rc:a>y<:b>" },
		{ "{{ .Values.x }} {{{ sv:///a }}}", "{{ .Values.x }} {<:a>}" },
		{ "{{", "{{" },
		{ "sv:///a", "sv:///a" },
		{ "a\n {{ sv:///a", "line 2, column 2: the reference has no }}" },
		{ "{{ sv:///a\n}}", "line 1, column 1: the reference has no }}" },
		{ "\n\n{{ sv:///../x }}", "line 3, column 1: " },
		{ "{{ sv://x }}", "line 1, column 1: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv_err err = SV_ERR_INIT;
		const char *got = shape(rows[i][0], &err);

		if (strncmp(got, rows[i][1], strlen(rows[i][1])) != 0 ||
		    (err.code == SV_OK && strcmp(got, rows[i][1]) != 0))
			fail_msg("\"%s\" gives \"%s\", not \"%s\"", rows[i][0], got, rows[i][1]);
	}
}

static void env_files_hold_references_text_and_templates(void **state)
{
	static const char text[] =
		"# comment\n\nA=sv:///a/b\nexport B = 'plain # text'\nC=\"x {{ sv://rc/c }} $NOT\"\r\nD=\n";
	struct sv_arena a = SV_ARENA_INIT;
	struct sv_envfile_line *l;
	struct sv_err err = SV_ERR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(sv_envfile_parse(&a, text, strlen(text), &l, &n, &err), SV_OK);
	assert_int_equal(n, 4);
	assert_string_equal(l[0].var, "A");
	assert_string_equal(l[0].value.v[0].name, "a/b");
	assert_true(l[0].secret);
	assert_string_equal(l[1].var, "B");
	assert_int_equal(l[1].value.v[0].text.n, 12);
	assert_false(l[1].secret);
	assert_int_equal(l[2].value.n, 3);
	assert_string_equal(l[2].value.v[1].env, "rc");
	assert_int_equal(l[3].value.n, 0);
	assert_int_equal(l[3].line, 6);
	sv_arena_clear(&a);
	assert_int_equal(sv_envfile_parse(&a, "A\n", 2, &l, &n, &err), SV_ERR_FAIL);
	assert_int_equal(sv_envfile_parse(&a, "A=1\nA=2\n", 8, &l, &n, &err), SV_ERR_FAIL);
	assert_non_null(strstr(err.msg, "line 2"));
	assert_int_equal(sv_envfile_parse(&a, "A B=1\n", 6, &l, &n, &err), SV_ERR_FAIL);
	assert_int_equal(sv_envfile_parse(&a, "A=sv:///\n", 9, &l, &n, &err), SV_ERR_FAIL);
	sv_arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_found_and_other_braces_left_alone),
		cmocka_unit_test(env_files_hold_references_text_and_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

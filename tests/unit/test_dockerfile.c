/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Dockerfile reader as others will use it: instructions, stages, ARGs, secrets, edges.
 */
#include "tests/support/sv_test.h"

#include "cli/project/dockerfile.h"

#include <stdlib.h>
#include <string.h>

static struct sv_dockerfile parse(const char *text)
{
	struct sv_dockerfile d = SV_DOCKERFILE_INIT;
	struct sv_err err = SV_ERR_INIT;

	if (sv_dockerfile_parse(&d, text, strlen(text), &err) != SV_OK)
		fail_msg("%s", err.msg);
	return d;
}

static void stages_have_names_bases_and_edges(void **state)
{
	struct sv_dockerfile d = parse(
		"FROM --platform=linux/amd64 alpine:3 AS Base\nFROM base as two\nFROM scratch\nCOPY --from=1 /a /b\n"
		"FROM scratch AS four\nRUN --mount=type=bind,from=two,target=/x true\nCOPY --from=nginx:1 /a /b\n");
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	assert_int_equal(d.n_stages, 4);
	assert_string_equal(d.stages[0].name, "base");
	assert_string_equal(d.stages[0].base, "alpine:3");
	assert_int_equal(d.stages[0].base_stage, -1);
	assert_int_equal(d.stages[1].base_stage, 0);
	assert_null(d.stages[2].name);
	assert_int_equal(d.n_edges, 2);
	assert_int_equal(sv_dockerfile_need(&d, "2", &err), SV_OK);
	assert_true(d.stages[0].needed && d.stages[1].needed && d.stages[2].needed && !d.stages[3].needed);
	assert_int_equal(sv_dockerfile_need(&d, "BASE", &err), SV_OK);
	assert_true(d.stages[0].needed && !d.stages[1].needed);
	assert_int_equal(sv_dockerfile_need(&d, NULL, &err), SV_OK);
	assert_true(d.stages[3].needed && !d.stages[2].needed);
	assert_int_equal(sv_dockerfile_need(&d, "nope", &err), SV_ERR_NOT_FOUND);
	sv_dockerfile_clear(&d);
}

static void args_know_their_scope(void **state)
{
	struct sv_dockerfile d =
		parse("ARG V=1 U\nFROM a:${V}-${W:-x}\nARG U\nARG T='a b'\nONBUILD ARG O\nFROM ${U}\n");

	(void)state;
	assert_int_equal(d.n_args, 5);
	assert_int_equal(d.args[0].stage, SV_DOCKERFILE_GLOBAL);
	assert_string_equal(d.args[0].default_text, "1");
	assert_null(d.args[1].default_text);
	assert_true(d.args[2].redeclared);
	assert_int_equal(d.args[2].stage, 0);
	assert_string_equal(d.args[3].default_text, "a b");
	assert_string_equal(d.args[4].name, "O");
	assert_string_equal(d.stages[0].base, "a:1-x");
	assert_string_equal(d.stages[1].base, "${U}");
	sv_dockerfile_clear(&d);
}

static void secret_mounts_are_read_with_all_their_fields(void **state)
{
	struct sv_dockerfile d = parse(
		"FROM a\nRUN --mount=type=secret,id=A,target=/t,env=E,required --network=none --mount=type=ssh x\n"
		"RUN --mount=type=secret,dst=/run/secrets/b,required=false x\nRUN --mount=type=secret,id=$X x\n"
		"RUN echo --mount=type=secret,id=NO\nRUN --mount=type=cache,id=NO,target=/c x\n");

	(void)state;
	assert_int_equal(d.n_secrets, 3);
	assert_string_equal(d.secrets[0].id, "A");
	assert_string_equal(d.secrets[0].target, "/t");
	assert_string_equal(d.secrets[0].env, "E");
	assert_true(d.secrets[0].required);
	assert_string_equal(d.secrets[1].id, "b");
	assert_false(d.secrets[1].required);
	assert_null(d.secrets[2].id);
	assert_true(d.ssh);
	assert_int_equal(d.instructions[d.secrets[1].instruction].line, 3);
	sv_dockerfile_clear(&d);
}

static void lines_continue_and_heredocs_are_bodies(void **state)
{
	struct sv_dockerfile d = parse(
		"#!/usr/bin/env x\n# syntax = docker/dockerfile:1.7\nFROM a\nRUN one \\\n  # no\n\n  two \\  \n three\n"
		"RUN <<A cat <<-'B' && x <<<no\n1\nA\n\t2\n\tB\nRUN x <<\"E O\"\nE O\nENV A=b\\\nc\n"
		"RUN echo $((1<<2)) 'q <<Q'\nlabel x=y\n");

	(void)state;
	assert_string_equal(d.syntax, "docker/dockerfile:1.7");
	assert_int_equal(d.n_instructions, 7);
	assert_int_equal(d.instructions[1].line, 4);
	assert_int_equal(d.instructions[1].last_line, 8);
	assert_string_equal(d.instructions[1].args, "one   two  three");
	assert_string_equal(d.instructions[2].heredoc, "1\nA\n\t2\n\tB\n");
	assert_string_equal(d.instructions[3].heredoc, "E O\n");
	assert_string_equal(d.instructions[4].args, "A=bc");
	assert_null(d.instructions[5].heredoc);
	assert_string_equal(d.instructions[6].keyword, "LABEL");
	sv_dockerfile_clear(&d);
}

static void a_heredoc_without_end_is_refused(void **state)
{
	struct sv_dockerfile d = SV_DOCKERFILE_INIT;
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	assert_int_equal(sv_dockerfile_parse(&d, "FROM a\nRUN <<EOF\nx\n", 18, &err), SV_ERR_FAIL);
	assert_non_null(strstr(err.msg, "line 2"));
	sv_dockerfile_clear(&d);
}

static void git_sources_are_told_from_files(void **state)
{
	(void)state;
	assert_true(sv_dockerfile_is_git("https://github.com/a/b.git#main"));
	assert_true(sv_dockerfile_is_git("git@github.com:a/b"));
	assert_false(sv_dockerfile_is_git("https://example.org/a.tar.gz"));
	assert_false(sv_dockerfile_is_git("./x.git"));
	assert_true(sv_dockerfile_predefined("HTTP_PROXY"));
	assert_false(sv_dockerfile_predefined("NPM_TOKEN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_have_names_bases_and_edges),
		cmocka_unit_test(args_know_their_scope),
		cmocka_unit_test(secret_mounts_are_read_with_all_their_fields),
		cmocka_unit_test(lines_continue_and_heredocs_are_bodies),
		cmocka_unit_test(a_heredoc_without_end_is_refused),
		cmocka_unit_test(git_sources_are_told_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

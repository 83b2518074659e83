/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matcher of .gitignore patterns against rows, and against git itself where it is installed.
 */
#include "tests/support/sv_test.h"

#include "cli/project/ignore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char patterns[] = "# comment\n"
			       "*.log\n"
			       "!keep.log\n"
			       "/only-top\n"
			       "build/\n"
			       "doc/*.txt\n"
			       "a/**/z\n"
			       "**/deep\n"
			       "tail/**\n"
			       "te?t\n"
			       "[abc]x\n"
			       "[!d-f]y\n"
			       "\\#hash\n"
			       "\\!bang\n"
			       "space\\ \n"
			       "trail   \n"
			       "mid/dle\n"
			       "foo*bar\n"
			       "**.md5\n"
			       "x[[:digit:]]\n"
			       "/star*/leaf\n";

static const struct {
	const char *path;
	bool dir;
} paths[] = {
	{ "a.log", false },      { "keep.log", false },    { "s/keep.log", false },  { "only-top", false },
	{ "s/only-top", false }, { "build", true },        { "build", false },       { "s/build", true },
	{ "doc/a.txt", false },  { "doc/s/a.txt", false }, { "s/doc/a.txt", false }, { "a/z", false },
	{ "a/b/z", false },      { "a/b/c/z", false },     { "deep", false },        { "q/deep", true },
	{ "tail", true },        { "tail/x", false },      { "tail/y/x", false },    { "test", false },
	{ "teest", false },      { "ax", false },          { "dx", false },          { "ey", false },
	{ "gy", false },         { "#hash", false },       { "!bang", false },       { "space ", false },
	{ "space", false },      { "trail", false },       { "mid/dle", false },     { "s/mid/dle", false },
	{ "foobar", false },     { "foo-x-bar", false },   { "foo/bar", false },     { "q.md5", false },
	{ "x1", false },         { "xa", false },          { "star1/leaf", false },  { "s/star1/leaf", false },
};

#define N (sizeof(paths) / sizeof(paths[0]))

static void the_rules_of_gitignore_hold(void **state)
{
	static const char *const ignored = "a.log only-top doc/a.txt a/z a/b/z a/b/c/z deep tail/x tail/y/x test ax gy "
					   "#hash !bang trail mid/dle foobar "
					   "foo-x-bar q.md5 x1 star1/leaf ";
	struct sv_arena a = SV_ARENA_INIT;
	struct sv_ignore ig = { .a = &a };

	(void)state;
	assert_int_equal(sv_ignore_push(&ig, patterns, sizeof(patterns) - 1, 0), 0);
	for (size_t i = 0; i < N; i++) {
		char word[64];
		bool want;

		(void)snprintf(word, sizeof(word), "%s ", paths[i].path);
		want = strstr(ignored, word) != NULL && strcmp(paths[i].path, "space") != 0;
		if (strcmp(paths[i].path, "build") == 0 || strcmp(paths[i].path, "s/build") == 0)
			want = paths[i].dir;
		if (strcmp(paths[i].path, "q/deep") == 0 || strcmp(paths[i].path, "space ") == 0)
			want = true;
		if (strcmp(paths[i].path, "keep.log") == 0 || strcmp(paths[i].path, "s/keep.log") == 0 ||
		    strcmp(paths[i].path, "tail") == 0 || strcmp(paths[i].path, "s/only-top") == 0 ||
		    strcmp(paths[i].path, "s/doc/a.txt") == 0 || strcmp(paths[i].path, "s/mid/dle") == 0 ||
		    strcmp(paths[i].path, "s/star1/leaf") == 0)
			want = false;
		if (sv_ignore_match(&ig, paths[i].path, paths[i].dir) != want)
			fail_msg("%s: wanted %d", paths[i].path, want);
	}
	sv_arena_clear(&a);
}

static void git_says_the_same(void **state)
{
	char dir[] = "/tmp/svi.XXXXXX";
	char command[4096];
	char file[64];
	struct sv_arena a = SV_ARENA_INIT;
	struct sv_ignore ig = { .a = &a };
	FILE *f;

	(void)state;
	if (system("git --version >/dev/null 2>&1") != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/.gitignore", dir);
	assert_non_null(f = fopen(file, "w"));
	assert_int_equal(fwrite(patterns, 1, sizeof(patterns) - 1, f), sizeof(patterns) - 1);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(command, sizeof(command), "cd %s && git init -q . 2>/dev/null", dir);
	assert_int_equal(system(command), 0);
	(void)sv_ignore_push(&ig, patterns, sizeof(patterns) - 1, 0);
	for (size_t i = 0; i < N; i++) {
		int status;

		(void)snprintf(
			command, sizeof(command),
			"cd %s && rm -rf w && mkdir w && cp .gitignore w && cd w && git init -q . 2>/dev/null && "
			"p='%s' && mkdir -p \"./$(dirname -- \"$p\")\" && %s \"./$p\" && git check-ignore -q "
			"--no-index -- \"./$p\"",
			dir, paths[i].path, paths[i].dir ? "mkdir -p" : "touch");
		status = system(command);
		if ((status == 0) != sv_ignore_match(&ig, paths[i].path, paths[i].dir))
			fail_msg("%s: git says %s", paths[i].path, status == 0 ? "ignored" : "not ignored");
	}
	sv_arena_clear(&a);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void patterns_of_a_directory_count_from_there_and_are_dropped(void **state)
{
	struct sv_arena a = SV_ARENA_INIT;
	struct sv_ignore ig = { .a = &a };
	size_t before;

	(void)state;
	before = sv_ignore_push(&ig, "/x\ny\n", 5, 4); /* in "sub/" */
	assert_true(sv_ignore_match(&ig, "sub/x", false));
	assert_false(sv_ignore_match(&ig, "sub/z/x", false));
	assert_true(sv_ignore_match(&ig, "sub/z/y", false));
	sv_ignore_drop(&ig, before);
	assert_false(sv_ignore_match(&ig, "sub/x", false));
	sv_arena_clear(&a);
}

static void a_pattern_made_to_be_slow_gives_up(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(sv_ignore_wild("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	assert_false(sv_ignore_wild("[", "a"));
	assert_false(sv_ignore_wild("[a", "a"));
	assert_true(sv_ignore_wild("a\\", "a\\"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rules_of_gitignore_hold),
		cmocka_unit_test(git_says_the_same),
		cmocka_unit_test(patterns_of_a_directory_count_from_there_and_are_dropped),
		cmocka_unit_test(a_pattern_made_to_be_slow_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

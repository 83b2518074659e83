/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said on standard error, and the exit statuses.
 */
#include "tests/support/sv_test.h"

#include "cli/say.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[8192];
static int saved = -1;
static int ends[2];

static void catch_stderr(void)
{
	assert_int_equal(pipe(ends), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	(void)close(ends[1]);
}

static const char *caught(void)
{
	size_t n = 0;
	ssize_t r;

	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	while ((r = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)r;
	(void)close(ends[0]);
	text[n] = '\0';
	return text;
}

static void every_code_has_the_status_that_is_documented(void **state)
{
	static const struct {
		enum sv_code code;
		int status;
	} rows[] = {
		{ SV_OK, 0 },
		{ SV_ERR_FAIL, 1 },
		{ SV_ERR_USAGE, 2 },
		{ SV_ERR_LOCKED, 3 },
		{ SV_ERR_NOT_FOUND, 4 },
		{ SV_ERR_NO_VAULT, 4 },
		{ SV_ERR_DENIED, 6 },
		{ SV_ERR_EXISTS, 7 },
		{ SV_ERR_CONFLICT, 7 },
		{ SV_ERR_NAME, 2 },
		{ SV_ERR_TOO_BIG, 1 },
		{ SV_ERR_NOMEM, 1 },
		{ SV_ERR_IO, 1 },
		{ SV_ERR_PASSPHRASE, 6 },
		{ SV_ERR_BUSY, 1 },
		{ SV_ERR_PROTO, 1 },
		{ SV_ERR_TRUNCATED, 1 },
		{ SV_ERR_NO_AGENT, 1 },
		{ SV_ERR_NOT_A_VAULT, 8 },
		{ SV_ERR_UNSUPPORTED, 8 },
		{ SV_ERR_LIMITS, 8 },
		{ SV_ERR_INTEGRITY, 8 },
		{ SV_ERR_ROLLBACK, 8 },
		{ SV_ERR_FORK, 8 },
		{ (enum sv_code)99, 1 },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(rows); i++)
		assert_int_equal(sv_say_status(rows[i].code), rows[i].status);
}

static void an_error_has_its_sentence_and_its_hint(void **state)
{
	struct sv_cli cli = { .opt = { .color = "never" } };
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	(void)sv_err_set(&err, SV_ERR_LOCKED, "the vault is locked");
	catch_stderr();
	sv_say_error(&cli, SV_ERR_LOCKED, &err);
	assert_string_equal(caught(), "sv: error: the vault is locked\nsv: hint: run: sv unlock\n");
	sv_hint(&cli, "another %s", "way");
	catch_stderr();
	sv_say_error(&cli, SV_ERR_LOCKED, &err);
	assert_string_equal(caught(), "sv: error: the vault is locked\nsv: hint: another way\n");
	cli.opt.quiet = true;
	catch_stderr();
	sv_say_error(&cli, SV_ERR_LOCKED, &err);
	assert_string_equal(caught(), "sv: error: the vault is locked\n");
}

static void with_json_an_error_is_one_object(void **state)
{
	struct sv_cli cli = { .opt = { .json = true } };
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	(void)sv_err_set(&err, SV_ERR_NOT_FOUND, "no secret named \"x\"");
	catch_stderr();
	sv_say_error(&cli, SV_ERR_NOT_FOUND, &err);
	assert_string_equal(
		caught(),
		"{\"error\":{\"code\":\"not-found\",\"message\":\"no secret named \\\"x\\\"\",\"hint\":null}}\n");
}

static void nothing_raw_reaches_the_terminal(void **state)
{
	struct sv_cli cli = { .opt = { .color = "never" } };

	(void)state;
	catch_stderr();
	sv_say(&cli, "a\033[31mb\nc\xc2\x9b%s", "\xff");
	assert_string_equal(caught(), "sv: a\\x1b[31mb\\x0ac\\u{9b}\\xff\n");
}

static void quiet_silences_notes_and_not_warnings(void **state)
{
	struct sv_cli cli = { .opt = { .quiet = true, .color = "never" } };

	(void)state;
	catch_stderr();
	sv_say(&cli, "a note");
	sv_say_warning(&cli, "take care");
	assert_string_equal(caught(), "sv: warning: take care\n");
}

static void colour_follows_the_option_then_the_environment(void **state)
{
	struct sv_cli cli = { .opt = { .color = "always" } };
	int null = open("/dev/null", O_WRONLY);

	(void)state;
	assert_true(null >= 0);
	(void)setenv("NO_COLOR", "1", 1);
	assert_true(sv_say_color(&cli, null));
	cli.opt.color = "never";
	assert_false(sv_say_color(&cli, null));
	cli.opt.color = "auto";
	assert_false(sv_say_color(&cli, null));
	(void)unsetenv("NO_COLOR");
	assert_false(sv_say_color(&cli, null));
	(void)close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_the_status_that_is_documented),
		cmocka_unit_test(an_error_has_its_sentence_and_its_hint),
		cmocka_unit_test(with_json_an_error_is_one_object),
		cmocka_unit_test(nothing_raw_reaches_the_terminal),
		cmocka_unit_test(quiet_silences_notes_and_not_warnings),
		cmocka_unit_test(colour_follows_the_option_then_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

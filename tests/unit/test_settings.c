/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings file: each key, and errors that say line and column.
 */
#include "tests/support/sv_test.h"

#include "cli/settings.h"
#include "proto/msg.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sv_settings s;
static struct sv_err err;

static enum sv_code parse(const char *text)
{
	err = (struct sv_err)SV_ERR_INIT;
	return sv_settings_parse(&s, text, strlen(text), "config.yaml", &err);
}

static void an_empty_file_gives_the_defaults(void **state)
{
	static const char *const empty[] = { "", "\n", "# nothing\n", "---\n" };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(empty); i++) {
		assert_int_equal(parse(empty[i]), SV_OK);
		assert_int_equal(s.idle_s, 0);
		assert_int_equal(s.total_s, 0);
		assert_int_equal(s.clipboard_clear_s, 45);
		assert_string_equal(s.color, "");
		assert_string_equal(s.generate, "");
	}
}

static void every_key_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse("idle: 30m\nfor: never\nclipboard_clear: 10s\ncolor: never\ngenerate: words:6\n"),
			 SV_OK);
	assert_int_equal(s.idle_s, 1800);
	assert_true(s.total_s == SV_TIMER_NEVER);
	assert_int_equal(s.clipboard_clear_s, 10);
	assert_string_equal(s.color, "never");
	assert_string_equal(s.generate, "words:6");
}

static void errors_say_where(void **state)
{
	static const struct {
		const char *text, *where;
	} rows[] = {
		{ "idle: 30m\nidel: 5m\n", "line 2, column 1" },
		{ "idle: soon\n", "line 1, column 7" },
		{ "color: red\n", "line 1, column 8" },
		{ "generate: hex\n", "line 1, column 11" },
		{ "clipboard_clear: 2h\n", "line 1, column 18" },
		{ "idle: 5m\nfor: 8h\nidle: 6m\n", "line 3, column 1" },
		{ "idle: [5m]\n", "line 1, column 7" },
		{ "- idle\n", "line 1, column 1" },
		{ "idle: 5m\n\tfor: 8h\n", "line 2" },
		{ "just text\n", "line 1, column 1" },
		{ "idle: \"5m\\0x\"\n", "line 1, column 7" },
		{ "? [a]\n: b\n", "line 1, column 3" },
		{ "a: &x [*x]\n", "line 1" },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(rows); i++) {
		assert_int_equal(parse(rows[i].text), SV_ERR_USAGE);
		assert_non_null(strstr(err.msg, "config.yaml"));
		if (strstr(err.msg, rows[i].where) == NULL)
			fail_msg("%zu: %s, wanted %s", i, err.msg, rows[i].where);
	}
}

static void the_file_is_found_by_xdg_rules(void **state)
{
	char dir[] = "/tmp/sv-test-settings-XXXXXX";
	char path[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(sv_settings_load(&s, &err), SV_OK); /* not there */
	(void)snprintf(path, sizeof(path), "%s/sv", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/sv/config.yaml", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "idle: 7m\n", 9), 9);
	(void)close(fd);
	assert_int_equal(sv_settings_load(&s, &err), SV_OK);
	assert_int_equal(s.idle_s, 420);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(ftruncate(fd, 65537), 0);
	(void)close(fd);
	assert_int_equal(sv_settings_load(&s, &err), SV_ERR_USAGE);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/sv", dir);
	(void)rmdir(path);
	(void)rmdir(dir);
}

static void never_is_the_word_for_no_limit(void **state)
{
	uint32_t seconds = 0;

	(void)state;
	assert_int_equal(sv_settings_timer("never", &seconds, NULL), SV_OK);
	assert_true(seconds == SV_TIMER_NEVER);
	assert_int_equal(sv_settings_timer("8h", &seconds, NULL), SV_OK);
	assert_int_equal(seconds, 28800);
	assert_int_equal(sv_settings_timer("0", &seconds, NULL), SV_ERR_USAGE);
	assert_int_equal(sv_settings_timer("", &seconds, NULL), SV_ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(the_file_is_found_by_xdg_rules),
		cmocka_unit_test(never_is_the_word_for_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

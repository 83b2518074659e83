/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clipboard, with a tool that keeps it in a file: copied, cleared, and what was there before brought back.
 */
#include "tests/support/sv_test.h"

#include "cli/clipboard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/sv-test-clipboard-XXXXXX";

static void file(const char *name, const char *text, mode_t mode)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static int set_up(void **state)
{
	char path[512];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s:%s", dir, getenv("PATH"));
	(void)setenv("PATH", path, 1);
	(void)setenv("CLIP", dir, 1);
	(void)setenv("XDG_CONFIG_HOME", dir, 1);
	(void)unsetenv("DISPLAY");
	(void)unsetenv("WAYLAND_DISPLAY");
	(void)snprintf(path, sizeof(path), "%s/sv", dir);
	(void)mkdir(path, 0700);
	file("sv/config.yaml", "clipboard_clear: 1s\n", 0600);
	file("xclip",
	     "#!/bin/sh\ncase $* in *-o*) cat \"$CLIP/content\" ;; *) cat >\"$CLIP/new\"; mv \"$CLIP/new\" "
	     "\"$CLIP/content\" ;; esac\n",
	     0755);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "xclip", "content", "sv/config.yaml" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < SV_COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/sv", dir);
	(void)rmdir(path);
	return rmdir(dir);
}

static bool content_is(const char *text)
{
	char path[128];
	char got[256];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/content", dir);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, got, sizeof(got));
	(void)close(fd);
	return n == (ssize_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

static bool becomes(const char *text)
{
	const struct timespec pause = { 0, 20000000 };

	for (int i = 0; i < 500; i++) {
		if (content_is(text))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static struct sv_cli quiet = { .opt = { .quiet = true } };

static void what_was_there_comes_back(void **state)
{
	(void)state;
	(void)setenv("DISPLAY", ":0", 1);
	file("content", "from before", 0600);
	assert_int_equal(sv_clipboard_copy(&quiet, (const unsigned char *)"hunter2", 7, NULL), SV_OK);
	assert_true(content_is("hunter2"));
	assert_true(becomes("from before"));
}

static void what_somebody_copied_meanwhile_stays(void **state)
{
	const struct timespec pause = { 2, 500000000 };

	(void)state;
	assert_int_equal(sv_clipboard_copy(&quiet, (const unsigned char *)"hunter2", 7, NULL), SV_OK);
	file("content", "something else", 0600);
	(void)nanosleep(&pause, NULL); /* that nothing happens can only be waited for */
	assert_true(content_is("something else"));
}

static void an_empty_clipboard_is_empty_again(void **state)
{
	(void)state;
	file("content", "", 0600);
	assert_int_equal(sv_clipboard_copy(&quiet, (const unsigned char *)"hunter2", 7, NULL), SV_OK);
	assert_true(content_is("hunter2"));
	assert_true(becomes(""));
}

static void without_a_display_there_is_no_clipboard(void **state)
{
	(void)state;
	(void)unsetenv("DISPLAY");
	assert_int_equal(sv_clipboard_copy(&quiet, (const unsigned char *)"x", 1, NULL), SV_ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_there_comes_back),
		cmocka_unit_test(what_somebody_copied_meanwhile_stays),
		cmocka_unit_test(an_empty_clipboard_is_empty_again),
		cmocka_unit_test(without_a_display_there_is_no_clipboard),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

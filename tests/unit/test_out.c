/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathered output: what arrives, what is escaped, and that a failure is never taken for success.
 */
#include "tests/support/sv_test.h"

#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void text_arrives_whole_and_in_order(void **state)
{
	struct sv_out o;
	char got[64];
	int ends[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	o = (struct sv_out)SV_OUT_INIT(ends[1]);
	sv_out_str(&o, "one ");
	sv_out_fmt(&o, "%d", 2);
	sv_out_column(&o, sv_text_of("ab"), 4);
	sv_out_escaped(&o, (struct sv_text){ "\033x", 2 });
	assert_int_equal(sv_out_flush(&o, NULL), SV_OK);
	assert_true(o.wrote);
	n = read(ends[0], got, sizeof(got));
	assert_int_equal(n, 14);
	assert_memory_equal(got, "one 2ab  \\x1bx", 14);
	sv_out_clear(&o);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void more_than_the_buffer_holds_is_written_as_well(void **state)
{
	char path[] = "/tmp/sv-test-out-XXXXXX";
	char line[1000];
	int fd = mkstemp(path);
	struct sv_out o = SV_OUT_INIT(fd);

	(void)state;
	assert_true(fd >= 0);
	(void)unlink(path);
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 300; i++)
		sv_out_bytes(&o, line, sizeof(line));
	assert_int_equal(sv_out_flush(&o, NULL), SV_OK);
	assert_int_equal(lseek(fd, 0, SEEK_END), 300000);
	sv_out_clear(&o);
	(void)close(fd);
}

static void a_closed_pipe_is_an_error_and_no_signal(void **state)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_out o;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	o = (struct sv_out)SV_OUT_INIT(ends[1]);
	sv_out_str(&o, "nobody reads this");
	assert_int_equal(sv_out_flush(&o, &err), SV_ERR_IO);
	assert_int_equal(err.sys_errno, EPIPE);
	sv_out_str(&o, "more");
	assert_int_equal(sv_out_flush(&o, &err), SV_ERR_IO);
	sv_out_clear(&o);
	(void)close(ends[1]);
}

static void another_program_gets_the_signal_as_it_was(void **state)
{
	int ends[2];

	(void)state;
	sv_write_restore_signal();
	(void)signal(SIGPIPE, SIG_DFL);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(sv_write_all(ends[1], "x", 1, NULL), SV_OK);
	assert_true(signal(SIGPIPE, SIG_IGN) == SIG_IGN);
	sv_write_restore_signal();
	assert_true(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_full_disk_is_an_error(void **state)
{
	struct sv_err err = SV_ERR_INIT;
	int fd = open("/dev/full", O_WRONLY);
	struct sv_out o = SV_OUT_INIT(fd);

	(void)state;
	if (fd < 0)
		skip();
	sv_out_str(&o, "no room");
	assert_int_equal(sv_out_flush(&o, &err), SV_ERR_IO);
	assert_int_equal(err.sys_errno, ENOSPC);
	sv_out_clear(&o);
	(void)close(fd);
}

static void columns_count_characters(void **state)
{
	(void)state;
	assert_int_equal(sv_text_columns(sv_text_of("")), 0);
	assert_int_equal(sv_text_columns(sv_text_of("abc")), 3);
	assert_int_equal(sv_text_columns(sv_text_of("gr\xc3\xbc\xc3\x9f")), 4);
	assert_int_equal(sv_text_columns(sv_text_of("\033")), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_arrives_whole_and_in_order),
		cmocka_unit_test(more_than_the_buffer_holds_is_written_as_well),
		cmocka_unit_test(a_closed_pipe_is_an_error_and_no_signal),
		cmocka_unit_test(another_program_gets_the_signal_as_it_was),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(columns_count_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

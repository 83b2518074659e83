/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values from descriptors: exact bytes, one line feed, limits.
 */
#include "tests/support/sv_test.h"

#include "cli/value.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sv_cli cli;
static struct sv_err err;

static int file_with(const void *p, size_t n)
{
	char path[] = "/tmp/sv-test-value-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)unlink(path);
	for (size_t done = 0; done < n;) {
		ssize_t w = write(fd, (const char *)p + done, n - done);

		assert_true(w > 0);
		done += (size_t)w;
	}
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static enum sv_code read_value(const void *p, size_t n, bool raw, struct sv_secret **out)
{
	int fd = file_with(p, n);
	enum sv_code rc;

	err = (struct sv_err)SV_ERR_INIT;
	rc = sv_value_read(&cli, (struct sv_text){ "name", 4 }, fd, raw, out, &err);
	(void)close(fd);
	return rc;
}

static void bytes_come_as_they_are_but_one_line_feed(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		bool raw;
		const char *out;
		size_t out_n;
	} rows[] = {
		{ "abc", 3, false, "abc", 3 },
		{ "abc\n", 4, false, "abc", 3 },
		{ "abc\n\n", 5, false, "abc\n", 4 },
		{ "abc\n", 4, true, "abc\n", 4 },
		{ "a\0b\xff", 4, false, "a\0b\xff", 4 },
		{ "", 0, false, "", 0 },
		{ "\n", 1, false, "", 0 },
		{ "a\r\n", 3, false, "a\r", 2 },
		{ "\nabc", 4, false, "\nabc", 4 },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(rows); i++) {
		struct sv_secret *s = NULL;

		assert_int_equal(read_value(rows[i].in, rows[i].n, rows[i].raw, &s), SV_OK);
		assert_int_equal(sv_secret_len(s), rows[i].out_n);
		assert_memory_equal(sv_secret_cpeek(s), rows[i].out, rows[i].out_n);
		sv_secret_free(&s);
	}
}

static void one_mebibyte_fits_and_one_byte_more_does_not(void **state)
{
	struct sv_secret *s = NULL;
	char *big = malloc(SV_VALUE_MAX + 2);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', SV_VALUE_MAX + 2);
	assert_int_equal(read_value(big, SV_VALUE_MAX, false, &s), SV_OK);
	assert_int_equal(sv_secret_len(s), SV_VALUE_MAX);
	sv_secret_free(&s);
	assert_int_equal(read_value(big, SV_VALUE_MAX, true, &s), SV_OK);
	sv_secret_free(&s);
	assert_int_equal(read_value(big, SV_VALUE_MAX + 1, false, &s), SV_ERR_TOO_BIG);
	assert_null(s);
	assert_int_equal(read_value(big, SV_VALUE_MAX + 1, true, &s), SV_ERR_TOO_BIG);
	assert_int_equal(read_value(big, SV_VALUE_MAX + 2, false, &s), SV_ERR_TOO_BIG);
	big[SV_VALUE_MAX] = '\n';
	assert_int_equal(read_value(big, SV_VALUE_MAX + 1, false, &s), SV_OK);
	assert_int_equal(sv_secret_len(s), SV_VALUE_MAX);
	sv_secret_free(&s);
	free(big);
}

static void a_line_is_read_and_what_follows_stays(void **state)
{
	int fd = file_with("first line\nsecond", 17);
	struct sv_secret *s = NULL;

	(void)state;
	assert_int_equal(sv_value_line(fd, "the passphrase", 100, &s, &err), SV_OK);
	assert_int_equal(sv_secret_len(s), 10);
	assert_memory_equal(sv_secret_cpeek(s), "first line", 10);
	sv_secret_free(&s);
	assert_int_equal(sv_value_line(fd, "the passphrase", 100, &s, &err), SV_OK);
	assert_int_equal(sv_secret_len(s), 6);
	sv_secret_free(&s);
	assert_int_equal(sv_value_line(fd, "the passphrase", 100, &s, &err), SV_ERR_USAGE);
	assert_null(s);
	(void)close(fd);
	assert_int_equal(sv_value_line(fd, "the passphrase", 100, &s, &err), SV_ERR_USAGE);
}

static void a_line_has_a_limit(void **state)
{
	int fd = file_with("12345678\n", 9);
	struct sv_secret *s = NULL;

	(void)state;
	assert_int_equal(sv_value_line(fd, "it", 8, &s, &err), SV_OK);
	sv_secret_free(&s);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(sv_value_line(fd, "it", 7, &s, &err), SV_ERR_USAGE);
	assert_null(strstr(err.msg, "1234"));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_as_they_are_but_one_line_feed),
		cmocka_unit_test(one_mebibyte_fits_and_one_byte_more_does_not),
		cmocka_unit_test(a_line_is_read_and_what_follows_stays),
		cmocka_unit_test(a_line_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations, dates and sizes, both ways.
 */
#include "tests/support/sv_test.h"

#include "cli/units.h"

#include <string.h>

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{ "45s", 45 },
		{ "15m", 900 },
		{ "8h", 28800 },
		{ "90d", 7776000 },
		{ "2w", 1209600 },
		{ "1h30m", 5400 },
		{ "1w2d3h4m5s", 788645 },
		{ "1s", 1 },
		{ "36525d", 36525 * INT64_C(86400) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t s = 0;

		assert_int_equal(sv_duration_parse(good[i].text, &s, NULL), SV_OK);
		assert_true(s == good[i].seconds);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"15",
		"m",
		"15 m",
		"-5m",
		"+5m",
		"1.5h",
		"5min",
		"30m1h",
		"1h1h",
		"0s",
		"99999999999999999999s",
		"36526d",
		"never",
		"5m ",
	};
	int64_t s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sv_duration_parse(bad[i], &s, NULL), SV_ERR_USAGE);
}

static void dates_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t when;
	} good[] = {
		{ "1970-01-01", 0 },          { "2000-02-29", 951782400 },    { "2031-05-17", 1936742400 },
		{ "2038-01-20", 2147558400 }, { "9999-12-31", 253402214400 },
	};
	char text[SV_DATE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t when = -1;

		assert_int_equal(sv_when_parse(good[i].text, 12345, &when, NULL), SV_OK);
		assert_true(when == good[i].when);
		sv_date_format(when, false, text);
		assert_string_equal(text, good[i].text);
	}
	sv_date_format(951782400 + 3 * 3600 + 25 * 60 + 7, true, text);
	assert_string_equal(text, "2000-02-29T03:25:07Z");
	sv_date_format(-1, true, text);
	assert_string_equal(text, "1969-12-31T23:59:59Z");
	sv_date_format(INT64_MAX, true, text);
	assert_true(strlen(text) < SV_DATE_BYTES);
}

static void days_that_are_not_in_the_calendar_are_refused(void **state)
{
	static const char *const bad[] = { "2023-02-29", "2023-13-01", "2023-00-10", "2023-04-31", "2023-01-00",
					   "1969-12-31", "2023-1-01",  "20230101",   "2023-0a-01" };
	int64_t when;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sv_when_parse(bad[i], 0, &when, NULL), SV_ERR_USAGE);
}

static void a_duration_is_a_time_from_now(void **state)
{
	int64_t when = 0;

	(void)state;
	assert_int_equal(sv_when_parse("90d", 1000, &when, NULL), SV_OK);
	assert_true(when == 1000 + 7776000);
}

static void every_day_of_eight_hundred_years_comes_back(void **state)
{
	char text[SV_DATE_BYTES];

	(void)state;
	for (int64_t day = 0; day < INT64_C(800) * 365; day++) {
		int64_t when = -1;

		sv_date_format(day * 86400, false, text);
		assert_int_equal(sv_when_parse(text, 0, &when, NULL), SV_OK);
		assert_true(when == day * 86400);
	}
}

static void durations_are_written_in_two_units(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "0s" },        { 59, "59s" },   { 60, "1m" },       { 61, "1m 1s" }, { 3600, "1h" },
		{ 8040, "2h 14m" }, { 86400, "1d" }, { 90000, "1d 1h" }, { 86459, "1d" }, { -5, "0s" },
	};
	char text[SV_DURATION_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sv_duration_format(rows[i].seconds, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void sizes_are_written(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 bytes" },    { 1, "1 byte" },        { 1023, "1023 bytes" },     { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" }, { 1048576, "1.0 MiB" }, { 268435456, "256.0 MiB" }, { 1073741824, "1.0 GiB" },
	};
	char text[SV_DURATION_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sv_size_format(rows[i].bytes, text);
		assert_string_equal(text, rows[i].text);
	}
	sv_size_format(UINT64_MAX, text);
	assert_true(strlen(text) < SV_DURATION_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(dates_are_read_and_written),
		cmocka_unit_test(days_that_are_not_in_the_calendar_are_refused),
		cmocka_unit_test(a_duration_is_a_time_from_now),
		cmocka_unit_test(every_day_of_eight_hundred_years_comes_back),
		cmocka_unit_test(durations_are_written_in_two_units),
		cmocka_unit_test(sizes_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

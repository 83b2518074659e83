/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and periods as text.
 */
#include "cli/edit/metatext.h"
#include "tests/support/sv_test.h"

#include <string.h>

static struct sv_text text(const char *s)
{
	return (struct sv_text){ s, strlen(s) };
}

static void dates_come_back_as_they_were(void **state)
{
	static const int64_t times[] = { 1,         86400,      86399,        951782400,
					 951868799, 4102444800, 253402300799, 253402300800,
					 -1,        INT64_MAX,  -INT64_MAX };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(times); i++) {
		char s[SV_METATEXT_BYTES];
		int64_t back = 0;

		sv_metatext_put_date(times[i], s);
		assert_int_equal(sv_metatext_get_date(text(s), 0, &back, NULL), SV_OK);
		assert_true(back == times[i]);
	}
}

static void dates_are_read(void **state)
{
	static const struct {
		const char *s;
		int64_t v;
	} good[] = {
		{ "1970-01-02", 86400 },
		{ "2000-02-29", 951782400 },
		{ "2031-05-17T08:30:00Z", 1936773000 },
		{ "90d", 1000 + 90 * 86400 },
		{ "@5", 5 },
	};
	static const char *const bad[] = { "",
					   "2001-02-29",
					   "2001-13-01",
					   "2001-1-1",
					   "2001-01-01T24:00:00Z",
					   "tomorrow",
					   "@",
					   "@x",
					   "@99999999999999999999",
					   "2031-05-17 08:30:00",
					   "0d" };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(good); i++) {
		int64_t v = 0;

		assert_int_equal(sv_metatext_get_date(text(good[i].s), 1000, &v, NULL), SV_OK);
		assert_true(v == good[i].v);
	}
	for (size_t i = 0; i < SV_COUNT(bad); i++) {
		int64_t v = 0;

		assert_int_equal(sv_metatext_get_date(text(bad[i]), 1000, &v, NULL), SV_ERR_USAGE);
	}
}

static void periods_come_back_as_they_were(void **state)
{
	static const int64_t times[] = { 1, 59, 60, 61, 3600, 86400, 90 * 86400, 7 * 86400, 86401, INT64_MAX };
	static const char *const bad[] = { "",     "0d",   "d",   "1",   "1x",
					   "1d2d", "1h1d", "-1d", "1 d", "99999999999999999999d" };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(times); i++) {
		char s[SV_METATEXT_BYTES];
		int64_t back = 0;

		sv_metatext_put_period(times[i], s);
		assert_int_equal(sv_metatext_get_period(text(s), &back, NULL), SV_OK);
		assert_true(back == times[i]);
	}
	for (size_t i = 0; i < SV_COUNT(bad); i++) {
		int64_t v = 0;

		assert_int_equal(sv_metatext_get_period(text(bad[i]), &v, NULL), SV_ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_come_back_as_they_were),
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(periods_come_back_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

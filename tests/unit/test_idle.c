/* SPDX-License-Identifier: Apache-2.0 */
/* agent/idle: when a session ends and when a key may be tried, as tables of times. */
#include "agent/idle.h"
#include "proto/msg.h"
#include "tests/support/sv_test.h"

#define START 1000000 /* of both clocks, in ms */

static struct sv_time at(int64_t ms)
{
	return (struct sv_time){ .boot_ms = START + ms, .mono_ms = START + ms };
}

static struct sv_time slept(int64_t ms, int64_t slept_ms)
{
	return (struct sv_time){ .boot_ms = START + ms, .mono_ms = START + ms - slept_ms };
}

static void sessions_end_when_they_should(void **state)
{
	static const struct {
		const char *what;
		uint32_t idle_s, total_s;
		int64_t touch_ms; /* -1: never */
		int64_t look_ms;
		enum sv_idle_verdict verdict;
	} t[] = {
		{ "at once", 10, 100, -1, 0, SV_IDLE_STAY },
		{ "a moment before", 10, 100, -1, 9999, SV_IDLE_STAY },
		{ "unused", 10, 100, -1, 10000, SV_IDLE_UNUSED },
		{ "used in between", 10, 100, 9999, 19998, SV_IDLE_STAY },
		{ "and then no more", 10, 100, 9999, 19999, SV_IDLE_UNUSED },
		{ "total, though in use", 10, 100, 99999, 100000, SV_IDLE_TOTAL },
		{ "total comes before idle when both are over", 10, 100, -1, 100000, SV_IDLE_TOTAL },
		{ "total shorter than idle", 100, 10, -1, 10000, SV_IDLE_TOTAL },
		{ "no idle limit", SV_TIMER_NEVER, 100, -1, 99999, SV_IDLE_STAY },
		{ "no idle limit, total", SV_TIMER_NEVER, 100, -1, 100000, SV_IDLE_TOTAL },
		{ "no total limit", 10, SV_TIMER_NEVER, 1000000000, 1000009999, SV_IDLE_STAY },
		{ "no total limit, unused", 10, SV_TIMER_NEVER, 1000000000, 1000010000, SV_IDLE_UNUSED },
		{ "never", SV_TIMER_NEVER, SV_TIMER_NEVER, -1, (int64_t)UINT32_MAX * 2000, SV_IDLE_STAY },
		{ "the default idle time", 0, 0, -1, SV_IDLE_DEFAULT_S * 1000 - 1, SV_IDLE_STAY },
		{ "is over", 0, 0, -1, SV_IDLE_DEFAULT_S * 1000, SV_IDLE_UNUSED },
		{ "the default total time", SV_TIMER_NEVER, 0, -1, SV_TOTAL_DEFAULT_S * 1000 - 1, SV_IDLE_STAY },
		{ "is over too", SV_TIMER_NEVER, 0, -1, SV_TOTAL_DEFAULT_S * 1000, SV_IDLE_TOTAL },
		{ "the longest there are", UINT32_MAX - 1, UINT32_MAX - 1, -1, ((int64_t)UINT32_MAX - 1) * 1000 - 1,
		  SV_IDLE_STAY },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct sv_idle s;

		sv_idle_init(&s, at(0));
		sv_idle_start(&s, at(0), t[i].idle_s, t[i].total_s);
		if (t[i].touch_ms >= 0)
			sv_idle_touch(&s, at(t[i].touch_ms));
		if (sv_idle_look(&s, at(t[i].look_ms)) != t[i].verdict)
			fail_msg("%s", t[i].what);
	}
}

static void what_is_left_is_told_and_waited_for(void **state)
{
	static const struct {
		uint32_t idle_s, total_s;
		int64_t look_ms;
		uint32_t idle_left_s, total_left_s;
		int64_t next_ms;
	} t[] = {
		{ 10, 100, 0, 10, 100, 10000 },
		{ 10, 100, 1, 10, 100, 9999 },
		{ 10, 100, 9999, 1, 91, 1 },
		{ 10, 100, 10001, 0, 90, 0 },
		{ 100, 10, 0, 10, 10, 10000 },
		{ SV_TIMER_NEVER, 10, 0, 10, 10, 10000 },
		{ 10, SV_TIMER_NEVER, 0, 10, SV_TIMER_NEVER, 10000 },
		{ SV_TIMER_NEVER, SV_TIMER_NEVER, 0, SV_TIMER_NEVER, SV_TIMER_NEVER, -1 },
	};
	struct sv_idle s;

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		sv_idle_init(&s, at(0));
		sv_idle_start(&s, at(0), t[i].idle_s, t[i].total_s);
		if (sv_idle_left_s(&s, at(t[i].look_ms)) != t[i].idle_left_s ||
		    sv_idle_total_left_s(&s, at(t[i].look_ms)) != t[i].total_left_s ||
		    sv_idle_next_ms(&s, at(t[i].look_ms)) != t[i].next_ms)
			fail_msg("row %zu", i);
	}
	sv_idle_stop(&s);
	assert_int_equal(sv_idle_left_s(&s, at(0)), 0);
	assert_int_equal(sv_idle_total_left_s(&s, at(0)), 0);
	assert_int_equal(sv_idle_next_ms(&s, at(0)), -1);
	assert_int_equal(sv_idle_look(&s, at(1000000)), SV_IDLE_STAY);
}

static void a_suspend_ends_a_session_and_slow_drift_does_not(void **state)
{
	struct sv_idle s;

	(void)state;
	sv_idle_init(&s, at(0));
	sv_idle_start(&s, at(0), SV_TIMER_NEVER, SV_TIMER_NEVER);
	assert_int_equal(sv_idle_look(&s, slept(5000, SV_IDLE_SLEPT_MS)), SV_IDLE_STAY);
	assert_int_equal(sv_idle_look(&s, slept(6000, 2 * SV_IDLE_SLEPT_MS)), SV_IDLE_STAY);
	assert_int_equal(sv_idle_look(&s, slept(9000, 3 * SV_IDLE_SLEPT_MS + 1)), SV_IDLE_SLEPT);
	/* told once; and what was slept while it was locked does not count */
	assert_int_equal(sv_idle_look(&s, slept(9001, 3 * SV_IDLE_SLEPT_MS + 1)), SV_IDLE_STAY);
	sv_idle_stop(&s);
	assert_int_equal(sv_idle_look(&s, slept(100000, 50000)), SV_IDLE_STAY);
	sv_idle_start(&s, slept(100000, 50000), 10, 100);
	assert_int_equal(sv_idle_look(&s, slept(100001, 50000)), SV_IDLE_STAY);
	/* an unlock right behind a suspend is not locked by it */
	sv_idle_start(&s, slept(200000, 90000), 10, 100);
	assert_int_equal(sv_idle_look(&s, slept(200000, 90000)), SV_IDLE_STAY);
	/* idle time counts what was slept, where it is too short to be a suspend */
	assert_int_equal(sv_idle_look(&s, slept(210000, 90900)), SV_IDLE_UNUSED);
}

static void a_clock_that_goes_back_ends_nothing_and_lengthens_no_session(void **state)
{
	struct sv_idle s;

	(void)state;
	sv_idle_init(&s, at(0));
	sv_idle_start(&s, at(0), 10, 100);
	sv_idle_touch(&s, at(5000));
	sv_idle_touch(&s, at(1000)); /* not back to here */
	assert_int_equal(sv_idle_look(&s, at(-3000)), SV_IDLE_STAY);
	assert_int_equal(sv_idle_look(&s, at(14999)), SV_IDLE_STAY);
	assert_int_equal(sv_idle_look(&s, at(15000)), SV_IDLE_UNUSED);
	sv_idle_failed(&s, at(0));
	assert_int_equal(sv_idle_wait_ms(&s, at(-100000000)), SV_IDLE_DELAY_MAX_MS);
}

static void wrong_keys_wait_longer_each_time_up_to_a_limit(void **state)
{
	struct sv_idle s;
	int64_t now = 0;

	(void)state;
	sv_idle_init(&s, at(0));
	assert_int_equal(sv_idle_wait_ms(&s, at(0)), 0);
	for (int n = 1; n <= 250; n++) {
		int64_t want = n * SV_IDLE_STEP_MS < SV_IDLE_DELAY_MAX_MS ? n * SV_IDLE_STEP_MS : SV_IDLE_DELAY_MAX_MS;

		sv_idle_failed(&s, at(now));
		assert_int_equal(sv_idle_wait_ms(&s, at(now)), want);
		assert_int_equal(sv_idle_wait_ms(&s, at(now + want - 1)), 1);
		assert_int_equal(sv_idle_wait_ms(&s, at(now + want)), 0);
		now += want;
	}
	/* neither a session nor its end forgives */
	sv_idle_failed(&s, at(now));
	sv_idle_start(&s, at(now), 0, 0);
	sv_idle_stop(&s);
	assert_int_equal(sv_idle_wait_ms(&s, at(now)), SV_IDLE_DELAY_MAX_MS);
	sv_idle_succeeded(&s);
	assert_int_equal(sv_idle_wait_ms(&s, at(now)), 0);
	sv_idle_failed(&s, at(now));
	assert_int_equal(sv_idle_wait_ms(&s, at(now)), SV_IDLE_STEP_MS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_end_when_they_should),
		cmocka_unit_test(what_is_left_is_told_and_waited_for),
		cmocka_unit_test(a_suspend_ends_a_session_and_slow_drift_does_not),
		cmocka_unit_test(a_clock_that_goes_back_ends_nothing_and_lengthens_no_session),
		cmocka_unit_test(wrong_keys_wait_longer_each_time_up_to_a_limit),
	};

	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}

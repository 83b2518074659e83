/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system's clocks in milliseconds, and the test clock of builds with test hooks.
 */
#include "agent/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#ifdef SV_TESTING
#define TEST_POLL_MS 20

static const char *test_file(void)
{
	return getenv("SV_TEST_CLOCK");
}

static void add_test_offset(struct sv_time *t)
{
	const char *path = test_file();
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	long long total, slept;

	if (f == NULL)
		return;
	if (fscanf(f, "%lld %lld", &total, &slept) == 2) {
		t->boot_ms += total * 1000;
		t->mono_ms += (total - slept) * 1000;
	}
	(void)fclose(f);
}

int sv_clock_poll_ms(void)
{
	return test_file() != NULL ? TEST_POLL_MS : -1;
}
#else
int sv_clock_poll_ms(void)
{
	return -1;
}
#endif

struct sv_time sv_clock_system(void *ctx)
{
	struct sv_time t;

	(void)ctx;
	t.mono_ms = read_ms(CLOCK_MONOTONIC);
#ifdef CLOCK_BOOTTIME
	t.boot_ms = read_ms(CLOCK_BOOTTIME);
#else
	t.boot_ms = read_ms(CLOCK_REALTIME);
#endif
#ifdef SV_TESTING
	add_test_offset(&t);
#endif
	return t;
}

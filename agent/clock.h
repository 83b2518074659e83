/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks of the agent, read together: one that counts suspend and one that does not.  Their difference grows by
 * what was slept.  Passed in, so that tests bring their own.
 */
#ifndef SV_AGENT_CLOCK_H
#define SV_AGENT_CLOCK_H

#include <stdint.h>

struct sv_time {
	int64_t boot_ms; /* counts suspend: idle and absolute lock, the delay after a wrong passphrase */
	int64_t mono_ms; /* does not: deadlines of connections */
};

typedef struct sv_time (*sv_clock_fn)(void *ctx);

/*
 * CLOCK_BOOTTIME and CLOCK_MONOTONIC; where there is no CLOCK_BOOTTIME, wall time stands in for it.  ctx is not
 * used.  In a build with test hooks the file named by SV_TEST_CLOCK holds "A B": A seconds are added to boot_ms, A - B
 * to mono_ms, so that B is what was slept.
 */
struct sv_time sv_clock_system(void *ctx);

/* Longest wait that still notices a change of the test clock; -1 when there is no such clock. */
int sv_clock_poll_ms(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the vault locks by itself, and when the next passphrase may be tried: deadlines and nothing else.
 *
 * The clock is passed in with every call.  Deadlines are compared at every request as well as by a timer, so a late
 * timer never lets a request through.
 */
#ifndef SV_AGENT_IDLE_H
#define SV_AGENT_IDLE_H

#include "agent/clock.h"

#include <stdbool.h>

#define SV_IDLE_STEP_MS      100   /* delay after a wrong key, times their number */
#define SV_IDLE_DELAY_MAX_MS 10000 /* and its limit */
#define SV_IDLE_SLEPT_MS     1000  /* more than this between two looks was a suspend */

struct sv_idle {
	bool running;              /* unlocked */
	uint32_t idle_s, total_s;  /* SV_TIMER_NEVER: never */
	int64_t used_ms, since_ms; /* boot clock */
	int64_t slept_ms;          /* boot - mono at the last look */
	unsigned failures;         /* wrong keys since the last right one */
	int64_t retry_ms;          /* boot clock; before this no key is tried */
};

enum sv_idle_verdict { SV_IDLE_STAY, SV_IDLE_UNUSED, SV_IDLE_TOTAL, SV_IDLE_SLEPT };

void sv_idle_init(struct sv_idle *i, struct sv_time now);
/* Unlocked: start both timers.  0 means the default, SV_TIMER_NEVER never. */
void sv_idle_start(struct sv_idle *i, struct sv_time now, uint32_t idle_s, uint32_t total_s);
void sv_idle_stop(struct sv_idle *i);
/* A use that extends the session. */
void sv_idle_touch(struct sv_idle *i, struct sv_time now);
/* Whether to lock now, and why.  Also remembers how much was slept so far. */
enum sv_idle_verdict sv_idle_look(struct sv_idle *i, struct sv_time now);
/* Milliseconds until a look is due, -1 when nothing is. */
int64_t sv_idle_next_ms(const struct sv_idle *i, struct sv_time now);
/* Seconds left, rounded up; SV_TIMER_NEVER never, 0 when not running. */
uint32_t sv_idle_left_s(const struct sv_idle *i, struct sv_time now);
uint32_t sv_idle_total_left_s(const struct sv_idle *i, struct sv_time now);

void sv_idle_failed(struct sv_idle *i, struct sv_time now);
void sv_idle_succeeded(struct sv_idle *i);
/* Milliseconds until a key may be tried, 0 when now. */
int64_t sv_idle_wait_ms(const struct sv_idle *i, struct sv_time now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines of the session.  Pure arithmetic on the times that are passed in.
 */
#include "agent/idle.h"

#include "proto/msg.h"

void sv_idle_init(struct sv_idle *i, struct sv_time now)
{
	*i = (struct sv_idle){ .slept_ms = now.boot_ms - now.mono_ms };
}

void sv_idle_start(struct sv_idle *i, struct sv_time now, uint32_t idle_s, uint32_t total_s)
{
	i->running = true;
	i->idle_s = idle_s != 0 ? idle_s : SV_IDLE_DEFAULT_S;
	i->total_s = total_s != 0 ? total_s : SV_TOTAL_DEFAULT_S;
	i->used_ms = i->since_ms = now.boot_ms;
	i->slept_ms = now.boot_ms - now.mono_ms;
}

void sv_idle_stop(struct sv_idle *i)
{
	i->running = false;
	i->idle_s = i->total_s = 0;
}

void sv_idle_touch(struct sv_idle *i, struct sv_time now)
{
	if (now.boot_ms > i->used_ms)
		i->used_ms = now.boot_ms;
}

/* What is left of a timer; negative when it is over. */
static int64_t left_ms(int64_t start_ms, uint32_t length_s, struct sv_time now)
{
	return start_ms + (int64_t)length_s * 1000 - now.boot_ms;
}

enum sv_idle_verdict sv_idle_look(struct sv_idle *i, struct sv_time now)
{
	int64_t slept = now.boot_ms - now.mono_ms;
	bool suspended = slept - i->slept_ms > SV_IDLE_SLEPT_MS;

	i->slept_ms = slept;
	if (!i->running)
		return SV_IDLE_STAY;
	if (suspended)
		return SV_IDLE_SLEPT;
	if (i->total_s != SV_TIMER_NEVER && left_ms(i->since_ms, i->total_s, now) <= 0)
		return SV_IDLE_TOTAL;
	if (i->idle_s != SV_TIMER_NEVER && left_ms(i->used_ms, i->idle_s, now) <= 0)
		return SV_IDLE_UNUSED;
	return SV_IDLE_STAY;
}

int64_t sv_idle_next_ms(const struct sv_idle *i, struct sv_time now)
{
	int64_t next = -1;

	if (!i->running)
		return -1;
	if (i->idle_s != SV_TIMER_NEVER)
		next = left_ms(i->used_ms, i->idle_s, now);
	if (i->total_s != SV_TIMER_NEVER) {
		int64_t total = left_ms(i->since_ms, i->total_s, now);

		if (i->idle_s == SV_TIMER_NEVER || total < next)
			next = total;
	} else if (i->idle_s == SV_TIMER_NEVER) {
		return -1;
	}
	return next > 0 ? next : 0;
}

static uint32_t seconds(int64_t ms)
{
	return ms > 0 ? (uint32_t)((ms + 999) / 1000) : 0;
}

uint32_t sv_idle_total_left_s(const struct sv_idle *i, struct sv_time now)
{
	if (!i->running)
		return 0;
	return i->total_s == SV_TIMER_NEVER ? SV_TIMER_NEVER : seconds(left_ms(i->since_ms, i->total_s, now));
}

uint32_t sv_idle_left_s(const struct sv_idle *i, struct sv_time now)
{
	uint32_t total = sv_idle_total_left_s(i, now);
	uint32_t idle;

	if (!i->running)
		return 0;
	idle = i->idle_s == SV_TIMER_NEVER ? SV_TIMER_NEVER : seconds(left_ms(i->used_ms, i->idle_s, now));
	return idle < total ? idle : total;
}

void sv_idle_failed(struct sv_idle *i, struct sv_time now)
{
	int64_t delay;

	if (i->failures < SV_IDLE_DELAY_MAX_MS / SV_IDLE_STEP_MS)
		i->failures++;
	delay = (int64_t)i->failures * SV_IDLE_STEP_MS;
	i->retry_ms = now.boot_ms + (delay < SV_IDLE_DELAY_MAX_MS ? delay : SV_IDLE_DELAY_MAX_MS);
}

void sv_idle_succeeded(struct sv_idle *i)
{
	i->failures = 0;
	i->retry_ms = 0;
}

int64_t sv_idle_wait_ms(const struct sv_idle *i, struct sv_time now)
{
	int64_t wait = i->retry_ms - now.boot_ms;

	/* A clock that was set back must not hold keys off for longer than the longest delay. */
	if (i->failures == 0 || wait <= 0)
		return 0;
	return wait < SV_IDLE_DELAY_MAX_MS ? wait : SV_IDLE_DELAY_MAX_MS;
}

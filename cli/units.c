/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations, dates and sizes.  Dates by the days-from-civil method (proleptic Gregorian, era of 400 years).
 */
#include "cli/units.h"

#include <stdio.h>
#include <string.h>

#define DAY          INT64_C(86400)
#define DURATION_MAX (INT64_C(36525) * DAY)

static const struct {
	char unit;
	int64_t seconds;
} units[] = { { 'w', 7 * DAY }, { 'd', DAY }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

enum sv_code sv_duration_parse(const char *text, int64_t *seconds, struct sv_err *err)
{
	int64_t total = 0;
	size_t next = 0;

	if (*text == '\0')
		goto bad;
	while (*text != '\0') {
		int64_t n = 0;
		size_t u;

		if (*text < '0' || *text > '9')
			goto bad;
		for (; *text >= '0' && *text <= '9'; text++) {
			n = n * 10 + (*text - '0');
			if (n > DURATION_MAX)
				goto bad;
		}
		for (u = next; u < sizeof(units) / sizeof(units[0]) && units[u].unit != *text; u++)
			;
		if (u == sizeof(units) / sizeof(units[0]) || n > DURATION_MAX / units[u].seconds)
			goto bad;
		total += n * units[u].seconds;
		next = u + 1;
		text++;
	}
	if (total < 1 || total > DURATION_MAX)
		goto bad;
	*seconds = total;
	return SV_OK;
bad:
	return sv_err_set(err, SV_ERR_USAGE, "a duration is a number with its unit, as 45s, 15m, 8h, 90d, 2w or 1h30m");
}

static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (int64_t)(m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

static bool digits(const char *p, size_t n, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(p[i] - '0');
	}
	return true;
}

enum sv_code sv_when_parse(const char *text, int64_t now_s, int64_t *when_s, struct sv_err *err)
{
	unsigned y, m, d, m2, d2;
	int64_t days, y2, seconds;

	if (strlen(text) == 10 && text[4] == '-' && text[7] == '-') {
		if (!digits(text, 4, &y) || !digits(text + 5, 2, &m) || !digits(text + 8, 2, &d) || y < 1970 || m < 1 ||
		    m > 12 || d < 1)
			return sv_err_set(err, SV_ERR_USAGE, "a date is YYYY-MM-DD, from 1970");
		days = days_from_civil(y, m, d);
		civil_from_days(days, &y2, &m2, &d2);
		if (y2 != (int64_t)y || m2 != m || d2 != d)
			return sv_err_set(err, SV_ERR_USAGE, "there is no such day in the calendar");
		*when_s = days * DAY;
		return SV_OK;
	}
	if (sv_duration_parse(text, &seconds, err) != SV_OK)
		return sv_err_set(err, SV_ERR_USAGE,
				  "a time is a date YYYY-MM-DD, or a duration from now, as 90d or 2w");
	*when_s = now_s + seconds;
	return SV_OK;
}

void sv_duration_format(int64_t seconds, char out[SV_DURATION_BYTES])
{
	static const char order[] = { 'd', 'h', 'm', 's' };
	static const int64_t size[] = { DAY, 3600, 60, 1 };
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (i < 3 && seconds < size[i])
		i++;
	if (i == 3 || seconds % size[i] < size[i + 1])
		(void)snprintf(out, SV_DURATION_BYTES, "%lld%c", (long long)(seconds / size[i]), order[i]);
	else
		(void)snprintf(out, SV_DURATION_BYTES, "%lld%c %lld%c", (long long)(seconds / size[i]), order[i],
			       (long long)(seconds % size[i] / size[i + 1]), order[i + 1]);
}

void sv_date_format(int64_t when_s, bool with_time, char out[SV_DATE_BYTES])
{
	int64_t days = when_s / DAY - (when_s % DAY < 0);
	int64_t rest = when_s - days * DAY;
	int64_t y;
	unsigned m, d;

	civil_from_days(days, &y, &m, &d);
	if (y < 0 || y > 9999) {
		(void)snprintf(out, SV_DATE_BYTES, "%s", "beyond the calendar");
		return;
	}
	if (with_time)
		(void)snprintf(out, SV_DATE_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)y % 10000, m % 100,
			       d % 100, (unsigned)(rest / 3600) % 100, (unsigned)(rest / 60 % 60),
			       (unsigned)(rest % 60));
	else
		(void)snprintf(out, SV_DATE_BYTES, "%04u-%02u-%02u", (unsigned)y % 10000, m % 100, d % 100);
}

void sv_size_format(uint64_t bytes, char out[SV_DURATION_BYTES])
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths;
	size_t i = 0;

	if (bytes < 1024) {
		(void)snprintf(out, SV_DURATION_BYTES, "%u byte%s", (unsigned)bytes, bytes == 1 ? "" : "s");
		return;
	}
	while (i < 3 && bytes >= 1024u * 1024u) {
		bytes /= 1024;
		i++;
	}
	tenths = bytes > UINT64_MAX / 10 ? bytes / 1024 * 10 : bytes * 10 / 1024;
	(void)snprintf(out, SV_DURATION_BYTES, "%llu.%u %s", (unsigned long long)(tenths / 10), (unsigned)(tenths % 10),
		       names[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata fields by name, and dates and periods that survive the way to text and back.
 */
#include "cli/edit/metatext.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const sv_metafield_names[SV_METAFIELD_COUNT] = { "var",     "desc",   "owner", "url",   "type",
							     "expires", "rotate", "tags",  "scopes" };

#define YEAR_10000_S INT64_C(253402300800)

enum sv_metafield sv_metafield_find(struct sv_text name)
{
	int f;

	for (f = 0; f < SV_METAFIELD_COUNT; f++)
		if (strlen(sv_metafield_names[f]) == name.n && memcmp(sv_metafield_names[f], name.p, name.n) == 0)
			break;
	return (enum sv_metafield)f;
}

struct sv_text *sv_metafield_text(struct sv_meta *m, enum sv_metafield f)
{
	switch (f) {
	case SV_METAFIELD_VAR: return &m->var;
	case SV_METAFIELD_DESC: return &m->desc;
	case SV_METAFIELD_OWNER: return &m->owner;
	case SV_METAFIELD_URL: return &m->url;
	case SV_METAFIELD_TYPE: return &m->type;
	default: return NULL;
	}
}

void sv_metatext_put_date(int64_t when_s, char out[SV_METATEXT_BYTES])
{
	time_t when = (time_t)when_s;
	struct tm tm;

	if (when_s < 0 || when_s >= YEAR_10000_S || gmtime_r(&when, &tm) == NULL)
		(void)snprintf(out, SV_METATEXT_BYTES, "@%lld", (long long)when_s);
	else
		(void)strftime(out, SV_METATEXT_BYTES, when_s % 86400 == 0 ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* A decimal number at *at; false when there is none or it passes max. */
static bool number(struct sv_text t, size_t *at, int64_t max, int64_t *out)
{
	size_t start = *at;
	int64_t v = 0;

	while (*at < t.n && t.p[*at] >= '0' && t.p[*at] <= '9') {
		int digit = t.p[*at] - '0';

		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
		(*at)++;
	}
	*out = v;
	return *at > start;
}

static bool fixed(struct sv_text t, size_t at, size_t digits, int *out)
{
	int v = 0;

	if (t.n < at + digits)
		return false;
	for (size_t i = at; i < at + digits; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (t.p[i] - '0');
	}
	*out = v;
	return true;
}

static bool calendar(struct sv_text t, int64_t *when_s)
{
	struct tm tm = { 0 };
	struct tm back;
	time_t when;
	bool with_time = t.n == 20;

	if ((t.n != 10 && !with_time) || t.p[4] != '-' || t.p[7] != '-' || !fixed(t, 0, 4, &tm.tm_year) ||
	    !fixed(t, 5, 2, &tm.tm_mon) || !fixed(t, 8, 2, &tm.tm_mday))
		return false;
	if (with_time &&
	    (t.p[10] != 'T' || t.p[13] != ':' || t.p[16] != ':' || t.p[19] != 'Z' || !fixed(t, 11, 2, &tm.tm_hour) ||
	     !fixed(t, 14, 2, &tm.tm_min) || !fixed(t, 17, 2, &tm.tm_sec)))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	when = timegm(&back);
	/* timegm() carries the 31st of June over to July: a date that comes back changed was none. */
	if (when < 0 || back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon || back.tm_hour != tm.tm_hour ||
	    back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return false;
	*when_s = (int64_t)when;
	return true;
}

enum sv_code sv_metatext_get_date(struct sv_text t, int64_t now_s, int64_t *when_s, struct sv_err *err)
{
	int64_t period;
	size_t at = 1;

	if (t.n > 1 && t.p[0] == '@') {
		bool minus = t.p[1] == '-';

		if (minus)
			at++;
		if (number(t, &at, INT64_MAX, when_s) && at == t.n) {
			*when_s = minus ? -*when_s : *when_s;
			return SV_OK;
		}
	} else if (calendar(t, when_s)) {
		return SV_OK;
	} else if (sv_metatext_get_period(t, &period, NULL) == SV_OK && period <= INT64_MAX - now_s) {
		*when_s = now_s + period;
		return SV_OK;
	}
	return sv_err_set(err, SV_ERR_USAGE,
			  "not a date: write 2031-05-17, 2031-05-17T08:30:00Z, or a period from now such as 90d");
}

static const struct {
	char unit;
	int64_t seconds;
} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
#define N_UNITS (sizeof(units) / sizeof(units[0]))

void sv_metatext_put_period(int64_t seconds, char out[SV_METATEXT_BYTES])
{
	/* Days rather than weeks: 90d is what people write. */
	for (size_t i = 1; i < N_UNITS; i++) {
		if (seconds % units[i].seconds == 0) {
			(void)snprintf(out, SV_METATEXT_BYTES, "%lld%c", (long long)(seconds / units[i].seconds),
				       units[i].unit);
			return;
		}
	}
}

enum sv_code sv_metatext_get_period(struct sv_text t, int64_t *seconds, struct sv_err *err)
{
	int64_t sum = 0;
	size_t next = 0; /* units only get smaller */
	size_t at = 0;

	while (at < t.n) {
		int64_t v;
		size_t u;

		if (!number(t, &at, INT64_MAX, &v) || at == t.n)
			goto bad;
		for (u = next; u < N_UNITS && units[u].unit != t.p[at]; u++)
			;
		if (u == N_UNITS || v > (INT64_MAX - sum) / units[u].seconds)
			goto bad;
		sum += v * units[u].seconds;
		next = u + 1;
		at++;
	}
	if (sum > 0) {
		*seconds = sum;
		return SV_OK;
	}
bad:
	return sv_err_set(err, SV_ERR_USAGE, "not a period: write 90d, 12h or 1d12h");
}

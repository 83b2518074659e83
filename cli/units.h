/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations, dates and sizes as people write and read them.  Times are UTC, so that two machines show the same.
 */
#ifndef SV_CLI_UNITS_H
#define SV_CLI_UNITS_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SV_DATE_BYTES     24 /* "2031-05-17T08:30:00Z" and NUL */
#define SV_DURATION_BYTES 48 /* two numbers of 64 bits with their units, and NUL */

/* "45s", "15m", "8h", "90d", "2w", "1h30m"; each unit at most once, the larger first.  Seconds, 1 to about 100 years.
 * SV_ERR_USAGE. */
enum sv_code sv_duration_parse(const char *text, int64_t *seconds, struct sv_err *err) SV_CHECK;
/* A duration from now_s, or a date YYYY-MM-DD (its first second).  SV_ERR_USAGE. */
enum sv_code sv_when_parse(const char *text, int64_t now_s, int64_t *when_s, struct sv_err *err) SV_CHECK;
/* The two largest units: "2h 14m". */
void sv_duration_format(int64_t seconds, char out[SV_DURATION_BYTES]);
/* YYYY-MM-DD, or with the time "YYYY-MM-DDThh:mm:ssZ". */
void sv_date_format(int64_t when_s, bool with_time, char out[SV_DATE_BYTES]);
/* "512 bytes", "1.5 KiB". */
void sv_size_format(uint64_t bytes, char out[SV_DURATION_BYTES]);

#endif

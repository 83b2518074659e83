/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one descriptor through the filter to another until the input ends: `sv mask` between two programs.
 */
#ifndef SV_CLI_MASK_PUMP_H
#define SV_CLI_MASK_PUMP_H

#include "cli/match/filter.h"

#include <stdint.h>

#define SV_PUMP_CHUNK ((size_t)128 << 10) /* bytes in a read */
#define SV_PUMP_PIPE  (256 << 10)         /* bytes in a pipe, where the system allows it */

/* Milliseconds of a clock that does not go back. */
uint64_t sv_pump_now_ms(void);
/* Ask for SV_PUMP_PIPE bytes when fd is a pipe that has fewer; best effort. */
void sv_pump_widen(int fd);

/*
 * Blocks until in is at its end; f writes to where it was made to.  SV_ERR_IO with errno, and what the filter returns:
 * nothing more came out then.
 */
enum sv_code sv_pump(int in, struct sv_filter *f, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said to the person, on standard error, and the exit statuses beside it (frozen: DESIGN, command line).
 *
 *	sv: ...			a note, silent with -q
 *	sv: warning: ...
 *	sv: error: ...		with --json {"error":{"code","message","hint"}} instead
 *	sv: hint: ...		the next step
 *
 * Everything is escaped for the terminal.
 */
#ifndef SV_CLI_SAY_H
#define SV_CLI_SAY_H

#include "cli/cmd.h"

enum sv_status {
	SV_STATUS_DONE = 0,
	SV_STATUS_FAILED = 1,
	SV_STATUS_USAGE = 2,
	SV_STATUS_LOCKED = 3,
	SV_STATUS_MISSING = 4,
	SV_STATUS_LEAK = 5,
	SV_STATUS_DENIED = 6,
	SV_STATUS_CONFLICT = 7,
	SV_STATUS_DAMAGED = 8,
};

int sv_say_status(enum sv_code code);
/* The next step that a code alone suggests; NULL when there is none. */
const char *sv_say_advice(enum sv_code code);

void sv_say(const struct sv_cli *cli, const char *fmt, ...) SV_PRINTF(2, 3);
void sv_say_warning(const struct sv_cli *cli, const char *fmt, ...) SV_PRINTF(2, 3);
/* Error and hint, as text or JSON. */
void sv_say_error(const struct sv_cli *cli, enum sv_code code, const struct sv_err *err);

/* true when colour is wanted on that descriptor: --color, NO_COLOR, TERM, a terminal. */
bool sv_say_color(const struct sv_cli *cli, int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${XDG_CONFIG_HOME:-~/.config}/sv/config.yaml: a few habits, no secret.  Read only by commands that use it.
 *
 *	idle: 15m            lock after so long without use (sv unlock --idle); "never" is the word for no limit
 *	for: 8h              lock at latest after so long (sv unlock --for)
 *	clipboard_clear: 45s how long sv get --copy leaves a value there
 *	color: auto          auto, always, never
 *	generate: 32         what --generate without a SPEC means
 *
 * An unknown key, a value that does not parse or a key given twice is an error with line and column.
 */
#ifndef SV_CLI_SETTINGS_H
#define SV_CLI_SETTINGS_H

#include "vault/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SV_GENERATE_SPEC_BYTES 64

struct sv_settings {
	uint32_t idle_s, total_s;              /* 0: the agent's default; SV_TIMER_NEVER */
	uint32_t clipboard_clear_s;            /* 45 */
	char color[8];                         /* "" when not given */
	char generate[SV_GENERATE_SPEC_BYTES]; /* "" when not given */
};

/* Read the file; a file that is not there gives the defaults.  SV_ERR_USAGE, SV_ERR_IO. */
enum sv_code sv_settings_load(struct sv_settings *s, struct sv_err *err) SV_CHECK;
/* The same from text; name is what errors call it. */
enum sv_code sv_settings_parse(struct sv_settings *s, const char *text, size_t len, const char *name,
			       struct sv_err *err) SV_CHECK;

/* A duration or "never" into the seconds of a timer. */
enum sv_code sv_settings_timer(const char *text, uint32_t *seconds, struct sv_err *err) SV_CHECK;

#endif

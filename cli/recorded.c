/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names are those that the tools set for their children; set and not empty, "0" or "false" counts.
 */
#include "cli/recorded.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "CI",       "AI_AGENT",        "AUGMENT_AGENT",  "CLAUDECODE",     "CLAUDE_CODE",
				     "CLINE_ACTIVE", "CODEX_SANDBOX", "CURSOR_AGENT", "GEMINI_CLI", "GOOSE_TERMINAL",
				     "OPENCODE", "OPENCODE_CLIENT", NULL };

bool sv_recorded(void)
{
	for (const char *const *n = names; *n != NULL; n++) {
		const char *v = getenv(*n);

		if (v != NULL && *v != '\0' && strcmp(v, "0") != 0 && strcmp(v, "false") != 0)
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event, written whole by one write(2).
 */
#include "agent/log.h"

#include <stdio.h>
#include <unistd.h>

static bool on;

void sv_log_open(bool foreground)
{
	on = foreground;
}

static void write_line(const char *line, int n)
{
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		on = false; /* nobody reads it any more */
}

void sv_log_event(const char *event, long long n)
{
	char line[128];
	int len;

	if (!on)
		return;
	len = snprintf(line, sizeof(line), "sv-agent: %s (%lld)\n", event, n);
	write_line(line, len < (int)sizeof(line) ? len : (int)sizeof(line) - 1);
}

void sv_log_error(const char *event, enum sv_code code)
{
	char line[128];
	int len;

	if (!on)
		return;
	len = snprintf(line, sizeof(line), "sv-agent: %s: %s\n", event, sv_code_word(code));
	write_line(line, len < (int)sizeof(line) ? len : (int)sizeof(line) - 1);
}

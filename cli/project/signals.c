/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signals that a person may want to be sent to a program.
 */
#include "cli/project/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int sv_signal_number(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} names[] = { { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },   { "TERM", SIGTERM },
		      { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "WINCH", SIGWINCH }, { "ALRM", SIGALRM },
		      { "CONT", SIGCONT }, { "KILL", SIGKILL } };
	char *end;
	long n;

	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].name, text) == 0)
			return names[i].number;
	n = strtol(text, &end, 10);
	return end != text && *end == '\0' && n > 0 && n <= SIGRTMAX ? (int)n : 0;
}

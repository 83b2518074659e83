/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a program whose output is masked on its way, so that it notices as little as possible.
 *
 * What each of its streams becomes:
 *
 *	a terminal	a pseudo-terminal that looks like it.  Streams on one terminal share one, because a terminal
 *			keeps the order of what is written to it and has one set of modes, on which more(1) and
 *			everything that draws on stderr rely
 *	/dev/null	itself
 *	a regular file	itself unless files is set: that is data
 *	anything else	a pipe
 *
 * stdout and stderr that were apart stay apart, each with a filter of its own.
 *
 * When stdout is a terminal the program gets a session with the pseudo-terminal as its controlling terminal, and ours
 * is raw: keys go through as bytes, the line discipline of the pseudo-terminal makes signals of them, once.  If stdin
 * comes from elsewhere (a pipeline), ours stays as it is until the program asks for single keys, because the program
 * at the other end may be asking for a passphrase.  When stdout is no terminal, another program may own the keyboard
 * (`... | less`): the program then stays in our session and process group, and a stderr that is a terminal becomes a
 * pseudo-terminal for output only.
 *
 * Signals: what kill(2) sends us goes on to the program; what the terminal sends has reached it already.  A program
 * that stops stops us, and continues with us.  Without a terminal it has a process group of its own.
 */
#ifndef SV_CLI_MASK_SUPERVISOR_H
#define SV_CLI_MASK_SUPERVISOR_H

#include "cli/mask/child.h"
#include "cli/match/engine.h"

struct sv_supervise {
	char *const *argv;
	struct sv_child_env *env;       /* wiped once the program has it */
	const struct sv_match_set *set; /* borrowed */
	bool files;                     /* mask what goes to regular files too */
};

/* Whether any of stdout and stderr would be masked: else there is nothing to stand between. */
bool sv_supervise_needed(bool files);

/*
 * Returns when the program has ended and its output is out.  *how is its status of waitpid(2).  When it did not start:
 * an error with *status 125, 126 or 127.  When masking fails: the output stops, the program gets SIGPIPE or SIGHUP,
 * and the error is returned with *status 1.
 */
enum sv_code sv_supervise_run(const struct sv_supervise *s, int *how, int *status, struct sv_err *err) SV_CHECK;

/* End as the program did: the same exit status, or the same signal; the status to return when that is survived. */
int sv_supervise_end_like(int how);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals while a program runs under us: those for it go on at once, from the handler; the others wake the loop.
 */
#ifndef SV_CLI_MASK_SIGNALS_H
#define SV_CLI_MASK_SIGNALS_H

#include "cli/mask/child.h"

#define SV_SIGNALS_CHILD     1u
#define SV_SIGNALS_CONTINUED 2u
#define SV_SIGNALS_RESIZED   4u

/* Install the handlers, all signals blocked from here on; plan->mask and ignore_chld become what was before. */
enum sv_code sv_signals_open(struct sv_child_plan *plan, struct sv_err *err) SV_CHECK;
/* Handlers and mask as they were. */
void sv_signals_close(void);
void sv_signals_unblock(void);
/* Where signals go on to (0: nowhere).  kernel: also what the system sends, because it has not sent it there. */
void sv_signals_forward_to(pid_t pid, bool kernel);
/* Readable when something happened. */
int sv_signals_fd(void);
/* What happened since the last call. */
unsigned sv_signals_take(void);
/* Stop by sig, with the whole process group; returns when continued, or when the system does not let us stop. */
void sv_signals_stop(int sig, bool group);
/* Die by sig; returns when that is survived, as by process 1. */
void sv_signals_die(int sig);

#endif

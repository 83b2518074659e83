/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a program as a child when something must be done after it or meanwhile (files to remove, secrets to watch),
 *so that it behaves as if it were not a child.
 *
 * The child has a process group of its own.  When sv is in the foreground of its terminal and standard input and output
 *are terminals, the child's group becomes the foreground at once, else as soon as it needs the terminal.  So what the
 *terminal sends reaches the child directly and only once, and what is sent to sv, by kill(1) to the process or to its
 *group, is passed on once:
 *
 *	sent to sv by a process		to the child
 *	sent to sv's group by the terminal	to the child's group (it was not in the foreground)
 *	the child stops			the terminal is taken back and sv stops by the same signal
 *	sv is continued			the terminal is given again when sv has it, the child's group is continued
 *	the child ends			sv ends likewise: the same status, or the same signal
 *	sv is killed by SIGKILL		the child is killed too (parent-death signal)
 *
 * As process 1 it reaps orphans, and a signal that ends the child gives 128 + n.  It reads nothing and writes nothing.
 * Source: POSIX "General Terminal Interface", glibc manual "Implementing a Job Control Shell", sudo exec_monitor.c
 *(behaviour only).
 */
#ifndef SV_PROJECT_SUPERVISOR_H
#define SV_PROJECT_SUPERVISOR_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum sv_supervisor_verdict {
	SV_SUPERVISOR_GO_ON,
	SV_SUPERVISOR_RESTART, /* end the child (SIGTERM, after 10 s SIGKILL) and start it again */
	SV_SUPERVISOR_SIGNAL,  /* send it ->signal */
	SV_SUPERVISOR_UNWATCH, /* go on, and look at ->fd no more */
};

struct sv_supervisor {
	/* In the new process, memory shared with its parent, which waits: exec.  Returns only on failure, with *status
	 * and err set. */
	void (*become)(void *ctx, pid_t pid, int *status, struct sv_err *err);
	/* Before each start; SV_OK to go on.  May be NULL. */
	enum sv_code (*prepare)(void *ctx, struct sv_err *err);
	/* fd is readable.  May be NULL. */
	enum sv_supervisor_verdict (*ready)(void *ctx);
	void *ctx;
	int fd;     /* -1: nothing to watch */
	int signal; /* of SV_SUPERVISOR_SIGNAL */
	/* filled in */
	int status; /* exit status of the child, when by_signal is 0 */
	int by_signal;
	bool core;
};

/*
 * Blocks until the child has ended.  SV_OK: it ran and ended.  Otherwise it was not started: err and s->status (125,
 * 126, 127).
 */
enum sv_code sv_supervise(struct sv_supervisor *s, struct sv_err *err) SV_CHECK;

/* End as the child did: raises s->by_signal on this process, as process 1 or when that does not end it exits with 128 +
 * n. */
void sv_supervisor_end(const struct sv_supervisor *s) __attribute__((noreturn));

#endif

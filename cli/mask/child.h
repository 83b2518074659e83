/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program as a child: started with its descriptors, and what becomes of it.
 *
 * A program as a child: started with its descriptors, and what becomes of it.
 *	with one			sv -- monitor -- program
 *
 * The monitor leads the new session and owns the terminal, the program leads a process group in its foreground.  It is
 * needed because a session leader's group has no parent that could continue it, so the kernel does not stop it on ^Z
 * (setsid(2), "orphaned process group"); sudo(8) with use_pty has one for the same reason.  It holds no value and no
 * descriptor but the one that it reports over, and ends with us.
 */
#ifndef SV_CLI_MASK_CHILD_H
#define SV_CLI_MASK_CHILD_H

#include "vault/base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A copy of an environment in memory that a child has too; sv_secmem is not there after fork(2). */
struct sv_child_env {
	void *map;
	size_t size;
	char **envp;
};

enum sv_code sv_child_env_copy(struct sv_child_env *e, char *const *envp, struct sv_err *err) SV_CHECK;
void sv_child_env_wipe(struct sv_child_env *e);

struct sv_child_plan {
	char *const *argv;
	struct sv_child_env *env; /* wiped once the program has it */
	int fd[3];                /* what becomes 0, 1 and 2 */
	int terminal;             /* the slave that becomes its controlling terminal, or -1 */
	bool own_group;           /* without a terminal: a process group of its own */
	const sigset_t *mask;     /* signals that the program is to have blocked */
	bool ignore_chld;         /* and SIGCHLD ignored, as we were started */
};

struct sv_child {
	pid_t pid;     /* of the program; 0 once it has ended */
	pid_t started; /* of our own child: the program or the monitor */
	int report;    /* from the monitor, or -1 */
};

/*
 * Returns when the program runs, or did not start: then *status is 125, 126 or 127 as of sv_spawn_exec().  Signals
 * should be blocked by the caller.
 */
enum sv_code sv_child_start(const struct sv_child_plan *plan, struct sv_child *c, int *status, struct sv_err *err)
	SV_CHECK;

/*
 * Whether it has stopped or ended since the last call; *how is a status of waitpid(2).  Until sv_child_release() an
 * ended program keeps its process id, so that a signal sent to it reaches nobody else.
 */
bool sv_child_changed(struct sv_child *c, int *how);
void sv_child_release(struct sv_child *c);
/* As process 1: collect what others left behind. */
void sv_child_reap_others(const struct sv_child *c);

#endif

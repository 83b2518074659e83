/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the process a bad place to look for secrets in.  What the kernel refuses is reported, not required, but for
 * the two things without which the agent does not start: it must not be traced, and its user must be one user.
 */
#ifndef SV_AGENT_HARDEN_H
#define SV_AGENT_HARDEN_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Before anything else: descriptors 0 to 2 exist, the others but keep_a and keep_b (-1: none) are closed, umask 077,
 * signals as they are by default, no core file, not dumpable.  SV_ERR_DENIED: a set-uid or set-gid start.
 */
enum sv_code sv_harden_start(int keep_a, int keep_b, struct sv_err *err) SV_CHECK;
/* In the process that stays, which must be a new one: a handle on /proc/PID/mem from before sv_harden_start() reads an
 * address space that is left behind.  SV_ERR_DENIED: somebody traces this process.  Sets SV_STATUS_DUMPABLE in *status
 * when the kernel kept it dumpable. */
enum sv_code sv_harden_check(uint32_t *status, struct sv_err *err) SV_CHECK;
/* stdin, stdout and stderr to /dev/null, so that a pipe around the command that started the agent ends. */
enum sv_code sv_harden_let_go(struct sv_err *err) SV_CHECK;

struct sv_sandbox {
	const char *vault_path, *state_dir, *socket_path; /* whose directories stay in reach */
};
/*
 * No new privileges, no writable and executable memory, only the three directories (Landlock), no system call that
 * starts a program, makes a process or a socket, or looks into another process (seccomp).  Each as far as the kernel
 * knows it; SV_STATUS_SANDBOX and SV_STATUS_SECCOMP say what holds.  Missing directories are made, 0700.
 */
void sv_harden_sandbox(const struct sv_sandbox *s, uint32_t *status);

#endif

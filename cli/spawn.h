/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming another program: exec in place, so that process id, terminal, signals and exit status are the program's own.
 */
#ifndef SV_CLI_SPAWN_H
#define SV_CLI_SPAWN_H

#include "vault/base/err.h"

#define SV_STATUS_NOT_STARTED 125 /* because of us */
#define SV_STATUS_CANNOT_RUN  126
#define SV_STATUS_NOT_FOUND   127

/*
 * execve(2) of argv[0], searched in the PATH of envp when it has no slash, a script without "#!" through /bin/sh, as
 * execvp(3) does.  Returns only on failure, with *status one of the above.
 */
enum sv_code sv_spawn_exec(char *const *argv, char *const *envp, int *status, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few calls of the client that differ between systems.
 */
#ifndef SV_CLI_PLATFORM_H
#define SV_CLI_PLATFORM_H

#include <stddef.h>

/* No core file and no ptrace by other processes of the user, until the next exec.  Best effort. */
void sv_platform_undumpable(void);
/* The path of the running program, with NUL; its length, or 0 when the system does not tell. */
size_t sv_platform_self(char *out, size_t size);

#endif

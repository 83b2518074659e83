/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether others record what a program puts out: a build server or a coding agent, which keep it and pass it on.
 */
#ifndef SV_CLI_RECORDED_H
#define SV_CLI_RECORDED_H

#include <stdbool.h>

/* By the environment: CI=true, or a variable that a coding agent sets for the commands that it runs. */
bool sv_recorded(void);

#endif

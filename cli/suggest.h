/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a secret is not found: the name that was perhaps meant.
 */
#ifndef SV_CLI_SUGGEST_H
#define SV_CLI_SUGGEST_H

#include "cli/cmd.h"

/* Fill in cli->hint, if it is empty and a name of the environment is like the one in the error's sentence.  Best
 * effort. */
void sv_suggest(struct sv_cli *cli, const struct sv_err *err);

#endif

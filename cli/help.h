/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help from the tables: the list of commands, one command, and what scripts are told.
 */
#ifndef SV_CLI_HELP_H
#define SV_CLI_HELP_H

#include "cli/cmd.h"

void sv_help_overview(struct sv_out *o);
void sv_help_command(struct sv_out *o, const struct sv_cmd *cmd);
const struct sv_cmd *sv_help_find(const char *name);
/* The name of the command that is most like it, or NULL when none is. */
const char *sv_help_similar(const char *name);
/* How many letters two words differ by, counted up to 4. */
unsigned sv_help_distance(const char *a, size_t na, const char *b, size_t nb);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of this folder.
 */
#ifndef SV_PROJECT_COMMANDS_H
#define SV_PROJECT_COMMANDS_H

#include "cli/cmd.h"

extern const struct sv_cmd sv_cmd_exec_project, sv_cmd_allow, sv_cmd_disallow, sv_cmd_init_project, sv_cmd_inject,
	sv_cmd_doctor;

#endif

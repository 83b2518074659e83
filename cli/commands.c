/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All commands, in the order of the documentation.
 */
#include "cli/cmd.h"

const struct sv_cmd *const sv_commands[] = { &sv_cmd_init,
					     &sv_cmd_unlock,
					     &sv_cmd_lock,
					     &sv_cmd_status,
					     &sv_cmd_add,
					     &sv_cmd_set,
					     &sv_cmd_get,
					     &sv_cmd_ls,
					     &sv_cmd_show,
					     &sv_cmd_rm,
					     &sv_cmd_mv,
					     &sv_cmd_cp,
					     &sv_cmd_undo,
					     &sv_cmd_history,
					     &sv_cmd_restore,
					     &sv_cmd_diff,
					     &sv_cmd_env,
					     &sv_cmd_exec,
					     &sv_cmd_mask,
					     &sv_cmd_passwd,
					     &sv_cmd_keys,
					     &sv_cmd_verify,
					     &sv_cmd_backup,
					     &sv_cmd_restore_backup,
					     &sv_cmd_version,
					     &sv_cmd_help,
					     NULL };

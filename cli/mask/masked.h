/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv exec with masked output: what stands between the resolved secrets and the supervisor.
 */
#ifndef SV_CLI_MASK_MASKED_H
#define SV_CLI_MASK_MASKED_H

#include "cli/cmd.h"
#include "cli/match/engine.h"

/* sv_program.exec_masked of the complete program. */
enum sv_code sv_masked_exec(struct sv_cli *cli, const struct sv_masked *m, struct sv_err *err) SV_CHECK;
/* Run argv under set and end as it does: cli->status, or its signal. The connection to the agent is closed. */
enum sv_code sv_masked_run(struct sv_cli *cli, char *const *argv, char *const *envp, const struct sv_match_set *set,
			   bool files, struct sv_err *err) SV_CHECK;

#endif

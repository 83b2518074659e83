/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeing to what a command needs: a vault, an agent, an unlocked session; with a terminal, by asking for the
 * passphrase.
 */
#ifndef SV_CLI_SESSION_H
#define SV_CLI_SESSION_H

#include "cli/cmd.h"

/* sv_program.prepare of the complete program. */
enum sv_code sv_session_prepare(struct sv_cli *cli, struct sv_err *err) SV_CHECK;
/* Connect, starting the agent when it is not there. */
enum sv_code sv_session_connect(struct sv_cli *cli, struct sv_err *err) SV_CHECK;
/* The paths, found once. */
enum sv_code sv_session_paths(const struct sv_paths **paths, struct sv_err *err) SV_CHECK;

#endif

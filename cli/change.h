/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the vault: operations gathered into one WRITE, committed together or not at all.
 */
#ifndef SV_CLI_CHANGE_H
#define SV_CLI_CHANGE_H

#include "cli/cmd.h"

struct sv_change {
	struct sv_cli *cli;
	enum sv_verb verb;
};

enum sv_code sv_change_begin(struct sv_change *c, struct sv_cli *cli, enum sv_verb verb, struct sv_err *err) SV_CHECK;
/* Everything in op is copied.  What does not fit one frame is sent ahead and staged by the agent. */
enum sv_code sv_change_add(struct sv_change *c, const struct sv_msg_op *op, struct sv_err *err) SV_CHECK;
enum sv_code sv_change_commit(struct sv_change *c, struct sv_msg_commit *out, struct sv_err *err) SV_CHECK;

/* All of it for a single operation, and what was done as JSON when --json asks for it. */
enum sv_code sv_change_one(struct sv_cli *cli, enum sv_verb verb, const struct sv_msg_op *op, struct sv_msg_commit *out,
			   struct sv_err *err) SV_CHECK;
void sv_change_json(struct sv_cli *cli, const struct sv_msg_commit *m);

#endif

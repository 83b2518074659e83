/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees from the agent and changes to it: one request reads a group whole, one transaction writes what changed.
 */
#ifndef SV_CLI_EDIT_REMOTE_H
#define SV_CLI_EDIT_REMOTE_H

#include "cli/cmd.h"
#include "cli/edit/merge.h"

/*
 * The secrets of scope (a group with its slash, "" for all, or a name) in the environment, with what it inherits,
 * sorted.  A name that is not there is an empty tree.
 */
enum sv_code sv_remote_read(struct sv_cli *cli, struct sv_text scope, struct sv_tree *out, struct sv_err *err) SV_CHECK;
/* The same without values: each is empty.  No value leaves the agent. */
enum sv_code sv_remote_read_masked(struct sv_cli *cli, struct sv_text scope, struct sv_tree *out,
				   struct sv_err *err) SV_CHECK;
/*
 * Write the differences in one transaction, each against the version that was read.  SV_ERR_CONFLICT, SV_ERR_EXISTS or
 * SV_ERR_NOT_FOUND when the vault is no longer what it was; nothing is written then.
 */
enum sv_code sv_remote_write(struct sv_cli *cli, const struct sv_diff *d, enum sv_verb verb, struct sv_msg_commit *out,
			     struct sv_err *err) SV_CHECK;

static inline bool sv_scope_is_name(struct sv_text scope)
{
	return scope.n > 0 && scope.p[scope.n - 1] != '/';
}

#endif

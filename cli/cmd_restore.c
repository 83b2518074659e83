/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv restore: an old version becomes the current one, as a new version; a deleted secret comes back.
 */
#include "cli/change.h"
#include "cli/ref.h"
#include "cli/say.h"

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_ref ref;

	(void)argc;
	return sv_ref_parse(argv[0], cli->env, &ref, err);
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_op op = { .op = SV_OP_RESTORE };
	struct sv_msg_commit m;
	struct sv_msg_ref ref;
	enum sv_code rc;

	(void)argc;
	if ((rc = sv_ref_parse(argv[0], cli->env, &ref, err)) != SV_OK)
		return rc;
	op.env = ref.env;
	op.name = ref.name;
	op.version = ref.version;
	rc = sv_change_one(cli, SV_VERB_RESTORE, &op, &m, err);
	if (rc == SV_OK && m.unchanged > 0)
		sv_say(cli, "%.*s is as it was already", (int)ref.name.n, ref.name.p);
	if (rc == SV_ERR_NOT_FOUND)
		sv_hint(cli, "sv history %.*s lists what is kept", (int)ref.name.n, ref.name.p);
	return rc;
}

const struct sv_cmd sv_cmd_restore = {
	.name = "restore",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 1,
	.synopsis = "[-e ENV] NAME[@N]",
	.help = "bring back a version or a deleted secret",
	.more = "Version N becomes a new version.  Without @N a deleted secret comes back as it was.  sv undo takes it "
		"back.\n",
};

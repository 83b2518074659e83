/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv mv and sv cp: rename or copy a secret or a group, within an environment or to another one.
 */
#include "cli/change.h"
#include "cli/ref.h"
#include "cli/say.h"

#include <string.h>

static struct {
	const char *to_env;
	bool force;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = { { "to-env", 0, SV_OPT_TEXT, A(to_env), "ENV",
					"into another environment; the name stays when none is given" },
				      { "force", 'f', SV_OPT_FLAG, A(force), NULL, "replace what is there" },
				      SV_OPT_END };

struct target {
	char text[2 * SV_NAME_MAX + 4];
};

/* Where it goes: a name into a group keeps its last part; a group goes to a group. */
static enum sv_code aim(const char *from, const char *to, struct target *t, struct sv_err *err)
{
	size_t n = strlen(from);
	size_t m;

	if (to == NULL)
		to = from;
	m = strlen(to);
	if (n > SV_NAME_MAX + 1 || m > SV_NAME_MAX + 1)
		return sv_err_set(err, SV_ERR_NAME, "a name has at most %d bytes", SV_NAME_MAX);
	memcpy(t->text, to, m + 1);
	if (sv_ref_is_group(from)) {
		if (!sv_ref_is_group(to))
			memcpy(t->text + m, "/", 2);
		return sv_group_check(t->text, strlen(t->text), err);
	}
	if (sv_ref_is_group(to)) {
		const char *last = strrchr(from, '/');

		memcpy(t->text + m, last != NULL ? last + 1 : from, strlen(last != NULL ? last + 1 : from) + 1);
	}
	return sv_name_check(t->text, strlen(t->text), err);
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_text name;
	struct target t;
	enum sv_code rc;

	if ((rc = sv_ref_name(argv[0], true, &name, err)) != SV_OK ||
	    (rc = aim(argv[0], argc > 1 ? argv[1] : NULL, &t, err)) != SV_OK)
		return rc;
	if (args.to_env != NULL && (rc = sv_env_name_check(args.to_env, strlen(args.to_env), err)) != SV_OK) {
		sv_err_prefix(err, "--to-env");
		return SV_ERR_USAGE;
	}
	if (argc < 2 && args.to_env == NULL)
		return sv_err_set(err, SV_ERR_USAGE, "where to? sv %s %s", cli->cmd->name, cli->cmd->synopsis);
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, bool move, struct sv_err *err)
{
	struct sv_msg_op op = { .op = move ? SV_OP_MOVE : SV_OP_COPY, .env = cli->env, .force = args.force };
	struct sv_msg_commit m;
	struct target t;
	enum sv_code rc;

	if ((rc = aim(argv[0], argc > 1 ? argv[1] : NULL, &t, err)) != SV_OK)
		return rc;
	op.name = sv_text_of(argv[0]);
	op.to_env = args.to_env != NULL ? sv_text_of(args.to_env) : cli->env;
	op.to_name = sv_text_of(t.text);
	rc = sv_change_one(cli, move ? SV_VERB_MV : SV_VERB_CP, &op, &m, err);
	if (rc == SV_ERR_EXISTS)
		sv_hint(cli, "nothing was changed; --force replaces what is there, and sv undo takes that back");
	return rc;
}

static enum sv_code run_mv(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	return run(cli, argc, argv, true, err);
}

static enum sv_code run_cp(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	return run(cli, argc, argv, false, err);
}

const struct sv_cmd sv_cmd_mv = {
	.name = "mv",
	.fn = run_mv,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 2,
	.synopsis = "[-e ENV] [--to-env ENV] [--force] NAME|GROUP/ [NEW|GROUP/]",
	.help = "rename a secret or a group",
	.opts = opts,
	.args = &args,
	.more = "Versions and metadata go with it.  sv undo takes it back.\n",
};

const struct sv_cmd sv_cmd_cp = {
	.name = "cp",
	.fn = run_cp,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 2,
	.synopsis = "[-e ENV] [--to-env ENV] [--force] NAME|GROUP/ [NEW|GROUP/]",
	.help = "copy a secret or a group",
	.opts = opts,
	.args = &args,
	.more = "Value and metadata of the current version become a version of the copy.  sv undo takes it back.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv rm: delete secrets or a group, in one change that sv undo takes back.
 */
#include "cli/auth.h"
#include "cli/change.h"
#include "cli/prompt.h"
#include "cli/ref.h"
#include "cli/say.h"

#include <stdio.h>

static struct {
	bool yes;
} args;

static const struct sv_opt opts[] = {
	{ "yes", 'y', SV_OPT_FLAG, offsetof(__typeof__(args), yes), NULL, "delete groups without asking" }, SV_OPT_END
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_text name;
	bool group = false;

	for (int i = 0; i < argc; i++) {
		enum sv_code rc = sv_ref_name(argv[i], true, &name, err);

		if (rc != SV_OK)
			return rc;
		group = group || sv_ref_is_group(argv[i]);
	}
	if (group && !args.yes && !sv_auth_can_ask(cli)) {
		sv_hint(cli, "--yes deletes it without a question");
		return sv_err_set(err, SV_ERR_USAGE,
				  "a group is deleted only after a question, and there is no terminal to ask on");
	}
	return SV_OK;
}

/* How many secrets of its own the group has. */
static enum sv_code count(struct sv_cli *cli, const char *group, size_t *n, struct sv_err *err)
{
	const struct sv_msg_list ask = { .env = cli->env, .group = sv_text_of(group) };
	struct sv_msg_entry e;
	struct sv_buf *body;
	bool more = true;
	enum sv_code rc;

	*n = 0;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_LIST, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_list(&cli->client.out, &ask)) != SV_OK ||
	    (rc = sv_client_send(&cli->client, err)) != SV_OK)
		return rc;
	while (more) {
		if ((rc = sv_client_recv(&cli->client, &body, &more, err)) != SV_OK)
			return rc;
		while (sv_buf_unread(body) > 0) {
			if (sv_msg_get_entry(body, &e, false) != SV_OK)
				return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
			*n += !e.inherited;
		}
	}
	return SV_OK;
}

static enum sv_code confirm(struct sv_cli *cli, const char *group, struct sv_err *err)
{
	char question[SV_NAME_MAX * 10 + 64];
	char shown[SV_NAME_MAX * 10];
	bool yes = false;
	size_t n;
	enum sv_code rc;

	if ((rc = count(cli, group, &n, err)) != SV_OK)
		return rc;
	if (n == 0)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no group %s in the environment %.*s", group,
				  (int)cli->env.n, cli->env.p);
	if (args.yes)
		return SV_OK;
	(void)sv_escape(group, sv_text_of(group).n, shown, sizeof(shown));
	(void)snprintf(question, sizeof(question), "Delete the %zu secret%s in %s? [y/N] ", n, n == 1 ? "" : "s",
		       shown);
	if ((rc = sv_prompt_yes(question, &yes, err)) != SV_OK)
		return rc;
	return yes ? SV_OK : sv_err_set(err, SV_ERR_FAIL, "nothing was deleted");
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_op op = { .op = SV_OP_REMOVE, .env = cli->env };
	struct sv_msg_commit m;
	struct sv_change c;
	enum sv_code rc;

	for (int i = 0; i < argc; i++)
		if (sv_ref_is_group(argv[i]) && (rc = confirm(cli, argv[i], err)) != SV_OK)
			return rc;
	if ((rc = sv_change_begin(&c, cli, SV_VERB_RM, err)) != SV_OK)
		return rc;
	for (int i = 0; i < argc; i++) {
		op.name = sv_text_of(argv[i]);
		if ((rc = sv_change_add(&c, &op, err)) != SV_OK)
			return rc;
	}
	if ((rc = sv_change_commit(&c, &m, err)) != SV_OK)
		return rc;
	sv_change_json(cli, &m);
	if (!cli->opt.json)
		sv_say(cli, "deleted %u secret%s; sv undo brings %s back", (unsigned)m.removed,
		       m.removed == 1 ? "" : "s", m.removed == 1 ? "it" : "them");
	return SV_OK;
}

const struct sv_cmd sv_cmd_rm = {
	.name = "rm",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = -1,
	.synopsis = "[-e ENV] [--yes] NAME|GROUP/...",
	.help = "delete secrets",
	.opts = opts,
	.args = &args,
	.more = "All in one change, which sv undo takes back.  Deleted secrets are kept for at least 90 days: sv "
		"restore NAME.\n",
};

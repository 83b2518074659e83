/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv env: list, create, rename, remove, copy and compare environments.
 */
#include "cli/change.h"
#include "cli/json.h"
#include "cli/say.h"

#include <string.h>

static struct {
	bool standalone, force, all;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "standalone", 0, SV_OPT_FLAG, A(standalone), NULL, "create: does not inherit from default" },
	{ "force", 'f', SV_OPT_FLAG, A(force), NULL, "remove: with the secrets in it; copy: replace what is there" },
	{ "all", 'a', SV_OPT_FLAG, A(all), NULL, "diff: also what is the same" },
	SV_OPT_END
};

static enum sv_code list(struct sv_cli *cli, char **argv, struct sv_err *err)
{
	struct sv_json j = { &cli->out, false };
	struct sv_buf *body;
	enum sv_code rc;

	(void)argv;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_ENVS, 0, err)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if (cli->opt.json)
		sv_json_open(&j, NULL, '[');
	while (sv_buf_unread(body) > 0) {
		struct sv_text name;
		uint8_t standalone = 0;
		uint32_t secrets = 0;

		if (sv_msg_get_text(body, &name, SV_ENV_NAME_MAX) != SV_OK ||
		    sv_buf_get_u8(body, &standalone) != SV_OK || sv_buf_get_u32(body, &secrets) != SV_OK)
			return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
		if (cli->opt.json) {
			sv_json_open(&j, NULL, '{');
			sv_json_text(&j, "name", name);
			sv_json_bool(&j, "standalone", standalone != 0);
			sv_json_number(&j, "secrets", secrets);
			sv_json_close(&j, '}');
			continue;
		}
		sv_out_escaped(&cli->out, name);
		sv_out_fmt(&cli->out, "\t%u%s\n", (unsigned)secrets, standalone != 0 ? "\tstandalone" : "");
	}
	if (cli->opt.json) {
		sv_json_close(&j, ']');
		sv_json_end(&j);
	}
	return SV_OK;
}

static enum sv_code change(struct sv_cli *cli, enum sv_op what, const char *env, const char *to, bool force,
			   struct sv_err *err)
{
	const struct sv_msg_op op = {
		.op = (uint8_t)what, .env = sv_text_of(env), .to_env = sv_text_of(to != NULL ? to : ""), .force = force
	};
	struct sv_msg_commit m;

	return sv_change_one(cli, SV_VERB_ENV, &op, &m, err);
}

static enum sv_code create(struct sv_cli *cli, char **argv, struct sv_err *err)
{
	return change(cli, SV_OP_ENV_CREATE, argv[0], NULL, args.standalone, err);
}

static enum sv_code rename_env(struct sv_cli *cli, char **argv, struct sv_err *err)
{
	return change(cli, SV_OP_ENV_RENAME, argv[0], argv[1], false, err);
}

static enum sv_code remove_env(struct sv_cli *cli, char **argv, struct sv_err *err)
{
	enum sv_code rc = change(cli, SV_OP_ENV_REMOVE, argv[0], NULL, args.force, err);

	if (rc == SV_ERR_CONFLICT && !args.force)
		sv_hint(cli, "nothing was changed; --force removes it with its secrets, and sv undo takes that back");
	return rc;
}

static enum sv_code copy(struct sv_cli *cli, char **argv, struct sv_err *err)
{
	return change(cli, SV_OP_ENV_COPY, argv[0], argv[1], args.force, err);
}

static enum sv_code diff(struct sv_cli *cli, char **argv, struct sv_err *err)
{
	static const char *const words[] = { "", "only_first", "only_second", "same", "different" };
	static const char *const signs[] = { "", "- ", "+ ", "  ", "~ " };
	struct sv_json j = { &cli->out, false };
	struct sv_buf *out = &cli->client.out;
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_ENV_DIFF, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_text(out, sv_text_of(argv[0]))) != SV_OK ||
	    (rc = sv_msg_put_text(out, sv_text_of(argv[1]))) != SV_OK ||
	    (rc = sv_msg_put_text(out, sv_text_of(""))) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if (cli->opt.json)
		sv_json_open(&j, NULL, '[');
	while (sv_buf_unread(body) > 0) {
		struct sv_text name;
		uint8_t side = 0;

		if (sv_buf_get_u8(body, &side) != SV_OK || side < SV_SIDE_ONLY_FIRST || side > SV_SIDE_DIFFERENT ||
		    sv_msg_get_text(body, &name, SV_NAME_MAX) != SV_OK)
			return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
		if (side == SV_SIDE_SAME && !args.all && !cli->opt.json)
			continue;
		if (cli->opt.json) {
			sv_json_open(&j, NULL, '{');
			sv_json_text(&j, "name", name);
			sv_json_str(&j, "state", words[side]);
			sv_json_close(&j, '}');
			continue;
		}
		sv_out_str(&cli->out, signs[side]);
		sv_out_escaped(&cli->out, name);
		sv_out_str(&cli->out, "\n");
	}
	if (cli->opt.json) {
		sv_json_close(&j, ']');
		sv_json_end(&j);
	}
	return SV_OK;
}

static const struct {
	const char *name;
	int args;
	enum sv_code (*fn)(struct sv_cli *, char **, struct sv_err *);
} actions[] = {
	{ "list", 0, list },         { "create", 1, create }, { "rename", 2, rename_env },
	{ "remove", 1, remove_env }, { "copy", 2, copy },     { "diff", 2, diff },
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static size_t action(int argc, char **argv)
{
	size_t i = 0;

	if (argc == 0)
		return 0;
	while (i < ACTIONS && strcmp(actions[i].name, argv[0]) != 0)
		i++;
	return i;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	size_t a = action(argc, argv);

	if (a == ACTIONS || (argc > 0 && argc - 1 != actions[a].args))
		return sv_err_set(err, SV_ERR_USAGE, "usage: sv %s %s", cli->cmd->name, cli->cmd->synopsis);
	for (int i = 1; i < argc; i++) {
		enum sv_code rc = sv_env_name_check(argv[i], strlen(argv[i]), err);

		if (rc != SV_OK)
			return rc;
	}
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	return actions[action(argc, argv)].fn(cli, argv + 1, err);
}

const struct sv_cmd sv_cmd_env = {
	.name = "env",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 3,
	.synopsis = "[list | create NAME [--standalone] | rename A B | remove NAME [--force] | copy A B [--force] | "
		    "diff A B [--all]]",
	.help = "look after environments",
	.opts = opts,
	.args = &args,
	.more = "An environment lies over default: what it does not set comes from there, unless it is standalone.\n"
		"list: name, number of its own secrets.  diff: - only in A, + only in B, ~ different; values are "
		"compared, not shown.\n"
		"copy: the secrets that A has of its own.  Every change is taken back by sv undo.\n",
};

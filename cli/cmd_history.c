/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv history: every version that is kept, newest first; also of a deleted secret.
 */
#include "cli/info.h"
#include "cli/ref.h"

struct walk {
	struct sv_cli *cli;
	struct sv_json json;
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_text name;

	(void)cli;
	(void)argc;
	return sv_ref_name(argv[0], false, &name, err);
}

static enum sv_code each(void *ctx, const struct sv_msg_info *i, struct sv_err *err)
{
	struct walk *w = ctx;

	(void)err;
	if (!w->cli->opt.json) {
		sv_info_line(&w->cli->out, i);
		return SV_OK;
	}
	sv_json_open(&w->json, NULL, '{');
	sv_info_json(&w->json, i);
	sv_json_close(&w->json, '}');
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const struct sv_msg_ref ref = { .env = cli->env, .name = sv_text_of(argv[0]) };
	struct walk w = { cli, { &cli->out, false } };
	enum sv_code rc;

	(void)argc;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_HISTORY, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, &ref)) != SV_OK)
		return rc;
	if (cli->opt.json)
		sv_json_open(&w.json, NULL, '[');
	rc = sv_info_each(cli, each, &w, err);
	if (cli->opt.json) {
		sv_json_close(&w.json, ']');
		sv_json_end(&w.json);
	}
	if (rc != SV_OK)
		sv_out_clear(&cli->out);
	return rc;
}

const struct sv_cmd sv_cmd_history = {
	.name = "history",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 1,
	.synopsis = "[-e ENV] NAME",
	.help = "list the versions of a secret",
	.more = "Version, time, what was done, environment, name; newest first.  sv get NAME@N reads one, sv restore "
		"NAME@N brings it back.\n",
};

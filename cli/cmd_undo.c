/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv undo: take back the last change.
 */
#include "cli/info.h"
#include "cli/say.h"

#define COMMIT_BYTES (8 + 4 * 4) /* of struct sv_msg_commit on the wire; what follows are secrets */

static struct {
	bool dry_run;
} args;

static const struct sv_opt opts[] = { { "dry-run", 'n', SV_OPT_FLAG, offsetof(__typeof__(args), dry_run), NULL,
					"say what would be taken back; change nothing" },
				      SV_OPT_END };

static enum sv_code lines(struct sv_cli *cli, struct sv_buf *body, struct sv_err *err)
{
	struct sv_json j = { &cli->out, false };
	struct sv_msg_info info;
	bool any = sv_buf_unread(body) > COMMIT_BYTES;
	struct sv_msg_commit m;
	enum sv_code rc;

	if (sv_msg_get_commit(body, &m) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	if (cli->opt.json) {
		sv_json_open(&j, NULL, '{');
		sv_json_bool(&j, "dry_run", args.dry_run);
		sv_json_open(&j, "secrets", '[');
	}
	while (sv_buf_unread(body) > 0) {
		if ((rc = sv_info_next(body, &info, err)) != SV_OK)
			return rc;
		if (cli->opt.json) {
			sv_json_open(&j, NULL, '{');
			sv_info_json(&j, &info);
			sv_json_close(&j, '}');
			continue;
		}
		if (cli->opt.quiet)
			continue;
		sv_out_escaped(&cli->out, info.env);
		sv_out_str(&cli->out, "  ");
		sv_out_escaped(&cli->out, info.name);
		if (info.gone)
			sv_out_str(&cli->out, args.dry_run ? "  would be gone again\n" : "  is gone again\n");
		else
			sv_out_fmt(&cli->out,
				   args.dry_run ? "  would go back, as version %llu\n"
						: "  went back, as version %llu\n",
				   (unsigned long long)info.version);
	}
	if (!any && !cli->opt.json && !cli->opt.quiet)
		sv_out_str(&cli->out, args.dry_run ? "would take back a change of the environments\n"
						   : "took back a change of the environments\n");
	if (cli->opt.json) {
		sv_json_close(&j, ']');
		sv_json_close(&j, '}');
		sv_json_end(&j);
	}
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_UNDO, 0, err)) != SV_OK ||
	    (rc = sv_buf_put_u8(&cli->client.out, args.dry_run)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	return lines(cli, body, err);
}

const struct sv_cmd sv_cmd_undo = {
	.name = "undo",
	.fn = run,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--dry-run]",
	.help = "take back the last change",
	.opts = opts,
	.args = &args,
	.more = "Says what becomes of each secret.  Again takes back the change before it.  An undo is a change like "
		"any other: every\n"
		"version stays in sv history.\n",
};

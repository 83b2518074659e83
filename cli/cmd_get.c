/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv get: the exact bytes of one value on standard output, or on the clipboard.
 */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/ref.h"

#include <unistd.h>

static struct {
	uint64_t version;
	bool copy, raw;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "version", 0, SV_OPT_NUMBER, A(version), "N", "version N instead of the current one; NAME@N is the same" },
	{ "copy", 0, SV_OPT_FLAG, A(copy), NULL,
	  "to the clipboard, which is cleared after 45 s; what was there comes back" },
	{ "raw", 0, SV_OPT_FLAG, A(raw), NULL, "to a terminal too: control characters as they are" },
	SV_OPT_END
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_ref ref;

	(void)argc;
	if (args.copy && cli->program->copy == NULL)
		return SV_ERR_FAIL; /* the complete program does it */
	return sv_ref_parse(argv[0], cli->env, &ref, err);
}

static enum sv_code print(struct sv_cli *cli, struct sv_text value, struct sv_err *err)
{
	enum sv_code rc;

	if (isatty(STDOUT_FILENO) == 1) {
		/* A line at a time, so that a key with several lines can be read. */
		for (size_t i = 0, start = 0; i <= value.n && !args.raw; i++)
			if (i == value.n || value.p[i] == '\n') {
				sv_out_escaped(&cli->out, (struct sv_text){ value.p + start, i - start });
				if (i < value.n)
					sv_out_str(&cli->out, "\n");
				start = i + 1;
			}
		if (args.raw)
			sv_out_bytes(&cli->out, value.p, value.n);
		if (value.n == 0 || value.p[value.n - 1] != '\n')
			sv_out_str(&cli->out, "\n");
		return SV_OK;
	}
	cli->out.wrote = true;
	rc = sv_write_all(STDOUT_FILENO, value.p, value.n, err);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_ref ref;
	struct sv_buf *body;
	struct sv_text value;
	enum sv_code rc;

	(void)argc;
	if ((rc = sv_ref_parse(argv[0], cli->env, &ref, err)) != SV_OK)
		return rc;
	if (args.version != 0)
		ref.version = args.version;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_GET, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, &ref)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	value = (struct sv_text){ (const char *)sv_buf_head(body), sv_buf_unread(body) };
	if (args.copy)
		return cli->program->copy(cli, sv_buf_head(body), value.n, err);
	if (cli->opt.json) {
		struct sv_json j = { &cli->out, false };

		sv_json_open(&j, NULL, '{');
		sv_json_text(&j, "name", ref.name);
		sv_json_text(&j, "environment", ref.env);
		if (ref.version != 0)
			sv_json_number(&j, "version", (int64_t)ref.version);
		sv_json_value(&j, "value", value.p, value.n);
		sv_json_close(&j, '}');
		sv_json_end(&j);
		return SV_OK;
	}
	return print(cli, value, err);
}

const struct sv_cmd sv_cmd_get = {
	.name = "get",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 1,
	.synopsis = "[-e ENV] [--version N] [--copy] [--raw] NAME[@N]",
	.help = "print the value of a secret",
	.opts = opts,
	.args = &args,
	.more = "Exact bytes, with nothing added; on a terminal a line feed follows and control characters are escaped "
		"unless --raw.\n"
		"sv://ENV/NAME is accepted too.\n",
};

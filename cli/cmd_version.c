/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv version: of the program, the protocol and the vault format.
 */
#include "cli/cmd.h"
#include "cli/json.h"

#define FORMAT 1

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_json j = { &cli->out, false };

	(void)argc;
	(void)argv;
	(void)err;
	if (!cli->opt.json) {
		sv_out_str(&cli->out, "sv " SV_VERSION "\n");
		return SV_OK;
	}
	sv_json_open(&j, NULL, '{');
	sv_json_str(&j, "version", SV_VERSION);
	sv_json_number(&j, "protocol", SV_PROTO_VERSION);
	sv_json_number(&j, "format", FORMAT);
	sv_json_close(&j, '}');
	sv_json_end(&j);
	return SV_OK;
}

const struct sv_cmd sv_cmd_version = {
	.name = "version",
	.fn = run,
	.flags = 0,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--json]",
	.help = "print the version",
};

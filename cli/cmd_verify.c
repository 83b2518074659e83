/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv verify: check everything in the vault that can be checked, every seal included.
 */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/units.h"

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_json j = { &cli->out, false };
	uint64_t rows = 0, values = 0, bytes = 0;
	char size[SV_DURATION_BYTES];
	struct sv_buf *body;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_VERIFY, 0, err)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if (sv_buf_get_u64(body, &rows) != SV_OK || sv_buf_get_u64(body, &values) != SV_OK ||
	    sv_buf_get_u64(body, &bytes) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	if (cli->opt.json) {
		sv_json_open(&j, NULL, '{');
		sv_json_bool(&j, "good", true);
		sv_json_number(&j, "rows", (int64_t)rows);
		sv_json_number(&j, "values", (int64_t)values);
		sv_json_number(&j, "bytes", (int64_t)bytes);
		sv_json_close(&j, '}');
		sv_json_end(&j);
	} else if (!cli->opt.quiet) {
		sv_size_format(bytes, size);
		sv_out_fmt(&cli->out, "the vault is good: %llu records, %llu values opened, %s\n",
			   (unsigned long long)rows, (unsigned long long)values, size);
	}
	return SV_OK;
}

const struct sv_cmd sv_cmd_verify = {
	.name = "verify",
	.fn = run,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--json]",
	.help = "check the whole vault",
	.more = "Opens every seal.  Exit status 8 when something does not hold; nothing is modified.\n",
};

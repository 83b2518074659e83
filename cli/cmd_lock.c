/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv lock: the agent forgets every key.
 */
#include "cli/cmd.h"

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	char socket[SV_PATH_BYTES];
	struct sv_buf *body;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_paths_socket(socket, err)) != SV_OK)
		return rc;
	rc = sv_client_connect(&cli->client, socket, err);
	if (rc == SV_ERR_NO_AGENT)
		return SV_OK; /* nobody holds a key */
	if (rc != SV_OK || (rc = sv_client_begin(&cli->client, SV_MSG_LOCK, 0, err)) != SV_OK)
		return rc;
	return sv_client_call(&cli->client, &body, err);
}

const struct sv_cmd sv_cmd_lock = {
	.name = "lock",
	.fn = run,
	.flags = 0,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "",
	.help = "forget the keys until the next unlock",
	.more = "Afterwards no key and no value is left in the agent's memory.  Locking a locked vault is no error.\n",
};

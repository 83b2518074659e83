/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The complete program: every command, questions on the terminal, and what is said when something goes wrong.
 */
#include "cli/clipboard.h"
#include "cli/help.h"
#include "cli/mask/masked.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/spawn.h"
#include "cli/suggest.h"

#include <errno.h>

static int help(struct sv_cli *cli)
{
	struct sv_err err = SV_ERR_INIT;

	if (cli->cmd == NULL && !cli->opt.help) {
		cli->out.fd = 2; /* called with nothing to do */
		cli->status = SV_STATUS_USAGE;
	}
	if (cli->cmd != NULL)
		sv_help_command(&cli->out, cli->cmd);
	else
		sv_help_overview(&cli->out);
	if (sv_out_flush(&cli->out, &err) != SV_OK)
		cli->status = SV_STATUS_FAILED;
	sv_out_clear(&cli->out);
	return cli->status;
}

static void unknown_command(struct sv_cli *cli, struct sv_err *err)
{
	const char *similar = NULL;

	for (int i = 1; i < cli->argc && similar == NULL; i++)
		similar = sv_help_similar(cli->argv[i]);
	if (similar != NULL)
		sv_hint(cli, "did you mean sv %s?", similar);
	(void)sv_err_set(err, SV_ERR_USAGE, "there is no such command");
}

static int trouble(struct sv_cli *cli, enum sv_code rc, struct sv_err *err)
{
	bool runs = cli->cmd != NULL && (cli->cmd->flags & SV_CMD_RUNS) != 0;

	/* A reader that went away wants to hear no more. */
	if (rc == SV_ERR_IO && err->sys_errno == EPIPE)
		return SV_STATUS_FAILED;
	if (cli->cmd == NULL && err->msg[0] == '\0')
		unknown_command(cli, err);
	if (rc == SV_ERR_NOT_FOUND && cli->cmd != NULL)
		sv_suggest(cli, err);
	if (rc == SV_ERR_USAGE && cli->cmd != NULL && cli->hint[0] == '\0')
		sv_hint(cli, "sv help %s explains it", cli->cmd->name);
	sv_say_error(cli, rc, err);
	if (cli->status != 0)
		return cli->status;
	return runs ? SV_STATUS_NOT_STARTED : sv_say_status(rc);
}

static const struct sv_program program = { .commands = sv_commands,
					   .prepare = sv_session_prepare,
					   .trouble = trouble,
					   .help = help,
					   .copy = sv_clipboard_copy,
					   .exec_masked = sv_masked_exec };

int main(int argc, char **argv)
{
	return sv_run(&program, argc, argv);
}

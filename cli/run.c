/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From argv to a command: global options, the row, its options, what it needs, its function.  The same for both
 * programs.
 */
#include "cli/cmd.h"
#include "cli/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define G(member) offsetof(struct sv_globals, member)

const struct sv_opt sv_global_opts[] = {
	{ "env", 'e', SV_OPT_TEXT, G(env), "ENV", "the environment (else $SV_ENV, else default)" },
	{ "json", 0, SV_OPT_FLAG, G(json), NULL, "machine-readable output; errors as a JSON object on stderr" },
	{ "quiet", 'q', SV_OPT_FLAG, G(quiet), NULL, "say nothing but errors" },
	{ "no-prompt", 0, SV_OPT_FLAG, G(no_prompt), NULL, "never ask on the terminal" },
	{ "color", 0, SV_OPT_TEXT, G(color), "WHEN", "auto, always or never; NO_COLOR is honoured" },
	{ "help", 'h', SV_OPT_FLAG, G(help), NULL, "explain the command" },
	SV_OPT_END
};

void sv_hint(struct sv_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cli->hint, sizeof(cli->hint), fmt, ap);
	va_end(ap);
}

static const struct sv_cmd *find(const struct sv_program *program, const char *name)
{
	for (const struct sv_cmd *const *c = program->commands; *c != NULL; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static enum sv_code choose_env(struct sv_cli *cli, struct sv_err *err)
{
	const char *env = cli->opt.env;

	if (env == NULL)
		env = getenv("SV_ENV");
	if (env == NULL || *env == '\0')
		env = SV_ENV_DEFAULT;
	cli->env = sv_text_of(env);
	if (cli->env.n == sizeof(SV_ENV_DEFAULT) - 1 && memcmp(env, SV_ENV_DEFAULT, cli->env.n) == 0)
		return SV_OK;
	if (sv_env_name_check(env, cli->env.n, err) != SV_OK) {
		sv_err_prefix(err, "the environment's name (%s)", cli->opt.env != NULL ? "-e" : "SV_ENV");
		return SV_ERR_USAGE;
	}
	return SV_OK;
}

static enum sv_code check_globals(struct sv_cli *cli, struct sv_err *err)
{
	const char *c = cli->opt.color;

	if (c != NULL && strcmp(c, "auto") != 0 && strcmp(c, "always") != 0 && strcmp(c, "never") != 0)
		return sv_err_set(err, SV_ERR_USAGE, "--color is auto, always or never");
	return choose_env(cli, err);
}

static enum sv_code parse(struct sv_cli *cli, int argc, char **argv, char **args, int *n_args, struct sv_err *err)
{
	const struct sv_cmd *cmd = cli->cmd;
	const struct sv_opts_set set = { cmd->opts, cmd->args, sv_global_opts, &cli->opt,
					 (cmd->flags & SV_CMD_STOP_AT_ARG) != 0 };
	enum sv_code rc = sv_opts_parse(&set, argc, argv, args, n_args, err);

	if (rc != SV_OK || cli->opt.help)
		return rc;
	if ((rc = check_globals(cli, err)) != SV_OK)
		return rc;
	if (*n_args < cmd->args_min)
		return sv_err_set(err, SV_ERR_USAGE, "too few arguments; sv %s %s", cmd->name, cmd->synopsis);
	if (cmd->args_max >= 0 && *n_args > cmd->args_max) /* args_max -1 also: the command explains it better */
		return sv_err_set(err, SV_ERR_USAGE, "too many arguments; sv %s %s", cmd->name, cmd->synopsis);
	return SV_OK;
}

int sv_run(const struct sv_program *program, int argc, char **argv)
{
	static struct sv_cli cli;
	static char *few[64];
	const struct sv_opts_set globals = { NULL, NULL, sv_global_opts, &cli.opt, true };
	struct sv_err err = SV_ERR_INIT;
	char **args = few;
	char **at;
	int left = 0;
	int n_args = 0;
	int status;
	enum sv_code rc;

	/* What every program answers to; not a global option, because `sv get --version N` means something else. */
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		argv[1] += 2;
	cli = (struct sv_cli){
		.program = program, .argc = argc, .argv = argv, .client = SV_CLIENT_INIT, .out = SV_OUT_INIT(1)
	};
	sv_platform_undumpable();
	rc = argc < 1 ? SV_ERR_USAGE : sv_opts_parse(&globals, argc - 1, argv + 1, NULL, &left, &err);
	if (rc != SV_OK)
		return program->trouble(&cli, rc, &err);
	if (left == 0)
		return program->help(&cli);
	cli.cmd = find(program, argv[argc - left]);
	if (cli.cmd == NULL) {
		sv_hint(&cli, "sv help lists the commands");
		return program->trouble(&cli, SV_ERR_USAGE, &err);
	}
	left--;
	if (left >= (int)(sizeof(few) / sizeof(few[0])) && (cli.cmd->flags & SV_CMD_STOP_AT_ARG) == 0)
		args = malloc(((size_t)left + 1) * sizeof(*args));
	if (args == NULL) {
		rc = sv_err_set(&err, SV_ERR_NOMEM, "no memory for the arguments");
		return program->trouble(&cli, rc, &err);
	}
	rc = parse(&cli, left, argv + argc - left, args, &n_args, &err);
	if (rc == SV_OK && cli.opt.help)
		return program->help(&cli);
	at = (cli.cmd->flags & SV_CMD_STOP_AT_ARG) != 0 ? argv + argc - n_args : args;
	if (rc == SV_OK && cli.cmd->check != NULL)
		rc = cli.cmd->check(&cli, n_args, at, &err);
	if (rc == SV_OK)
		rc = program->prepare(&cli, &err);
	if (rc == SV_OK)
		rc = cli.cmd->fn(&cli, n_args, at, &err);
	if (rc == SV_OK)
		rc = sv_out_flush(&cli.out, &err);
	status = rc == SV_OK ? cli.status : program->trouble(&cli, rc, &err);
	sv_client_close(&cli.client);
	sv_out_clear(&cli.out);
	if (args != few)
		free(args);
	return status;
}

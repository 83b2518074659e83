/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is: its row, which help and completion are made of, and what it is given when it runs.
 *
 * Two programs are built from the same commands.  `sv` (front.c) is a small static program that has only the commands
 * of the hot path and hands everything else, every error included, to `sv-main` (main.c), which has them all.  A
 * command must therefore be repeatable until it has put something out.
 */
#ifndef SV_CLI_CMD_H
#define SV_CLI_CMD_H

#include "cli/opts.h"
#include "cli/out.h"
#include "proto/client.h"

struct sv_cli;
struct sv_cmd;

enum sv_cmd_flag {
	SV_CMD_AGENT = 1 << 0,       /* cli->client is connected; sv-main starts the agent when it is not there */
	SV_CMD_UNLOCKED = 1 << 1,    /* and the vault is unlocked; sv-main offers to unlock it on a terminal */
	SV_CMD_STOP_AT_ARG = 1 << 2, /* the first argument ends the options */
	SV_CMD_RUNS = 1 << 3,        /* runs a program: failures of ours exit 125 */
	SV_CMD_MAKES = 1 << 4,       /* makes a vault: there need not be one */
};

struct sv_cmd {
	const char *name;
	enum sv_code (*fn)(struct sv_cli *cli, int argc, char **argv,
			   struct sv_err *err); /* argv: the arguments, no options */
	unsigned flags;
	int args_min, args_max; /* args_max -1: any number */
	const char *synopsis;
	const char *help;          /* one line */
	const struct sv_opt *opts; /* may be NULL */
	void *args;                /* where opts go */
	const char *more;          /* paragraphs for `sv help COMMAND`; may be NULL */
	/* What can be said about the arguments before anything is connected or asked; may be NULL. */
	enum sv_code (*check)(struct sv_cli *cli, int argc, char **argv, struct sv_err *err);
};

struct sv_childenv_var;
/* A program that is to run with its output masked. */
struct sv_masked {
	char **argv, **envp;
	const struct sv_childenv_var *vars; /* what is injected */
	size_t n_vars;
	bool all;   /* mask every secret of the vault */
	bool files; /* also what goes to regular files */
};

struct sv_program {
	const struct sv_cmd *const *commands; /* NULL-terminated */
	/* See to what the command's flags ask for. */
	enum sv_code (*prepare)(struct sv_cli *cli, struct sv_err *err);
	/* Anything that went wrong before or in a command, or a request for help; returns the exit status. */
	int (*trouble)(struct sv_cli *cli, enum sv_code rc, struct sv_err *err);
	int (*help)(struct sv_cli *cli);
	/* Put a value on the clipboard; NULL in the small program. */
	enum sv_code (*copy)(struct sv_cli *cli, const unsigned char *value, size_t len, struct sv_err *err);
	/* Run and end as the program does; NULL in the small program. */
	enum sv_code (*exec_masked)(struct sv_cli *cli, const struct sv_masked *m, struct sv_err *err);
};

struct sv_globals {
	const char *env;
	const char *color; /* auto, always, never; NULL: auto */
	bool json, quiet, no_prompt, help;
};

struct sv_cli {
	const struct sv_program *program;
	const struct sv_cmd *cmd; /* NULL until it is known */
	int argc;                 /* of the process, as it was called */
	char **argv;
	struct sv_globals opt;
	struct sv_text env; /* -e, else $SV_ENV, else "default"; checked */
	struct sv_client client;
	struct sv_out out; /* standard output */
	int status;        /* an exit status of the command's own; 0: by the code */
	char hint[256];    /* the next step, when the command knows better than say.c */
};

extern const struct sv_opt sv_global_opts[];

/* Parse, prepare, run; the exit status. */
int sv_run(const struct sv_program *program, int argc, char **argv);

/* cli->hint = ... */
void sv_hint(struct sv_cli *cli, const char *fmt, ...) SV_PRINTF(2, 3);

/* the commands, one file each */
extern const struct sv_cmd sv_cmd_add, sv_cmd_set, sv_cmd_backup, sv_cmd_cp, sv_cmd_diff, sv_cmd_env, sv_cmd_exec,
	sv_cmd_get, sv_cmd_help, sv_cmd_history, sv_cmd_init, sv_cmd_keys, sv_cmd_lock, sv_cmd_ls, sv_cmd_mask,
	sv_cmd_mv, sv_cmd_passwd, sv_cmd_restore, sv_cmd_restore_backup, sv_cmd_rm, sv_cmd_show, sv_cmd_status,
	sv_cmd_undo, sv_cmd_unlock, sv_cmd_verify, sv_cmd_version;

/* every command in the order of help; main.c's table */
extern const struct sv_cmd *const sv_commands[];

#endif

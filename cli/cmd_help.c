/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv help: from the command and option tables, so that it cannot say something else than the programs do.
 */
#include "cli/help.h"
#include "cli/say.h"

#include <string.h>

static struct {
	bool commands, options;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = { { "commands", 0, SV_OPT_FLAG, A(commands), NULL,
					"one line per command: name, synopsis, help, divided by tabs" },
				      { "options", 0, SV_OPT_FLAG, A(options), NULL,
					"one line per option: command, option, argument, help, divided by tabs" },
				      SV_OPT_END };

static const char exit_codes[] = "Exit statuses:\n"
				 "  0  done\n"
				 "  1  failed\n"
				 "  2  wrong usage\n"
				 "  3  the vault is locked\n"
				 "  4  not found: a secret, version, environment, or the vault itself\n"
				 "  5  a leak was found\n"
				 "  6  denied: not allowed, or a wrong passphrase\n"
				 "  7  conflict, or exists already\n"
				 "  8  the vault is damaged, altered, rolled back, or of a newer format\n"
				 "sv exec ends with the status of the command; 125 when it was not started because of "
				 "sv, 126 when it cannot be run,\n"
				 "127 when it is not there.  sv status: 0 unlocked, 3 locked, 4 no vault.\n";

static const struct {
	const char *title;
	const struct sv_cmd *const commands[10];
} chapters[] = {
	{ "Every day",
	  { &sv_cmd_exec, &sv_cmd_mask, &sv_cmd_get, &sv_cmd_ls, &sv_cmd_show, &sv_cmd_add, &sv_cmd_set } },
	{ "Changing things",
	  { &sv_cmd_rm, &sv_cmd_mv, &sv_cmd_cp, &sv_cmd_undo, &sv_cmd_history, &sv_cmd_restore, &sv_cmd_diff,
	    &sv_cmd_env } },
	{ "Session", { &sv_cmd_unlock, &sv_cmd_lock, &sv_cmd_status } },
	{ "Looking after the vault",
	  { &sv_cmd_init, &sv_cmd_passwd, &sv_cmd_keys, &sv_cmd_verify, &sv_cmd_backup, &sv_cmd_restore_backup } },
	{ "Other", { &sv_cmd_help, &sv_cmd_version } },
};

const struct sv_cmd *sv_help_find(const char *name)
{
	for (const struct sv_cmd *const *c = sv_commands; *c != NULL; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

unsigned sv_help_distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[SV_NAME_MAX + 1];

	if (na > SV_NAME_MAX || nb > SV_NAME_MAX || na > nb + 3 || nb > na + 3)
		return 4;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[nb] < 4 ? row[nb] : 4;
}

const char *sv_help_similar(const char *name)
{
	const char *best = NULL;
	unsigned least = 3;

	for (const struct sv_cmd *const *c = sv_commands; *c != NULL; c++) {
		unsigned d = sv_help_distance(name, strlen(name), (*c)->name, strlen((*c)->name));

		if (d < least) {
			least = d;
			best = (*c)->name;
		}
	}
	return best;
}

/* "-e ENV, --env ENV", padded, and its help. */
static void option_line(struct sv_out *o, const struct sv_opt *opt)
{
	char left[96] = "  ";
	size_t n = 2;
	const char *parts[7] = { opt->letter != 0 ? (char[]){ '-', opt->letter, 0 } : NULL,
				 opt->letter != 0 ? ", " : "    ", "--", opt->name };

	parts[4] = opt->arg == NULL ? "" : opt->kind == SV_OPT_MAYBE ? "[=" : " ";
	parts[5] = opt->arg == NULL ? "" : opt->arg;
	parts[6] = opt->arg != NULL && opt->kind == SV_OPT_MAYBE ? "]" : "";
	for (size_t i = 0; i < 7; i++) {
		size_t len = parts[i] != NULL ? strlen(parts[i]) : 0;

		if (n + len < sizeof(left)) {
			memcpy(left + n, parts[i] != NULL ? parts[i] : "", len);
			n += len;
		}
	}
	left[n] = '\0';
	sv_out_fmt(o, "%-28s %s\n", left, opt->help);
}

void sv_help_command(struct sv_out *o, const struct sv_cmd *cmd)
{
	sv_out_fmt(o, "sv %s %s\n\n%s\n", cmd->name, cmd->synopsis, cmd->help);
	if (cmd->more != NULL)
		sv_out_fmt(o, "\n%s", cmd->more);
	if (cmd->opts != NULL) {
		sv_out_str(o, "\nOptions:\n");
		for (const struct sv_opt *p = cmd->opts; p->name != NULL; p++)
			option_line(o, p);
	}
	sv_out_str(o, "\nEverywhere:\n");
	for (const struct sv_opt *p = sv_global_opts; p->name != NULL; p++)
		option_line(o, p);
}

void sv_help_overview(struct sv_out *o)
{
	sv_out_str(o, "sv [OPTION]... COMMAND [OPTION]... [ARGUMENT]...\n");
	for (size_t i = 0; i < sizeof(chapters) / sizeof(chapters[0]); i++) {
		sv_out_fmt(o, "\n%s:\n", chapters[i].title);
		for (const struct sv_cmd *const *c = chapters[i].commands; *c != NULL; c++)
			sv_out_fmt(o, "  %-16s %s\n", (*c)->name, (*c)->help);
	}
	sv_out_str(o, "\nsv help COMMAND explains one; sv help exit-codes lists the exit statuses.\n");
}

static void option_row(struct sv_out *o, const char *command, const struct sv_opt *p)
{
	sv_out_fmt(o, "%s\t--%s", command, p->name);
	if (p->letter != 0)
		sv_out_fmt(o, ",-%c", p->letter);
	sv_out_fmt(o, "\t%s\t%s\n", p->arg != NULL ? p->arg : "", p->help);
}

static void rows(struct sv_out *o)
{
	for (const struct sv_cmd *const *c = sv_commands; *c != NULL; c++)
		if (args.commands)
			sv_out_fmt(o, "%s\t%s\t%s\n", (*c)->name, (*c)->synopsis, (*c)->help);
	for (const struct sv_opt *p = sv_global_opts; args.options && p->name != NULL; p++)
		option_row(o, "", p);
	for (const struct sv_cmd *const *c = sv_commands; args.options && *c != NULL; c++)
		for (const struct sv_opt *p = (*c)->opts; p != NULL && p->name != NULL; p++)
			option_row(o, (*c)->name, p);
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const struct sv_cmd *cmd;
	const char *similar;

	if (args.commands || args.options) {
		rows(&cli->out);
	} else if (argc == 0) {
		sv_help_overview(&cli->out);
	} else if (strcmp(argv[0], "exit-codes") == 0) {
		sv_out_str(&cli->out, exit_codes);
	} else if ((cmd = sv_help_find(argv[0])) != NULL) {
		sv_help_command(&cli->out, cmd);
	} else {
		if ((similar = sv_help_similar(argv[0])) != NULL)
			sv_hint(cli, "did you mean sv help %s?", similar);
		else
			sv_hint(cli, "sv help lists the commands");
		return sv_err_set(err, SV_ERR_USAGE, "there is no such command");
	}
	return SV_OK;
}

const struct sv_cmd sv_cmd_help = {
	.name = "help",
	.fn = run,
	.flags = 0,
	.args_min = 0,
	.args_max = 1,
	.synopsis = "[COMMAND | exit-codes | --commands | --options]",
	.help = "explain commands",
	.opts = opts,
	.args = &args,
};

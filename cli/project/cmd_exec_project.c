/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv exec of the complete program: explicit selection as in the small one, and the manifest, discovery, files,
 * watching.
 */
#include "cli/childenv.h"
#include "cli/cmd.h"
#include "cli/project/commands.h"
#include "cli/project/run.h"
#include "cli/project/signals.h"
#include "cli/recorded.h"
#include "cli/say.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 256

static const char *selects[SV_SELECTORS_MAX], *prefixes[64], *files[LIST_MAX], *fifos[LIST_MAX], *fds[LIST_MAX],
	*env_files[16];

static struct {
	struct sv_opt_list select, prefix, file, fifo, fd, env_file;
	bool all, keep, force, dry_run, check, clean, yes, watch, no_restart, mask, mask_all, no_mask;
	const char *profile, *on_stdin, *watch_signal;
} args = { .select = { selects, 0, SV_SELECTORS_MAX },
	   .prefix = { prefixes, 0, 64 },
	   .file = { files, 0, LIST_MAX },
	   .fifo = { fifos, 0, LIST_MAX },
	   .fd = { fds, 0, LIST_MAX },
	   .env_file = { env_files, 0, 16 } };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "select", 's', SV_OPT_LIST, A(select), "WHAT",
	  "a secret NAME, VAR=NAME under another variable, or a GROUP/; again for more" },
	{ "all", 0, SV_OPT_FLAG, A(all), NULL, "every secret of the environment" },
	{ "prefix", 0, SV_OPT_LIST, A(prefix), "P", "secrets whose variable name starts with P" },
	{ "profile", 'p', SV_OPT_TEXT, A(profile), "NAME", "the profile of the manifest" },
	{ "file", 0, SV_OPT_LIST, A(file), "VAR=NAME[:path]",
	  "give it as a file in memory whose path is in VAR; NAME alone: VAR_FILE; :path: with a real name" },
	{ "fifo", 0, SV_OPT_LIST, A(fifo), "VAR=NAME", "give it as a named pipe" },
	{ "stdin", 0, SV_OPT_TEXT, A(on_stdin), "NAME", "give it on standard input" },
	{ "fd", 0, SV_OPT_LIST, A(fd), "N=NAME", "give it on descriptor N" },
	{ "env-file", 0, SV_OPT_LIST, A(env_file), "FILE", "VAR=text lines in which sv:///NAME stands for a value" },
	{ "keep", 0, SV_OPT_FLAG, A(keep), NULL, "a variable that is set already stays as it is" },
	{ "clean", 0, SV_OPT_FLAG, A(clean), NULL, "inherit only PATH, HOME, USER, SHELL, TERM, LANG and their like" },
	{ "force", 0, SV_OPT_FLAG, A(force), NULL, "allow variables such as PATH, LD_PRELOAD and BASH_ENV" },
	{ "yes", 'y', SV_OPT_FLAG, A(yes), NULL, "allow this time what the project's files ask for" },
	{ "check", 0, SV_OPT_FLAG, A(check), NULL,
	  "run nothing; status 0 when all is there and allowed, 4 missing, 6 not allowed" },
	{ "dry-run", 0, SV_OPT_FLAG, A(dry_run), NULL, "list variable, secret, environment and reason; run nothing" },
	{ "watch", 0, SV_OPT_FLAG, A(watch), NULL, "start the command again when a secret that it holds changes" },
	{ "watch-signal", 0, SV_OPT_TEXT, A(watch_signal), "SIG", "with --watch: send it SIG instead" },
	{ "no-restart", 0, SV_OPT_FLAG, A(no_restart), NULL, "with --watch: only say it" },
	{ "mask", 0, SV_OPT_FLAG, A(mask), NULL, "mask the values in the output; so by CI=true or a coding agent" },
	{ "mask-all", 0, SV_OPT_FLAG, A(mask_all), NULL, "mask every secret of the vault, not only those given" },
	{ "no-mask", 0, SV_OPT_FLAG, A(no_mask), NULL, "do not mask" },
	SV_OPT_END
};

static struct sv_plan plan = SV_PLAN_INIT;
static struct sv_envfile_line *lines;
static size_t n_lines;
static int watch_signal;

static const char *skip_scheme(const char *text)
{
	return strncmp(text, "sv:///", 6) == 0 ? text + 6 : text;
}

static enum sv_code name_wish(struct sv_wish *w, const char *text, struct sv_err *err)
{
	enum sv_code rc = sv_manifest_ref(&plan.arena, text, &w->env, &w->name, err);

	return rc;
}

static enum sv_code var_of(struct sv_wish *w, const char *text, const char *eq, struct sv_err *err)
{
	if (eq == NULL)
		return SV_OK;
	if (sv_var_check(text, (size_t)(eq - text), err) != SV_OK)
		return SV_ERR_NAME;
	w->var = sv_arena_text(&plan.arena, text, (size_t)(eq - text));
	return w->var != NULL ? SV_OK : sv_err_set(err, SV_ERR_NOMEM, "no memory for a name");
}

static enum sv_code select_wish(const char *text, struct sv_err *err)
{
	struct sv_wish w = { .kind = SV_WISH_NAME, .why = "named" };
	const char *eq = strchr(text, '=');
	enum sv_code rc = var_of(&w, text, eq, err);
	size_t n;

	if (rc != SV_OK)
		return rc;
	text = skip_scheme(eq != NULL ? eq + 1 : text);
	n = strlen(text);
	if (n > 0 && text[n - 1] == '/' && strncmp(text, "sv://", 5) != 0) {
		if (eq != NULL)
			return sv_err_set(err, SV_ERR_USAGE,
					  "a group cannot be one variable; -s VAR=NAME takes the name of a secret");
		if (sv_group_check(text, n, err) != SV_OK)
			return SV_ERR_NAME;
		w.kind = SV_WISH_GROUP;
		w.name = text;
		w.why = sv_arena_fmt(&plan.arena, "group %s", text);
	} else if ((rc = name_wish(&w, text, err)) != SV_OK) {
		return rc;
	}
	return sv_plan_wish(&plan, &w, err);
}

static enum sv_code file_wish(const char *text, enum sv_deliver deliver, struct sv_err *err)
{
	struct sv_wish w = { .kind = SV_WISH_NAME,
			     .why = deliver == SV_DELIVER_FIFO ? "--fifo" : "--file",
			     .deliver = deliver };
	const char *eq = strchr(text, '=');
	enum sv_code rc = var_of(&w, text, eq, err);
	char *name;
	size_t n;

	if (rc != SV_OK)
		return rc;
	text = eq != NULL ? eq + 1 : text;
	n = strlen(text);
	if (n > 5 && strcmp(text + n - 5, ":path") == 0 && deliver == SV_DELIVER_MEMORY) {
		w.deliver = SV_DELIVER_PATH;
		n -= 5;
	}
	name = sv_arena_text(&plan.arena, text, n);
	if (name == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for a name");
	rc = name_wish(&w, name, err);
	return rc == SV_OK ? sv_plan_wish(&plan, &w, err) : rc;
}

static enum sv_code fd_wish(int fd, const char *name, const char *why, struct sv_err *err)
{
	struct sv_wish w = { .kind = SV_WISH_NAME, .why = why, .deliver = SV_DELIVER_FD, .fd = fd };
	enum sv_code rc = name_wish(&w, name, err);

	for (size_t i = 0; i < plan.n_wishes && rc == SV_OK; i++)
		if (plan.wishes[i].deliver == SV_DELIVER_FD && plan.wishes[i].fd == fd)
			rc = sv_err_set(err, SV_ERR_USAGE, "descriptor %d is wanted twice", fd);
	return rc == SV_OK ? sv_plan_wish(&plan, &w, err) : rc;
}

static enum sv_code numbered_wish(const char *text, struct sv_err *err)
{
	char digits[8];
	const char *eq = strchr(text, '=');
	uint64_t fd;

	if (eq == NULL || eq == text || (size_t)(eq - text) >= sizeof(digits))
		return sv_err_set(err, SV_ERR_USAGE, "--fd wants N=NAME, as in --fd 3=npm/read-token");
	memcpy(digits, text, (size_t)(eq - text));
	digits[eq - text] = '\0';
	if (!sv_number_parse(digits, 1023, &fd) || (fd > 0 && fd < 3))
		return sv_err_set(err, SV_ERR_USAGE, "--fd wants a number from 3 to 1023, or 0");
	return fd_wish((int)fd, eq + 1, "--fd", err);
}

static enum sv_code env_file(const char *path, struct sv_err *err)
{
	struct sv_envfile_line *more;
	char *text;
	size_t len;
	size_t n;
	enum sv_code rc = sv_root_read(AT_FDCWD, path, SV_TEMPLATE_BYTES_MAX, &text, &len, err);
	char *copy = rc == SV_OK ? sv_arena_text(&plan.arena, text, len) : NULL;

	if (rc == SV_OK)
		free(text);
	if (rc != SV_OK || copy == NULL) {
		sv_err_prefix(err, "%s", path);
		return rc != SV_OK ? SV_ERR_USAGE : sv_err_set(err, SV_ERR_NOMEM, "no memory for an env file");
	}
	if ((rc = sv_envfile_parse(&plan.arena, copy, len, &more, &n, err)) != SV_OK) {
		sv_err_prefix(err, "%s", path);
		return rc;
	}
	for (size_t i = 0; i < n && rc == SV_OK; i++) {
		for (size_t k = 0; k < more[i].value.n && rc == SV_OK; k++) {
			const struct sv_template_piece *piece = &more[i].value.v[k];
			const struct sv_wish w = { .kind = SV_WISH_NAME,
						   .var = more[i].var,
						   .env = piece->env,
						   .name = piece->name,
						   .deliver = SV_DELIVER_PART,
						   .implicit = true,
						   .why = "env file",
						   .file = path,
						   .line = more[i].line };

			if (piece->name != NULL)
				rc = sv_plan_wish(&plan, &w, err);
		}
		if (rc == SV_OK && !SV_ARENA_GROW(&plan.arena, lines, n_lines))
			rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for an env file");
		if (rc == SV_OK)
			lines[n_lines++] = more[i];
	}
	return rc;
}

static enum sv_code explicit_wishes(struct sv_err *err)
{
	enum sv_code rc;

	for (size_t i = 0; i < args.select.n; i++)
		if (select_wish(args.select.v[i], err) != SV_OK) {
			sv_err_prefix(err, "-s number %zu", i + 1);
			return SV_ERR_USAGE;
		}
	for (size_t i = 0; i < args.prefix.n; i++) {
		const struct sv_wish w = { .kind = SV_WISH_PREFIX,
					   .var = args.prefix.v[i],
					   .why = sv_arena_fmt(&plan.arena, "prefix %s", args.prefix.v[i]) };

		if (sv_var_check(args.prefix.v[i], strlen(args.prefix.v[i]), err) != SV_OK) {
			sv_err_prefix(err, "--prefix");
			return SV_ERR_USAGE;
		}
		if ((rc = sv_plan_wish(&plan, &w, err)) != SV_OK)
			return rc;
	}
	if (args.all &&
	    (rc = sv_plan_wish(&plan, &(struct sv_wish){ .kind = SV_WISH_ALL, .why = "--all" }, err)) != SV_OK)
		return rc;
	for (size_t i = 0; i < args.file.n; i++)
		if (file_wish(args.file.v[i], SV_DELIVER_MEMORY, err) != SV_OK) {
			sv_err_prefix(err, "--file");
			return SV_ERR_USAGE;
		}
	for (size_t i = 0; i < args.fifo.n; i++)
		if (file_wish(args.fifo.v[i], SV_DELIVER_FIFO, err) != SV_OK) {
			sv_err_prefix(err, "--fifo");
			return SV_ERR_USAGE;
		}
	for (size_t i = 0; i < args.fd.n; i++)
		if (numbered_wish(args.fd.v[i], err) != SV_OK)
			return SV_ERR_USAGE;
	if (args.on_stdin != NULL && fd_wish(0, args.on_stdin, "--stdin", err) != SV_OK) {
		sv_err_prefix(err, "--stdin");
		return SV_ERR_USAGE;
	}
	return SV_OK;
}

static enum sv_code nothing(struct sv_cli *cli, struct sv_err *err)
{
	if (plan.has_manifest && plan.manifest.n_profiles > 0 && args.profile == NULL)
		sv_hint(cli, "the manifest has profiles: -p %s, for one", plan.manifest.profiles[0].name);
	else if (plan.has_manifest)
		sv_hint(cli, "name them in %s", plan.manifest.sources[0].path);
	else if (plan.root.foreign)
		sv_hint(cli, "this directory belongs to another user, so its files were not read; say which: -s NAME");
	else
		sv_hint(cli,
			"say which: -s NAME, -s VAR=NAME, -s GROUP/, --prefix P, or --all; or name them in %s (sv "
			"init-project)",
			SV_MANIFEST_NAME);
	return sv_err_set(err, SV_ERR_USAGE,
			  "no secret is selected and the project's files ask for none, so nothing was started");
}

static bool masked(void)
{
	if (args.no_mask || args.mask || args.mask_all)
		return !args.no_mask;
	if (plan.has_manifest && plan.part.mask != SV_MASK_UNSET && plan.part.mask != SV_MASK_AUTO)
		return plan.part.mask == SV_MASK_ON;
	return sv_recorded();
}

static enum sv_code watch_options(struct sv_err *err)
{
	if (args.watch_signal != NULL) {
		watch_signal = sv_signal_number(args.watch_signal);
		if (watch_signal == 0)
			return sv_err_set(err, SV_ERR_USAGE,
					  "--watch-signal wants the name of a signal, as HUP or USR1");
	}
	if (!args.watch && (args.watch_signal != NULL || args.no_restart))
		return sv_err_set(err, SV_ERR_USAGE, "--watch-signal and --no-restart go with --watch");
	if (args.no_mask && (args.mask || args.mask_all))
		return sv_err_set(err, SV_ERR_USAGE, "--no-mask takes back --mask; give one of them");
	return SV_OK;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	bool named;
	enum sv_code rc = watch_options(err);

	if (rc != SV_OK || (rc = explicit_wishes(err)) != SV_OK)
		return rc;
	named = plan.n_wishes > 0;
	if (args.env_file.n > 0 || !named || args.profile != NULL) {
		if ((rc = sv_plan_find(&plan, NULL, err)) != SV_OK)
			return rc;
		for (size_t i = 0; i < args.env_file.n; i++)
			if ((rc = env_file(args.env_file.v[i], err)) != SV_OK)
				return rc;
		named = named || args.env_file.n > 0;
	}
	if (!named || args.profile != NULL) {
		if ((rc = sv_plan_manifest(&plan, args.profile, err)) != SV_OK)
			return rc;
		if (!plan.has_manifest && args.profile != NULL)
			return sv_err_set(err, SV_ERR_USAGE, "-p names a profile, and there is no %s here",
					  SV_MANIFEST_NAME);
		if (!plan.has_manifest && argc > 0 && (rc = sv_plan_discover(&plan, argv, err)) != SV_OK)
			return rc;
		sv_plan_environment(&plan, cli);
		for (size_t i = 0; i < plan.asks.n_notes && (args.dry_run || plan.n_wishes == 0); i++)
			sv_say(cli, "%s", plan.asks.notes[i]);
		if (plan.n_wishes == 0)
			return nothing(cli, err);
	}
	if (args.watch && masked())
		return sv_err_set(err, SV_ERR_USAGE, "--watch cannot be combined with masked output; say --no-mask");
	if (argc == 0 && !args.dry_run && !args.check) {
		sv_hint(cli, "sv exec -s NAME -- COMMAND");
		return sv_err_set(err, SV_ERR_USAGE, "there is no command to run");
	}
	return SV_OK;
}

/* sv allow with what it takes to mean the same. */
static const char *allow_command(char **argv, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "sv allow");

	if (plan.has_manifest || args.env_file.n > 0) {
		if (args.env_file.n == 0)
			(void)snprintf(out + n, size - n, " %s", plan.dir.path);
		for (size_t i = 0; i < args.env_file.n && n < size; i++)
			n += (size_t)snprintf(out + n, size - n, " --env-file %s", args.env_file.v[i]);
		return out;
	}
	n += (size_t)snprintf(out + n, size - n, " --");
	for (; *argv != NULL && n + strlen(*argv) + 4 < size; argv++) {
		bool simple =
			strspn(*argv, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,") ==
				strlen(*argv) &&
			**argv != '\0';

		if (!simple && strchr(*argv, '\'') != NULL)
			break;
		n += (size_t)snprintf(out + n, size - n, simple ? " %s" : " '%s'", *argv);
	}
	return out;
}

static enum sv_code checked(struct sv_cli *cli, struct sv_err *err)
{
	enum sv_code rc = sv_plan_complete(&plan, cli, err);

	if (rc == SV_OK && sv_plan_unallowed(&plan) > 0) {
		sv_hint(cli, "sv allow allows it");
		rc = sv_err_set(err, SV_ERR_DENIED, "the project's files ask for %zu secrets that are not allowed yet",
				sv_plan_unallowed(&plan));
	}
	if (rc != SV_OK)
		cli->status = sv_say_status(rc);
	return rc;
}

static bool any_present(void)
{
	for (size_t i = 0; i < plan.n_items; i++)
		if (plan.items[i].name != NULL || plan.items[i].wish->default_text != NULL)
			return true;
	return false;
}

static enum sv_code nothing_there(struct sv_cli *cli, struct sv_err *err)
{
	const struct sv_item *first = plan.n_items > 0 ? &plan.items[0] : NULL;
	char reason[1024] = "";

	if (first == NULL || !plan.discovered) {
		if (plan.has_manifest || n_lines > 0)
			return SV_OK; /* all optional: the person wrote it so */
		return nothing(cli, err);
	}
	sv_plan_reason(first, reason, sizeof(reason));
	sv_hint(cli, "sv add NAME --var %s stores one; sv exec --dry-run lists all; -s NAME selects others",
		first->var);
	return sv_err_set(err, SV_ERR_NOT_FOUND,
			  "none of the %zu names that the project's files ask for is in the vault, as %s (%s)",
			  plan.n_items, first->var, reason);
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_run r = { .plan = &plan,
			    .cli = cli,
			    .argv = argv,
			    .clean = args.clean,
			    .watch = args.watch,
			    .no_restart = args.no_restart,
			    .watch_signal = watch_signal,
			    .lines = lines,
			    .n_lines = n_lines,
			    .childenv_flags =
				    (args.keep ? SV_CHILDENV_KEEP : 0) | (args.force ? SV_CHILDENV_FORCE : 0) };
	char what[1024];
	enum sv_code rc;

	(void)argc;
	plan.yes = args.yes;
	if ((rc = sv_plan_names(&plan, cli, false, err)) != SV_OK || (rc = sv_plan_consent(&plan, cli, err)) != SV_OK)
		goto out;
	if (args.dry_run) {
		sv_plan_print(&plan, cli);
		goto out;
	}
	if (args.check) {
		rc = checked(cli, err);
		goto out;
	}
	if ((rc = sv_plan_complete(&plan, cli, err)) != SV_OK)
		goto out;
	if (!any_present() && (rc = nothing_there(cli, err)) != SV_OK)
		goto out;
	if ((rc = sv_plan_ask(&plan, cli, allow_command(argv, what, sizeof(what)), err)) != SV_OK)
		goto out;
	r.masked = masked();
	r.mask_all = args.mask_all;
	r.mask_files = args.mask || args.mask_all || (plan.has_manifest && plan.part.mask == SV_MASK_ON);
	if ((rc = sv_plan_values(&plan, cli, err)) == SV_OK)
		rc = sv_run_program(&r, err);
out:
	sv_plan_clear(&plan);
	return rc;
}

const struct sv_cmd sv_cmd_exec_project = {
	.name = "exec",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED | SV_CMD_STOP_AT_ARG | SV_CMD_RUNS,
	.args_min = 0,
	.args_max = -1,
	.synopsis = "[-s NAME|VAR=NAME|GROUP/]... [--prefix P]... [--all] [-p PROFILE] [--file VAR=NAME[:path]]... [-e "
		    "ENV] [--] COMMAND [ARG]...",
	.help = "run a command with secrets in its environment",
	.opts = opts,
	.args = &args,
	.more = "Which secrets: those that are named; else what .sv.yaml of this directory or a parent names; else "
		"what the\n"
		"command's own files ask for (docker build: the Dockerfile; npm: .npmrc; terraform: variables without "
		"default; make:\n"
		"all of them).  Naming a secret on the command line is consent; what files ask for is given only after "
		"sv allow, or\n"
		"after the question on the terminal, and a larger set asks again.\n"
		"The command replaces sv: same process, terminal, signals and exit status; with :path, --fifo and "
		"--watch sv stays\n"
		"as its parent and hands on signals and status.  If a secret is missing, empty, not allowed, or unfit "
		"for a variable\n"
		"(a NUL byte, over 128 KiB: use --file), or the vault is locked, the command is not started and the "
		"exit status is\n"
		"125; 126: it cannot be run; 127: it is not there.  SV_VAULT and SV_SOCKET are not passed on.\n",
};

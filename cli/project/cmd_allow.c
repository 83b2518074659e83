/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv allow, sv disallow: consent for what a project's files ask for.
 */
#include "cli/auth.h"
#include "cli/project/commands.h"
#include "cli/project/plan.h"
#include "cli/project/template.h"
#include "cli/prompt.h"
#include "cli/say.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *env_files[16];

static struct {
	const char *profile;
	struct sv_opt_list env_file;
	bool yes, list;
} args = { .env_file = { env_files, 0, 16 } };

static struct {
	bool unused;
} disallow_args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "profile", 'p', SV_OPT_TEXT, A(profile), "NAME", "only this profile of the manifest (else all of them)" },
	{ "env-file", 0, SV_OPT_LIST, A(env_file), "FILE", "what an env file refers to" },
	{ "list", 0, SV_OPT_FLAG, A(list), NULL, "only show what is asked for and what is allowed" },
	{ "yes", 'y', SV_OPT_FLAG, A(yes), NULL, "do not ask" },
	SV_OPT_END
};

static struct sv_plan plan = SV_PLAN_INIT;

static enum sv_code env_file(const char *path, struct sv_err *err)
{
	struct sv_envfile_line *lines;
	char *text;
	char *copy;
	size_t len;
	size_t n;
	enum sv_code rc = sv_root_read(AT_FDCWD, path, SV_TEMPLATE_BYTES_MAX, &text, &len, err);

	if (rc != SV_OK) {
		sv_err_prefix(err, "%s", path);
		return rc;
	}
	copy = sv_arena_text(&plan.arena, text, len);
	free(text);
	if (copy == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for an env file");
	if ((rc = sv_envfile_parse(&plan.arena, copy, len, &lines, &n, err)) != SV_OK) {
		sv_err_prefix(err, "%s", path);
		return rc;
	}
	for (size_t i = 0; i < n && rc == SV_OK; i++)
		for (size_t k = 0; k < lines[i].value.n && rc == SV_OK; k++) {
			const struct sv_template_piece *piece = &lines[i].value.v[k];
			const struct sv_wish w = { .kind = SV_WISH_NAME,
						   .var = lines[i].var,
						   .env = piece->env,
						   .name = piece->name,
						   .deliver = SV_DELIVER_PART,
						   .optional = true,
						   .implicit = true,
						   .why = "env file",
						   .file = path,
						   .line = lines[i].line };

			if (piece->name != NULL)
				rc = sv_plan_wish(&plan, &w, err);
		}
	return rc;
}

/* [DIR] [-- COMMAND ...]: where the command begins. */
static char **command_of(struct sv_cli *cli, int argc, char **argv, const char **dir)
{
	static char *none[] = { NULL };

	*dir = NULL;
	if (argc == 0)
		return none;
	/* The double dash stands in front of what is left of argv when it ended the options. */
	if (argv > cli->argv && strcmp(argv[-1], "--") == 0)
		return argv;
	*dir = argv[0];
	if (argc > 1 && strcmp(argv[1], "--") == 0)
		return argv + 2;
	return argv + 1;
}

static enum sv_code collect(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const char *dir;
	char **command = command_of(cli, argc, argv, &dir);
	enum sv_code rc;

	if (dir != NULL && chdir(dir) != 0)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "the directory to allow is not there");
	if ((rc = sv_plan_find(&plan, NULL, err)) != SV_OK)
		return rc;
	for (size_t i = 0; i < args.env_file.n && rc == SV_OK; i++)
		rc = env_file(args.env_file.v[i], err);
	if (rc != SV_OK || args.env_file.n > 0)
		return rc;
	if (*command == NULL || args.profile != NULL) {
		if ((rc = sv_plan_manifest(&plan, args.profile, err)) != SV_OK)
			return rc;
		for (size_t i = 0; i < plan.n_wishes; i++)
			plan.wishes[i].optional = true;
		if (args.profile == NULL && (rc = sv_plan_all_profiles(&plan, err)) != SV_OK)
			return rc;
	}
	if (!plan.has_manifest && args.profile != NULL)
		return sv_err_set(err, SV_ERR_USAGE, "-p names a profile, and there is no %s here", SV_MANIFEST_NAME);
	if (!plan.has_manifest && (rc = sv_plan_discover(&plan, command, err)) != SV_OK)
		return rc;
	sv_plan_environment(&plan, cli);
	for (size_t i = 0; i < plan.asks.n_notes; i++)
		sv_say(cli, "%s", plan.asks.notes[i]);
	return SV_OK;
}

static enum sv_code allow_check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum sv_code rc = collect(cli, argc, argv, err);

	if (rc == SV_OK && plan.n_wishes == 0) {
		sv_hint(cli, "sv init-project writes a first %s", SV_MANIFEST_NAME);
		return sv_err_set(err, SV_ERR_NOT_FOUND, "the files here ask for nothing");
	}
	return rc;
}

static size_t present(void)
{
	size_t n = 0;

	for (size_t i = 0; i < plan.n_items; i++)
		n += plan.items[i].name != NULL;
	return n;
}

static enum sv_code allow(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	size_t asked;
	bool yes = args.yes;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_plan_names(&plan, cli, true, err)) != SV_OK || (rc = sv_plan_consent(&plan, cli, err)) != SV_OK)
		goto out;
	asked = sv_plan_unallowed(&plan);
	sv_plan_print(&plan, cli);
	if (args.list)
		goto out;
	if (present() == 0) {
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "nothing that the files ask for is in the vault");
		goto out;
	}
	if (asked == 0) {
		sv_say(cli, "all of it is allowed already");
		goto out;
	}
	/* A person typed this command: on a terminal the list is shown and asked about once more; in a script the
	 * command itself is the word. */
	if (!yes && sv_auth_can_ask(cli)) {
		if ((rc = sv_out_flush(&cli->out, err)) != SV_OK ||
		    (rc = sv_prompt_yes("Give these to what runs in this directory, now and later? [y/N] ", &yes,
					err)) != SV_OK)
			goto out;
		if (!yes) {
			rc = sv_err_set(err, SV_ERR_DENIED, "nothing was allowed");
			goto out;
		}
	}
	if ((rc = sv_plan_remember(&plan, cli, err)) == SV_OK)
		sv_say(cli, "allowed for %s: %zu more", plan.dir.path, asked);
out:
	sv_plan_clear(&plan);
	return rc;
}

static enum sv_code disallow(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	if (argc > 0 && chdir(argv[0]) != 0)
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "the directory is not there");
	if (rc == SV_OK)
		rc = sv_plan_find(&plan, NULL, err);
	/* A manifest binds consent to its own directory, whether it can be read or not. */
	if (rc == SV_OK) {
		int level = sv_root_holding(&plan.root, SV_MANIFEST_NAME);

		if (level >= 0)
			rc = sv_consent_identify(plan.root.level[level].fd, plan.root.level[level].path, &plan.dir,
						 err);
	}
	if (rc == SV_OK)
		rc = sv_plan_forget(&plan, cli, err);
	if (rc == SV_ERR_NOT_FOUND)
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "nothing is allowed for %s", plan.dir.path);
	if (rc == SV_OK)
		sv_say(cli, "forgotten what was allowed for %s", plan.dir.path);
	sv_plan_clear(&plan);
	return rc;
}

static const struct sv_opt disallow_opts[] = { SV_OPT_END };

const struct sv_cmd sv_cmd_allow = {
	.name = "allow",
	.fn = allow,
	.check = allow_check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED | SV_CMD_STOP_AT_ARG,
	.args_min = 0,
	.args_max = -1,
	.synopsis = "[-p PROFILE] [--env-file FILE] [--list] [--yes] [DIR] [-- COMMAND [ARG]...]",
	.help = "consent to what a project's files ask for",
	.opts = opts,
	.args = &args,
	.more = "Remembers in the vault which secrets the files of this directory may ask for: those of .sv.yaml with "
		"all its\n"
		"profiles, or, without one, what the files of COMMAND ask for (without COMMAND: all files).  Bound to "
		"the directory\n"
		"itself and to each variable, name and environment: what is asked for later is asked about later.\n",
};

const struct sv_cmd sv_cmd_disallow = {
	.name = "disallow",
	.fn = disallow,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 1,
	.synopsis = "[DIR]",
	.help = "forget what was allowed for a directory",
	.opts = disallow_opts,
	.args = &disallow_args,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv init-project: a first .sv.yaml from what the project's files ask for.  Names only.
 */
#include "cli/project/atomic.h"
#include "cli/project/commands.h"
#include "cli/project/discover.h"
#include "cli/project/plan.h"
#include "cli/say.h"

#include <stdlib.h>
#include <string.h>

static struct {
	bool force, print;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = { { "force", 0, SV_OPT_FLAG, A(force), NULL, "replace the file that is there" },
				      { "print", 0, SV_OPT_FLAG, A(print), NULL,
					"write it to standard output instead" },
				      SV_OPT_END };

static struct sv_plan plan = SV_PLAN_INIT;

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	static char *none[] = { NULL };
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_plan_find(&plan, NULL, err)) != SV_OK)
		return rc;
	if (plan.root.n == 0)
		return sv_err_set(err, SV_ERR_DENIED, "this directory belongs to another user");
	if (!args.force && !args.print && sv_root_holding(&plan.root, SV_MANIFEST_NAME) == 0) {
		sv_hint(cli, "--print shows what would be written, --force replaces it");
		return sv_err_set(err, SV_ERR_EXISTS, "there is a %s here already", SV_MANIFEST_NAME);
	}
	if ((rc = sv_plan_discover(&plan, none, err)) != SV_OK)
		return rc;
	for (size_t i = 0; i < plan.asks.n_notes; i++)
		sv_say(cli, "%s", plan.asks.notes[i]);
	return SV_OK;
}

/* A double-quoted scalar unless the name is plainly harmless; names hold no control characters. */
static void put_name(struct sv_out *o, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.-";

	/* Whatever else YAML might take for a number or a word has no letter, or is quoted for its first character. */
	if (name[strspn(name, plain)] == '\0' && strpbrk(name, "/_") != NULL &&
	    strchr("-.0123456789", name[0]) == NULL) {
		sv_out_str(o, name);
		return;
	}
	sv_out_str(o, "\"");
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			sv_out_str(o, "\\");
		sv_out_bytes(o, name, 1);
	}
	sv_out_str(o, "\"");
}

static size_t put_item(struct sv_out *o, const struct sv_item *item, bool present)
{
	const struct sv_ask *ask = sv_asks_find(&plan.asks, item->var, strlen(item->var));
	char reason[SV_PATH_BYTES];

	if ((item->name != NULL) != present || (!present && ask != NULL && ask->weak))
		return 0;
	sv_plan_reason(item, reason, sizeof(reason));
	sv_out_fmt(o, present ? "  %s:" : "  # %s:", item->var);
	if (present && strcmp(item->name, item->var) != 0) {
		sv_out_str(o, " ");
		put_name(o, item->name);
	}
	sv_out_str(o, present ? "  # " : " not in the vault yet; ");
	sv_out_escaped(o, sv_text_of(reason));
	sv_out_str(o, "\n");
	return 1;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_out o = SV_OUT_INIT(-1);
	size_t present = 0;
	size_t missing = 0;
	enum sv_code rc = plan.n_wishes > 0 ? sv_plan_names(&plan, cli, true, err) : SV_OK;

	(void)argc;
	(void)argv;
	if (rc != SV_OK)
		goto out;
	sv_out_str(&o, "# Which secrets the programs of this project need: names only, safe to commit.  See sv help "
		       "exec.\nversion: 1\n");
	if (cli->opt.env != NULL)
		sv_out_fmt(&o, "environment: \"%.*s\"\n", (int)cli->env.n, cli->env.p);
	sv_out_str(&o, "secrets:\n");
	for (size_t i = 0; i < plan.n_items; i++) {
		bool again = false;

		for (size_t k = 0; k < i && !again;
		     k++) /* two secrets for one variable: the first is written, the person decides */
			again = strcmp(plan.items[k].var, plan.items[i].var) == 0;
		if (!again)
			present += put_item(&o, &plan.items[i], true);
	}
	for (size_t i = 0; i < plan.n_items; i++)
		missing += put_item(&o, &plan.items[i], false);
	if (present + missing == 0)
		sv_out_str(
			&o,
			"  # NPM_TOKEN:                 the secret of the same name\n  # GITHUB_PAT: github/token\n");
	if (o.rc != SV_OK)
		rc = sv_err_set(err, o.rc, "no memory for the manifest");
	else if (args.print)
		sv_out_bytes(&cli->out, sv_buf_head(&o.buf), sv_buf_unread(&o.buf));
	else
		rc = sv_atomic_write(SV_MANIFEST_NAME, sv_buf_head(&o.buf), sv_buf_unread(&o.buf), 0644, args.force,
				     err);
	if (rc == SV_OK && !args.print)
		sv_say(cli,
		       "%s names %zu secrets; %zu more are asked for and not in the vault.  sv allow lets programs "
		       "here have them",
		       SV_MANIFEST_NAME, present, missing);
out:
	sv_out_clear(&o);
	sv_plan_clear(&plan);
	return rc;
}

const struct sv_cmd sv_cmd_init_project = {
	.name = "init-project",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--print] [--force] [-e ENV]",
	.help = "write a first .sv.yaml from what the project's files ask for",
	.opts = opts,
	.args = &args,
};

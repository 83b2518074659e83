/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv exec: run a program with selected secrets in its environment, in place of this process.
 *
 * One request fetches all of them; the pairs of the reply go into envp where they stand.  Whatever is wrong with one of
 * them, the program is not started.
 */
#include "cli/childenv.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/recorded.h"
#include "cli/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static const char *selects[SV_SELECTORS_MAX];
static const char *prefixes[64];

static struct {
	struct sv_opt_list select, prefix;
	bool all, keep, force, dry_run, mask, mask_all, no_mask;
} args = { .select = { selects, 0, SV_SELECTORS_MAX },
	   .prefix = { prefixes, 0, sizeof(prefixes) / sizeof(prefixes[0]) } };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "select", 's', SV_OPT_LIST, A(select), "WHAT",
	  "a secret NAME, VAR=NAME under another variable, or a GROUP/; again for more" },
	{ "all", 0, SV_OPT_FLAG, A(all), NULL, "every secret of the environment" },
	{ "prefix", 0, SV_OPT_LIST, A(prefix), "P", "secrets whose variable name starts with P" },
	{ "keep", 0, SV_OPT_FLAG, A(keep), NULL, "a variable that is set already stays as it is" },
	{ "force", 0, SV_OPT_FLAG, A(force), NULL, "allow variables such as PATH, LD_PRELOAD and BASH_ENV" },
	{ "dry-run", 0, SV_OPT_FLAG, A(dry_run), NULL, "list variable, secret and reason; run nothing" },
	{ "mask", 0, SV_OPT_FLAG, A(mask), NULL, "mask the values in the output; so by CI=true or a coding agent" },
	{ "mask-all", 0, SV_OPT_FLAG, A(mask_all), NULL, "mask every secret of the vault, not only those given" },
	{ "no-mask", 0, SV_OPT_FLAG, A(no_mask), NULL, "do not mask" },
	SV_OPT_END
};

/* Workspace for common sizes, so that the hot path allocates nothing. */
static union {
	void *align;
	unsigned char bytes[24576];
} small_room;
static struct sv_childenv_var small_vars[256];

static const char *skip_scheme(const char *text)
{
	return strncmp(text, "sv:///", 6) == 0 ? text + 6 : text;
}

static enum sv_code selector(const char *text, struct sv_msg_selector *s, struct sv_err *err)
{
	const char *eq = strchr(text, '=');
	size_t n;

	*s = (struct sv_msg_selector){ .kind = SV_SELECT_NAME };
	if (eq != NULL) {
		s->var = (struct sv_text){ text, (size_t)(eq - text) };
		if (sv_var_check(s->var.p, s->var.n, err) != SV_OK)
			return SV_ERR_NAME;
		text = eq + 1;
	}
	text = skip_scheme(text);
	if (strncmp(text, "sv://", 5) == 0)
		return sv_err_set(
			err, SV_ERR_USAGE,
			"one run has one environment: say -e ENV -s NAME for sv://ENV/NAME");
	s->arg = sv_text_of(text);
	n = s->arg.n;
	if (n > 0 && text[n - 1] == '/') {
		if (eq != NULL)
			return sv_err_set(err, SV_ERR_USAGE,
					  "a group cannot be one variable; -s VAR=NAME takes the name of a secret");
		s->kind = SV_SELECT_GROUP;
		return sv_group_check(text, n, err);
	}
	return sv_name_check(text, n, err);
}

static bool masked(void)
{
	return !args.dry_run && !args.no_mask && (args.mask || args.mask_all || sv_recorded());
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_selector s;

	(void)argv;
	for (size_t i = 0; i < args.select.n; i++)
		if (selector(args.select.v[i], &s, err) != SV_OK) {
			sv_err_prefix(err, "-s number %zu", i + 1);
			return SV_ERR_USAGE;
		}
	for (size_t i = 0; i < args.prefix.n; i++)
		if (sv_var_check(args.prefix.v[i], strlen(args.prefix.v[i]), err) != SV_OK) {
			sv_err_prefix(err, "--prefix");
			return SV_ERR_USAGE;
		}
	if (args.select.n + args.prefix.n == 0 && !args.all) {
		sv_hint(cli, "say which: -s NAME, -s VAR=NAME, -s GROUP/, --prefix P, or --all; sv ls lists the names");
		return sv_err_set(err, SV_ERR_USAGE, "no secret is selected, so nothing was started");
	}
	if (argc == 0 && !args.dry_run) {
		sv_hint(cli, "sv exec -s NAME -- COMMAND");
		return sv_err_set(err, SV_ERR_USAGE, "there is no command to run");
	}
	if (args.no_mask && (args.mask || args.mask_all))
		return sv_err_set(err, SV_ERR_USAGE, "--no-mask takes back --mask; give one of them");
	if (masked() && cli->program->exec_masked == NULL)
		return SV_ERR_FAIL; /* the complete program does it */
	return SV_OK;
}

static enum sv_code request(struct sv_cli *cli, struct sv_err *err)
{
	const struct sv_msg_resolve head = {
		.env = cli->env,
		.flags = args.dry_run ? SV_RESOLVE_NAMES_ONLY : 0,
		.n = (uint16_t)(args.select.n + args.prefix.n + args.all),
	};
	struct sv_msg_selector s;
	struct sv_buf *out = &cli->client.out;
	enum sv_code rc = sv_client_begin(&cli->client, SV_MSG_RESOLVE, 0, err);

	if (rc == SV_OK)
		rc = sv_msg_put_resolve(out, &head);
	for (size_t i = 0; i < args.select.n && rc == SV_OK; i++) {
		rc = selector(args.select.v[i], &s, err);
		if (rc == SV_OK)
			rc = sv_msg_put_selector(out, &s);
	}
	for (size_t i = 0; i < args.prefix.n && rc == SV_OK; i++) {
		s = (struct sv_msg_selector){ .kind = SV_SELECT_VAR_PREFIX, .arg = sv_text_of(args.prefix.v[i]) };
		rc = sv_msg_put_selector(out, &s);
	}
	if (rc == SV_OK && args.all) {
		s = (struct sv_msg_selector){ .kind = SV_SELECT_ALL };
		rc = sv_msg_put_selector(out, &s);
	}
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "too much is selected for one request");
}

/* The pairs of the reply; *vars is small_vars or malloc'd. */
static enum sv_code decode(struct sv_buf *body, struct sv_childenv_var **vars, size_t *n, struct sv_err *err)
{
	struct sv_msg_pair pair;
	uint32_t count = 0;

	if (sv_buf_get_u32(body, &count) != SV_OK || count > sv_buf_unread(body) / 8)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	*vars = small_vars;
	if (count > sizeof(small_vars) / sizeof(small_vars[0]))
		*vars = malloc(count * sizeof(**vars));
	if (*vars == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for %u secrets", (unsigned)count);
	for (*n = 0; *n < count; ++*n) {
		if (sv_msg_get_pair(body, &pair, args.dry_run) != SV_OK)
			return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
		(*vars)[*n] =
			(struct sv_childenv_var){ pair.pair, pair.var.n, pair.value_len, pair.name, pair.inherited };
	}
	return SV_OK;
}

static bool starts_with(struct sv_text t, const char *p, size_t n)
{
	return t.n >= n && memcmp(t.p, p, n) == 0;
}

static bool is_inherited(const struct sv_childenv_var *v)
{
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, v->pair, v->var_len) == 0 && (*e)[v->var_len] == '=')
			return true;
	return false;
}

/* Which of the selectors asked for it, or why it will not be set after all. */
static const char *reason(const struct sv_childenv_var *v, const char **detail)
{
	*detail = "";
	if (args.keep && is_inherited(v))
		return "not given: --keep, and the variable is set already";
	for (size_t i = 0; i < args.select.n; i++) {
		const char *text = args.select.v[i];
		const char *eq = strchr(text, '=');
		struct sv_text name = sv_text_of(skip_scheme(eq != NULL ? eq + 1 : text));

		if (name.n == v->name.n && memcmp(name.p, v->name.p, name.n) == 0 &&
		    (eq == NULL || ((size_t)(eq - text) == v->var_len && memcmp(text, v->pair, v->var_len) == 0)))
			return "named";
		if (name.n > 0 && name.p[name.n - 1] == '/' && starts_with(v->name, name.p, name.n)) {
			*detail = name.p;
			return "group ";
		}
	}
	for (size_t i = 0; i < args.prefix.n; i++)
		if (starts_with((struct sv_text){ v->pair, v->var_len }, args.prefix.v[i], strlen(args.prefix.v[i]))) {
			*detail = args.prefix.v[i];
			return "prefix ";
		}
	return "--all";
}

static void list_text(struct sv_cli *cli, const struct sv_childenv_var *vars, size_t n)
{
	bool tty = isatty(STDOUT_FILENO) == 1;
	size_t var_width = 0;
	size_t name_width = 0;
	const char *detail;

	for (size_t i = 0; tty && i < n; i++) {
		size_t columns = sv_text_columns(vars[i].name);

		var_width = vars[i].var_len + 2 > var_width ? vars[i].var_len + 2 : var_width;
		name_width = columns + 2 > name_width ? columns + 2 : name_width;
	}
	for (size_t i = 0; i < n; i++) {
		const char *why = reason(&vars[i], &detail);

		sv_out_column(&cli->out, (struct sv_text){ vars[i].pair, vars[i].var_len }, var_width);
		if (!tty)
			sv_out_str(&cli->out, "\t");
		sv_out_column(&cli->out, vars[i].name, name_width);
		if (!tty)
			sv_out_str(&cli->out, "\t");
		sv_out_str(&cli->out, why);
		sv_out_escaped(&cli->out, sv_text_of(detail));
		sv_out_str(&cli->out, vars[i].inherited ? ", from default\n" : "\n");
	}
}

static void list_json(struct sv_cli *cli, const struct sv_childenv_var *vars, size_t n)
{
	struct sv_json j = { &cli->out, false };
	const char *detail;

	sv_json_open(&j, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		char why[SV_NAME_MAX + 64];
		const char *word = reason(&vars[i], &detail);
		size_t len = strlen(word);
		size_t more = strlen(detail);

		if (len + more >= sizeof(why))
			more = sizeof(why) - 1 - len;
		memcpy(why, word, len);
		memcpy(why + len, detail, more);
		sv_json_open(&j, NULL, '{');
		sv_json_text(&j, "variable", (struct sv_text){ vars[i].pair, vars[i].var_len });
		sv_json_text(&j, "name", vars[i].name);
		sv_json_text(&j, "environment", vars[i].inherited ? sv_text_of(SV_ENV_DEFAULT) : cli->env);
		sv_json_text(&j, "reason", (struct sv_text){ why, len + more });
		sv_json_close(&j, '}');
	}
	sv_json_close(&j, ']');
	sv_json_end(&j);
}

/* Which secret is to blame when the whole does not fit. */
static void name_largest(const struct sv_childenv_var *vars, size_t n, struct sv_err *err)
{
	size_t max = 0;

	for (size_t i = 1; i < n; i++)
		if (vars[i].value_len > vars[max].value_len)
			max = i;
	if (n > 0)
		(void)sv_err_set(err, SV_ERR_TOO_BIG,
				 "arguments and environment together are too large for this system; the largest secret "
				 "is %.*s (%zu bytes)",
				 (int)vars[max].name.n, vars[max].name.p, vars[max].value_len);
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	unsigned flags = (args.keep ? SV_CHILDENV_KEEP : 0) | (args.force ? SV_CHILDENV_FORCE : 0) |
			 (args.dry_run ? SV_CHILDENV_NO_VALUES : 0);
	struct sv_childenv_var *vars = small_vars;
	struct sv_buf *body;
	void *room = &small_room;
	size_t n_inherited = 0;
	size_t n = 0;
	char **envp;
	enum sv_code rc;

	(void)argc;
	if ((rc = request(cli, err)) != SV_OK || (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if ((rc = decode(body, &vars, &n, err)) != SV_OK)
		goto out;
	while (environ[n_inherited] != NULL)
		n_inherited++;
	if (sv_childenv_room(n_inherited, n) > sizeof(small_room))
		room = malloc(sv_childenv_room(n_inherited, n));
	if (room == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the environment");
		goto out;
	}
	if ((rc = sv_childenv_build(environ, vars, n, flags, room, &envp, err)) != SV_OK)
		goto out;
	if (args.dry_run && cli->opt.json) {
		list_json(cli, vars, n);
	} else if (args.dry_run) {
		list_text(cli, vars, n);
	} else if (masked()) {
		const struct sv_masked m = { argv, envp, vars, n, args.mask_all, args.mask || args.mask_all };

		sv_write_restore_signal();
		rc = cli->program->exec_masked(cli, &m, err);
	} else {
		sv_write_restore_signal(); /* a question may have been asked before */
		rc = sv_spawn_exec(argv, envp, &cli->status, err);
		if (rc == SV_ERR_TOO_BIG) {
			name_largest(vars, n, err);
			sv_hint(cli, "select fewer, or let the program read the largest itself: sv get NAME");
		}
	}
out:
	if (room != &small_room)
		free(room);
	if (vars != small_vars)
		free(vars);
	return rc;
}

const struct sv_cmd sv_cmd_exec = {
	.name = "exec",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED | SV_CMD_STOP_AT_ARG | SV_CMD_RUNS,
	.args_min = 0,
	.args_max = -1,
	.synopsis = "[-s NAME|VAR=NAME|GROUP/]... [--prefix P]... [--all] [-e ENV] [--keep] [--] COMMAND [ARG]...",
	.help = "run a command with secrets in its environment",
	.opts = opts,
	.args = &args,
	.more = "The command replaces sv: same process, terminal, signals and exit status.  Naming a secret is "
		"consent; nothing is\n"
		"given that was not asked for.  If a secret is missing, empty, holds a NUL byte or is too large for a "
		"variable, or the\n"
		"vault is locked, the command is not started and the exit status is 125; 126: it cannot be run; 127: "
		"it is not there.\n"
		"SV_VAULT and SV_SOCKET are not passed on.\n",
};

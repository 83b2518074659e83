/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv ls: names, never values; a tree on a terminal, one a line otherwise.
 */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/ref.h"
#include "cli/units.h"

#include <string.h>
#include <unistd.h>

static struct {
	bool details;
} args;

static const struct sv_opt opts[] = { { "long", 'l', SV_OPT_FLAG, offsetof(__typeof__(args), details), NULL,
					"with variable name, environment and expiry" },
				      SV_OPT_END };

struct listing {
	struct sv_cli *cli;
	struct sv_json json;
	bool tty;
	size_t n;
	size_t name_width, var_width, env_width;
	char last[SV_NAME_MAX]; /* the tree: the name before this one */
	size_t last_len;
};

static void tree_line(struct listing *l, struct sv_text name)
{
	struct sv_out *o = &l->cli->out;
	size_t depth = 0;
	size_t start = 0;
	bool same = true;

	/* Segments that the name before had too are not printed again; "a/" groups stand together in byte order. */
	for (size_t i = 0; i < name.n; i++) {
		if (same && (i >= l->last_len || l->last[i] != name.p[i]))
			same = false;
		if (name.p[i] != '/')
			continue;
		if (!same) {
			sv_out_spaces(o, 2 * depth);
			sv_out_escaped(o, (struct sv_text){ name.p + start, i + 1 - start });
			sv_out_str(o, "\n");
		}
		start = i + 1;
		depth++;
	}
	sv_out_spaces(o, 2 * depth);
	sv_out_escaped(o, (struct sv_text){ name.p + start, name.n - start });
	sv_out_str(o, "\n");
	l->last_len = name.n <= sizeof(l->last) ? name.n : 0;
	memcpy(l->last, name.p, l->last_len);
}

static void entry_json(struct listing *l, const struct sv_msg_entry *e)
{
	sv_json_open(&l->json, NULL, '{');
	sv_json_text(&l->json, "name", e->name);
	sv_json_text(&l->json, "variable", e->var);
	sv_json_text(&l->json, "environment", e->inherited ? sv_text_of(SV_ENV_DEFAULT) : l->cli->env);
	sv_json_time(&l->json, "expires", e->expires_s);
	sv_json_close(&l->json, '}');
}

static void entry_long(struct listing *l, const struct sv_msg_entry *e)
{
	struct sv_out *o = &l->cli->out;
	char date[SV_DATE_BYTES] = "-";

	if (e->expires_s != 0)
		sv_date_format(e->expires_s, false, date);
	sv_out_column(o, e->name, l->tty ? l->name_width + 2 : 0);
	if (!l->tty)
		sv_out_str(o, "\t");
	sv_out_column(o, e->var, l->tty ? l->var_width + 2 : 0);
	if (!l->tty)
		sv_out_str(o, "\t");
	sv_out_column(o, e->inherited ? sv_text_of(SV_ENV_DEFAULT) : l->cli->env, l->tty ? l->env_width + 2 : 0);
	if (!l->tty)
		sv_out_str(o, "\t");
	sv_out_str(o, date);
	sv_out_str(o, "\n");
}

static void entry_name(struct listing *l, const struct sv_msg_entry *e)
{
	if (l->tty) {
		tree_line(l, e->name);
		return;
	}
	sv_out_bytes(&l->cli->out, e->name.p, e->name.n);
	sv_out_bytes(&l->cli->out, "\n", 1);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* All entries of one frame, or of all put together. */
static enum sv_code entries(struct listing *l, struct sv_buf *body, bool with_meta, bool measure, struct sv_err *err)
{
	struct sv_msg_entry e;

	while (sv_buf_unread(body) > 0) {
		if (sv_msg_get_entry(body, &e, with_meta) != SV_OK)
			return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
		if (measure) {
			l->name_width = larger(l->name_width, sv_text_columns(e.name));
			l->var_width = larger(l->var_width, e.var.n);
			continue;
		}
		l->n++;
		if (l->cli->opt.json)
			entry_json(l, &e);
		else if (args.details)
			entry_long(l, &e);
		else
			entry_name(l, &e);
	}
	return SV_OK;
}

static enum sv_code group_of(const char *arg, char group[SV_NAME_MAX + 2], struct sv_text *out, struct sv_err *err)
{
	size_t n = strlen(arg);

	if (n > SV_NAME_MAX)
		return sv_name_check(arg, n, err) == SV_OK ? SV_ERR_NAME : err->code;
	memcpy(group, arg, n + 1);
	if (n > 0 && !sv_ref_is_group(arg)) {
		group[n++] = '/';
		group[n] = '\0';
	}
	*out = (struct sv_text){ group, n };
	return sv_group_check(group, n, err);
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	char group[SV_NAME_MAX + 2];
	struct sv_text text;

	(void)cli;
	return argc == 0 ? SV_OK : group_of(argv[0], group, &text, err);
}

/* Two passes over all entries: the first measures the columns. */
static enum sv_code details(struct listing *l, struct sv_buf *all, struct sv_err *err)
{
	enum sv_code rc;

	l->env_width = larger(l->cli->env.n, sizeof(SV_ENV_DEFAULT) - 1);
	rc = l->tty ? entries(l, all, true, true, err) : SV_OK;
	all->off = 0;
	return rc == SV_OK ? entries(l, all, true, false, err) : rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct listing l = { .cli = cli, .json = { &cli->out, false }, .tty = isatty(STDOUT_FILENO) == 1 };
	struct sv_msg_list ask = { .env = cli->env, .with_meta = args.details || cli->opt.json };
	struct sv_buf all = SV_BUF_INIT;
	char group[SV_NAME_MAX + 2];
	struct sv_buf *body;
	bool more = true;
	enum sv_code rc;

	if (argc > 0 && (rc = group_of(argv[0], group, &ask.group, err)) != SV_OK)
		return rc;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_LIST, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_list(&cli->client.out, &ask)) != SV_OK ||
	    (rc = sv_client_send(&cli->client, err)) != SV_OK)
		return rc;
	if (cli->opt.json)
		sv_json_open(&l.json, NULL, '[');
	while (more) {
		if ((rc = sv_client_recv(&cli->client, &body, &more, err)) != SV_OK)
			goto out;
		if (args.details && !cli->opt.json)
			rc = sv_buf_put(&all, sv_buf_head(body), sv_buf_unread(body));
		else
			rc = entries(&l, body, ask.with_meta, false, err);
		if (rc != SV_OK)
			goto out;
	}
	if (args.details && !cli->opt.json && (rc = details(&l, &all, err)) != SV_OK)
		goto out;
	if (cli->opt.json) {
		sv_json_close(&l.json, ']');
		sv_json_end(&l.json);
	}
	if (l.n == 0 && ask.group.n > 0)
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "there is no group %.*s in the environment %.*s",
				(int)ask.group.n, ask.group.p, (int)cli->env.n, cli->env.p);
out:
	if (rc != SV_OK && !cli->out.wrote)
		sv_out_clear(&cli->out);
	sv_buf_clear(&all);
	return rc;
}

const struct sv_cmd sv_cmd_ls = {
	.name = "ls",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 1,
	.synopsis = "[-e ENV] [-l] [GROUP/]",
	.help = "list the names of secrets",
	.opts = opts,
	.args = &args,
	.more = "A tree on a terminal, else one full name a line.  Values are never shown, nor their lengths.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv inject: fill {{ sv:///NAME }} in a template.  All values are there before the first byte goes out.
 */
#include "cli/project/atomic.h"
#include "cli/project/commands.h"
#include "cli/project/plan.h"
#include "cli/project/template.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *in, *out;
	bool force;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = { { "in", 'i', SV_OPT_TEXT, A(in), "FILE", "the template (else standard input)" },
				      { "out", 'o', SV_OPT_TEXT, A(out), "FILE",
					"where it goes, mode 0600 (else standard output)" },
				      { "force", 0, SV_OPT_FLAG, A(force), NULL, "also to a terminal" },
				      SV_OPT_END };

static struct sv_plan plan = SV_PLAN_INIT;
static struct sv_template template;

static enum sv_code read_stdin(char **text, size_t *len, struct sv_err *err)
{
	size_t cap = 65536;
	char *p = malloc(cap);

	*len = 0;
	while (p != NULL) {
		ssize_t n;

		if (*len == cap) {
			char *more = cap > SV_TEMPLATE_BYTES_MAX ? NULL : realloc(p, cap * 2);

			if (more == NULL) {
				free(p);
				return sv_err_set(err, SV_ERR_TOO_BIG, "the template is larger than %zu bytes",
						  SV_TEMPLATE_BYTES_MAX);
			}
			p = more;
			cap *= 2;
		}
		n = read(STDIN_FILENO, p + *len, cap - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int why = errno;

			free(p);
			return sv_err_sys(err, SV_ERR_IO, why, "cannot read the template");
		}
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	*text = p;
	return p != NULL ? SV_OK : sv_err_set(err, SV_ERR_NOMEM, "no memory for the template");
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	char *text = NULL;
	char *copy;
	size_t len = 0;
	const char *label = args.in != NULL ? args.in : "the template";
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if (args.out == NULL && !args.force && isatty(STDOUT_FILENO) == 1) {
		sv_hint(cli, "-o FILE, a pipe, or --force");
		return sv_err_set(err, SV_ERR_USAGE, "values would be shown on the terminal");
	}
	rc = args.in != NULL && strcmp(args.in, "-") != 0
		     ? sv_root_read(AT_FDCWD, args.in, SV_TEMPLATE_BYTES_MAX, &text, &len, err)
		     : read_stdin(&text, &len, err);
	if (rc != SV_OK) {
		sv_err_prefix(err, "%s", label);
		return rc;
	}
	copy = sv_arena_text(&plan.arena, text, len);
	free(text);
	if (copy == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the template");
	if ((rc = sv_template_parse(&plan.arena, copy, len, &template, err)) != SV_OK) {
		sv_err_prefix(err, "%s", label);
		return rc;
	}
	for (size_t i = 0; i < template.n && rc == SV_OK; i++) {
		const struct sv_template_piece *piece = &template.v[i];
		const struct sv_wish w = { .kind = SV_WISH_NAME,
					   .env = piece->env,
					   .name = piece->name,
					   .deliver = SV_DELIVER_PART,
					   .why = "template",
					   .file = label,
					   .line = piece->line };

		if (piece->name != NULL)
			rc = sv_plan_wish(&plan, &w, err);
	}
	return rc;
}

static const struct sv_item *item_of(const struct sv_template_piece *piece, struct sv_text env)
{
	for (size_t i = 0; i < plan.n_items; i++) {
		const struct sv_item *item = &plan.items[i];
		struct sv_text want = piece->env != NULL ? sv_text_of(piece->env) : env;

		if (item->name != NULL && strcmp(item->name, piece->name) == 0 && strlen(item->env) == want.n &&
		    memcmp(item->env, want.p, want.n) == 0)
			return item;
	}
	return NULL;
}

static enum sv_code fill(struct sv_cli *cli, struct sv_buf *out, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < template.n && rc == SV_OK; i++) {
		const struct sv_template_piece *piece = &template.v[i];
		const struct sv_item *item;

		if (piece->name == NULL) {
			rc = sv_buf_put(out, piece->text.p, piece->text.n);
			continue;
		}
		item = item_of(piece, cli->env);
		if (item == NULL || item->value == NULL)
			return sv_err_set(err, SV_ERR_NOT_FOUND, "no secret named \"%s\" (line %u)", piece->name,
					  piece->line);
		rc = sv_buf_put(out, item->value, item->value_len);
	}
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no locked memory for the result");
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_buf out = SV_BUF_LOCKED(0);
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if (plan.n_wishes > 0 &&
	    ((rc = sv_plan_names(&plan, cli, true, err)) != SV_OK ||
	     (rc = sv_plan_complete(&plan, cli, err)) != SV_OK || (rc = sv_plan_values(&plan, cli, err)) != SV_OK))
		goto out;
	if ((rc = fill(cli, &out, err)) != SV_OK)
		goto out;
	rc = args.out != NULL && strcmp(args.out, "-") != 0
		     ? sv_atomic_write(args.out, sv_buf_head(&out), sv_buf_unread(&out), 0600, true, err)
		     : sv_write_all(STDOUT_FILENO, sv_buf_head(&out), sv_buf_unread(&out), err);
out:
	sv_buf_clear(&out);
	sv_plan_clear(&plan);
	return rc;
}

const struct sv_cmd sv_cmd_inject = {
	.name = "inject",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[-i TEMPLATE] [-o FILE] [-e ENV]",
	.help = "fill {{ sv:///NAME }} in a template",
	.opts = opts,
	.args = &args,
	.more = "{{ sv:///NAME }} is the value of NAME in the environment, {{ sv://ENV/NAME }} in another one; all "
		"else stays as it is.\n"
		"A missing secret writes nothing.  The file is mode 0600, written whole or not at all, and a link is "
		"not followed.\n",
};

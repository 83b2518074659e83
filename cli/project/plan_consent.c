/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered for the project's directory, the question, and the list that is shown.
 */
#include "cli/project/plan.h"

#include "cli/auth.h"
#include "cli/json.h"
#include "cli/prompt.h"
#include "cli/say.h"
#include "vault/base/name.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KIND_CONSENT 4 /* proto/PROTOCOL.md, objects */

static enum sv_code begin(struct sv_cli *cli, uint16_t type, const char *path, struct sv_err *err)
{
	char key[SV_CONSENT_KEY_BYTES];
	enum sv_code rc = sv_client_begin(&cli->client, type, 0, err);

	sv_consent_key(path, key);
	if (rc == SV_OK)
		rc = sv_buf_put_u8(&cli->client.out, KIND_CONSENT);
	if (rc == SV_OK)
		rc = sv_msg_put_text(&cli->client.out, sv_text_of(key));
	return rc;
}

/* Nothing remembered, or remembered for another directory that stood here: an empty set. */
static enum sv_code load(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err)
{
	struct sv_err why = SV_ERR_INIT;
	struct sv_buf *body;
	enum sv_code rc = begin(cli, SV_MSG_OBJECT_GET, p->dir.path, err);

	if (rc == SV_OK)
		rc = sv_client_call(&cli->client, &body, &why);
	if (rc == SV_ERR_NOT_FOUND) {
		p->consent = (struct sv_consent){ .dir = p->dir };
		return SV_OK;
	}
	if (rc != SV_OK)
		return sv_err_set(err, rc, "%s", why.msg);
	if (sv_consent_decode(&p->arena, body, &p->consent) != SV_OK)
		return sv_err_set(err, SV_ERR_FAIL,
				  "what is remembered for this directory does not parse; sv disallow forgets it");
	if (!sv_consent_same_dir(&p->consent.dir, &p->dir))
		p->consent = (struct sv_consent){ .dir = p->dir };
	return SV_OK;
}

enum sv_code sv_plan_consent(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err)
{
	bool any = false;
	enum sv_code rc;

	for (size_t i = 0; i < p->n_items && !any; i++)
		any = p->items[i].wish->implicit && p->items[i].name != NULL;
	if (!any)
		return SV_OK;
	if ((rc = load(p, cli, err)) != SV_OK)
		return rc;
	for (size_t i = 0; i < p->n_items; i++) {
		struct sv_item *item = &p->items[i];
		const struct sv_consent_item asked = { item->var, item->env, item->name };

		if (item->name != NULL && !item->allowed)
			item->allowed = sv_consent_has(&p->consent, &asked);
	}
	return SV_OK;
}

size_t sv_plan_unallowed(const struct sv_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_items; i++)
		n += p->items[i].name != NULL && !p->items[i].allowed;
	return n;
}

enum sv_code sv_plan_remember(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err)
{
	struct sv_buf bytes = SV_BUF_INIT;
	struct sv_buf *body;
	enum sv_code rc = load(p, cli, err);

	for (size_t i = 0; i < p->n_items && rc == SV_OK; i++) {
		struct sv_item *item = &p->items[i];
		const struct sv_consent_item add = { item->var, item->env, item->name };

		if (item->name == NULL || !item->wish->implicit)
			continue;
		rc = sv_consent_add(&p->arena, &p->consent, &add, err);
		item->allowed = true;
	}
	if (rc == SV_OK && (rc = sv_consent_encode(&p->consent, &bytes)) != SV_OK)
		rc = sv_err_set(err, rc, "no memory for what is allowed");
	if (rc == SV_OK)
		rc = begin(cli, SV_MSG_OBJECT_PUT, p->dir.path, err);
	if (rc == SV_OK &&
	    (rc = sv_buf_put_str32(&cli->client.out, sv_buf_head(&bytes), sv_buf_unread(&bytes))) != SV_OK)
		rc = sv_err_set(err, rc, "what is allowed for this directory is too much to remember");
	if (rc == SV_OK)
		rc = sv_client_call(&cli->client, &body, err);
	sv_buf_clear(&bytes);
	return rc;
}

enum sv_code sv_plan_forget(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc = begin(cli, SV_MSG_OBJECT_REMOVE, p->dir.path, err);

	return rc == SV_OK ? sv_client_call(&cli->client, &body, err) : rc;
}

void sv_plan_reason(const struct sv_item *item, char *out, size_t size)
{
	const struct sv_wish *w = item->wish;

	if (w->file == NULL)
		(void)snprintf(out, size, "%s", w->why);
	else
		(void)snprintf(out, size, "%s, %s:%u", w->why, w->file, w->line);
}

static enum sv_code show(const struct sv_plan *p, struct sv_err *err)
{
	struct sv_out o = SV_OUT_INIT(-1);
	char reason[SV_PATH_BYTES];
	enum sv_code rc;

	sv_out_str(&o, "The files of ");
	sv_out_escaped(&o, sv_text_of(p->dir.path));
	sv_out_str(&o, " ask for secrets that were not allowed yet:\n");
	for (size_t i = 0; i < p->n_items; i++) {
		const struct sv_item *item = &p->items[i];

		if (item->name == NULL || item->allowed)
			continue;
		sv_plan_reason(item, reason, sizeof(reason));
		sv_out_str(&o, "  ");
		sv_out_column(&o, sv_text_of(item->var), 28);
		sv_out_str(&o, " ");
		sv_out_escaped(&o, sv_text_of(item->name));
		sv_out_str(&o, " (");
		sv_out_escaped(&o, sv_text_of(item->env));
		sv_out_str(&o, ")  ");
		sv_out_escaped(&o, sv_text_of(reason));
		sv_out_str(&o, "\n");
	}
	rc = o.rc == SV_OK ? sv_prompt_show(sv_buf_head(&o.buf), sv_buf_unread(&o.buf), err)
			   : sv_err_set(err, o.rc, "no memory for the list");
	sv_out_clear(&o);
	return rc;
}

enum sv_code sv_plan_ask(struct sv_plan *p, struct sv_cli *cli, const char *what, struct sv_err *err)
{
	size_t n = sv_plan_unallowed(p);
	bool yes = false;
	enum sv_code rc;

	if (n == 0)
		return SV_OK;
	if (p->yes) {
		for (size_t i = 0; i < p->n_items; i++)
			p->items[i].allowed = p->items[i].allowed || p->items[i].name != NULL;
		return SV_OK;
	}
	if (!sv_auth_can_ask(cli)) {
		sv_hint(cli, "to allow it: %s; to see the list: add --dry-run", what);
		return sv_err_set(err, SV_ERR_DENIED,
				  "the project's files ask for %zu secret%s that %s not allowed here", n,
				  n == 1 ? "" : "s", n == 1 ? "is" : "are");
	}
	if ((rc = show(p, err)) != SV_OK ||
	    (rc = sv_prompt_yes("Give them to what runs in this directory, now and later? [y/N] ", &yes, err)) != SV_OK)
		return rc;
	if (!yes)
		return sv_err_set(err, SV_ERR_DENIED, "not allowed, so nothing was started");
	return sv_plan_remember(p, cli, err);
}

static const char *state_of(const struct sv_item *item)
{
	if (item->name != NULL)
		return "present";
	if (item->wish->default_text != NULL)
		return "default";
	return item->wish->optional && item->wish->kind != SV_WISH_VAR ? "optional" : "missing";
}

/* A variable that discovery saw and that works without is no miss worth a line. */
static bool silent(const struct sv_plan *p, const struct sv_item *item)
{
	const struct sv_ask *ask;

	if (item->name != NULL || item->wish->kind != SV_WISH_VAR)
		return false;
	ask = sv_asks_find(&p->asks, item->var, strlen(item->var));
	return ask != NULL && ask->weak;
}

static const char *delivery(const struct sv_item *item)
{
	static const char *const words[] = { "environment", "memory", "path", "fifo", "descriptor", "template" };

	return words[item->wish->deliver];
}

static void print_json(const struct sv_plan *p, struct sv_cli *cli)
{
	struct sv_json j = { &cli->out, false };

	sv_json_open(&j, NULL, '[');
	for (size_t i = 0; i < p->n_items; i++) {
		const struct sv_item *item = &p->items[i];
		char reason[SV_PATH_BYTES];

		if (silent(p, item))
			continue;
		sv_plan_reason(item, reason, sizeof(reason));
		sv_json_open(&j, NULL, '{');
		sv_json_str(&j, "variable", item->var);
		if (item->name != NULL)
			sv_json_str(&j, "name", item->name);
		else
			sv_json_null(&j, "name");
		sv_json_str(&j, "environment", item->name != NULL ? item->from_env : item->env);
		sv_json_str(&j, "reason", reason);
		if (item->wish->file != NULL) {
			sv_json_str(&j, "file", item->wish->file);
			sv_json_number(&j, "line", item->wish->line);
		} else {
			sv_json_null(&j, "file");
			sv_json_null(&j, "line");
		}
		sv_json_str(&j, "delivery", delivery(item));
		sv_json_str(&j, "state", state_of(item));
		sv_json_bool(&j, "allowed", item->name != NULL && item->allowed);
		sv_json_close(&j, '}');
	}
	sv_json_close(&j, ']');
	sv_json_end(&j);
}

static size_t wider(size_t width, const char *text)
{
	size_t n = sv_text_columns(sv_text_of(text)) + 2;

	return n > width ? n : width;
}

void sv_plan_print(const struct sv_plan *p, struct sv_cli *cli)
{
	bool tty = isatty(STDOUT_FILENO) == 1;
	size_t width[3] = { 0, 0, 0 };

	if (cli->opt.json) {
		print_json(p, cli);
		return;
	}
	for (size_t i = 0; tty && i < p->n_items; i++) {
		width[0] = wider(width[0], p->items[i].var);
		width[1] = wider(width[1], p->items[i].name != NULL ? p->items[i].name : "-");
		width[2] = wider(width[2], p->items[i].env);
	}
	for (size_t i = 0; i < p->n_items; i++) {
		const struct sv_item *item = &p->items[i];
		const char *cell[3] = { item->var[0] != '\0' ? item->var : "-", item->name != NULL ? item->name : "-",
					item->name != NULL ? item->from_env : item->env };
		char reason[SV_PATH_BYTES];

		if (silent(p, item))
			continue;
		sv_plan_reason(item, reason, sizeof(reason));
		for (size_t k = 0; k < 3; k++) {
			sv_out_column(&cli->out, sv_text_of(cell[k]), width[k]);
			if (!tty)
				sv_out_str(&cli->out, "\t");
		}
		sv_out_escaped(&cli->out, sv_text_of(reason));
		if (item->name == NULL)
			sv_out_fmt(&cli->out, ", %s",
				   strcmp(state_of(item), "missing") == 0 ? "not in the vault" : state_of(item));
		else if (!item->allowed)
			sv_out_str(&cli->out, ", not allowed yet");
		if (item->wish->deliver != SV_DELIVER_ENV)
			sv_out_fmt(&cli->out, ", as %s", delivery(item));
		sv_out_str(&cli->out, "\n");
	}
}

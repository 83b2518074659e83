/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the agent: which names there are, and their values.
 */
#include "cli/project/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARS_ASKED_ONE_BY_ONE 4 /* more are looked up in one listing: the agent walks all names for each */

static bool is(struct sv_text t, const char *s)
{
	return strlen(s) == t.n && memcmp(t.p, s, t.n) == 0;
}

static const char *env_of(const struct sv_wish *w, const struct sv_cli *cli, struct sv_plan *p)
{
	return w->env != NULL ? w->env : sv_arena_text(&p->arena, cli->env.p, cli->env.n);
}

static const char *copy(struct sv_plan *p, struct sv_text t)
{
	return sv_arena_text(&p->arena, t.p, t.n);
}

static bool file_by_convention(const struct sv_wish *w)
{
	return w->kind == SV_WISH_NAME && w->var == NULL &&
	       (w->deliver == SV_DELIVER_MEMORY || w->deliver == SV_DELIVER_PATH || w->deliver == SV_DELIVER_FIFO);
}

static enum sv_code add_item(struct sv_plan *p, const struct sv_item *item, struct sv_err *err)
{
	if (item->var == NULL || item->env == NULL || !SV_ARENA_GROW(&p->arena, p->items, p->n_items))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the list of secrets");
	p->items[p->n_items++] = *item;
	return SV_OK;
}

static struct sv_item *same_variable(struct sv_plan *p, struct sv_text var, size_t from)
{
	for (size_t i = from; i < p->n_items; i++)
		if (is(var, p->items[i].var))
			return &p->items[i];
	return NULL;
}

/* One find of a wish.  var: what the vault calls it. */
static enum sv_code found(struct sv_plan *p, struct sv_cli *cli, const struct sv_wish *w, const char *env,
			  struct sv_text var, struct sv_text name, bool inherited, uint32_t value_len, bool lenient,
			  struct sv_err *err)
{
	struct sv_item item = { .env = env, .wish = w, .value_len = value_len, .allowed = !w->implicit };
	struct sv_item *other = NULL;

	(void)cli;
	if (w->deliver == SV_DELIVER_FD || w->deliver == SV_DELIVER_PART) {
		item.var = w->var != NULL ? w->var : "";
	} else if (file_by_convention(w)) {
		item.var = sv_arena_fmt(&p->arena, "%.*s_FILE", (int)var.n, var.p);
	} else {
		item.var = w->kind == SV_WISH_NAME && w->var != NULL ? w->var : copy(p, var);
	}
	item.name = copy(p, name);
	item.from_env = inherited ? SV_ENV_DEFAULT : env;
	if (item.var == NULL || item.name == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the list of secrets");
	if (w->deliver != SV_DELIVER_FD && w->deliver != SV_DELIVER_PART)
		other = same_variable(p, sv_text_of(item.var), 0);
	while (other != NULL && other->name == NULL) { /* a miss of another wish for the same variable is made good */
		struct sv_item old = *other;

		*other = item;
		if (old.wish->kind == SV_WISH_NAME && w->kind != SV_WISH_NAME)
			other->wish = w;
		return SV_OK;
	}
	if (other != NULL) {
		bool same = strcmp(other->name, item.name) == 0 && strcmp(other->env, env) == 0 &&
			    other->wish->deliver == w->deliver;

		if (same) {
			other->allowed = other->allowed || item.allowed;
			return SV_OK;
		}
		if (lenient && strcmp(other->env, env) != 0)
			return add_item(p, &item, err);
		/* What is said explicitly, and what says the name, wins over what was found by a group or a file. */
		if (other->wish->kind == SV_WISH_NAME && w->kind != SV_WISH_NAME)
			return SV_OK;
		if (lenient)
			return add_item(p, &item, err);
		return sv_err_set(
			err, SV_ERR_CONFLICT,
			"\"%s\" and \"%s\" would both set %s; say -s VAR=NAME for one of them, or name it in %s",
			other->name, item.name, item.var, SV_MANIFEST_NAME);
	}
	return add_item(p, &item, err);
}

static enum sv_code put_selector(struct sv_client *c, const struct sv_wish *w)
{
	struct sv_msg_selector s = { .kind = SV_SELECT_NAME };

	switch (w->kind) {
	case SV_WISH_NAME:
		s.arg = sv_text_of(w->name);
		if (w->var != NULL && w->deliver != SV_DELIVER_FD && w->deliver != SV_DELIVER_PART)
			s.var = sv_text_of(w->var);
		break;
	case SV_WISH_GROUP:
		s.kind = SV_SELECT_GROUP;
		s.arg = sv_text_of(w->name);
		break;
	case SV_WISH_ALL: s.kind = SV_SELECT_ALL; break;
	case SV_WISH_PREFIX:
		s.kind = SV_SELECT_VAR_PREFIX;
		s.arg = sv_text_of(w->var);
		break;
	case SV_WISH_VAR:
		s.kind = SV_SELECT_VAR;
		s.arg = sv_text_of(w->var);
		break;
	}
	return sv_msg_put_selector(&c->out, &s);
}

static bool answers(const struct sv_wish *w, const struct sv_msg_pair *pair)
{
	switch (w->kind) {
	case SV_WISH_NAME:
		if (!is(pair->name, w->name))
			return false;
		return w->var == NULL || w->deliver == SV_DELIVER_FD || w->deliver == SV_DELIVER_PART ||
		       is(pair->var, w->var);
	case SV_WISH_GROUP: {
		size_t n = strlen(w->name);

		return pair->name.n > n && memcmp(pair->name.p, w->name, n) == 0;
	}
	case SV_WISH_ALL: return true;
	case SV_WISH_PREFIX: return strncmp(pair->pair, w->var, strlen(w->var)) == 0;
	case SV_WISH_VAR: return is(pair->var, w->var);
	}
	return false;
}

/* One request for the wishes of one environment, but not those by variable when there are many. */
static enum sv_code names_of_env(struct sv_plan *p, struct sv_cli *cli, const char *env, bool *done, bool *hit,
				 bool by_listing, bool lenient, struct sv_err *err)
{
	struct sv_msg_resolve head = { .env = sv_text_of(env), .flags = SV_RESOLVE_NAMES_ONLY | SV_RESOLVE_LENIENT };
	struct sv_buf *body;
	struct sv_msg_pair pair;
	bool *mine = calloc(p->n_wishes + 1, sizeof(*mine));
	uint32_t count = 0;
	enum sv_code rc;

	if (mine == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the list of secrets");
	for (size_t i = 0; i < p->n_wishes; i++)
		if (!done[i] && strcmp(env_of(&p->wishes[i], cli, p), env) == 0) {
			done[i] = true;
			mine[i] = !(by_listing && p->wishes[i].kind == SV_WISH_VAR);
			head.n = (uint16_t)(head.n + mine[i]);
		}
	rc = head.n == 0 ? SV_OK : sv_client_begin(&cli->client, SV_MSG_RESOLVE, 0, err);
	if (head.n > 0 && rc == SV_OK)
		rc = sv_msg_put_resolve(&cli->client.out, &head);
	for (size_t i = 0; i < p->n_wishes && rc == SV_OK; i++)
		if (mine[i])
			rc = put_selector(&cli->client, &p->wishes[i]);
	if (rc != SV_OK)
		rc = sv_err_set(err, rc, "too much is asked for at once");
	if (head.n > 0 && rc == SV_OK)
		rc = sv_client_call(&cli->client, &body, err);
	if (head.n > 0 && rc == SV_OK && sv_buf_get_u32(body, &count) != SV_OK)
		rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	for (uint32_t k = 0; k < count && rc == SV_OK; k++) {
		bool taken = false;

		if (sv_msg_get_pair(body, &pair, true) != SV_OK) {
			rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
			break;
		}
		for (size_t i = 0; i < p->n_wishes && rc == SV_OK; i++) {
			if (!mine[i] || !answers(&p->wishes[i], &pair) ||
			    (taken && p->wishes[i].deliver == SV_DELIVER_ENV))
				continue;
			rc = found(p, cli, &p->wishes[i], env, pair.var, pair.name, pair.inherited, pair.value_len,
				   lenient, err);
			hit[i] = true;
			taken = taken || p->wishes[i].deliver == SV_DELIVER_ENV;
		}
	}
	free(mine);
	return rc;
}

/* The wishes by variable from one listing of the environment. */
static enum sv_code names_by_listing(struct sv_plan *p, struct sv_cli *cli, const char *env, bool *hit, bool lenient,
				     struct sv_err *err)
{
	const struct sv_msg_list m = { .env = sv_text_of(env), .with_meta = true };
	struct sv_buf *body;
	struct sv_msg_entry e;
	bool more = true;
	enum sv_code rc = sv_client_begin(&cli->client, SV_MSG_LIST, 0, err);

	if (rc == SV_OK)
		rc = sv_msg_put_list(&cli->client.out, &m);
	if (rc == SV_OK)
		rc = sv_client_send(&cli->client, err);
	while (rc == SV_OK && more) {
		rc = sv_client_recv(&cli->client, &body, &more, err);
		while (rc == SV_OK && sv_buf_unread(body) > 0) {
			const struct sv_ask *ask;

			if (sv_msg_get_entry(body, &e, true) != SV_OK)
				return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
			ask = sv_asks_find(&p->asks, e.var.p, e.var.n);
			for (size_t i = 0; ask != NULL && i < p->n_wishes && rc == SV_OK; i++)
				if (p->wishes[i].kind == SV_WISH_VAR && p->wishes[i].var == ask->var) {
					rc = found(p, cli, &p->wishes[i], env, e.var, e.name, e.inherited, e.value_len,
						   lenient, err);
					hit[i] = true;
				}
		}
	}
	return rc;
}

static enum sv_code missing(struct sv_plan *p, struct sv_cli *cli, const struct sv_wish *w, struct sv_err *err)
{
	struct sv_item item = { .var = w->var, .env = env_of(w, cli, p), .wish = w };

	if (w->kind != SV_WISH_NAME && w->kind != SV_WISH_VAR) {
		item.var = w->name != NULL ? w->name : w->var != NULL ? w->var : "";
		return add_item(p, &item, err);
	}
	if (item.var == NULL)
		item.var = "";
	if (*item.var != '\0' && w->deliver != SV_DELIVER_PART && same_variable(p, sv_text_of(item.var), 0) != NULL)
		return SV_OK;
	return add_item(p, &item, err);
}

enum sv_code sv_plan_names(struct sv_plan *p, struct sv_cli *cli, bool lenient, struct sv_err *err)
{
	bool *done = calloc(2 * p->n_wishes + 2, sizeof(*done));
	bool *hit = done + p->n_wishes;
	size_t by_var = 0;
	bool listing;
	enum sv_code rc = SV_OK;

	if (done == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the list of secrets");
	p->n_items = 0;
	for (size_t i = 0; i < p->n_wishes; i++)
		by_var += p->wishes[i].kind == SV_WISH_VAR;
	listing = by_var > VARS_ASKED_ONE_BY_ONE;
	for (size_t i = 0; i < p->n_wishes && rc == SV_OK; i++) {
		const char *env = done[i] ? NULL : env_of(&p->wishes[i], cli, p);

		if (env != NULL)
			rc = names_of_env(p, cli, env, done, hit, listing, lenient, err);
	}
	if (rc == SV_OK && listing)
		rc = names_by_listing(p, cli, sv_arena_text(&p->arena, cli->env.p, cli->env.n), hit, lenient, err);
	for (size_t i = 0; i < p->n_wishes && rc == SV_OK; i++)
		if (!hit[i])
			rc = missing(p, cli, &p->wishes[i], err);
	p->fetched_names = rc == SV_OK;
	free(done);
	return rc;
}

static bool present(const struct sv_plan *p, const char *var)
{
	for (size_t i = 0; i < p->n_items; i++)
		if (p->items[i].name != NULL && strcmp(p->items[i].var, var) == 0)
			return true;
	return false;
}

static enum sv_code presence(const struct sv_plan *p, const struct sv_manifest_presence *g, struct sv_err *err)
{
	char list[300] = "";
	size_t used = 0;
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		int w = snprintf(list + used, sizeof(list) - used, "%s%s", i == 0 ? "" : ", ", g->vars[i]);

		used += w > 0 && (size_t)w < sizeof(list) - used ? (size_t)w : 0;
		n += present(p, g->vars[i]);
	}
	if (n == 1 || (n > 1 && !g->exactly))
		return SV_OK;
	return sv_err_set(err, n == 0 ? SV_ERR_NOT_FOUND : SV_ERR_CONFLICT,
			  "%s of %s must be in the vault, and %zu are (%s:%u)",
			  g->exactly ? "exactly one" : "at least one", list, n, g->file, g->line);
}

enum sv_code sv_plan_complete(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err)
{
	for (size_t i = 0; i < p->n_items; i++) {
		const struct sv_item *item = &p->items[i];
		char where[512] = "";

		if (item->name != NULL || item->wish->optional)
			continue;
		if (item->wish->file != NULL)
			(void)snprintf(where, sizeof(where), " (%s:%u)", item->wish->file, item->wish->line);
		switch (item->wish->kind) {
		case SV_WISH_GROUP:
			return sv_err_set(err, SV_ERR_NOT_FOUND, "no secret in group \"%s\" in environment \"%s\"%s",
					  item->wish->name, item->env, where);
		case SV_WISH_ALL:
			return sv_err_set(err, SV_ERR_NOT_FOUND, "no secret at all in environment \"%s\"", item->env);
		case SV_WISH_PREFIX:
			return sv_err_set(err, SV_ERR_NOT_FOUND,
					  "no secret whose variable name starts with \"%s\" in environment \"%s\"",
					  item->wish->var, item->env);
		case SV_WISH_NAME:
		case SV_WISH_VAR: break;
		}
		if (cli->hint[0] == '\0')
			sv_hint(cli, "sv add -e %s %s stores it%s", item->env, item->wish->name,
				p->has_manifest ? "; required: false in the manifest lets the program start without"
						: "");
		return sv_err_set(err, SV_ERR_NOT_FOUND, "no secret named \"%s\" in environment \"%s\"%s",
				  item->wish->name, item->env, where);
	}
	for (size_t i = 0; p->has_manifest && i < p->part.n_presence; i++) {
		enum sv_code rc = presence(p, &p->part.presence[i], err);

		if (rc != SV_OK)
			return rc;
	}
	return SV_OK;
}

/* Keep a reply: *b takes the bytes. */
static enum sv_code keep(struct sv_plan *p, const struct sv_buf *body, struct sv_buf **kept, struct sv_err *err)
{
	struct sv_buf *b;

	if (!SV_ARENA_GROW(&p->arena, p->values, p->n_values))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the values");
	b = &p->values[p->n_values];
	*b = (struct sv_buf)SV_BUF_LOCKED(SV_REPLY_MAX);
	if (sv_buf_put(b, sv_buf_head(body), sv_buf_unread(body)) != SV_OK)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for the values");
	p->n_values++;
	*kept = b;
	return SV_OK;
}

static bool in_environment(const struct sv_item *item)
{
	return item->name != NULL && item->wish->deliver == SV_DELIVER_ENV;
}

static enum sv_code pairs_of_env(struct sv_plan *p, struct sv_cli *cli, const char *env, struct sv_err *err)
{
	struct sv_msg_resolve head = { .env = sv_text_of(env) };
	struct sv_buf *body;
	struct sv_buf *kept;
	struct sv_msg_pair pair;
	uint32_t count = 0;
	enum sv_code rc;

	for (size_t i = 0; i < p->n_items; i++)
		head.n = (uint16_t)(head.n + (in_environment(&p->items[i]) && strcmp(p->items[i].env, env) == 0));
	if ((rc = sv_client_begin(&cli->client, SV_MSG_RESOLVE, 0, err)) != SV_OK)
		return rc;
	rc = sv_msg_put_resolve(&cli->client.out, &head);
	for (size_t i = 0; i < p->n_items && rc == SV_OK; i++) {
		const struct sv_msg_selector s = { .kind = SV_SELECT_NAME,
						   .arg = sv_text_of(p->items[i].name != NULL ? p->items[i].name : ""),
						   .var = sv_text_of(p->items[i].var) };

		if (in_environment(&p->items[i]) && strcmp(p->items[i].env, env) == 0)
			rc = sv_msg_put_selector(&cli->client.out, &s);
	}
	if (rc != SV_OK)
		return sv_err_set(err, rc, "too much is asked for at once");
	if ((rc = sv_client_call(&cli->client, &body, err)) != SV_OK || (rc = keep(p, body, &kept, err)) != SV_OK)
		return rc;
	if (sv_buf_get_u32(kept, &count) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	for (uint32_t k = 0; k < count; k++) {
		if (sv_msg_get_pair(kept, &pair, false) != SV_OK)
			return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
		for (size_t i = 0; i < p->n_items; i++)
			if (in_environment(&p->items[i]) && strcmp(p->items[i].env, env) == 0 &&
			    is(pair.var, p->items[i].var)) {
				p->items[i].value = (const unsigned char *)pair.pair;
				p->items[i].value_len = pair.value_len;
			}
	}
	return SV_OK;
}

static enum sv_code one_value(struct sv_plan *p, struct sv_cli *cli, struct sv_item *item, struct sv_err *err)
{
	const struct sv_msg_ref ref = { .env = sv_text_of(item->env), .name = sv_text_of(item->name) };
	struct sv_buf *body;
	struct sv_buf *kept;
	enum sv_code rc = sv_client_begin(&cli->client, SV_MSG_GET, 0, err);

	if (rc == SV_OK)
		rc = sv_msg_put_ref(&cli->client.out, &ref);
	if (rc == SV_OK)
		rc = sv_client_call(&cli->client, &body, err);
	if (rc == SV_OK)
		rc = keep(p, body, &kept, err);
	if (rc != SV_OK)
		return rc;
	item->value = sv_buf_unread(kept) > 0 ? sv_buf_head(kept) : (const unsigned char *)"";
	item->value_len = (uint32_t)sv_buf_unread(kept);
	if (item->value_len == 0 && item->wish->deliver != SV_DELIVER_PART)
		return sv_err_set(err, SV_ERR_FAIL, "the value of \"%s\" is empty; sv set gives it one", item->name);
	return SV_OK;
}

enum sv_code sv_plan_values(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	sv_plan_values_clear(p);
	for (size_t i = 0; i < p->n_items && rc == SV_OK; i++) {
		if (p->items[i].name == NULL || p->items[i].value != NULL)
			continue;
		rc = in_environment(&p->items[i]) ? pairs_of_env(p, cli, p->items[i].env, err)
						  : one_value(p, cli, &p->items[i], err);
		if (rc == SV_OK && p->items[i].value == NULL)
			rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer lacks a secret");
	}
	if (rc != SV_OK)
		sv_plan_values_clear(p);
	return rc;
}

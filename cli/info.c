/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing versions.
 */
#include "cli/info.h"

#include "cli/units.h"

#include <stdio.h>

#define INFO_MAX (SV_META_BYTES_MAX + 4096)

const char *sv_info_verb(uint8_t verb)
{
	switch ((enum sv_verb)verb) {
	case SV_VERB_ADD: return "added";
	case SV_VERB_SET: return "set";
	case SV_VERB_META: return "metadata";
	case SV_VERB_RM: return "deleted";
	case SV_VERB_MV: return "moved";
	case SV_VERB_CP: return "copied";
	case SV_VERB_UNDO: return "undone";
	case SV_VERB_RESTORE: return "restored";
	case SV_VERB_EDIT: return "edited";
	case SV_VERB_IMPORT: return "imported";
	case SV_VERB_ENV: return "environment";
	}
	return "changed";
}

static void list_json(struct sv_json *j, const char *key, const struct sv_text *t, size_t n)
{
	sv_json_open(j, key, '[');
	for (size_t i = 0; i < n; i++)
		sv_json_text(j, NULL, t[i]);
	sv_json_close(j, ']');
}

void sv_info_json(struct sv_json *j, const struct sv_msg_info *i)
{
	char var[SV_VAR_MAX + 1];
	const struct sv_meta *m = &i->meta;

	sv_json_text(j, "name", i->name);
	sv_json_text(j, "environment", i->env);
	sv_json_bool(j, "inherited", i->inherited);
	if (m->var.n > 0)
		sv_json_text(j, "variable", m->var);
	else
		sv_json_text(j, "variable", (struct sv_text){ var, sv_var_from_name(i->name.p, i->name.n, var) });
	sv_json_number(j, "version", (int64_t)i->version);
	sv_json_number(j, "change", (int64_t)i->txn);
	sv_json_str(j, "action", sv_info_verb(i->verb));
	sv_json_bool(j, "deleted", i->gone);
	sv_json_text(j, "description", m->desc);
	sv_json_text(j, "owner", m->owner);
	sv_json_text(j, "url", m->url);
	sv_json_text(j, "type", m->type);
	list_json(j, "tags", m->tags, m->n_tags);
	list_json(j, "scopes", m->scopes, m->n_scopes);
	sv_json_time(j, "expires", m->expires_s);
	if (m->rotate_s != 0)
		sv_json_number(j, "rotate_s", m->rotate_s);
	else
		sv_json_null(j, "rotate_s");
	sv_json_time(j, "created", i->created_s);
	sv_json_time(j, "changed", i->changed_s);
	sv_json_time(j, "used", i->used_s);
}

static void field(struct sv_out *o, const char *label, struct sv_text t)
{
	if (t.n == 0)
		return;
	sv_out_fmt(o, "  %-13s", label);
	sv_out_escaped(o, t);
	sv_out_str(o, "\n");
}

static void list_field(struct sv_out *o, const char *label, const struct sv_text *t, size_t n)
{
	if (n == 0)
		return;
	sv_out_fmt(o, "  %-13s", label);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			sv_out_str(o, ", ");
		sv_out_escaped(o, t[i]);
	}
	sv_out_str(o, "\n");
}

static void time_field(struct sv_out *o, const char *label, int64_t when_s)
{
	char text[SV_DATE_BYTES];

	if (when_s == 0)
		return;
	sv_date_format(when_s, true, text);
	field(o, label, sv_text_of(text));
}

static void expiry(struct sv_out *o, int64_t when_s, int64_t now_s)
{
	char date[SV_DATE_BYTES];
	char span[SV_DURATION_BYTES];

	if (when_s == 0)
		return;
	sv_date_format(when_s, false, date);
	sv_duration_format(when_s > now_s ? when_s - now_s : now_s - when_s, span);
	sv_out_fmt(o, "  %-13s%s (%s%s%s)\n", "expires:", date, when_s > now_s ? "in " : "EXPIRED ", span,
		   when_s > now_s ? "" : " ago");
}

void sv_info_text(struct sv_out *o, const struct sv_msg_info *i, int64_t now_s)
{
	const struct sv_meta *m = &i->meta;
	char var[SV_VAR_MAX + 1];
	char span[SV_DURATION_BYTES];

	field(o, "variable:",
	      m->var.n > 0 ? m->var : (struct sv_text){ var, sv_var_from_name(i->name.p, i->name.n, var) });
	field(o, "environment:", i->env);
	field(o, "description:", m->desc);
	field(o, "owner:", m->owner);
	field(o, "url:", m->url);
	field(o, "type:", m->type);
	list_field(o, "tags:", m->tags, m->n_tags);
	list_field(o, "scopes:", m->scopes, m->n_scopes);
	expiry(o, m->expires_s, now_s);
	if (m->rotate_s != 0) {
		sv_duration_format(m->rotate_s, span);
		sv_out_fmt(o, "  %-13severy %s\n", "rotate:", span);
	}
	time_field(o, "created:", i->created_s);
	time_field(o, "changed:", i->changed_s);
	time_field(o, "used:", i->used_s);
}

void sv_info_line(struct sv_out *o, const struct sv_msg_info *i)
{
	char date[SV_DATE_BYTES];

	sv_date_format(i->changed_s, true, date);
	sv_out_fmt(o, "%-5llu %s  %-11s ", (unsigned long long)i->version, date, sv_info_verb(i->verb));
	sv_out_escaped(o, i->env);
	sv_out_str(o, "  ");
	sv_out_escaped(o, i->name);
	sv_out_str(o, "\n");
}

enum sv_code sv_info_ask(struct sv_cli *cli, const struct sv_msg_ref *ref, struct sv_msg_info *i, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_INFO, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, ref)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	return sv_msg_get_info(body, i) == SV_OK ? SV_OK
						 : sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

enum sv_code sv_info_next(struct sv_buf *body, struct sv_msg_info *i, struct sv_err *err)
{
	const unsigned char *p;
	struct sv_buf one;
	size_t n = 0;

	if (sv_buf_peek_str32(body, &p, &n, INFO_MAX) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	one = (struct sv_buf){ .data = body->data,
			       .off = (size_t)(p - body->data),
			       .len = (size_t)(p - body->data) + n };
	one.cap = one.max = one.len;
	return sv_msg_get_info(&one, i) == SV_OK ? SV_OK
						 : sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

enum sv_code sv_info_each(struct sv_cli *cli, sv_info_each_fn fn, void *ctx, struct sv_err *err)
{
	struct sv_msg_info info;
	struct sv_buf *body;
	bool more = true;
	enum sv_code rc = sv_client_send(&cli->client, err);

	while (rc == SV_OK && more) {
		rc = sv_client_recv(&cli->client, &body, &more, err);
		while (rc == SV_OK && sv_buf_unread(body) > 0)
			if ((rc = sv_info_next(body, &info, err)) == SV_OK)
				rc = fn(ctx, &info, err);
	}
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READ, INFOS and WRITE for whole trees.
 */
#include "cli/edit/remote.h"

#include "cli/change.h"
#include "cli/info.h"

static enum sv_code bad_answer(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

static enum sv_code add(struct sv_tree *t, const struct sv_msg_info *i, const unsigned char *value, size_t len,
			struct sv_err *err)
{
	struct sv_item *item;
	enum sv_code rc = sv_tree_add(t, i->name, value, len, &i->meta, &item, err);

	if (rc == SV_OK) {
		item->inherited = i->inherited;
		item->version = i->version;
	}
	return rc;
}

/* One frame of READ: { u32 length, info, u32 length, value }, again and again. */
static enum sv_code take_frame(struct sv_buf *body, struct sv_tree *t, struct sv_err *err)
{
	struct sv_msg_info info;
	const unsigned char *value;
	size_t len;
	enum sv_code rc;

	while (sv_buf_unread(body) > 0) {
		if ((rc = sv_info_next(body, &info, err)) != SV_OK)
			return rc;
		if (sv_buf_peek_str32(body, &value, &len, SV_VALUE_MAX) != SV_OK)
			return bad_answer(err);
		if ((rc = add(t, &info, value, len, err)) != SV_OK)
			return rc;
	}
	return SV_OK;
}

static enum sv_code ask_list(struct sv_cli *cli, uint16_t type, struct sv_text scope, struct sv_err *err)
{
	const struct sv_msg_list ask = { .env = cli->env, .group = scope, .with_meta = true };
	enum sv_code rc = sv_client_begin(&cli->client, type, 0, err);

	if (rc == SV_OK)
		rc = sv_msg_put_list(&cli->client.out, &ask);
	return rc;
}

static enum sv_code read_group(struct sv_cli *cli, struct sv_text scope, struct sv_tree *out, struct sv_err *err)
{
	struct sv_buf *body;
	bool more = true;
	enum sv_code rc = ask_list(cli, SV_MSG_READ, scope, err);

	if (rc == SV_OK)
		rc = sv_client_send(&cli->client, err);
	while (rc == SV_OK && more) {
		rc = sv_client_recv(&cli->client, &body, &more, err);
		if (rc == SV_OK)
			rc = take_frame(body, out, err);
	}
	return rc;
}

static enum sv_code read_name(struct sv_cli *cli, struct sv_text name, bool with_value, struct sv_tree *out,
			      struct sv_err *err)
{
	const struct sv_msg_ref ref = { .env = cli->env, .name = name };
	struct sv_tree scratch = SV_TREE_INIT; /* the second answer takes the place of the first */
	struct sv_msg_info info;
	struct sv_buf *body;
	enum sv_code rc = sv_info_ask(cli, &ref, &info, err);

	if (rc == SV_ERR_NOT_FOUND)
		return SV_OK;
	if (rc == SV_OK)
		rc = add(&scratch, &info, (const unsigned char *)"", 0, err);
	if (rc == SV_OK && with_value) {
		if ((rc = sv_client_begin(&cli->client, SV_MSG_GET, 0, err)) == SV_OK)
			rc = sv_msg_put_ref(&cli->client.out, &ref);
		if (rc == SV_OK)
			rc = sv_client_call(&cli->client, &body, err);
		if (rc == SV_OK) {
			scratch.items[0].value = sv_buf_head(body);
			scratch.items[0].value_len = sv_buf_unread(body);
		}
	}
	if (rc == SV_OK)
		rc = sv_tree_copy(out, &scratch.items[0], NULL, err);
	sv_tree_clear(&scratch);
	return rc;
}

enum sv_code sv_remote_read(struct sv_cli *cli, struct sv_text scope, struct sv_tree *out, struct sv_err *err)
{
	enum sv_code rc =
		sv_scope_is_name(scope) ? read_name(cli, scope, true, out, err) : read_group(cli, scope, out, err);

	if (rc == SV_OK)
		sv_tree_sort(out);
	return rc;
}

static enum sv_code add_masked(void *ctx, const struct sv_msg_info *i, struct sv_err *err)
{
	return add(ctx, i, (const unsigned char *)"", 0, err);
}

enum sv_code sv_remote_read_masked(struct sv_cli *cli, struct sv_text scope, struct sv_tree *out, struct sv_err *err)
{
	enum sv_code rc;

	if (sv_scope_is_name(scope))
		return read_name(cli, scope, false, out, err);
	rc = ask_list(cli, SV_MSG_INFOS, scope, err);
	if (rc == SV_OK)
		rc = sv_info_each(cli, add_masked, out, err);
	if (rc == SV_OK)
		sv_tree_sort(out);
	return rc;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static enum sv_code put(struct sv_change *c, const struct sv_delta *d, struct sv_text env, bool add_new,
			struct sv_err *err)
{
	struct sv_msg_op op = {
		.op = SV_OP_PUT, .env = env, .name = d->to->name, .mode = add_new ? SV_PUT_ADD : SV_PUT_UPDATE
	};

	op.has_value = add_new || (d->what & SV_DELTA_VALUE) != 0;
	if (op.has_value) {
		op.value = d->to->value;
		op.value_len = d->to->value_len;
	}
	if (d->to->has_meta && (add_new || (d->what & SV_DELTA_META) != 0)) {
		op.meta = *d->to->meta;
		op.meta_fields = SV_MF_ALL;
	}
	/* After a rename in the same transaction the version is another one; the rename itself was checked. */
	if (!add_new && (d->what & SV_DELTA_RENAMED) == 0)
		op.version = d->from->version;
	return sv_change_add(c, &op, err);
}

static enum sv_code one(struct sv_change *c, const struct sv_delta *d, int pass, struct sv_text env, struct sv_err *err)
{
	struct sv_msg_op op = { .env = env };

	if (pass == 0 && (d->what & SV_DELTA_REMOVED) != 0) {
		op.op = SV_OP_REMOVE;
		op.name = d->from->name;
		op.version = d->from->version;
		return sv_change_add(c, &op, err);
	}
	if (pass == 1 && (d->what & SV_DELTA_RENAMED) != 0) {
		/* A put of nothing checks the version, which a move does not. */
		const struct sv_msg_op guard = { .op = SV_OP_PUT,
						 .env = env,
						 .name = d->from->name,
						 .mode = SV_PUT_UPDATE,
						 .version = d->from->version };
		enum sv_code rc = sv_change_add(c, &guard, err);

		if (rc != SV_OK)
			return rc;
		op.op = SV_OP_MOVE;
		op.name = d->from->name;
		op.to_env = env;
		op.to_name = d->to->name;
		return sv_change_add(c, &op, err);
	}
	if (pass == 2 && (d->what & SV_DELTA_ADDED) != 0)
		return put(c, d, env, true, err);
	if (pass == 2 && (d->what & (SV_DELTA_VALUE | SV_DELTA_META)) != 0)
		return put(c, d, env, false, err);
	return SV_OK;
}

enum sv_code sv_remote_write(struct sv_cli *cli, const struct sv_diff *d, enum sv_verb verb, struct sv_msg_commit *out,
			     struct sv_err *err)
{
	struct sv_change c;
	enum sv_code rc = sv_change_begin(&c, cli, verb, err);

	/* What makes room first: removals, then renames, then everything that is put. */
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; rc == SV_OK && i < d->n; i++)
			rc = one(&c, &d->v[i], pass, cli->env, err);
	return rc == SV_OK ? sv_change_commit(&c, out, err) : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WRITE requests.
 */
#include "cli/change.h"

#include "cli/json.h"

/* A frame is sent ahead when it has passed this and another operation comes. */
#define STAGE_AT ((size_t)512 << 10)

static enum sv_code frame(struct sv_change *c, uint8_t flags, struct sv_err *err)
{
	enum sv_code rc = sv_client_begin(&c->cli->client, SV_MSG_WRITE, flags, err);

	if (rc == SV_OK)
		rc = sv_buf_put_u8(&c->cli->client.out, (uint8_t)c->verb);
	return rc;
}

enum sv_code sv_change_begin(struct sv_change *c, struct sv_cli *cli, enum sv_verb verb, struct sv_err *err)
{
	*c = (struct sv_change){ cli, verb };
	return frame(c, 0, err);
}

/* The frame that was begun turns out not to be the last one. */
static enum sv_code send_ahead(struct sv_change *c, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	sv_frame_set_more(&c->cli->client.out, 0);
	if ((rc = sv_client_call(&c->cli->client, &body, err)) != SV_OK)
		return rc;
	return frame(c, 0, err);
}

enum sv_code sv_change_add(struct sv_change *c, const struct sv_msg_op *op, struct sv_err *err)
{
	struct sv_buf *out = &c->cli->client.out;
	enum sv_code rc;

	if ((out->len > STAGE_AT || (op->value_len > STAGE_AT && out->len > SV_FRAME_HEADER_BYTES + 1)) &&
	    (rc = send_ahead(c, err)) != SV_OK)
		return rc;
	rc = sv_msg_put_op(out, op);
	if (rc != SV_OK)
		return sv_err_set(err, rc,
				  rc == SV_ERR_TOO_BIG ? "it is larger than the vault takes"
						       : "no memory for the change");
	return SV_OK;
}

enum sv_code sv_change_commit(struct sv_change *c, struct sv_msg_commit *out, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_call(&c->cli->client, &body, err)) != SV_OK)
		return rc;
	return sv_msg_get_commit(body, out) == SV_OK
		       ? SV_OK
		       : sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

enum sv_code sv_change_one(struct sv_cli *cli, enum sv_verb verb, const struct sv_msg_op *op, struct sv_msg_commit *out,
			   struct sv_err *err)
{
	struct sv_change c;
	enum sv_code rc;

	if ((rc = sv_change_begin(&c, cli, verb, err)) != SV_OK || (rc = sv_change_add(&c, op, err)) != SV_OK ||
	    (rc = sv_change_commit(&c, out, err)) != SV_OK)
		return rc;
	sv_change_json(cli, out);
	return SV_OK;
}

void sv_change_json(struct sv_cli *cli, const struct sv_msg_commit *m)
{
	struct sv_json j = { &cli->out, false };

	if (!cli->opt.json)
		return;
	sv_json_open(&j, NULL, '{');
	sv_json_number(&j, "change", (int64_t)m->txn);
	sv_json_number(&j, "added", m->added);
	sv_json_number(&j, "changed", m->changed);
	sv_json_number(&j, "removed", m->removed);
	sv_json_number(&j, "unchanged", m->unchanged);
	sv_json_close(&j, '}');
	sv_json_end(&j);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests about things that are no secrets of the person: drafts of an edit, consents of projects; and watching.
 */
#include "agent/req.h"

#define KEY_MAX 255

/* Kinds that a client may name; the others are the agent's own affair. */
static enum sv_code get_kind(struct sv_req *q, enum sv_object_kind *kind, struct sv_err *err)
{
	uint8_t k;

	if (sv_buf_get_u8(q->body, &k) != SV_OK)
		return sv_req_malformed(err);
	if (k != SV_OBJECT_CONSENT && k != SV_OBJECT_DRAFT)
		return sv_err_set(err, SV_ERR_DENIED, "the agent does not give out things of this kind");
	*kind = (enum sv_object_kind)k;
	return SV_OK;
}

static enum sv_code get_key(struct sv_req *q, enum sv_object_kind *kind, struct sv_text *key, struct sv_err *err)
{
	enum sv_code rc = get_kind(q, kind, err);

	if (rc == SV_OK && (sv_msg_get_text(q->body, key, KEY_MAX) != SV_OK || key->n == 0))
		return sv_req_malformed(err);
	return rc;
}

enum sv_code sv_req_object_put(struct sv_req *q, struct sv_err *err)
{
	const unsigned char *value;
	enum sv_object_kind kind;
	struct sv_text key;
	size_t len;
	enum sv_code rc = get_key(q, &kind, &key, err);

	if (rc != SV_OK)
		return rc;
	if (sv_buf_peek_str32(q->body, &value, &len, SV_VALUE_MAX) != SV_OK || sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	return sv_vault_object_put(q->a->vault, kind, key, value, len, err);
}

enum sv_code sv_req_object_remove(struct sv_req *q, struct sv_err *err)
{
	enum sv_object_kind kind;
	struct sv_text key;
	enum sv_code rc = get_key(q, &kind, &key, err);

	if (rc != SV_OK)
		return rc;
	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	return sv_vault_object_put(q->a->vault, kind, key, NULL, 0, err);
}

static enum sv_code put_secret(struct sv_req *q, struct sv_secret **s, struct sv_err *err)
{
	enum sv_code rc = sv_buf_put(q->r->b, sv_secret_cpeek(*s), sv_secret_len(*s));

	sv_secret_free(s);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_object_get(struct sv_req *q, struct sv_err *err)
{
	struct sv_secret *value = NULL;
	enum sv_object_kind kind;
	struct sv_text key;
	enum sv_code rc = get_key(q, &kind, &key, err);

	if (rc != SV_OK)
		return rc;
	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	rc = sv_vault_object_get(q->a->vault, kind, key, &value, err);
	return rc != SV_OK ? rc : put_secret(q, &value, err);
}

struct objects {
	struct sv_req *q;
	struct sv_err *err;
};

static enum sv_code put_object(void *ctx, struct sv_text key, int64_t changed_s, uint32_t len)
{
	struct objects *o = ctx;
	struct sv_buf *b = o->q->r->b;
	enum sv_code rc = sv_reply_room(o->q->r, KEY_MAX + 16, SV_STREAM_BYTES, o->err);

	if (rc == SV_OK &&
	    ((rc = sv_msg_put_text(b, key)) != SV_OK || (rc = sv_buf_put_u64(b, (uint64_t)changed_s)) != SV_OK ||
	     (rc = sv_buf_put_u32(b, len)) != SV_OK))
		rc = sv_req_no_memory(rc, o->err);
	return rc;
}

enum sv_code sv_req_object_list(struct sv_req *q, struct sv_err *err)
{
	struct objects o = { q, err };
	enum sv_object_kind kind;
	enum sv_code rc = get_kind(q, &kind, err);

	if (rc != SV_OK)
		return rc;
	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	return sv_vault_object_list(q->a->vault, kind, put_object, &o, err);
}

enum sv_code sv_req_draft_key(struct sv_req *q, struct sv_err *err)
{
	unsigned char pk[32];
	enum sv_code rc;

	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	if ((rc = sv_vault_draft_key(q->a->vault, pk, err)) != SV_OK)
		return rc;
	rc = sv_buf_put(q->r->b, pk, sizeof(pk));
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_draft_open(struct sv_req *q, struct sv_err *err)
{
	struct sv_secret *plain = NULL;
	const unsigned char *box;
	size_t len;
	enum sv_code rc;

	if (sv_buf_peek_str32(q->body, &box, &len, SV_VALUE_MAX) != SV_OK || sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	rc = sv_vault_draft_open(q->a->vault, box, len, &plain, err);
	return rc != SV_OK ? rc : put_secret(q, &plain, err);
}

/* The first frame says that it is heard; the loop sends one more for every event. */
enum sv_code sv_req_watch(struct sv_req *q, struct sv_err *err)
{
	size_t watchers = 0;
	enum sv_code rc;

	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	for (size_t i = 0; i < q->a->n_conns; i++)
		watchers += q->a->conns[i]->watching;
	if (watchers >= SV_WATCHERS_MAX)
		return sv_err_set(err, SV_ERR_BUSY, "more than %d programs watch the agent already", SV_WATCHERS_MAX);
	if ((rc = sv_buf_put_u8(q->r->b, SV_EVENT_NONE)) != SV_OK)
		return sv_req_no_memory(rc, err);
	q->c->watching = true;
	q->c->events = 0;
	return SV_OK;
}

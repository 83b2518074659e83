/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of requests.
 */
#include "agent/dispatch.h"

#include "agent/log.h"
#include "agent/req.h"

enum req_flag {
	REQ_UNLOCKED = 1,    /* needs the vault unlocked */
	REQ_KEEPS_AWAKE = 2, /* when it succeeds, the session's idle time starts anew */
	REQ_KEY = 4,         /* tries a key: waits for the delay after a wrong one */
	REQ_PARTS = 8,       /* may come in several frames */
};

/* STATUS, LIST and their like show that somebody looks, not that somebody works: they keep no session open. */
static const struct req_row {
	uint16_t type;
	const char *name;
	unsigned flags;
	sv_req_fn handler;
} rows[] = {
	{ SV_MSG_STATUS, "status", 0, sv_req_status },
	{ SV_MSG_SLOTS, "slots", 0, sv_req_slots },
	{ SV_MSG_INIT, "init", 0, sv_req_init },
	{ SV_MSG_UNLOCK, "unlock", REQ_KEY, sv_req_unlock },
	{ SV_MSG_LOCK, "lock", REQ_PARTS, sv_req_lock }, /* however it comes, it locks */
	{ SV_MSG_REKEY, "rekey", REQ_UNLOCKED | REQ_KEEPS_AWAKE | REQ_KEY, sv_req_rekey },
	{ SV_MSG_VERIFY, "verify", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_verify },
	{ SV_MSG_BACKUP, "backup", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_backup },
	{ SV_MSG_LOAD, "load", REQ_PARTS, sv_req_load },
	{ SV_MSG_ADOPT, "adopt", REQ_KEY, sv_req_adopt },
	{ SV_MSG_GET, "get", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_get },
	{ SV_MSG_INFO, "info", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_info },
	{ SV_MSG_LIST, "list", REQ_UNLOCKED, sv_req_list },
	{ SV_MSG_INFOS, "infos", REQ_UNLOCKED, sv_req_infos },
	{ SV_MSG_RESOLVE, "resolve", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_resolve },
	{ SV_MSG_HISTORY, "history", REQ_UNLOCKED, sv_req_history },
	{ SV_MSG_COMPARE, "compare", REQ_UNLOCKED, sv_req_compare },
	{ SV_MSG_WRITE, "write", REQ_UNLOCKED | REQ_KEEPS_AWAKE | REQ_PARTS, sv_req_write },
	{ SV_MSG_UNDO, "undo", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_undo },
	{ SV_MSG_ENVS, "envs", REQ_UNLOCKED, sv_req_envs },
	{ SV_MSG_ENV_DIFF, "env-diff", REQ_UNLOCKED, sv_req_env_diff },
	{ SV_MSG_READ, "read", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_read },
	{ SV_MSG_OBJECT_PUT, "object-put", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_object_put },
	{ SV_MSG_OBJECT_GET, "object-get", REQ_UNLOCKED, sv_req_object_get },
	{ SV_MSG_OBJECT_LIST, "object-list", REQ_UNLOCKED, sv_req_object_list },
	{ SV_MSG_OBJECT_REMOVE, "object-remove", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_object_remove },
	{ SV_MSG_DRAFT_KEY, "draft-key", REQ_UNLOCKED, sv_req_draft_key },
	{ SV_MSG_DRAFT_OPEN, "draft-open", REQ_UNLOCKED | REQ_KEEPS_AWAKE, sv_req_draft_open },
	{ SV_MSG_WATCH, "watch", 0, sv_req_watch },
};

static const struct req_row *row_of(uint16_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

const char *sv_dispatch_name(uint16_t type)
{
	const struct req_row *row = row_of(type);

	return row != NULL ? row->name : "unknown";
}

enum sv_code sv_req_malformed(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_PROTO, "the request does not parse; are sv and sv-agent of one version?");
}

enum sv_code sv_req_no_memory(enum sv_code rc, struct sv_err *err)
{
	return sv_err_set(err, rc, "no memory for the answer");
}

/* The one place where the flags of a row are checked. */
static enum sv_code run(struct sv_req *q, const struct req_row *row, struct sv_err *err)
{
	enum sv_code rc;

	if (row == NULL)
		return sv_err_set(err, SV_ERR_PROTO,
				  "the agent does not know this request; are sv and sv-agent of one version?");
	if (q->more && (row->flags & REQ_PARTS) == 0)
		return sv_req_malformed(err);
	if ((row->flags & REQ_UNLOCKED) != 0 && !sv_agent_unlocked(q->a)) {
		/* A change whose beginning is refused has no middle and no end; its last part ends the refusal. */
		if ((row->flags & REQ_PARTS) != 0)
			q->c->tx_dropped = q->more ? SV_DROPPED_LOCKED : SV_DROPPED_NOT;
		rc = sv_agent_open(q->a, err); /* "there is no vault" is the better answer where it is true */
		return rc != SV_OK ? rc : sv_err_set(err, SV_ERR_LOCKED, "the vault is locked");
	}
	rc = row->handler(q, err);
	if (rc == SV_OK && (row->flags & REQ_KEEPS_AWAKE) != 0)
		sv_idle_touch(&q->a->idle, q->a->now);
	return rc;
}

static void finish(struct sv_agent *a, struct sv_conn *c, struct sv_reply *r, enum sv_code rc, struct sv_err *err)
{
	if (rc == SV_OK)
		rc = sv_reply_end(r, c->job != NULL || c->watching, err);
	if (rc == SV_OK)
		return;
	sv_job_free(&c->job);
	sv_reply_error(r, err);
	if (rc == SV_ERR_PROTO || sv_buf_unread(&a->reply) == 0)
		c->closing = true;
}

/* A frame that can never be served: say so once, then close.  What follows it cannot be told apart. */
static void refuse_frame(struct sv_agent *a, struct sv_conn *c, struct sv_buf *view, const struct sv_frame *f)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_reply r;

	/* Whatever is wrong with it: a request that means to lock, locks. */
	if (f->type == SV_MSG_LOCK)
		sv_agent_lock(a, c, "locked: asked to");
	if (f->version != SV_PROTO_VERSION)
		(void)sv_err_set(&err, SV_ERR_PROTO,
				 "this agent speaks version %d of the protocol; stop it (sv lock, then kill) "
				 "so that the installed one can start",
				 SV_PROTO_VERSION);
	else
		(void)sv_req_malformed(&err);
	if (sv_reply_begin(&r, &a->reply, NULL) == SV_OK)
		sv_reply_error(&r, &err);
	sv_wipe(sv_buf_head(view), sv_buf_unread(view));
	view->off = view->len;
	c->closing = true;
	sv_log_error("frame refused", SV_ERR_PROTO);
}

enum sv_served sv_dispatch(struct sv_agent *a, struct sv_conn *c, struct sv_buf *view)
{
	struct sv_err err = SV_ERR_INIT;
	const struct req_row *row;
	struct sv_buf body;
	struct sv_frame f;
	struct sv_reply r;
	struct sv_req q = { .a = a, .c = c, .body = &body, .r = &r };
	enum sv_code rc;
	size_t need;

	if (sv_frame_peek(view, &f, &need) != SV_OK) {
		refuse_frame(a, c, view, &f);
		return SV_SERVED;
	}
	row = row_of(f.type);
	if (row != NULL && (row->flags & REQ_KEY) != 0 && sv_idle_wait_ms(&a->idle, a->now) > 0) {
		if (c->ticket == 0)
			c->ticket = ++a->tickets;
		return SV_SERVED_LATER;
	}
	c->ticket = 0;
	c->used_ms = a->now.mono_ms;
	body = *view;
	body.off += SV_FRAME_HEADER_BYTES;
	body.len = view->off + need;
	q.more = (f.flags & SV_FRAME_MORE) != 0;
	rc = sv_reply_begin(&r, &a->reply, &err);
	if (rc == SV_OK) {
		rc = c->watching ? sv_req_malformed(&err) : run(&q, row, &err);
		finish(a, c, &r, rc, &err);
		/* A commit that found another file in the vault's place has dropped the keys: then the session is over.
		 */
		if (a->idle.running && !sv_agent_unlocked(a))
			sv_agent_lock(a, c, "locked: the vault file was exchanged");
	} else {
		c->closing = true;
	}
	if (rc != SV_OK)
		sv_log_error(row != NULL ? row->name : "unknown request", rc);
	/* Keys and values in a request live no longer than its handler. */
	sv_wipe(sv_buf_head(view), need);
	view->off += need;
	return SV_SERVED;
}

/* One event of a watcher; several of a kind are one. */
void sv_dispatch_event(struct sv_agent *a, struct sv_conn *c)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_reply r;
	uint8_t event = 0;

	while ((c->events & 1u << event) == 0)
		event++;
	c->events &= ~(1u << event);
	if (sv_reply_begin(&r, &a->reply, &err) != SV_OK || sv_buf_put_u8(&a->reply, event) != SV_OK ||
	    sv_reply_end(&r, event != SV_EVENT_ENDING, &err) != SV_OK) {
		sv_buf_reset(&a->reply);
		c->dead = true;
	}
	c->used_ms = a->now.mono_ms;
}

void sv_dispatch_job(struct sv_agent *a, struct sv_conn *c)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_reply r;
	bool more = false;
	enum sv_code rc;

	if (sv_reply_begin(&r, &a->reply, &err) != SV_OK) {
		c->dead = true;
		return;
	}
	rc = c->job->kind == SV_JOB_FILE || sv_agent_unlocked(a)
		     ? sv_job_step(a, c->job, &r, &more, &err)
		     : sv_err_set(&err, SV_ERR_LOCKED, "the vault is locked");
	if (rc != SV_OK || !more)
		sv_job_free(&c->job);
	c->used_ms = a->now.mono_ms;
	finish(a, c, &r, rc, &err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that change secrets and environments.  The frames of one WRITE are staged in one transaction of the vault
 * (sealed, so what waits here is ciphertext) and committed with the last; when a part is refused, nothing of the whole
 * is kept.
 */
#include "agent/req.h"

#include <string.h>

#define PAGE_NAMES   256
#define MANY_CHANGES 500
#define ENTRY_MAX    (1 + 2 + SV_NAME_MAX + 2 + SV_VAR_MAX + 8 + 4)
#define INFO_ROOM    (SV_META_BYTES_MAX + 2048)

struct change {
	struct sv_req *q;
	struct sv_tx *tx;
	struct sv_err *err;
};

static bool is_group(struct sv_text name)
{
	return name.n == 0 || name.p[name.n - 1] == '/';
}

/* What to do with one name of a group; to is the new name where there is one. */
typedef enum sv_code (*each_fn)(struct change *c, const struct sv_msg_op *op, struct sv_text name, struct sv_text to);

static enum sv_code remove_one(struct change *c, const struct sv_msg_op *op, struct sv_text name, struct sv_text to)
{
	(void)to;
	return sv_tx_remove(c->tx, op->env, name, is_group(op->name) ? 0 : op->version, c->err);
}

static enum sv_code move_one(struct change *c, const struct sv_msg_op *op, struct sv_text name, struct sv_text to)
{
	return sv_tx_move(c->tx, op->env, name, op->to_env, to, op->force, c->err);
}

static enum sv_code copy_one(struct change *c, const struct sv_msg_op *op, struct sv_text name, struct sv_text to)
{
	return sv_tx_copy(c->tx, op->env, name, op->to_env, to, op->force, c->err);
}

static size_t staged_bytes(const struct sv_agent *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_conns; i++)
		if (a->conns[i]->tx != NULL)
			n += sv_tx_bytes(a->conns[i]->tx);
	return n;
}

/* Looked at after every single change: one small operation can copy a large secret, or a whole group of them. */
static enum sv_code within_budget(const struct sv_agent *a, struct sv_err *err)
{
	if (staged_bytes(a) <= SV_STAGED_MAX)
		return SV_OK;
	return sv_err_set(err, SV_ERR_TOO_BIG,
			  "the change is larger than the agent may hold (%zu MiB); make it in parts",
			  SV_STAGED_MAX >> 20);
}

/* to_name's group in place of name's. */
static enum sv_code renamed(const struct sv_msg_op *op, struct sv_text name, char out[2 * SV_NAME_MAX],
			    struct sv_text *to, struct sv_err *err)
{
	size_t tail = name.n - op->name.n;

	if (op->to_name.n > SV_NAME_MAX || op->to_name.n + tail > SV_NAME_MAX)
		return sv_err_set(err, SV_ERR_NAME, "the new name of \"%.*s\" would be longer than %d bytes",
				  (int)name.n, name.p, SV_NAME_MAX);
	if (op->to_name.n > 0)
		memcpy(out, op->to_name.p, op->to_name.n);
	memcpy(out + op->to_name.n, name.p + op->name.n, tail);
	*to = (struct sv_text){ out, op->to_name.n + tail };
	return SV_OK;
}

/*
 * The names of a group as they were before this transaction.  Read in whole before the first change is staged, page by
 * page.  own: leave out what is inherited.
 */
static enum sv_code each_of_group(struct change *c, const struct sv_msg_op *op, bool own, each_fn fn)
{
	char after[SV_NAME_MAX], fresh[2 * SV_NAME_MAX];
	struct sv_text to = { "", 0 };
	size_t after_len = 0;
	bool full = true, any = false;
	enum sv_code rc = sv_group_check(op->name.p, op->name.n, c->err);

	if (rc == SV_OK && fn != remove_one)
		rc = sv_group_check(op->to_name.p, op->to_name.n, c->err);
	while (rc == SV_OK && full) {
		struct sv_buf page = SV_BUF_LOCKED(PAGE_NAMES * (size_t)ENTRY_MAX);
		struct sv_msg_entry e;

		rc = sv_page_read(c->q->a, op->env, op->name, (struct sv_text){ after, after_len }, PAGE_NAMES, &page,
				  &full, c->err);
		while (rc == SV_OK && sv_buf_unread(&page) > 0) {
			if (sv_msg_get_entry(&page, &e, true) != SV_OK) {
				rc = sv_err_set(c->err, SV_ERR_FAIL, "a listing does not parse");
				break;
			}
			memcpy(after, e.name.p, e.name.n);
			after_len = e.name.n;
			if (own && e.inherited)
				continue;
			any = true;
			if (fn != remove_one)
				rc = renamed(op, e.name, fresh, &to, c->err);
			if (rc == SV_OK)
				rc = fn(c, op, e.name, to);
			if (rc == SV_OK)
				rc = within_budget(c->q->a, c->err);
		}
		sv_buf_clear(&page);
	}
	sv_wipe(after, sizeof(after));
	sv_wipe(fresh, sizeof(fresh));
	if (rc == SV_OK && !any)
		return sv_err_set(c->err, SV_ERR_NOT_FOUND, "no secret in group \"%.*s\" of environment \"%.*s\"%s",
				  (int)op->name.n, op->name.p, (int)op->env.n, op->env.p, own ? " itself" : "");
	return rc;
}

static enum sv_code one_or_group(struct change *c, const struct sv_msg_op *op, bool own, each_fn fn)
{
	enum sv_code rc;

	if (is_group(op->name)) {
		if (fn != remove_one && !is_group(op->to_name))
			return sv_err_set(c->err, SV_ERR_USAGE,
					  "a group can only become a group: write the target with a closing slash");
		return each_of_group(c, op, own, fn);
	}
	if ((rc = sv_name_check(op->name.p, op->name.n, c->err)) != SV_OK ||
	    (fn != remove_one && (rc = sv_name_check(op->to_name.p, op->to_name.n, c->err)) != SV_OK))
		return rc;
	return fn(c, op, op->name, op->to_name);
}

static enum sv_code put(struct change *c, const struct sv_msg_op *op)
{
	const struct sv_put p = {
		.env = op->env,
		.name = op->name,
		.mode = (enum sv_put_mode)op->mode,
		.has_value = op->has_value,
		.value = op->value,
		.value_len = op->value_len,
		.meta = op->meta,
		.meta_fields = op->meta_fields,
		.if_version = op->version,
	};
	enum sv_code rc = sv_name_check(op->name.p, op->name.n, c->err);

	if (rc == SV_OK && (op->meta_fields & SV_MF_VAR) != 0 && op->meta.var.n > 0)
		rc = sv_var_check(op->meta.var.p, op->meta.var.n, c->err);
	return rc != SV_OK ? rc : sv_tx_put(c->tx, &p, c->err);
}

static enum sv_code copy_env(struct change *c, struct sv_msg_op *op)
{
	op->name = op->to_name = (struct sv_text){ "", 0 };
	return each_of_group(c, op, true, copy_one);
}

static enum sv_code apply(struct change *c, struct sv_msg_op *op)
{
	enum sv_code rc = sv_req_env(&op->env, c->err);

	if (rc == SV_OK)
		rc = sv_req_env(&op->to_env, c->err);
	if (rc != SV_OK)
		return rc;
	switch (op->op) {
	case SV_OP_PUT: return put(c, op);
	case SV_OP_REMOVE: return one_or_group(c, op, true, remove_one);
	case SV_OP_MOVE: return one_or_group(c, op, true, move_one);
	case SV_OP_COPY: return one_or_group(c, op, false, copy_one);
	case SV_OP_RESTORE:
		if ((rc = sv_name_check(op->name.p, op->name.n, c->err)) != SV_OK)
			return rc;
		return sv_tx_restore(c->tx, op->env, op->name, op->version, c->err);
	case SV_OP_ENV_CREATE: return sv_tx_env_create(c->tx, op->env, op->force, c->err);
	case SV_OP_ENV_RENAME: return sv_tx_env_rename(c->tx, op->env, op->to_env, c->err);
	case SV_OP_ENV_REMOVE: return sv_tx_env_remove(c->tx, op->env, op->force, c->err);
	case SV_OP_ENV_COPY: return copy_env(c, op);
	default: return sv_req_malformed(c->err);
	}
}

/* Frames of a change that is gone already are refused up to its last. */
static enum sv_code refuse_rest(struct sv_req *q, struct sv_err *err)
{
	enum sv_dropped why = q->c->tx_dropped;

	if (!q->more)
		q->c->tx_dropped = SV_DROPPED_NOT;
	if (why == SV_DROPPED_LOCKED)
		return sv_err_set(err, SV_ERR_LOCKED,
				  "the vault was locked before the change was complete; nothing of it was kept");
	return sv_err_set(err, SV_ERR_FAIL, "an earlier part of this change was refused; nothing of it was kept");
}

static enum sv_code stage(struct sv_req *q, uint8_t verb, struct sv_err *err)
{
	struct change c = { q, NULL, err };
	enum sv_code rc;

	if (q->c->tx == NULL) {
		if ((rc = sv_tx_begin(q->a->vault, (enum sv_verb)verb, &q->c->tx, err)) != SV_OK)
			return rc;
		q->c->tx_verb = verb;
		q->c->staged_ms = q->a->now.mono_ms;
	} else if (q->c->tx_verb != verb) {
		return sv_req_malformed(err);
	}
	c.tx = q->c->tx;
	while (sv_buf_unread(q->body) > 0) {
		struct sv_msg_op op;

		if (sv_msg_get_op(q->body, &op) != SV_OK)
			return sv_req_malformed(err);
		if ((rc = apply(&c, &op)) != SV_OK || (rc = within_budget(q->a, err)) != SV_OK)
			return rc;
	}
	return SV_OK;
}

enum sv_code sv_req_write(struct sv_req *q, struct sv_err *err)
{
	struct sv_msg_commit m;
	struct sv_commit done;
	uint8_t verb;
	enum sv_code rc;

	if (q->c->tx_dropped != SV_DROPPED_NOT)
		return refuse_rest(q, err);
	if (sv_buf_get_u8(q->body, &verb) != SV_OK || verb < SV_VERB_ADD || verb > SV_VERB_ENV || verb == SV_VERB_UNDO)
		rc = sv_req_malformed(err);
	else
		rc = stage(q, verb, err);
	if (rc != SV_OK) {
		sv_tx_abort(&q->c->tx);
		if (q->more)
			q->c->tx_dropped = SV_DROPPED_REFUSED;
		return rc;
	}
	if (q->more)
		return SV_OK;
	if ((rc = sv_tx_commit(&q->c->tx, &done, err)) != SV_OK)
		return rc;
	if (done.txn != 0)
		sv_agent_tell(q->a, SV_EVENT_CHANGED);
	if (done.added + done.changed + done.removed > MANY_CHANGES)
		sv_agent_trim(); /* what was staged leaves megabytes of free heap */
	m = (struct sv_msg_commit){ done.txn, done.added, done.changed, done.removed, done.unchanged };
	rc = sv_msg_put_commit(q->r->b, &m);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

/* What an undo tells about each secret; more than fits is left out, the counts are whole. */
static enum sv_code put_undone(void *ctx, const struct sv_info *i)
{
	struct change *c = ctx;
	struct sv_reply *r = c->q->r;
	enum sv_code rc;

	if (r->b->len - r->start > SV_UNDO_INFO_BYTES)
		return SV_OK;
	if ((rc = sv_reply_room(r, INFO_ROOM, SV_STREAM_BYTES, c->err)) != SV_OK)
		return rc;
	rc = sv_put_info(r->b, i);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, c->err);
}

enum sv_code sv_req_undo(struct sv_req *q, struct sv_err *err)
{
	struct change c = { q, NULL, err };
	struct sv_msg_commit m = { 0 };
	struct sv_buf counts = SV_BUF_INIT;
	size_t at = q->r->b->len;
	struct sv_commit done;
	uint8_t dry;
	enum sv_code rc;

	if (sv_buf_get_u8(q->body, &dry) != SV_OK || dry > 1 || sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	/* The counts come first on the wire and last in time: their place is kept. */
	if ((rc = sv_msg_put_commit(q->r->b, &m)) != SV_OK)
		return sv_req_no_memory(rc, err);
	if ((rc = sv_vault_undo(q->a->vault, dry != 0, put_undone, &c, &done, err)) != SV_OK)
		return rc;
	m = (struct sv_msg_commit){ done.txn, done.added, done.changed, done.removed, done.unchanged };
	if ((rc = sv_msg_put_commit(&counts, &m)) == SV_OK)
		memcpy(q->r->b->data + at, counts.data, counts.len);
	sv_buf_clear(&counts);
	if (dry == 0)
		sv_agent_tell(q->a, SV_EVENT_CHANGED);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

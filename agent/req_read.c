/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that read: one value, metadata, listings, versions, comparisons, environments.
 */
#include "agent/req.h"

#include <string.h>

#define VALUE_GUESS 4096 /* most values fit, and the room is there already */
#define INFO_ROOM   (SV_META_BYTES_MAX + 2048)

enum sv_code sv_req_env(struct sv_text *env, struct sv_err *err)
{
	if (env->n == 0) {
		*env = (struct sv_text){ SV_ENV_DEFAULT, sizeof(SV_ENV_DEFAULT) - 1 };
		return SV_OK;
	}
	return sv_env_name_check(env->p, env->n, err);
}

enum sv_code sv_req_ref(struct sv_req *q, struct sv_msg_ref *ref, struct sv_err *err)
{
	enum sv_code rc;

	if (sv_msg_get_ref(q->body, ref) != SV_OK)
		return sv_req_malformed(err);
	if ((rc = sv_req_env(&ref->env, err)) != SV_OK)
		return rc;
	return sv_name_check(ref->name.p, ref->name.n, err);
}

static bool more_body(const struct sv_req *q)
{
	return sv_buf_unread(q->body) > 0;
}

/* An old version: rare, so by way of a secret. */
static enum sv_code get_version(struct sv_req *q, const struct sv_msg_ref *ref, struct sv_err *err)
{
	struct sv_secret *value = NULL;
	enum sv_code rc = sv_vault_get(q->a->vault, ref->env, ref->name, ref->version, NULL, &value, err);

	if (rc != SV_OK)
		return rc;
	rc = sv_buf_put(q->r->b, sv_secret_cpeek(value), sv_secret_len(value));
	sv_secret_free(&value);
	q->a->released++;
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_get(struct sv_req *q, struct sv_err *err)
{
	struct sv_buf *b = q->r->b;
	size_t room = VALUE_GUESS, len = 0;
	struct sv_msg_ref ref;
	enum sv_code rc = sv_req_ref(q, &ref, err);

	if (rc != SV_OK)
		return rc;
	if (more_body(q))
		return sv_req_malformed(err);
	if (ref.version != 0)
		return get_version(q, &ref, err);
	for (;;) {
		if ((rc = sv_buf_reserve(b, room)) != SV_OK)
			return sv_req_no_memory(rc, err);
		rc = sv_vault_get_into(q->a->vault, ref.env, ref.name, b->data + b->len, room, &len, err);
		if (rc != SV_ERR_TOO_BIG || len <= room)
			break;
		room = len;
	}
	if (rc != SV_OK)
		return rc;
	b->len += len;
	q->a->released++;
	return SV_OK;
}

enum sv_code sv_req_info(struct sv_req *q, struct sv_err *err)
{
	struct sv_msg_ref ref;
	struct sv_info info;
	struct sv_msg_info m;
	enum sv_code rc = sv_req_ref(q, &ref, err);

	if (rc != SV_OK)
		return rc;
	if (more_body(q))
		return sv_req_malformed(err);
	if ((rc = sv_vault_get(q->a->vault, ref.env, ref.name, ref.version, &info, NULL, err)) != SV_OK)
		return rc;
	m = sv_info_to_msg(&info);
	rc = sv_msg_put_info(q->r->b, &m);
	sv_info_clear(&info);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_start_job(struct sv_req *q, struct sv_job *j, struct sv_err *err)
{
	bool more = false;
	enum sv_code rc = sv_job_step(q->a, j, q->r, &more, err);

	if (rc == SV_OK && more)
		q->c->job = j;
	else
		sv_job_free(&j);
	return rc;
}

static enum sv_code start_listing(struct sv_req *q, enum sv_job_kind kind, struct sv_err *err)
{
	struct sv_msg_list m;
	struct sv_job *j;
	enum sv_code rc;

	if (sv_msg_get_list(q->body, &m) != SV_OK || more_body(q))
		return sv_req_malformed(err);
	if ((rc = sv_req_env(&m.env, err)) != SV_OK || (rc = sv_group_check(m.group.p, m.group.n, err)) != SV_OK)
		return rc;
	if ((j = sv_job_new(kind)) == NULL)
		return sv_req_no_memory(SV_ERR_NOMEM, err);
	j->with_meta = m.with_meta;
	if (!sv_job_set(j->env, sizeof(j->env), &j->env_len, m.env) ||
	    !sv_job_set(j->group, sizeof(j->group), &j->group_len, m.group)) {
		sv_job_free(&j);
		return sv_req_malformed(err);
	}
	return sv_req_start_job(q, j, err);
}

enum sv_code sv_req_list(struct sv_req *q, struct sv_err *err)
{
	return start_listing(q, SV_JOB_LIST, err);
}

enum sv_code sv_req_infos(struct sv_req *q, struct sv_err *err)
{
	return start_listing(q, SV_JOB_INFOS, err);
}

enum sv_code sv_req_read(struct sv_req *q, struct sv_err *err)
{
	return start_listing(q, SV_JOB_READ, err);
}

struct sink {
	struct sv_req *q;
	struct sv_err *err;
};

static enum sv_code put_version(void *ctx, const struct sv_info *i)
{
	struct sink *h = ctx;
	enum sv_code rc = sv_reply_room(h->q->r, INFO_ROOM, SV_STREAM_BYTES, h->err);

	if (rc == SV_OK && (rc = sv_put_info(h->q->r->b, i)) != SV_OK)
		rc = sv_req_no_memory(rc, h->err);
	return rc;
}

enum sv_code sv_req_history(struct sv_req *q, struct sv_err *err)
{
	struct sink h = { q, err };
	struct sv_msg_ref ref;
	enum sv_code rc = sv_req_ref(q, &ref, err);

	if (rc != SV_OK)
		return rc;
	if (more_body(q))
		return sv_req_malformed(err);
	return sv_vault_history(q->a->vault, ref.env, ref.name, put_version, &h, err);
}

/* Metadata has one encoding, so equal bytes are equal metadata. */
static enum sv_code same_meta(const struct sv_info *x, const struct sv_info *y, bool *same, struct sv_err *err)
{
	struct sv_buf bx = SV_BUF_LOCKED(2 * SV_META_BYTES_MAX), by = SV_BUF_LOCKED(2 * SV_META_BYTES_MAX);
	enum sv_code rc = sv_msg_put_meta(&bx, &x->meta);

	if (rc == SV_OK)
		rc = sv_msg_put_meta(&by, &y->meta);
	if (rc == SV_OK)
		*same = bx.len == by.len && memcmp(bx.data, by.data, bx.len) == 0;
	sv_buf_clear(&bx);
	sv_buf_clear(&by);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_compare(struct sv_req *q, struct sv_err *err)
{
	struct sv_secret *vx = NULL, *vy = NULL;
	struct sv_info ix = { 0 }, iy = { 0 };
	struct sv_msg_ref x, y;
	bool meta = false;
	enum sv_code rc;

	if ((rc = sv_req_ref(q, &x, err)) != SV_OK || (rc = sv_req_ref(q, &y, err)) != SV_OK)
		return rc;
	if (more_body(q))
		return sv_req_malformed(err);
	rc = sv_vault_get(q->a->vault, x.env, x.name, x.version, &ix, &vx, err);
	if (rc == SV_OK)
		rc = sv_vault_get(q->a->vault, y.env, y.name, y.version, &iy, &vy, err);
	if (rc == SV_OK)
		rc = same_meta(&ix, &iy, &meta, err);
	if (rc == SV_OK && ((rc = sv_buf_put_u8(q->r->b, sv_secret_equal(vx, vy))) != SV_OK ||
			    (rc = sv_buf_put_u8(q->r->b, meta)) != SV_OK))
		rc = sv_req_no_memory(rc, err);
	sv_secret_free(&vx);
	sv_secret_free(&vy);
	sv_info_clear(&ix);
	sv_info_clear(&iy);
	return rc;
}

static enum sv_code put_env(void *ctx, const struct sv_env_info *e)
{
	struct sink *h = ctx;
	struct sv_buf *b = h->q->r->b;
	enum sv_code rc = sv_reply_room(h->q->r, SV_ENV_NAME_MAX + 16, SV_STREAM_BYTES, h->err);

	if (rc == SV_OK &&
	    ((rc = sv_msg_put_text(b, e->name)) != SV_OK || (rc = sv_buf_put_u8(b, e->standalone)) != SV_OK ||
	     (rc = sv_buf_put_u32(b, e->secrets)) != SV_OK))
		rc = sv_req_no_memory(rc, h->err);
	return rc;
}

enum sv_code sv_req_envs(struct sv_req *q, struct sv_err *err)
{
	struct sink h = { q, err };

	if (more_body(q))
		return sv_req_malformed(err);
	return sv_vault_env_list(q->a->vault, put_env, &h, err);
}

enum sv_code sv_req_env_diff(struct sv_req *q, struct sv_err *err)
{
	struct sv_text env, other, group;
	struct sv_job *j;
	enum sv_code rc;

	if (sv_msg_get_text(q->body, &env, SV_ENV_NAME_MAX) != SV_OK ||
	    sv_msg_get_text(q->body, &other, SV_ENV_NAME_MAX) != SV_OK ||
	    sv_msg_get_text(q->body, &group, SV_NAME_MAX) != SV_OK || more_body(q))
		return sv_req_malformed(err);
	if ((rc = sv_req_env(&env, err)) != SV_OK || (rc = sv_req_env(&other, err)) != SV_OK ||
	    (rc = sv_group_check(group.p, group.n, err)) != SV_OK)
		return rc;
	if ((j = sv_job_new(SV_JOB_ENV_DIFF)) == NULL)
		return sv_req_no_memory(SV_ERR_NOMEM, err);
	if (!sv_job_set(j->env, sizeof(j->env), &j->env_len, env) ||
	    !sv_job_set(j->other, sizeof(j->other), &j->other_len, other) ||
	    !sv_job_set(j->group, sizeof(j->group), &j->group_len, group)) {
		sv_job_free(&j);
		return sv_req_malformed(err);
	}
	return sv_req_start_job(q, j, err);
}

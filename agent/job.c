/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of long replies.
 */
#include "agent/job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INFOS_PER_PIECE 64
#define DIFF_PER_PIECE  128
#define INFO_BYTES_MAX  (SV_META_BYTES_MAX + 2048)
/* Largest entry of a listing: flag, two texts, time, length. */
#define ENTRY_BYTES_MAX (1 + 2 + SV_NAME_MAX + 2 + SV_VAR_MAX + 8 + 4)

struct sv_job *sv_job_new(enum sv_job_kind kind)
{
	struct sv_job *j = sv_secmem_alloc(sizeof(*j));

	if (j == NULL)
		return NULL;
	j->kind = kind;
	j->fd = -1;
	return j;
}

void sv_job_free(struct sv_job **j)
{
	if (*j == NULL)
		return;
	if ((*j)->fd >= 0)
		(void)close((*j)->fd);
	sv_secmem_free(*j);
	*j = NULL;
}

bool sv_job_set(char *to, size_t size, size_t *len, struct sv_text t)
{
	if (t.n > size)
		return false;
	if (t.n > 0)
		memmove(to, t.p, t.n);
	*len = t.n;
	return true;
}

struct sv_msg_info sv_info_to_msg(const struct sv_info *i)
{
	return (struct sv_msg_info){
		.env = i->env,
		.name = i->name,
		.meta = i->meta,
		.version = i->version,
		.txn = i->txn,
		.verb = i->verb,
		.gone = i->gone,
		.inherited = i->inherited,
		.created_s = i->created_s,
		.changed_s = i->changed_s,
		.used_s = i->used_s,
		.value_len = i->value_len,
	};
}

enum sv_code sv_put_info(struct sv_buf *b, const struct sv_info *i)
{
	struct sv_msg_info m = sv_info_to_msg(i);
	size_t mark = b->len, n;
	enum sv_code rc = sv_buf_put_u32(b, 0);

	if (rc == SV_OK)
		rc = sv_msg_put_info(b, &m);
	if (rc != SV_OK)
		return rc;
	n = b->len - mark - 4;
	for (int k = 0; k < 4; k++)
		b->data[mark + (size_t)k] = (unsigned char)(n >> (8 * k));
	return SV_OK;
}

/* ---- pages ---------------------------------------------------------------------------------- */

struct page {
	struct sv_buf *out;
	size_t max_n, n;
	size_t stop_bytes; /* stop when out's frame is this long; 0: never */
	size_t mark;
	bool with_meta, full;
	struct sv_job *job; /* remembers the last name */
};

static enum sv_code take_entry(void *ctx, const struct sv_entry *e)
{
	struct page *p = ctx;
	struct sv_msg_entry m = { .inherited = e->inherited, .name = e->name };
	enum sv_code rc;

	if (p->n == p->max_n || (p->stop_bytes != 0 && p->out->len - p->mark + ENTRY_BYTES_MAX > p->stop_bytes)) {
		p->full = true;
		return SV_ERR_BUSY; /* stops the walk */
	}
	if (p->with_meta) {
		m.var = e->var;
		m.expires_s = e->expires_s;
		m.value_len = e->value_len;
	}
	rc = sv_msg_put_entry(p->out, &m, p->with_meta);
	if (rc != SV_OK)
		return rc;
	p->n++;
	if (p->job != NULL && !sv_job_set(p->job->last, sizeof(p->job->last), &p->job->last_len, e->name))
		return SV_ERR_FAIL;
	return SV_OK;
}

enum sv_code sv_page_read(struct sv_agent *a, struct sv_text env, struct sv_text group, struct sv_text after,
			  size_t max_n, struct sv_buf *page, bool *full, struct sv_err *err)
{
	struct page p = { .out = page, .max_n = max_n, .with_meta = true };
	enum sv_code rc = sv_vault_list(a->vault, env, group, after, take_entry, &p, err);

	*full = p.full;
	return rc;
}

/* ---- the kinds ------------------------------------------------------------------------------ */

static struct sv_text text(const char *p, size_t n)
{
	return (struct sv_text){ p, n };
}

static enum sv_code step_list(struct sv_agent *a, struct sv_job *j, struct sv_reply *r, bool *more, struct sv_err *err)
{
	struct page p = {
		.out = r->b,
		.max_n = SIZE_MAX,
		.stop_bytes = SV_STREAM_BYTES,
		.mark = r->mark,
		.with_meta = j->with_meta,
		.job = j,
	};
	/* The walk starts behind a copy: the callback moves j->last on. */
	char after[SV_NAME_MAX];
	size_t after_len = j->last_len;
	enum sv_code rc;

	memcpy(after, j->last, after_len);
	rc = sv_vault_list(a->vault, text(j->env, j->env_len), text(j->group, j->group_len), text(after, after_len),
			   take_entry, &p, err);
	sv_wipe(after, sizeof(after));
	*more = p.full;
	return rc;
}

static enum sv_code step_infos(struct sv_agent *a, struct sv_job *j, struct sv_reply *r, bool *more, struct sv_err *err)
{
	struct sv_buf page = SV_BUF_LOCKED(INFOS_PER_PIECE * (size_t)ENTRY_BYTES_MAX);
	struct sv_secret *value = NULL;
	struct sv_msg_entry e;
	struct sv_info info;
	enum sv_code rc;

	rc = sv_page_read(a, text(j->env, j->env_len), text(j->group, j->group_len), text(j->last, j->last_len),
			  INFOS_PER_PIECE, &page, more, err);
	while (rc == SV_OK && sv_buf_unread(&page) > 0) {
		if (sv_reply_body_len(r) >= SV_STREAM_BYTES) {
			*more = true;
			break;
		}
		rc = sv_msg_get_entry(&page, &e, true);
		if (rc != SV_OK) {
			rc = sv_err_set(err, SV_ERR_FAIL, "a listing does not parse");
			break;
		}
		rc = sv_vault_get(a->vault, text(j->env, j->env_len), e.name, 0, &info,
				  j->kind == SV_JOB_READ ? &value : NULL, err);
		if (rc != SV_OK)
			break;
		if (value != NULL && sv_reply_body_len(r) > 0 &&
		    sv_reply_body_len(r) + sv_secret_len(value) + INFO_BYTES_MAX > SV_FRAME_BODY_MAX) {
			sv_info_clear(&info);
			sv_secret_free(&value);
			*more = true; /* it begins the next frame */
			break;
		}
		rc = sv_put_info(r->b, &info);
		if (rc == SV_OK && value != NULL) {
			rc = sv_buf_put_str32(r->b, sv_secret_cpeek(value), sv_secret_len(value));
			a->released++;
			sv_vault_touch(a->vault, text(j->env, j->env_len), e.name);
		}
		sv_info_clear(&info);
		sv_secret_free(&value);
		if (rc != SV_OK) {
			(void)sv_err_set(err, rc, "no memory for the answer");
			break;
		}
		(void)sv_job_set(j->last, sizeof(j->last), &j->last_len, e.name);
	}
	sv_buf_clear(&page);
	return rc;
}

static enum sv_code step_file(struct sv_job *j, struct sv_reply *r, bool *more, struct sv_err *err)
{
	size_t want = j->left < SV_STREAM_BYTES ? (size_t)j->left : SV_STREAM_BYTES;
	unsigned char *p;
	enum sv_code rc = sv_buf_extend(r->b, want, &p);

	if (rc != SV_OK)
		return sv_err_set(err, rc, "no memory for the answer");
	for (size_t got = 0; got < want;) {
		ssize_t n = read(j->fd, p + got, want - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return sv_err_sys(err, SV_ERR_IO, n < 0 ? errno : EIO, "cannot read the backup");
		got += (size_t)n;
	}
	j->left -= want;
	*more = j->left > 0;
	return SV_OK;
}

/* ---- two environments side by side ---------------------------------------------------------- */

static int compare_names(struct sv_text x, struct sv_text y)
{
	size_t n = x.n < y.n ? x.n : y.n;
	int c = n > 0 ? memcmp(x.p, y.p, n) : 0;

	return c != 0 ? c : (x.n > y.n) - (x.n < y.n);
}

/* Both inherit it: one and the same secret. */
static enum sv_code side_of(struct sv_agent *a, struct sv_job *j, const struct sv_msg_entry *x,
			    const struct sv_msg_entry *y, uint8_t *side, struct sv_err *err)
{
	struct sv_secret *vx = NULL, *vy = NULL;
	enum sv_code rc = SV_OK;

	*side = SV_SIDE_SAME;
	if (x->inherited && y->inherited)
		return SV_OK;
	*side = SV_SIDE_DIFFERENT;
	if (x->value_len != y->value_len)
		return SV_OK;
	rc = sv_vault_get(a->vault, text(j->env, j->env_len), x->name, 0, NULL, &vx, err);
	if (rc == SV_OK)
		rc = sv_vault_get(a->vault, text(j->other, j->other_len), y->name, 0, NULL, &vy, err);
	if (rc == SV_OK && sv_secret_equal(vx, vy))
		*side = SV_SIDE_SAME;
	sv_secret_free(&vx);
	sv_secret_free(&vy);
	return rc;
}

/* The next entry of a page that is not past `bound`; false when there is none. */
static bool next_entry(struct sv_buf *page, struct sv_msg_entry *e, const struct sv_text *bound)
{
	struct sv_buf look = *page;

	if (sv_buf_unread(page) == 0 || sv_msg_get_entry(&look, e, true) != SV_OK)
		return false;
	return bound == NULL || compare_names(e->name, *bound) <= 0;
}

static void skip_entry(struct sv_buf *page)
{
	struct sv_msg_entry e;

	if (sv_msg_get_entry(page, &e, true) != SV_OK)
		page->off = page->len;
}

/* The last name of a page. */
static struct sv_text last_of(const struct sv_buf *page)
{
	struct sv_buf look = *page;
	struct sv_msg_entry e = { 0 };

	while (sv_buf_unread(&look) > 0 && sv_msg_get_entry(&look, &e, true) == SV_OK)
		;
	return e.name;
}

static enum sv_code merge(struct sv_agent *a, struct sv_job *j, struct sv_buf *left, struct sv_buf *right,
			  const struct sv_text *bound, struct sv_reply *r, struct sv_err *err)
{
	for (;;) {
		struct sv_msg_entry x, y, *it;
		bool has_x = next_entry(left, &x, bound), has_y = next_entry(right, &y, bound);
		enum sv_code rc = SV_OK;
		uint8_t side;
		int c;

		if (!has_x && !has_y)
			return SV_OK;
		c = !has_x ? 1 : !has_y ? -1 : compare_names(x.name, y.name);
		it = c <= 0 ? &x : &y;
		side = c < 0 ? SV_SIDE_ONLY_FIRST : SV_SIDE_ONLY_SECOND;
		if (c == 0)
			rc = side_of(a, j, &x, &y, &side, err);
		if (rc != SV_OK)
			return rc;
		if ((rc = sv_buf_put_u8(r->b, side)) != SV_OK || (rc = sv_msg_put_text(r->b, it->name)) != SV_OK)
			return sv_err_set(err, rc, "no memory for the answer");
		(void)sv_job_set(j->last, sizeof(j->last), &j->last_len, it->name);
		if (c <= 0)
			skip_entry(left);
		if (c >= 0)
			skip_entry(right);
	}
}

/* A page of each side; names past the end of the shorter full page wait for the next piece. */
static enum sv_code step_diff(struct sv_agent *a, struct sv_job *j, struct sv_reply *r, bool *more, struct sv_err *err)
{
	struct sv_buf left = SV_BUF_LOCKED(DIFF_PER_PIECE * (size_t)ENTRY_BYTES_MAX);
	struct sv_buf right = SV_BUF_LOCKED(DIFF_PER_PIECE * (size_t)ENTRY_BYTES_MAX);
	struct sv_text group = text(j->group, j->group_len), after = text(j->last, j->last_len), bound;
	bool full_left = false, full_right = false;
	enum sv_code rc;

	rc = sv_page_read(a, text(j->env, j->env_len), group, after, DIFF_PER_PIECE, &left, &full_left, err);
	if (rc == SV_OK)
		rc = sv_page_read(a, text(j->other, j->other_len), group, after, DIFF_PER_PIECE, &right, &full_right,
				  err);
	if (rc == SV_OK) {
		if (full_left)
			bound = last_of(&left);
		if (full_right && (!full_left || compare_names(last_of(&right), bound) < 0))
			bound = last_of(&right);
		rc = merge(a, j, &left, &right, full_left || full_right ? &bound : NULL, r, err);
	}
	*more = full_left || full_right;
	sv_buf_clear(&left);
	sv_buf_clear(&right);
	return rc;
}

enum sv_code sv_job_step(struct sv_agent *a, struct sv_job *j, struct sv_reply *r, bool *more, struct sv_err *err)
{
	*more = false;
	switch (j->kind) {
	case SV_JOB_LIST: return step_list(a, j, r, more, err);
	case SV_JOB_INFOS:
	case SV_JOB_READ: return step_infos(a, j, r, more, err);
	case SV_JOB_ENV_DIFF: return step_diff(a, j, r, more, err);
	case SV_JOB_FILE: return step_file(j, r, more, err);
	}
	return sv_err_set(err, SV_ERR_FAIL, "an answer of an unknown kind");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream filter over engine.h: what may leave now, tokens, and what is held.
 *
 *	stream:	| written or masked | held (in hold) | what was put (the caller's memory) |
 *				    out ............ block_at ......................... fed
 */
#include "cli/match/filter.h"

#include "vault/base/buf.h"

#include <stdlib.h>
#include <string.h>

struct sv_filter {
	const struct sv_match_set *set;
	struct sv_match *m;
	sv_filter_write_fn *write_out;
	void *ctx;
	struct sv_buf hold; /* the bytes [out, block_at) */
	uint64_t out;       /* stream offset of the first byte that was neither written nor masked */
	const unsigned char *block;
	uint64_t block_at;
	size_t hold_done; /* offset in hold.data of the first byte that was neither gathered nor masked */
	struct iovec pieces[SV_FILTER_PIECES];
	int n_pieces;
	uint64_t last_ms;
	uint64_t *counts;
	uint64_t total;
	struct sv_err failed;
};

struct sv_filter *sv_filter_new(const struct sv_match_set *set, unsigned flags, sv_filter_write_fn *write_out,
				void *ctx)
{
	struct sv_filter *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->set = set;
	f->write_out = write_out;
	f->ctx = ctx;
	f->hold = (struct sv_buf)SV_BUF_LOCKED(SIZE_MAX / 4);
	f->m = sv_match_new(set, flags);
	f->counts = calloc(sv_match_set_secrets(set) + 1, sizeof(*f->counts));
	if (f->m == NULL || f->counts == NULL) {
		sv_filter_free(f);
		return NULL;
	}
	return f;
}

void sv_filter_free(struct sv_filter *f)
{
	if (f == NULL)
		return;
	sv_match_free(f->m);
	sv_buf_clear(&f->hold);
	free(f->counts);
	free(f);
}

/* Remember the first failure; give it back every time. */
static enum sv_code broken(struct sv_filter *f, const struct sv_err *err)
{
	if (f->failed.code == SV_OK)
		f->failed = *err;
	if (f->failed.code == SV_OK)
		f->failed.code = SV_ERR_FAIL;
	return f->failed.code;
}

static enum sv_code give_error(const struct sv_filter *f, struct sv_err *err)
{
	if (err != NULL)
		*err = f->failed;
	return f->failed.code;
}

/* Write the pieces that were gathered, then forget what of hold is out. */
static enum sv_code flush(struct sv_filter *f)
{
	struct sv_err e = SV_ERR_INIT;
	enum sv_code rc = SV_OK;

	if (f->n_pieces > 0)
		rc = f->write_out(f->ctx, f->pieces, f->n_pieces, &e);
	f->n_pieces = 0;
	if (f->hold_done > f->hold.off) {
		sv_wipe(sv_buf_head(&f->hold), f->hold_done - f->hold.off);
		f->hold.off = f->hold_done;
	}
	if (rc == SV_OK)
		return SV_OK;
	e.code = rc;
	return broken(f, &e);
}

/* One more piece, which stays where it is until flush(); joined with the one before when it follows it in memory. */
static enum sv_code emit(struct sv_filter *f, const void *p, size_t n)
{
	struct iovec *last = f->n_pieces > 0 ? &f->pieces[f->n_pieces - 1] : NULL;

	if (n == 0)
		return SV_OK;
	if (last != NULL && (const unsigned char *)last->iov_base + last->iov_len == p) {
		last->iov_len += n;
		return SV_OK;
	}
	if (f->n_pieces == SV_FILTER_PIECES && flush(f) != SV_OK)
		return f->failed.code;
	f->pieces[f->n_pieces++] = (struct iovec){ .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	return SV_OK;
}

/* Let the bytes up to stream offset to out, or with drop throw them away. */
static enum sv_code pass(struct sv_filter *f, uint64_t to, bool drop)
{
	enum sv_code rc = SV_OK;

	if (f->out < f->block_at) {
		size_t n = (size_t)((to < f->block_at ? to : f->block_at) - f->out);

		if (!drop)
			rc = emit(f, f->hold.data + f->hold_done, n);
		f->hold_done += n;
		f->out += n;
	}
	if (rc != SV_OK || f->out >= to)
		return rc;
	if (!drop)
		rc = emit(f, f->block + (f->out - f->block_at), (size_t)(to - f->out));
	f->out = to;
	return rc;
}

static enum sv_code put_token(struct sv_filter *f, const struct sv_find *find)
{
	const char *name = sv_match_set_name(f->set, find->who[0].secret);
	enum sv_code rc = emit(f, "[sv:", 4);

	if (rc == SV_OK)
		rc = emit(f, name, strlen(name));
	return rc == SV_OK ? emit(f, "]", 1) : rc;
}

static void count(struct sv_filter *f, const struct sv_find *find)
{
	if (find->cont)
		return;
	f->total++;
	for (unsigned i = 0; i < find->n_who; i++)
		f->counts[find->who[i].secret]++;
}

/* Deal with everything before stream offset limit. */
static enum sv_code drain(struct sv_filter *f, uint64_t limit)
{
	enum sv_code rc = SV_OK;
	struct sv_find *find;

	while (rc == SV_OK && f->out < limit) {
		find = sv_match_first(f->m);
		if (find == NULL || find->start >= limit)
			return pass(f, limit, false);
		if (find->start > f->out)
			rc = pass(f, find->start, false);
		if (rc == SV_OK && !find->shown) {
			find->shown = true;
			if (!find->cont)
				rc = put_token(f, find);
		}
		if (rc == SV_OK && find->end > f->out)
			rc = pass(f, find->end < limit ? find->end : limit, true);
		if (rc == SV_OK && find->end <= limit) {
			count(f, find);
			sv_match_pop(f->m);
		}
	}
	return rc;
}

/* Keep what is left of the block. */
static enum sv_code hold_rest(struct sv_filter *f, uint64_t fed)
{
	uint64_t from = f->out > f->block_at ? f->out : f->block_at;

	if (sv_buf_unread(&f->hold) == 0)
		sv_buf_reset(&f->hold);
	else if (f->hold.off > f->hold.cap / 2)
		sv_buf_compact(&f->hold);
	f->hold_done = f->hold.off;
	return sv_buf_put(&f->hold, f->block + (from - f->block_at), (size_t)(fed - from));
}

enum sv_code sv_filter_put(struct sv_filter *f, const void *p, size_t n, uint64_t now_ms, struct sv_err *err)
{
	struct sv_err e = SV_ERR_INIT;
	size_t at = 0;

	f->last_ms = now_ms;
	f->block = p;
	f->block_at = sv_match_fed(f->m);
	while (at < n && f->failed.code == SV_OK) {
		ssize_t took = sv_match_feed(f->m, f->block + at, n - at, &e);

		if (took < 0) {
			(void)broken(f, &e);
			break;
		}
		at += (size_t)took;
		(void)drain(f, sv_match_settled(f->m));
	}
	if (f->failed.code == SV_OK)
		(void)flush(f);
	if (f->failed.code == SV_OK && n > 0 && hold_rest(f, f->block_at + n) != SV_OK) {
		(void)sv_err_set(&e, SV_ERR_NOMEM, "no memory for output that is held back");
		(void)broken(f, &e);
	}
	f->block_at = sv_match_fed(f->m);
	f->block = NULL;
	return f->failed.code == SV_OK ? SV_OK : give_error(f, err);
}

int sv_filter_wait_ms(const struct sv_filter *f, uint64_t now_ms)
{
	if (f->failed.code != SV_OK || sv_buf_unread(&f->hold) == 0 || sv_match_harmless(f->m) <= f->out)
		return -1;
	return now_ms >= f->last_ms + SV_FILTER_IDLE_MS ? 0 : (int)(f->last_ms + SV_FILTER_IDLE_MS - now_ms);
}

enum sv_code sv_filter_idle(struct sv_filter *f, uint64_t now_ms, struct sv_err *err)
{
	if (sv_filter_wait_ms(f, now_ms) == 0 && drain(f, sv_match_harmless(f->m)) == SV_OK)
		(void)flush(f);
	return f->failed.code == SV_OK ? SV_OK : give_error(f, err);
}

enum sv_code sv_filter_finish(struct sv_filter *f, struct sv_err *err)
{
	struct sv_err e = SV_ERR_INIT;

	if (f->failed.code == SV_OK && sv_match_end(f->m, &e) != SV_OK)
		(void)broken(f, &e);
	if (f->failed.code == SV_OK && drain(f, sv_match_settled(f->m)) == SV_OK && flush(f) == SV_OK)
		sv_buf_clear(&f->hold);
	return f->failed.code == SV_OK ? SV_OK : give_error(f, err);
}

size_t sv_filter_held(const struct sv_filter *f)
{
	return sv_buf_unread(&f->hold);
}

uint64_t sv_filter_count(const struct sv_filter *f, size_t secret)
{
	return f->counts[secret];
}

uint64_t sv_filter_total(const struct sv_filter *f)
{
	return f->total;
}

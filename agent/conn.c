/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers and deadlines of one client.
 */
#include "agent/conn.h"
#include "agent/req.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct sv_conn *sv_conn_new(int fd, int64_t now_ms)
{
	struct sv_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->fd = fd;
	c->in = (struct sv_buf)SV_BUF_LOCKED(SV_FRAME_HEADER_BYTES + SV_FRAME_BODY_MAX + SV_SCRATCH_BYTES);
	c->out = (struct sv_buf)SV_BUF_LOCKED(SV_REPLY_MAX + SV_FRAME_BODY_MAX);
	c->used_ms = now_ms;
	return c;
}

void sv_conn_free(struct sv_conn **c)
{
	if (*c == NULL)
		return;
	(void)close((*c)->fd);
	sv_buf_clear(&(*c)->in);
	sv_buf_clear(&(*c)->out);
	sv_job_free(&(*c)->job);
	sv_tx_abort(&(*c)->tx);
	sv_load_free(&(*c)->load);
	free(*c);
	*c = NULL;
}

bool sv_conn_has_frame(const struct sv_conn *c)
{
	struct sv_frame f;
	size_t need;

	return sv_buf_unread(&c->in) > 0 && sv_frame_peek(&c->in, &f, &need) != SV_ERR_TRUNCATED;
}

bool sv_conn_idle(const struct sv_conn *c)
{
	return sv_buf_unread(&c->in) == 0 && sv_buf_unread(&c->out) == 0 && c->job == NULL && c->tx == NULL &&
	       c->load == NULL && c->ticket == 0 && !c->watching;
}

/* Room to read into: what the frame at the front still needs, but never more than doubles what has really come. */
static bool make_room(struct sv_conn *c)
{
	struct sv_frame f;
	size_t need, have = sv_buf_unread(&c->in), want;

	sv_buf_compact(&c->in);
	if (sv_frame_peek(&c->in, &f, &need) == SV_ERR_TRUNCATED && need > have)
		want = need - have;
	else
		want = 1;
	if (want > SV_SCRATCH_BYTES && want > have)
		want = have > SV_SCRATCH_BYTES ? have : SV_SCRATCH_BYTES;
	return sv_buf_reserve(&c->in, want) == SV_OK;
}

bool sv_conn_read(struct sv_conn *c, unsigned char *scratch, struct sv_buf **view, struct sv_buf *scratch_view,
		  int64_t now_ms)
{
	bool fresh = sv_buf_unread(&c->in) == 0;
	unsigned char *to = scratch;
	size_t room = SV_SCRATCH_BYTES;
	ssize_t n;

	(void)now_ms;
	if (!fresh) {
		if (!make_room(c)) {
			c->dead = true;
			return false;
		}
		to = c->in.data + c->in.len;
		room = c->in.cap - c->in.len;
	}
	n = recv(c->fd, to, room, 0);
	if (n <= 0) {
		if (n == 0)
			c->eof = true;
		else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			c->dead = true;
		return false;
	}
	if (fresh) {
		*scratch_view =
			(struct sv_buf){ .data = scratch, .len = (size_t)n, .cap = (size_t)n, .max = (size_t)n };
		*view = scratch_view;
	} else {
		c->in.len += (size_t)n;
		*view = &c->in;
	}
	return true;
}

void sv_conn_keep(struct sv_conn *c, struct sv_buf *view, unsigned char *scratch, int64_t now_ms)
{
	if (view->data == scratch) {
		size_t left = sv_buf_unread(view);

		if (left > 0 && sv_buf_put(&c->in, sv_buf_head(view), left) != SV_OK)
			c->dead = true;
		sv_wipe(scratch, view->len);
	}
	if (sv_buf_unread(&c->in) == 0) {
		sv_buf_clear(&c->in);
		c->part_ms = 0;
	} else if (sv_conn_has_frame(c)) {
		c->part_ms = 0;
	} else if (c->part_ms == 0) {
		c->part_ms = now_ms;
	}
}

/* true: all of it went. */
static bool send_some(struct sv_conn *c, struct sv_buf *b, int64_t now_ms)
{
	while (sv_buf_unread(b) > 0) {
		ssize_t n = send(c->fd, sv_buf_head(b), sv_buf_unread(b), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				c->dead = true;
			return false;
		}
		/* Wiped as it is sent, well before the client is gone. */
		sv_wipe(sv_buf_head(b), (size_t)n);
		b->off += (size_t)n;
		c->drain_ms = now_ms;
	}
	return true;
}

void sv_conn_send(struct sv_conn *c, struct sv_buf *reply, int64_t now_ms)
{
	size_t max = reply->max;

	c->drain_ms = now_ms;
	if (send_some(c, reply, now_ms) || c->dead) {
		if (reply->cap > SV_KEEP_REPLY_BYTES)
			sv_buf_clear(reply);
		else
			sv_buf_reset(reply);
		return;
	}
	/* The buffer itself goes along: no copy, and the next request begins with a new one. */
	sv_buf_clear(&c->out);
	c->out = *reply;
	c->owed_ms = now_ms;
	*reply = (struct sv_buf)SV_BUF_LOCKED(max);
}

void sv_conn_flush(struct sv_conn *c, int64_t now_ms)
{
	if (send_some(c, &c->out, now_ms) || c->dead)
		sv_buf_clear(&c->out);
	if (sv_buf_unread(&c->out) == 0 && c->part_ms != 0)
		c->part_ms = now_ms; /* nothing was read meanwhile, and that was our doing */
}

int64_t sv_conn_deadline_ms(const struct sv_conn *c)
{
	if (sv_buf_unread(&c->out) > 0)
		return c->drain_ms + SV_DRAIN_WITHIN_MS;
	if (c->ticket != 0 || c->job != NULL || c->watching)
		return INT64_MAX;
	if (c->part_ms != 0)
		return c->part_ms + SV_FRAME_WITHIN_MS;
	if (c->tx != NULL || c->load != NULL)
		return c->staged_ms + SV_STAGED_WITHIN_MS;
	return c->used_ms + SV_IDLE_CONN_MS;
}

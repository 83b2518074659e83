/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking request and reply.  The hot path is one connect, one send and one recv: the first buffer holds most
 * replies whole.
 *
 * c->in holds what was received; c->at is where the next frame starts in it.  What lies before it was given out as a
 * view and stays put until the next call.
 *
 *	[ given out | frame | frame | part of one | room ]
 *	0           at                             in.len
 */
#include "proto/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_READ ((size_t)64 << 10)

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum sv_code sv_client_connect(struct sv_client *c, const char *socket_path, struct sv_err *err)
{
	return sv_endpoint_connect(socket_path, &c->fd, err);
}

void sv_client_close(struct sv_client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	c->at = 0;
	c->view = (struct sv_buf)SV_BUF_INIT;
	sv_buf_clear(&c->in);
	sv_buf_clear(&c->out);
}

enum sv_code sv_client_begin(struct sv_client *c, uint16_t type, uint8_t flags, struct sv_err *err)
{
	enum sv_code rc;
	size_t mark;

	sv_buf_reset(&c->out);
	rc = sv_frame_begin(&c->out, type, flags, &mark);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the request");
}

/* SV_ERR_NO_AGENT: the other end is closed. */
static enum sv_code send_all(int fd, const unsigned char *p, size_t n, struct sv_err *err)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EPIPE || errno == ECONNRESET)
				return sv_err_set(err, SV_ERR_NO_AGENT, "the agent closed the connection");
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot send to the agent");
		}
		p += w;
		n -= (size_t)w;
	}
	return SV_OK;
}

/*
 * At least one more byte into c->in, with room for `want` of them.  The locked buffer is mapped here, behind the send
 * and not before it: its 40 us pass while the agent works, and measured from outside they are not there.
 */
static enum sv_code read_more(struct sv_client *c, size_t want, struct sv_err *err)
{
	enum sv_code rc = SV_OK;
	ssize_t n;

	if (c->in.cap == 0 && want < FIRST_READ)
		want = FIRST_READ;
	rc = sv_buf_reserve(&c->in, want);
	if (rc == SV_ERR_TOO_BIG)
		return sv_err_set(err, rc, "the agent's answer is larger than %zu bytes", c->in.max);
	if (rc != SV_OK)
		return sv_err_set(err, rc, "no memory for the agent's answer");
	do
		n = recv(c->fd, c->in.data + c->in.len, c->in.cap - c->in.len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot read from the agent");
	if (n <= 0)
		return sv_err_set(err, SV_ERR_IO, "the agent closed the connection");
	c->in.len += (size_t)n;
	return SV_OK;
}

/* Wait until a whole frame stands at c->at. */
static enum sv_code wait_frame(struct sv_client *c, struct sv_frame *f, struct sv_err *err)
{
	for (;;) {
		struct sv_buf rest = c->in;
		enum sv_code rc;
		size_t need;

		rest.off = c->at;
		rc = sv_frame_peek(&rest, f, &need);
		if (rc == SV_ERR_PROTO || (rc == SV_OK && f->type != SV_MSG_OK && f->type != SV_MSG_ERROR))
			return sv_err_set(err, SV_ERR_PROTO,
					  "the agent speaks another protocol: stop the old one with `sv lock` and "
					  "`kill`, or install matching versions");
		if (rc != SV_ERR_TRUNCATED)
			return rc;
		rc = read_more(c, need - sv_buf_unread(&rest), err);
		if (rc != SV_OK)
			return rc;
	}
}

/* Point c->view at n bytes of c->in.  It owns nothing. */
static struct sv_buf *view_of(struct sv_client *c, size_t at, size_t n)
{
	c->view = (struct sv_buf){ .data = c->in.data, .off = at, .len = at + n, .cap = at + n, .max = at + n };
	return &c->view;
}

static enum sv_code take_error(struct sv_client *c, const struct sv_frame *f, struct sv_err *err)
{
	struct sv_buf *body = view_of(c, c->at + SV_FRAME_HEADER_BYTES, f->body_len);
	struct sv_err told = SV_ERR_INIT;

	c->at += SV_FRAME_HEADER_BYTES + f->body_len;
	if (sv_msg_get_error(body, &told) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	return sv_err_set(err, told.code, "%s", told.msg);
}

/* The connection is closed; the agent may have said why before it did so. */
static enum sv_code last_word(struct sv_client *c, struct sv_err *err)
{
	struct sv_frame f;

	while (wait_frame(c, &f, NULL) == SV_OK) {
		if (f.type == SV_MSG_ERROR)
			return take_error(c, &f, err);
		c->at += SV_FRAME_HEADER_BYTES + f.body_len;
	}
	return sv_err_set(err, SV_ERR_IO, "the agent closed the connection");
}

enum sv_code sv_client_send(struct sv_client *c, struct sv_err *err)
{
	enum sv_code rc = sv_frame_end(&c->out, 0);

	if (rc == SV_OK)
		rc = send_all(c->fd, c->out.data, c->out.len, err);
	else
		(void)sv_err_set(err, rc, "the request is larger than %zu bytes", SV_FRAME_BODY_MAX);
	sv_buf_reset(&c->out);
	return rc == SV_ERR_NO_AGENT ? last_word(c, err) : rc;
}

/* Forget what was given out before. */
static void drop_given(struct sv_client *c)
{
	c->in.off = c->at;
	sv_buf_compact(&c->in);
	c->at = 0;
}

enum sv_code sv_client_recv(struct sv_client *c, struct sv_buf **body, bool *more, struct sv_err *err)
{
	struct sv_frame f;
	enum sv_code rc;

	*body = NULL;
	*more = false;
	drop_given(c);
	rc = wait_frame(c, &f, err);
	if (rc != SV_OK)
		return rc;
	if (f.type == SV_MSG_ERROR)
		return take_error(c, &f, err);
	*more = (f.flags & SV_FRAME_MORE) != 0;
	*body = view_of(c, c->at + SV_FRAME_HEADER_BYTES, f.body_len);
	c->at += SV_FRAME_HEADER_BYTES + f.body_len;
	return SV_OK;
}

enum sv_code sv_client_call(struct sv_client *c, struct sv_buf **body, struct sv_err *err)
{
	struct sv_frame f;
	enum sv_code rc;
	size_t end = SV_FRAME_HEADER_BYTES; /* the bodies are moved together behind the first header */

	*body = NULL;
	rc = sv_client_send(c, err);
	if (rc != SV_OK)
		return rc;
	drop_given(c);
	do {
		rc = wait_frame(c, &f, err);
		if (rc != SV_OK)
			return rc;
		if (f.type == SV_MSG_ERROR)
			return take_error(c, &f, err);
		if (end != c->at + SV_FRAME_HEADER_BYTES)
			memmove(c->in.data + end, c->in.data + c->at + SV_FRAME_HEADER_BYTES, f.body_len);
		end += f.body_len;
		c->at += SV_FRAME_HEADER_BYTES + f.body_len;
	} while ((f.flags & SV_FRAME_MORE) != 0);
	*body = view_of(c, SV_FRAME_HEADER_BYTES, end - SV_FRAME_HEADER_BYTES);
	return SV_OK;
}

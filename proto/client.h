/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end: blocking request and reply over one connection.  No limit on waiting: the agent answers, closes,
 * or the person presses ^C.
 */
#ifndef SV_PROTO_CLIENT_H
#define SV_PROTO_CLIENT_H

#include "proto/endpoint.h"
#include "proto/frame.h"

struct sv_client {
	int fd;
	struct sv_buf in, out;
	struct sv_buf view; /* what sv_client_recv and sv_client_call hand out: borrows from in, is never cleared */
	size_t at;          /* where the next frame starts in in.data */
};
#define SV_CLIENT_INIT                                                                                   \
	{                                                                                                \
		.fd = -1, .in = SV_BUF_LOCKED(SV_REPLY_MAX), .out = SV_BUF_LOCKED(2 * SV_FRAME_BODY_MAX) \
	}

enum sv_code sv_client_connect(struct sv_client *c, const char *socket_path, struct sv_err *err) SV_CHECK;
void sv_client_close(struct sv_client *c);

/* Start a request in c->out; the caller then puts the body with sv_msg_put_*(&c->out, ...). */
enum sv_code sv_client_begin(struct sv_client *c, uint16_t type, uint8_t flags, struct sv_err *err) SV_CHECK;
/* Finish and send what was begun, wipe c->out. */
enum sv_code sv_client_send(struct sv_client *c, struct sv_err *err) SV_CHECK;
/*
 * Read one reply frame: its body is unread in *body, a view buffer into c->in valid until the next call; *more says
 * whether another follows.  An ERROR reply becomes its code and sentence.
 */
enum sv_code sv_client_recv(struct sv_client *c, struct sv_buf **body, bool *more, struct sv_err *err) SV_CHECK;
/* send + recv of all frames, bodies put together (SV_ERR_TOO_BIG past SV_REPLY_MAX); for most commands. */
enum sv_code sv_client_call(struct sv_client *c, struct sv_buf **body, struct sv_err *err) SV_CHECK;

#endif

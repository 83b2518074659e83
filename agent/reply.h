/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a reply of one frame or several.  Bodies are put straight into the buffer that is sent from.
 */
#ifndef SV_AGENT_REPLY_H
#define SV_AGENT_REPLY_H

#include "proto/frame.h"

struct sv_reply {
	struct sv_buf *b;
	size_t start; /* of the first frame */
	size_t mark;  /* of the present one */
};

/* Begin a reply at the end of b. */
enum sv_code sv_reply_begin(struct sv_reply *r, struct sv_buf *b, struct sv_err *err) SV_CHECK;
/* Bytes in the body of the present frame. */
size_t sv_reply_body_len(const struct sv_reply *r);
/*
 * Make room for n more bytes of body that must stay together; past `soft` bytes the present frame ends with MORE and
 * another begins. SV_ERR_TOO_BIG when the whole reply would pass SV_REPLY_MAX.
 */
enum sv_code sv_reply_room(struct sv_reply *r, size_t n, size_t soft, struct sv_err *err) SV_CHECK;
/* Close the last frame.  more: the connection's job goes on with another one. */
enum sv_code sv_reply_end(struct sv_reply *r, bool more, struct sv_err *err) SV_CHECK;
/* Instead of all that was written: an ERROR frame. */
void sv_reply_error(struct sv_reply *r, const struct sv_err *e);

#endif

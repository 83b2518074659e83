/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: an 8-byte header and a body, put into and taken out of a struct sv_buf, so that a reader may be fed any
 * number of bytes at a time.
 */
#ifndef SV_PROTO_FRAME_H
#define SV_PROTO_FRAME_H

#include "proto/msg.h"

struct sv_frame {
	uint16_t type;
	uint8_t version, flags;
	uint32_t body_len;
};

/* Start a frame: writes a header with length 0 and returns its place in *mark. */
enum sv_code sv_frame_begin(struct sv_buf *b, uint16_t type, uint8_t flags, size_t *mark) SV_CHECK;
/* Close it: fills in the length.  SV_ERR_TOO_BIG past SV_FRAME_BODY_MAX. */
enum sv_code sv_frame_end(struct sv_buf *b, size_t mark) SV_CHECK;
/* Say that another frame of the same message follows the one at mark. */
void sv_frame_set_more(struct sv_buf *b, size_t mark);
/*
 * Look at the front of b.  SV_OK: *f is the header and the whole body is there (header not consumed). SV_ERR_TRUNCATED:
 * more bytes are needed, *need says how many at least (header and body).  SV_ERR_PROTO: another version, flags unknown,
 * or a body over SV_FRAME_BODY_MAX; the connection must be closed.
 */
enum sv_code sv_frame_peek(const struct sv_buf *b, struct sv_frame *f, size_t *need) SV_CHECK;

#endif

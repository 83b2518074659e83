/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two words for the encoders and decoders of this folder, and for nobody else: do the next step, or leave with the
 * reason.
 */
#ifndef SV_PROTO_CODEC_H
#define SV_PROTO_CODEC_H

#include "vault/base/buf.h"

#include <string.h>

/* A step of an encoder; its failure is the result. */
#define PUT(call)                          \
	do {                               \
		enum sv_code rc_ = (call); \
		if (rc_ != SV_OK)          \
			return rc_;        \
	} while (0)

/*
 * A step of a decoder.  A frame is whole before its body is decoded, so an early end is as malformed as a wrong byte.
 */
#define GET(call)                            \
	do {                                 \
		if ((call) != SV_OK)         \
			return SV_ERR_PROTO; \
	} while (0)

static inline enum sv_code sv_codec_put_i64(struct sv_buf *b, int64_t v)
{
	return sv_buf_put_u64(b, (uint64_t)v);
}

static inline enum sv_code sv_codec_get_i64(struct sv_buf *b, int64_t *v)
{
	uint64_t u;

	GET(sv_buf_get_u64(b, &u));
	memcpy(v, &u, sizeof(*v));
	return SV_OK;
}

/* 0 or 1; anything else is malformed. */
static inline enum sv_code sv_codec_get_bool(struct sv_buf *b, bool *v)
{
	uint8_t u;

	GET(sv_buf_get_u8(b, &u));
	if (u > 1)
		return SV_ERR_PROTO;
	*v = u == 1;
	return SV_OK;
}

#endif

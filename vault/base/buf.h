/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_buf: a bounded byte buffer that is written at the end and read at the front, and wipes what it gives up.
 *
 *	[ consumed | unread: off .. len | room: len .. cap ]		cap never passes max
 *
 * Growth is allocate, copy, wipe, free; never realloc.  With SV_BUF_LOCKED the bytes live in sv_secmem memory. Integers
 *are little-endian.  A get that meets the end returns SV_ERR_TRUNCATED and consumes nothing.  Peeked pointers are
 *views, valid until the next put, clear or compact.  Vocabulary after openssh sshbuf.h.
 */
#ifndef SV_BASE_BUF_H
#define SV_BASE_BUF_H

#include "vault/base/secmem.h"

struct sv_buf {
	unsigned char *data;
	size_t off; /* next byte to get */
	size_t len; /* end of what was put */
	size_t cap;
	size_t max; /* 0: SV_BUF_MAX_DEFAULT */
	bool locked;
};

#define SV_BUF_MAX_DEFAULT ((size_t)64 << 20)
#define SV_BUF_INIT \
	{           \
		0   \
	}
#define SV_BUF_LOCKED(m)                   \
	{                                  \
		.max = (m), .locked = true \
	}

/* Wipe and free; the buffer is as after SV_BUF_INIT with max and locked kept. */
void sv_buf_clear(struct sv_buf *b);
/* Wipe, keep the memory, start again empty. */
void sv_buf_reset(struct sv_buf *b);
/* Move unread bytes to the front and wipe behind them. */
void sv_buf_compact(struct sv_buf *b);
/* Make room for n more bytes.  SV_ERR_TOO_BIG past max, SV_ERR_NOMEM. */
enum sv_code sv_buf_reserve(struct sv_buf *b, size_t n) SV_CHECK;
/* n more bytes at the end, zeroed, to be filled in through *p. */
enum sv_code sv_buf_extend(struct sv_buf *b, size_t n, unsigned char **p) SV_CHECK;

enum sv_code sv_buf_put(struct sv_buf *b, const void *p, size_t n) SV_CHECK;
enum sv_code sv_buf_put_u8(struct sv_buf *b, uint8_t v) SV_CHECK;
enum sv_code sv_buf_put_u16(struct sv_buf *b, uint16_t v) SV_CHECK;
enum sv_code sv_buf_put_u32(struct sv_buf *b, uint32_t v) SV_CHECK;
enum sv_code sv_buf_put_u64(struct sv_buf *b, uint64_t v) SV_CHECK;
/* u16 or u32 length, then the bytes.  SV_ERR_TOO_BIG when n does not fit. */
enum sv_code sv_buf_put_str16(struct sv_buf *b, const void *p, size_t n) SV_CHECK;
enum sv_code sv_buf_put_str32(struct sv_buf *b, const void *p, size_t n) SV_CHECK;

static inline size_t sv_buf_unread(const struct sv_buf *b)
{
	return b->len - b->off;
}
static inline unsigned char *sv_buf_head(const struct sv_buf *b)
{
	return b->data + b->off;
}
enum sv_code sv_buf_get(struct sv_buf *b, void *p, size_t n) SV_CHECK;
enum sv_code sv_buf_get_u8(struct sv_buf *b, uint8_t *v) SV_CHECK;
enum sv_code sv_buf_get_u16(struct sv_buf *b, uint16_t *v) SV_CHECK;
enum sv_code sv_buf_get_u32(struct sv_buf *b, uint32_t *v) SV_CHECK;
enum sv_code sv_buf_get_u64(struct sv_buf *b, uint64_t *v) SV_CHECK;
/* A view of the next n bytes, which are consumed. */
enum sv_code sv_buf_peek(struct sv_buf *b, const unsigned char **p, size_t n) SV_CHECK;
/* u16/u32 length-prefixed view; SV_ERR_TOO_BIG when the length passes max_len. */
enum sv_code sv_buf_peek_str16(struct sv_buf *b, const char **p, size_t *n, size_t max_len) SV_CHECK;
enum sv_code sv_buf_peek_str32(struct sv_buf *b, const unsigned char **p, size_t *n, size_t max_len) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded byte buffer that wipes what it gives up.  See buf.h for the picture.
 */
#include "vault/base/buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

static size_t limit(const struct sv_buf *b)
{
	return b->max != 0 ? b->max : SV_BUF_MAX_DEFAULT;
}

static void release(const struct sv_buf *b)
{
	if (b->data == NULL)
		return;
	if (b->locked) {
		sv_secmem_free(b->data);
		return;
	}
	sv_wipe(b->data, b->len);
	free(b->data);
}

void sv_buf_clear(struct sv_buf *b)
{
	release(b);
	b->data = NULL;
	b->off = b->len = b->cap = 0;
}

void sv_buf_reset(struct sv_buf *b)
{
	sv_wipe(b->data, b->len);
	b->off = b->len = 0;
}

void sv_buf_compact(struct sv_buf *b)
{
	size_t n = sv_buf_unread(b);

	if (b->off == 0)
		return;
	if (n > 0)
		memmove(b->data, b->data + b->off, n);
	sv_wipe(b->data + n, b->len - n);
	b->off = 0;
	b->len = n;
}

enum sv_code sv_buf_reserve(struct sv_buf *b, size_t n)
{
	size_t max = limit(b);
	size_t cap;
	unsigned char *data;

	if (n <= b->cap - b->len)
		return SV_OK;
	if (n > max || b->len > max - n)
		return SV_ERR_TOO_BIG;
	cap = b->cap != 0 ? b->cap : FIRST_CAP;
	while (cap < b->len + n)
		cap *= 2;
	if (cap > max)
		cap = max;
	data = b->locked ? sv_secmem_alloc(cap) : malloc(cap);
	if (data == NULL)
		return SV_ERR_NOMEM;
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	release(b);
	b->data = data;
	b->cap = cap;
	return SV_OK;
}

enum sv_code sv_buf_extend(struct sv_buf *b, size_t n, unsigned char **p)
{
	enum sv_code rc = sv_buf_reserve(b, n);

	if (rc != SV_OK)
		return rc;
	*p = b->data + b->len;
	if (n > 0)
		memset(*p, 0, n);
	b->len += n;
	return SV_OK;
}

enum sv_code sv_buf_put(struct sv_buf *b, const void *p, size_t n)
{
	enum sv_code rc = sv_buf_reserve(b, n);

	if (rc != SV_OK)
		return rc;
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	return SV_OK;
}

static enum sv_code put_le(struct sv_buf *b, uint64_t v, size_t width)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < width; i++)
		bytes[i] = (unsigned char)(v >> (8 * i));
	return sv_buf_put(b, bytes, width);
}

enum sv_code sv_buf_put_u8(struct sv_buf *b, uint8_t v)
{
	return put_le(b, v, 1);
}

enum sv_code sv_buf_put_u16(struct sv_buf *b, uint16_t v)
{
	return put_le(b, v, 2);
}

enum sv_code sv_buf_put_u32(struct sv_buf *b, uint32_t v)
{
	return put_le(b, v, 4);
}

enum sv_code sv_buf_put_u64(struct sv_buf *b, uint64_t v)
{
	return put_le(b, v, 8);
}

static enum sv_code put_str(struct sv_buf *b, const void *p, size_t n, size_t width)
{
	enum sv_code rc;

	if (n > (width == 2 ? UINT16_MAX : UINT32_MAX))
		return SV_ERR_TOO_BIG;
	rc = sv_buf_reserve(b, width + n);
	if (rc == SV_OK)
		rc = put_le(b, n, width);
	if (rc == SV_OK)
		rc = sv_buf_put(b, p, n);
	return rc;
}

enum sv_code sv_buf_put_str16(struct sv_buf *b, const void *p, size_t n)
{
	return put_str(b, p, n, 2);
}

enum sv_code sv_buf_put_str32(struct sv_buf *b, const void *p, size_t n)
{
	return put_str(b, p, n, 4);
}

enum sv_code sv_buf_get(struct sv_buf *b, void *p, size_t n)
{
	if (n > sv_buf_unread(b))
		return SV_ERR_TRUNCATED;
	if (n > 0)
		memcpy(p, b->data + b->off, n);
	b->off += n;
	return SV_OK;
}

static enum sv_code get_le(struct sv_buf *b, uint64_t *v, size_t width)
{
	uint64_t r = 0;

	if (width > sv_buf_unread(b))
		return SV_ERR_TRUNCATED;
	for (size_t i = 0; i < width; i++)
		r |= (uint64_t)b->data[b->off + i] << (8 * i);
	b->off += width;
	*v = r;
	return SV_OK;
}

enum sv_code sv_buf_get_u8(struct sv_buf *b, uint8_t *v)
{
	return sv_buf_get(b, v, 1);
}

enum sv_code sv_buf_get_u16(struct sv_buf *b, uint16_t *v)
{
	uint64_t r = 0;
	enum sv_code rc = get_le(b, &r, 2);

	if (rc == SV_OK)
		*v = (uint16_t)r;
	return rc;
}

enum sv_code sv_buf_get_u32(struct sv_buf *b, uint32_t *v)
{
	uint64_t r = 0;
	enum sv_code rc = get_le(b, &r, 4);

	if (rc == SV_OK)
		*v = (uint32_t)r;
	return rc;
}

enum sv_code sv_buf_get_u64(struct sv_buf *b, uint64_t *v)
{
	return get_le(b, v, 8);
}

enum sv_code sv_buf_peek(struct sv_buf *b, const unsigned char **p, size_t n)
{
	/* An empty view of a buffer without memory still points at something. */
	static const unsigned char nothing[1];

	if (n > sv_buf_unread(b))
		return SV_ERR_TRUNCATED;
	*p = b->data != NULL ? b->data + b->off : nothing;
	b->off += n;
	return SV_OK;
}

static enum sv_code peek_str(struct sv_buf *b, const unsigned char **p, size_t *n, size_t max_len, size_t width)
{
	size_t start = b->off;
	uint64_t len = 0;
	enum sv_code rc = get_le(b, &len, width);

	if (rc == SV_OK && len > max_len)
		rc = SV_ERR_TOO_BIG;
	if (rc == SV_OK)
		rc = sv_buf_peek(b, p, (size_t)len);
	if (rc != SV_OK) {
		b->off = start;
		return rc;
	}
	*n = (size_t)len;
	return SV_OK;
}

enum sv_code sv_buf_peek_str16(struct sv_buf *b, const char **p, size_t *n, size_t max_len)
{
	const unsigned char *u;
	enum sv_code rc = peek_str(b, &u, n, max_len, 2);

	if (rc == SV_OK)
		*p = (const char *)u;
	return rc;
}

enum sv_code sv_buf_peek_str32(struct sv_buf *b, const unsigned char **p, size_t *n, size_t max_len)
{
	return peek_str(b, p, n, max_len, 4);
}

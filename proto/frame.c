/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing: u32 body length, u8 version, u8 flags, u16 type, then the body.  Nothing is consumed until a frame is
 * whole, so the caller may be interrupted between any two bytes.
 */
#include "proto/frame.h"

enum sv_code sv_frame_begin(struct sv_buf *b, uint16_t type, uint8_t flags, size_t *mark)
{
	unsigned char head[SV_FRAME_HEADER_BYTES] = {
		0, 0, 0, 0, SV_PROTO_VERSION, flags, (unsigned char)(type & 0xff), (unsigned char)(type >> 8),
	};

	*mark = b->len;
	return sv_buf_put(b, head, sizeof(head));
}

enum sv_code sv_frame_end(struct sv_buf *b, size_t mark)
{
	size_t n;
	unsigned char *p;

	if (b->data == NULL || mark > b->len || b->len - mark < SV_FRAME_HEADER_BYTES)
		return SV_ERR_FAIL;
	n = b->len - mark - SV_FRAME_HEADER_BYTES;
	if (n > SV_FRAME_BODY_MAX)
		return SV_ERR_TOO_BIG;
	p = b->data + mark;
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> (8 * i));
	return SV_OK;
}

void sv_frame_set_more(struct sv_buf *b, size_t mark)
{
	b->data[mark + 5] |= SV_FRAME_MORE;
}

enum sv_code sv_frame_peek(const struct sv_buf *b, struct sv_frame *f, size_t *need)
{
	size_t have = sv_buf_unread(b);
	const unsigned char *p;

	*need = SV_FRAME_HEADER_BYTES;
	if (have < SV_FRAME_HEADER_BYTES)
		return SV_ERR_TRUNCATED;
	p = sv_buf_head(b);
	f->body_len = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	f->version = p[4];
	f->flags = p[5];
	f->type = (uint16_t)(p[6] | p[7] << 8);
	/*
	 * The header is judged before a byte of the body is waited for: a length that will be refused never holds
	 * memory.
	 */
	if (f->version != SV_PROTO_VERSION || (f->flags & ~SV_FRAME_MORE) != 0 || f->body_len > SV_FRAME_BODY_MAX)
		return SV_ERR_PROTO;
	*need += f->body_len;
	return have < *need ? SV_ERR_TRUNCATED : SV_OK;
}

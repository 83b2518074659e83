/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies, frame by frame.
 */
#include "agent/reply.h"

enum sv_code sv_reply_begin(struct sv_reply *r, struct sv_buf *b, struct sv_err *err)
{
	enum sv_code rc;

	r->b = b;
	r->start = b->len;
	rc = sv_frame_begin(b, SV_MSG_OK, 0, &r->mark);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the answer");
}

size_t sv_reply_body_len(const struct sv_reply *r)
{
	return r->b->len - r->mark - SV_FRAME_HEADER_BYTES;
}

enum sv_code sv_reply_end(struct sv_reply *r, bool more, struct sv_err *err)
{
	enum sv_code rc = sv_frame_end(r->b, r->mark);

	if (rc != SV_OK)
		return sv_err_set(err, rc, "the answer is larger than a message may be");
	if (more)
		sv_frame_set_more(r->b, r->mark);
	return SV_OK;
}

enum sv_code sv_reply_room(struct sv_reply *r, size_t n, size_t soft, struct sv_err *err)
{
	size_t body = sv_reply_body_len(r);
	enum sv_code rc;

	if (n > SV_REPLY_MAX || r->b->len - r->start > SV_REPLY_MAX - n)
		return sv_err_set(err, SV_ERR_TOO_BIG,
				  "the answer would be larger than %zu MiB; ask for less at a time",
				  SV_REPLY_MAX >> 20);
	if (body > 0 && (n > soft || body > soft - n)) {
		rc = sv_reply_end(r, true, err);
		if (rc != SV_OK)
			return rc;
		rc = sv_frame_begin(r->b, SV_MSG_OK, 0, &r->mark);
		if (rc != SV_OK)
			return sv_err_set(err, rc, "no memory for the answer");
	}
	rc = sv_buf_reserve(r->b, n);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the answer");
}

void sv_reply_error(struct sv_reply *r, const struct sv_err *e)
{
	struct sv_err told = *e;

	if (told.code == SV_OK)
		told.code = SV_ERR_FAIL;
	if (told.msg[0] == '\0')
		(void)sv_err_set(&told, told.code, "%s", sv_code_word(told.code));
	if (r->b->data != NULL)
		sv_wipe(r->b->data + r->start, r->b->len - r->start);
	r->b->len = r->start;
	/* An error fits into what a buffer has from the start; if even that is not to be had, the connection is closed.
	 */
	if (sv_frame_begin(r->b, SV_MSG_ERROR, 0, &r->mark) != SV_OK || sv_msg_put_error(r->b, &told) != SV_OK ||
	    sv_frame_end(r->b, r->mark) != SV_OK)
		r->b->len = r->start;
}

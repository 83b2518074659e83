/* SPDX-License-Identifier: Apache-2.0 */
/* proto/frame: whole frames come out however the bytes come in, and a header is judged before its body is waited for.
 */
#include "proto/frame.h"
#include "tests/support/sv_test.h"

#include <string.h>

static void put_frame(struct sv_buf *b, uint16_t type, uint8_t flags, const char *body, size_t n)
{
	size_t mark;

	assert_int_equal(sv_frame_begin(b, type, flags, &mark), SV_OK);
	assert_int_equal(sv_buf_put(b, body, n), SV_OK);
	assert_int_equal(sv_frame_end(b, mark), SV_OK);
}

static void the_header_has_its_documented_bytes(void **state)
{
	static const unsigned char want[] = { 3, 0, 0, 0, 1, 1, 0x34, 0x12, 'a', 'b', 'c' };
	struct sv_buf b = SV_BUF_INIT;

	(void)state;
	put_frame(&b, 0x1234, SV_FRAME_MORE, "abc", 3);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	sv_buf_clear(&b);
}

static void more_can_be_said_afterwards_of_the_frame_at_its_mark(void **state)
{
	struct sv_buf b = SV_BUF_INIT;
	struct sv_frame f;
	size_t need, mark;

	(void)state;
	put_frame(&b, 1, 0, "x", 1);
	mark = b.len;
	put_frame(&b, 2, 0, "", 0);
	sv_frame_set_more(&b, mark);
	assert_int_equal(sv_frame_peek(&b, &f, &need), SV_OK);
	assert_int_equal(f.flags, 0);
	b.off = mark;
	assert_int_equal(sv_frame_peek(&b, &f, &need), SV_OK);
	assert_int_equal(f.flags, SV_FRAME_MORE);
	assert_int_equal(f.body_len, 0);
	sv_buf_clear(&b);
}

static void bytes_may_come_one_by_one(void **state)
{
	struct sv_buf all = SV_BUF_INIT, b = SV_BUF_INIT;
	unsigned frames = 0;

	(void)state;
	put_frame(&all, SV_MSG_GET, 0, "hello", 5);
	put_frame(&all, SV_MSG_LOCK, 0, "", 0);
	put_frame(&all, SV_MSG_WRITE, SV_FRAME_MORE, "0123456789", 10);
	for (size_t i = 0; i < all.len; i++) {
		struct sv_frame f;
		enum sv_code rc;
		size_t need;

		assert_int_equal(sv_buf_put_u8(&b, all.data[i]), SV_OK);
		rc = sv_frame_peek(&b, &f, &need);
		if (rc == SV_ERR_TRUNCATED) {
			assert_true(need > sv_buf_unread(&b));
			assert_true(sv_buf_unread(&b) >= SV_FRAME_HEADER_BYTES || need == SV_FRAME_HEADER_BYTES);
			continue;
		}
		assert_int_equal(rc, SV_OK);
		assert_int_equal(need, sv_buf_unread(&b));
		b.off += need;
		frames++;
	}
	assert_int_equal(frames, 3);
	sv_buf_clear(&all);
	sv_buf_clear(&b);
}

static void a_header_that_is_wrong_is_refused_without_its_body(void **state)
{
	static const struct {
		unsigned char head[SV_FRAME_HEADER_BYTES];
		enum sv_code rc;
	} t[] = {
		{ { 0, 0, 0, 0, 1, 0, 1, 0 }, SV_OK },
		{ { 1, 0, 0, 0, 1, 0, 1, 0 }, SV_ERR_TRUNCATED },
		{ { 0, 0, 0, 0, 0, 0, 1, 0 }, SV_ERR_PROTO },
		{ { 0, 0, 0, 0, 2, 0, 1, 0 }, SV_ERR_PROTO },
		{ { 0, 0, 0, 0, 1, 2, 1, 0 }, SV_ERR_PROTO },
		{ { 0, 0, 0, 0, 1, 0x80, 1, 0 }, SV_ERR_PROTO },
		{ { 0, 0, 0x11, 0, 1, 0, 1, 0 }, SV_ERR_TRUNCATED }, /* 1 MiB + 64 KiB: the longest */
		{ { 1, 0, 0x11, 0, 1, 0, 1, 0 }, SV_ERR_PROTO },
		{ { 0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0 }, SV_ERR_PROTO },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct sv_buf b = SV_BUF_INIT;
		struct sv_frame f;
		size_t need;

		assert_int_equal(sv_buf_put(&b, t[i].head, sizeof(t[i].head)), SV_OK);
		if (sv_frame_peek(&b, &f, &need) != t[i].rc)
			fail_msg("header %zu", i);
		assert_int_equal(sv_buf_unread(&b), SV_FRAME_HEADER_BYTES);
		sv_buf_clear(&b);
	}
}

static void a_body_over_the_limit_cannot_be_closed(void **state)
{
	struct sv_buf b = SV_BUF_INIT;
	unsigned char *p;
	size_t mark;

	(void)state;
	assert_int_equal(sv_frame_begin(&b, 1, 0, &mark), SV_OK);
	assert_int_equal(sv_buf_extend(&b, SV_FRAME_BODY_MAX, &p), SV_OK);
	assert_int_equal(sv_frame_end(&b, mark), SV_OK);
	assert_int_equal(sv_buf_put_u8(&b, 0), SV_OK);
	assert_int_equal(sv_frame_end(&b, mark), SV_ERR_TOO_BIG);
	assert_int_equal(sv_frame_end(&b, b.len - 3), SV_ERR_FAIL); /* no header there */
	sv_buf_clear(&b);
	assert_int_equal(sv_frame_end(&b, 0), SV_ERR_FAIL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_has_its_documented_bytes),
		cmocka_unit_test(more_can_be_said_afterwards_of_the_frame_at_its_mark),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(a_header_that_is_wrong_is_refused_without_its_body),
		cmocka_unit_test(a_body_over_the_limit_cannot_be_closed),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}

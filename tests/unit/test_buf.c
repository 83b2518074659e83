/* SPDX-License-Identifier: Apache-2.0 */
/* vault/base/buf: what is put comes out, the end is noticed, limits hold, nothing stays behind. */
#include "tests/support/sv_test.h"
#include "vault/base/buf.h"

#include <string.h>

static void integers_come_back_little_endian(void **state)
{
	static const unsigned char want[] = { 0x12, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 8, 7, 6, 5, 4, 3, 2, 1 };
	struct sv_buf b = SV_BUF_INIT;
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	(void)state;
	assert_int_equal(sv_buf_put_u8(&b, 0x12), SV_OK);
	assert_int_equal(sv_buf_put_u16(&b, 0x1234), SV_OK);
	assert_int_equal(sv_buf_put_u32(&b, 0x12345678), SV_OK);
	assert_int_equal(sv_buf_put_u64(&b, 0x0102030405060708), SV_OK);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	assert_int_equal(sv_buf_get_u8(&b, &v8), SV_OK);
	assert_int_equal(sv_buf_get_u16(&b, &v16), SV_OK);
	assert_int_equal(sv_buf_get_u32(&b, &v32), SV_OK);
	assert_int_equal(sv_buf_get_u64(&b, &v64), SV_OK);
	assert_int_equal(v8, 0x12);
	assert_int_equal(v16, 0x1234);
	assert_int_equal(v32, 0x12345678);
	assert_true(v64 == 0x0102030405060708);
	assert_int_equal(sv_buf_get_u8(&b, &v8), SV_ERR_TRUNCATED);
	sv_buf_clear(&b);
}

static void get_u32_on_three_bytes_reports_truncation_and_consumes_nothing(void **state)
{
	struct sv_buf b = SV_BUF_INIT;
	uint32_t v = 7;

	(void)state;
	assert_int_equal(sv_buf_put(&b, "abc", 3), SV_OK);
	assert_int_equal(sv_buf_get_u32(&b, &v), SV_ERR_TRUNCATED);
	assert_int_equal(v, 7);
	assert_int_equal(sv_buf_unread(&b), 3);
	sv_buf_clear(&b);
}

static void strings_round_trip_and_lengths_are_bounded(void **state)
{
	struct sv_buf b = SV_BUF_INIT;
	const unsigned char *u;
	const char *s;
	size_t n;

	(void)state;
	assert_int_equal(sv_buf_put_str16(&b, "hello", 5), SV_OK);
	assert_int_equal(sv_buf_put_str32(&b, "", 0), SV_OK);
	assert_int_equal(sv_buf_peek_str16(&b, &s, &n, 4), SV_ERR_TOO_BIG);
	assert_int_equal(sv_buf_peek_str16(&b, &s, &n, 5), SV_OK);
	assert_int_equal(n, 5);
	assert_memory_equal(s, "hello", 5);
	assert_int_equal(sv_buf_peek_str32(&b, &u, &n, 0), SV_OK);
	assert_int_equal(n, 0);
	assert_int_equal(sv_buf_peek_str16(&b, &s, &n, 5), SV_ERR_TRUNCATED);
	sv_buf_clear(&b);
}

static void a_length_that_promises_more_than_there_is_is_truncation(void **state)
{
	struct sv_buf b = SV_BUF_INIT;
	const char *s;
	size_t n;

	(void)state;
	assert_int_equal(sv_buf_put(&b,
				    "\xff\xff"
				    "abc",
				    5),
			 SV_OK);
	assert_int_equal(sv_buf_peek_str16(&b, &s, &n, SIZE_MAX), SV_ERR_TRUNCATED);
	assert_int_equal(sv_buf_unread(&b), 5);
	sv_buf_clear(&b);
}

static void put_past_max_is_refused_and_changes_nothing(void **state)
{
	struct sv_buf b = { .max = 10 };
	unsigned char *p;

	(void)state;
	assert_int_equal(sv_buf_put(&b, "12345678", 8), SV_OK);
	assert_int_equal(sv_buf_put_u32(&b, 1), SV_ERR_TOO_BIG);
	assert_int_equal(sv_buf_put_str16(&b, "x", 1), SV_ERR_TOO_BIG);
	assert_int_equal(sv_buf_extend(&b, SIZE_MAX, &p), SV_ERR_TOO_BIG);
	assert_int_equal(b.len, 8);
	assert_int_equal(sv_buf_put_u16(&b, 1), SV_OK);
	sv_buf_clear(&b);
}

static void compact_moves_the_unread_and_wipes_behind(void **state)
{
	struct sv_buf b = SV_BUF_LOCKED(1000);
	const unsigned char *p;

	(void)state;
	assert_int_equal(sv_buf_put(&b, "consumedkept", 12), SV_OK);
	assert_int_equal(sv_buf_peek(&b, &p, 8), SV_OK);
	sv_buf_compact(&b);
	assert_int_equal(sv_buf_unread(&b), 4);
	assert_memory_equal(b.data, "kept\0\0\0\0\0\0\0\0", 12);
	sv_buf_reset(&b);
	assert_memory_equal(b.data, "\0\0\0\0", 4);
	sv_buf_clear(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 1000);
	assert_true(b.locked);
}

static void growth_keeps_the_bytes(void **state)
{
	struct sv_buf b = SV_BUF_LOCKED(0);
	uint32_t v;

	(void)state;
	for (uint32_t i = 0; i < 50000; i++)
		assert_int_equal(sv_buf_put_u32(&b, i), SV_OK);
	for (uint32_t i = 0; i < 50000; i++) {
		assert_int_equal(sv_buf_get_u32(&b, &v), SV_OK);
		assert_int_equal(v, i);
	}
	sv_buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_come_back_little_endian),
		cmocka_unit_test(get_u32_on_three_bytes_reports_truncation_and_consumes_nothing),
		cmocka_unit_test(strings_round_trip_and_lengths_are_bounded),
		cmocka_unit_test(a_length_that_promises_more_than_there_is_is_truncation),
		cmocka_unit_test(put_past_max_is_refused_and_changes_nothing),
		cmocka_unit_test(compact_moves_the_unread_and_wipes_behind),
		cmocka_unit_test(growth_keeps_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto/msg: what is encoded is decoded, and whatever else comes is refused without a byte read past its end.
 *
 * Every body that is decoded here lies in a block of exactly its size, so that a sanitizer or valgrind sees the first
 * byte too many.
 */
#include "tests/support/msg_samples.h"
#include "tests/support/sv_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decode n bytes that lie alone; *used is what was consumed. */
static enum sv_code decode(const struct msg_sample *s, const unsigned char *p, size_t n, struct sv_buf *out,
			   size_t *used)
{
	unsigned char *copy = malloc(n > 0 ? n : 1);
	struct sv_buf in = { .data = copy, .len = n, .cap = n, .max = n };
	enum sv_code rc;

	assert_non_null(copy);
	memcpy(copy, p, n);
	rc = s->again(&in, out);
	*used = in.off;
	assert_true(in.off <= n);
	assert_int_equal(in.len, n);
	free(copy);
	return rc;
}

static void every_message_comes_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < msg_samples_n; i++) {
		struct sv_buf b = SV_BUF_INIT, out = SV_BUF_INIT;
		size_t used;

		assert_int_equal(msg_samples[i].make(&b), SV_OK);
		if (decode(&msg_samples[i], b.data, b.len, &out, &used) != SV_OK)
			fail_msg("%s is refused", msg_samples[i].name);
		assert_int_equal(used, b.len);
		assert_int_equal(out.len, b.len);
		assert_memory_equal(out.data, b.data, b.len);
		/* and takes nothing of what stands behind it */
		assert_int_equal(sv_buf_put(&b, "\xff\xff\xff", 3), SV_OK);
		sv_buf_reset(&out);
		assert_int_equal(decode(&msg_samples[i], b.data, b.len, &out, &used), SV_OK);
		assert_int_equal(used, b.len - 3);
		sv_buf_clear(&b);
		sv_buf_clear(&out);
	}
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < msg_samples_n; i++) {
		struct sv_buf b = SV_BUF_INIT, out = SV_BUF_INIT;
		size_t used;

		assert_int_equal(msg_samples[i].make(&b), SV_OK);
		for (size_t n = 0; n < b.len; n++)
			if (decode(&msg_samples[i], b.data, n, &out, &used) != SV_ERR_PROTO)
				fail_msg("%s cut to %zu bytes is not refused", msg_samples[i].name, n);
		assert_int_equal(out.len, 0);
		sv_buf_clear(&b);
		sv_buf_clear(&out);
	}
}

/* What a flip turns into another good message must be one: encoding it gives the same bytes, but for bits that say
 * nothing. */
static void no_single_bit_flip_leads_a_decoder_astray(void **state)
{
	(void)state;
	for (size_t i = 0; i < msg_samples_n; i++) {
		struct sv_buf b = SV_BUF_INIT, out = SV_BUF_INIT, out2 = SV_BUF_INIT;

		assert_int_equal(msg_samples[i].make(&b), SV_OK);
		for (size_t bit = 0; bit < 8 * b.len; bit++) {
			size_t used, used2;
			enum sv_code rc;

			b.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
			rc = decode(&msg_samples[i], b.data, b.len, &out, &used);
			if (rc != SV_OK && rc != SV_ERR_PROTO)
				fail_msg("%s with bit %zu flipped gives %s", msg_samples[i].name, bit,
					 sv_code_word(rc));
			if (rc == SV_OK) {
				assert_int_equal(out.len, used);
				assert_int_equal(decode(&msg_samples[i], out.data, out.len, &out2, &used2), SV_OK);
				assert_int_equal(out2.len, out.len);
				assert_memory_equal(out2.data, out.data, out.len);
			}
			sv_buf_reset(&out);
			sv_buf_reset(&out2);
			b.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
		sv_buf_clear(&b);
		sv_buf_clear(&out);
		sv_buf_clear(&out2);
	}
}

/* A body with one field past its limit. */
static void limits_are_checked_both_ways(void **state)
{
	static char long_text[SV_META_TEXT_MAX + 2];
	struct sv_text text = { long_text, SV_META_TEXT_MAX + 1 }, got;
	struct sv_meta m = { 0 };
	struct sv_buf b = SV_BUF_INIT;
	struct sv_msg_resolve r = { .n = SV_SELECTORS_MAX + 1 };
	struct sv_msg_op op = {
		.op = SV_OP_PUT, .has_value = true, .value = (unsigned char *)long_text, .value_len = SV_VALUE_MAX + 1
	};

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	m.desc = text;
	assert_int_equal(sv_msg_put_meta(&b, &m), SV_ERR_TOO_BIG);
	m.desc = (struct sv_text){ long_text, SV_META_TEXT_MAX };
	m.owner = m.url = m.type = m.desc;
	sv_buf_reset(&b);
	assert_int_equal(sv_msg_put_meta(&b, &m), SV_ERR_TOO_BIG); /* each fits, together they do not */
	b.off = 0;
	assert_int_equal(sv_msg_get_meta(&b, &m), SV_ERR_PROTO);
	sv_buf_reset(&b);
	m = (struct sv_meta){ .n_tags = SV_META_LIST_MAX + 1 };
	assert_int_equal(sv_msg_put_meta(&b, &m), SV_ERR_TOO_BIG);
	sv_buf_reset(&b);
	assert_int_equal(sv_msg_put_resolve(&b, &r), SV_ERR_TOO_BIG);
	sv_buf_reset(&b);
	assert_int_equal(sv_msg_put_op(&b, &op), SV_ERR_TOO_BIG);
	sv_buf_reset(&b);
	assert_int_equal(sv_msg_put_text(&b, (struct sv_text){ long_text, 65 }), SV_OK);
	assert_int_equal(sv_msg_get_text(&b, &got, 64), SV_ERR_PROTO);
	b.off = 0;
	assert_int_equal(sv_msg_get_text(&b, &got, 65), SV_OK);
	assert_int_equal(got.n, 65);
	sv_buf_reset(&b);
	assert_int_equal(sv_msg_put_text(&b, (struct sv_text){ "a\0b", 3 }), SV_OK);
	assert_int_equal(sv_msg_get_text(&b, &got, 64), SV_ERR_PROTO);
	sv_buf_reset(&b);
	assert_int_equal(sv_msg_put_text(&b, (struct sv_text){ long_text, 70000 }), SV_ERR_TOO_BIG);
	sv_buf_clear(&b);
}

static void selectors_that_mean_nothing_are_refused(void **state)
{
	static const struct {
		uint8_t kind;
		const char *arg, *var;
		bool good;
	} t[] = {
		{ SV_SELECT_NAME, "a", "", true },
		{ SV_SELECT_NAME, "", "V", false },
		{ SV_SELECT_GROUP, "a/", "", true },
		{ SV_SELECT_GROUP, "", "", false },
		{ SV_SELECT_GROUP, "a/", "V", false },
		{ SV_SELECT_ALL, "", "", true },
		{ SV_SELECT_ALL, "a", "", false },
		{ SV_SELECT_ALL, "", "V", false },
		{ SV_SELECT_VAR_PREFIX, "A", "", true },
		{ SV_SELECT_VAR_PREFIX, "", "", false },
		{ SV_SELECT_VAR, "A", "", true },
		{ SV_SELECT_VAR, "A", "B", false },
		{ 0, "a", "", false },
		{ 6, "a", "", false },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct sv_msg_selector m = { t[i].kind,
					     { t[i].arg, strlen(t[i].arg) },
					     { t[i].var, strlen(t[i].var) } };
		struct sv_buf b = SV_BUF_INIT;

		assert_int_equal(sv_msg_put_selector(&b, &m), SV_OK);
		if ((sv_msg_get_selector(&b, &m) == SV_OK) != t[i].good)
			fail_msg("selector %zu", i);
		sv_buf_clear(&b);
	}
}

/* What goes into an environment must be one C string, and its variable must end where it says. */
static void pairs_that_would_lie_to_execve_are_refused(void **state)
{
	static const struct {
		const char *var, *name, *value;
		size_t n;
		bool good;
	} t[] = {
		{ "V", "n", "x", 1, true },   { "V", "n", "a\0b", 3, false }, { "V=W", "n", "x", 1, false },
		{ "V\0", "n", "x", 1, true }, { "V", "n", "", 0, true },      { "V", "n", "a=b", 3, true },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct sv_buf b = SV_BUF_INIT;
		struct sv_msg_pair m;

		assert_int_equal(sv_msg_put_pair_head(&b, false, (struct sv_text){ t[i].var, strlen(t[i].var) },
						      (struct sv_text){ t[i].name, 1 }, (uint32_t)t[i].n),
				 SV_OK);
		assert_int_equal(sv_buf_put(&b, t[i].value, t[i].n), SV_OK);
		assert_int_equal(sv_buf_put_u8(&b, 0), SV_OK);
		if ((sv_msg_get_pair(&b, &m, false) == SV_OK) != t[i].good)
			fail_msg("pair %zu", i);
		if (t[i].good) {
			assert_int_equal(strlen(m.pair), strlen(t[i].var) + 1 + t[i].n);
			assert_int_equal(sv_buf_unread(&b), 0);
		}
		sv_buf_clear(&b);
	}
}

static void an_error_keeps_code_and_sentence(void **state)
{
	static const struct {
		uint16_t sent;
		enum sv_code got;
	} t[] = {
		{ SV_ERR_FAIL, SV_ERR_FAIL },
		{ SV_ERR_NO_AGENT, SV_ERR_NO_AGENT },
		{ 18, SV_ERR_FAIL },
		{ 31, SV_ERR_FAIL },
		{ SV_ERR_NOT_A_VAULT, SV_ERR_NOT_A_VAULT },
		{ SV_ERR_FORK, SV_ERR_FORK },
		{ 38, SV_ERR_FAIL },
		{ 65535, SV_ERR_FAIL },
	};
	struct sv_err e = { SV_ERR_FAIL, 5, "" };
	struct sv_buf b = SV_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		assert_int_equal(sv_buf_put_u16(&b, t[i].sent), SV_OK);
		assert_int_equal(sv_buf_put_str16(&b, "so it is", 8), SV_OK);
		assert_int_equal(sv_msg_get_error(&b, &e), SV_OK);
		assert_int_equal(e.code, t[i].got);
		assert_int_equal(e.sys_errno, 0);
		assert_string_equal(e.msg, "so it is");
	}
	sv_buf_reset(&b);
	assert_int_equal(sv_buf_put(&b, "\0\0\0\0", 4), SV_OK); /* "no error" is no error reply */
	assert_int_equal(sv_msg_get_error(&b, &e), SV_ERR_PROTO);
	sv_buf_reset(&b);
	memset(e.msg, 'm', sizeof(e.msg)); /* the longest sentence, without its NUL even */
	e.code = SV_ERR_IO;
	assert_int_equal(sv_msg_put_error(&b, &e), SV_OK);
	assert_int_equal(sv_msg_get_error(&b, &e), SV_OK);
	assert_int_equal(strlen(e.msg), SV_ERR_MSG_BYTES - 1);
	sv_buf_clear(&b);
}

static void a_locked_buffer_without_room_refuses_to_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < msg_samples_n; i++) {
		struct sv_buf whole = SV_BUF_INIT;

		assert_int_equal(msg_samples[i].make(&whole), SV_OK);
		for (size_t max = 1; max < whole.len; max++) {
			struct sv_buf b = { .max = max };

			assert_int_equal(msg_samples[i].make(&b), SV_ERR_TOO_BIG);
			assert_true(b.len <= max);
			sv_buf_clear(&b);
		}
		sv_buf_clear(&whole);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_comes_back_as_it_was),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(no_single_bit_flip_leads_a_decoder_astray),
		cmocka_unit_test(limits_are_checked_both_ways),
		cmocka_unit_test(selectors_that_mean_nothing_are_refused),
		cmocka_unit_test(pairs_that_would_lie_to_execve_are_refused),
		cmocka_unit_test(an_error_keeps_code_and_sentence),
		cmocka_unit_test(a_locked_buffer_without_room_refuses_to_encode),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}

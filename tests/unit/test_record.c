/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Padding and field lists: sizes, round trips, and every way a sealed record could be other than canonical.
 */
#include "tests/support/sv_test.h"

#include "vault/record.h"

#include <stdlib.h>
#include <string.h>

static struct sv_text text(const char *s)
{
	return (struct sv_text){ s, strlen(s) };
}

static struct sv_record example(void)
{
	struct sv_record r = { .kind = SV_KIND_SECRET,
			       .state = SV_LIVE,
			       .verb = SV_VERB_EDIT,
			       .name = text("a/b"),
			       .txn = 7,
			       .origin = 3,
			       .undo_of = 5,
			       .created_s = -1,
			       .changed_s = 1700000000,
			       .value_len = 12 };

	memset(r.env_id, 0xee, sizeof(r.env_id));
	r.meta = (struct sv_meta){ .var = text("V"),
				   .desc = text("d"),
				   .owner = text("o"),
				   .url = text("u"),
				   .type = text("t"),
				   .n_tags = 2,
				   .n_scopes = 1,
				   .expires_s = 9,
				   .rotate_s = 8 };
	r.meta.tags[0] = text("one");
	r.meta.tags[1] = text("two");
	r.meta.scopes[0] = text("read");
	return r;
}

static void buckets_are_those_of_the_format(void **s)
{
	static const size_t table[][2] = { { 0, 256 },           { 1, 256 },           { 256, 256 },
					   { 257, 512 },         { 513, 1024 },        { 2048, 2048 },
					   { 2049, 4096 },       { 4096, 4096 },       { 4097, 8192 },
					   { 8193, 12288 },      { 65535, 65536 },     { 65536, 65536 },
					   { 65537, 73728 },     { 131072, 131072 },   { 131073, 147456 },
					   { 1048576, 1048576 }, { 1048577, 1179648 }, { 1048580, 1179648 } };

	(void)s;
	for (size_t i = 0; i < SV_COUNT(table); i++)
		assert_int_equal(sv_pad_bucket(table[i][0]), table[i][1]);
	for (size_t n = 0; n < 300000; n++) {
		size_t b = sv_pad_bucket(n);

		assert_true(b >= n && sv_pad_bucket(b) == b && b <= n + n / 8 + 4096);
	}
	assert_int_equal(sv_pad_bucket(SV_VALUE_MAX + 4), SV_VALUE_PADDED_MAX);
}

static void padding_is_canonical(void **s)
{
	struct sv_buf b = SV_BUF_LOCKED(4096);
	const unsigned char *p;
	size_t n;

	(void)s;
	assert_int_equal(sv_pad_put(&b, "hello", 5), SV_OK);
	assert_int_equal(b.len, 256);
	assert_int_equal(sv_pad_get(b.data, b.len, &p, &n), SV_OK);
	assert_int_equal(n, 5);
	for (size_t i = 9; i < 256; i++) { /* fill */
		b.data[i] = 1;
		assert_int_equal(sv_pad_get(b.data, b.len, &p, &n), SV_ERR_INTEGRITY);
		b.data[i] = 0;
	}
	for (size_t len = 0; len < 256; len++)
		assert_int_equal(sv_pad_get(b.data, len, &p, &n), SV_ERR_INTEGRITY);
	b.data[0] = 253; /* a length that belongs to the next bucket */
	assert_int_equal(sv_pad_get(b.data, b.len, &p, &n), SV_ERR_INTEGRITY);
	memset(b.data, 0xff, 4);
	assert_int_equal(sv_pad_get(b.data, b.len, &p, &n), SV_ERR_INTEGRITY);
	sv_buf_clear(&b);
}

static void a_record_comes_back(void **s)
{
	struct sv_buf b = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	struct sv_record r = example(), got;

	(void)s;
	assert_int_equal(sv_record_encode(&r, &b, NULL), SV_OK);
	assert_int_equal(sv_record_decode(b.data, b.len, &got, NULL), SV_OK);
	assert_int_equal(got.kind, r.kind);
	assert_int_equal(got.verb, r.verb);
	assert_memory_equal(got.env_id, r.env_id, 16);
	assert_int_equal(got.txn, 7);
	assert_int_equal(got.origin, 3);
	assert_int_equal(got.undo_of, 5);
	assert_int_equal(got.created_s, -1);
	assert_int_equal(got.value_len, 12);
	assert_true(sv_meta_equal(&got.meta, &r.meta));
	r = (struct sv_record){ .kind = SV_KIND_ENV, .name = text("dev"), .standalone = true };
	assert_int_equal(sv_record_encode(&r, &b, NULL), SV_OK);
	assert_int_equal(sv_record_decode(b.data, b.len, &got, NULL), SV_OK);
	assert_true(got.standalone);
	sv_buf_clear(&b);
}

/* Whatever decodes encodes back to the same bytes, when nothing in it was unknown. */
static void what_decodes_is_canonical(void **s)
{
	struct sv_buf b = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX), again = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	struct sv_record r = example(), got;
	unsigned same = 0, other = 0;

	(void)s;
	assert_int_equal(sv_record_encode(&r, &b, NULL), SV_OK);
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (sv_record_decode(b.data, b.len, &got, NULL) == SV_OK) {
			assert_int_equal(sv_record_encode(&got, &again, NULL), SV_OK);
			if (again.len == b.len && memcmp(again.data, b.data, b.len) == 0)
				same++;
			else
				other++; /* a field turned into one that is not known */
		}
		b.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_true(same > 300);
	assert_true(other < 200);
	sv_buf_clear(&b);
	sv_buf_clear(&again);
}

static enum sv_code decode(const unsigned char *body, size_t n)
{
	struct sv_buf b = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	struct sv_record r;
	enum sv_code rc;

	assert_int_equal(sv_pad_put(&b, body, n), SV_OK);
	rc = sv_record_decode(b.data, b.len, &r, NULL);
	sv_buf_clear(&b);
	return rc;
}

static void unknown_fields_are_skipped_unless_critical(void **s)
{
	struct sv_buf b = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	struct sv_record r = example();
	unsigned char body[512];
	const unsigned char *p;
	size_t n;

	(void)s;
	assert_int_equal(sv_record_encode(&r, &b, NULL), SV_OK);
	assert_int_equal(sv_pad_get(b.data, b.len, &p, &n), SV_OK);
	memcpy(body, p, n);
	assert_int_equal(decode(body, n), SV_OK);
	memcpy(body + n, "\x99\x00\x01\x00z", 5);
	assert_int_equal(decode(body, n + 5), SV_OK);
	body[n + 1] = 0x80;
	assert_int_equal(decode(body, n + 5), SV_ERR_UNSUPPORTED);
	memcpy(body + n, "\x20\x00\x01\x00z", 5); /* a second, descending field 32 */
	assert_int_equal(decode(body, n + 5), SV_ERR_INTEGRITY);
	for (size_t cut = 1; cut < n; cut++) {
		enum sv_code rc = decode(body, n - cut);

		assert_true(rc == SV_OK || rc == SV_ERR_INTEGRITY);
	}
	assert_int_equal(decode(body, 20), SV_ERR_INTEGRITY);
	sv_buf_clear(&b);
}

static void too_much_metadata_is_refused(void **s)
{
	static char big[SV_META_TEXT_MAX + 2];
	struct sv_buf b = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	struct sv_record r = example(), got;

	(void)s;
	memset(big, 'x', sizeof(big) - 1);
	r.meta.desc = (struct sv_text){ big, SV_META_TEXT_MAX };
	r.meta.owner = r.meta.url = r.meta.desc;
	assert_int_equal(sv_meta_check(&r.meta, NULL), SV_OK);
	assert_int_equal(sv_record_encode(&r, &b, NULL), SV_OK);
	assert_int_equal(sv_record_decode(b.data, b.len, &got, NULL), SV_OK);
	r.meta.type = r.meta.desc;
	assert_int_equal(sv_record_encode(&r, &b, NULL), SV_ERR_TOO_BIG);
	r.meta.desc.n++;
	assert_int_equal(sv_meta_check(&r.meta, NULL), SV_ERR_TOO_BIG);
	r = example();
	r.meta.desc = text("\xff");
	assert_int_equal(sv_meta_check(&r.meta, NULL), SV_ERR_USAGE);
	r = example();
	r.meta.n_tags = SV_META_LIST_MAX + 1;
	assert_int_equal(sv_meta_check(&r.meta, NULL), SV_ERR_TOO_BIG);
	r = example();
	r.meta.tags[0].n = 0;
	assert_int_equal(sv_meta_check(&r.meta, NULL), SV_ERR_USAGE);
	r = example();
	r.meta.expires_s = -1;
	assert_int_equal(sv_meta_check(&r.meta, NULL), SV_ERR_USAGE);
	sv_buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_those_of_the_format),
		cmocka_unit_test(padding_is_canonical),
		cmocka_unit_test(a_record_comes_back),
		cmocka_unit_test(what_decodes_is_canonical),
		cmocka_unit_test(unknown_fields_are_skipped_unless_critical),
		cmocka_unit_test(too_much_metadata_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

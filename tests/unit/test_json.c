/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON writer: commas, escapes, values.
 */
#include "tests/support/sv_test.h"

#include "cli/json.h"

#include <string.h>

static struct sv_out out = SV_OUT_INIT(-1);
static struct sv_json j = { &out, false };

static const char *text(void)
{
	static char copy[4096];
	size_t n = sv_buf_unread(&out.buf);

	assert_true(n < sizeof(copy));
	memcpy(copy, n > 0 ? (const char *)sv_buf_head(&out.buf) : "", n);
	copy[n] = '\0';
	sv_buf_reset(&out.buf);
	j.comma = false;
	return copy;
}

static int drop(void **state)
{
	(void)state;
	sv_out_clear(&out);
	return 0;
}

static void members_are_divided_by_commas(void **state)
{
	(void)state;
	sv_json_open(&j, NULL, '{');
	sv_json_str(&j, "a", "x");
	sv_json_number(&j, "b", -5);
	sv_json_open(&j, "c", '[');
	sv_json_bool(&j, NULL, true);
	sv_json_null(&j, NULL);
	sv_json_open(&j, NULL, '{');
	sv_json_close(&j, '}');
	sv_json_close(&j, ']');
	sv_json_bool(&j, "d", false);
	sv_json_close(&j, '}');
	sv_json_end(&j);
	assert_string_equal(text(), "{\"a\":\"x\",\"b\":-5,\"c\":[true,null,{}],\"d\":false}\n");
}

static void what_harms_a_terminal_or_a_parser_is_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "\"plain\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "a\nb\tc\rd", "\"a\\nb\\tc\\rd\"" },
		{ "\033[31m\001\177", "\"\\u001b[31m\\u0001\\u007f\"" },
		{ "\xc2\x9b", "\"\\u009b\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
		{ "\xef\xbb\xbf", "\"\\ufeff\"" },
		{ "\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"" },
		{ "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x94\x91", "\"\xc3\xa4\xe6\x97\xa5\xf0\x9f\x94\x91\"" },
		{ "a\xff"
		  "b\xc3",
		  "\"a\xef\xbf\xbd"
		  "b\xef\xbf\xbd\"" },
		{ "", "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sv_json_text(&j, NULL, (struct sv_text){ rows[i].in, strlen(rows[i].in) });
		assert_string_equal(text(), rows[i].out);
	}
}

static void a_value_that_is_no_text_is_base64(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} rows[] = {
		{ "\xff", 1, "\"value_base64\":\"/w==\"" },
		{ "\xff\xfe", 2, "\"value_base64\":\"//4=\"" },
		{ "\xff\xfe\xfd", 3, "\"value_base64\":\"//79\"" },
		{ "\xff\xfe\xfd\x00", 4, "\"value_base64\":\"//79AA==\"" },
		{ "text\n", 5, "\"value\":\"text\\n\"" },
		{ "", 0, "\"value\":\"\"" },
		{ "a\0b", 3, "\"value\":\"a\\u0000b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sv_json_value(&j, "value", rows[i].in, rows[i].n);
		assert_string_equal(text(), rows[i].out);
	}
}

static void times_are_iso_or_null(void **state)
{
	(void)state;
	sv_json_time(&j, "t", 951782400);
	sv_json_time(&j, "u", 0);
	assert_string_equal(text(), "\"t\":\"2000-02-29T00:00:00Z\",\"u\":null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_divided_by_commas),
		cmocka_unit_test(what_harms_a_terminal_or_a_parser_is_escaped),
		cmocka_unit_test(a_value_that_is_no_text_is_base64),
		cmocka_unit_test(times_are_iso_or_null),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}

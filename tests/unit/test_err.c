/* SPDX-License-Identifier: Apache-2.0 */
/* vault/base/err: sentences are cut at character borders, codes have words. */
#include "tests/support/sv_test.h"
#include "vault/base/err.h"

#include <errno.h>
#include <string.h>

static void set_returns_the_code_and_keeps_the_sentence(void **state)
{
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	assert_int_equal(sv_err_set(&err, SV_ERR_NOT_FOUND, "no secret named %s", "a/b"), SV_ERR_NOT_FOUND);
	assert_int_equal(err.code, SV_ERR_NOT_FOUND);
	assert_string_equal(err.msg, "no secret named a/b");
	assert_int_equal(sv_err_set(NULL, SV_ERR_IO, "x"), SV_ERR_IO);
}

static void sys_appends_the_reason(void **state)
{
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	assert_int_equal(sv_err_sys(&err, SV_ERR_IO, ENOENT, "cannot open it"), SV_ERR_IO);
	assert_int_equal(err.sys_errno, ENOENT);
	assert_string_equal(err.msg, "cannot open it: No such file or directory");
}

static void prefix_goes_in_front(void **state)
{
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	(void)sv_err_set(&err, SV_ERR_IO, "disk full");
	sv_err_prefix(&err, "cannot save %s", "x");
	assert_string_equal(err.msg, "cannot save x: disk full");
	sv_err_prefix(NULL, "nothing");
}

static void long_sentences_are_cut_between_characters(void **state)
{
	struct sv_err err = SV_ERR_INIT;
	char text[SV_ERR_MSG_BYTES + 64];

	(void)state;
	/* Every alignment of a three-byte character against the end of the buffer. */
	for (size_t lead = 0; lead < 3; lead++) {
		size_t n = lead;

		memset(text, 'x', sizeof(text));
		while (n + 3 < sizeof(text)) {
			memcpy(text + n, "\xe2\x82\xac", 3);
			n += 3;
		}
		text[n] = '\0';
		(void)sv_err_set(&err, SV_ERR_FAIL, "%s", text);
		n = strlen(err.msg);
		assert_true(n >= SV_ERR_MSG_BYTES - 3);
		assert_int_equal((n - lead) % 3, 0);
	}
}

static void every_code_has_a_word_of_its_own(void **state)
{
	static const enum sv_code codes[] = {
		SV_OK,           SV_ERR_FAIL,      SV_ERR_USAGE,    SV_ERR_LOCKED,      SV_ERR_NOT_FOUND,
		SV_ERR_NO_VAULT, SV_ERR_DENIED,    SV_ERR_EXISTS,   SV_ERR_CONFLICT,    SV_ERR_NAME,
		SV_ERR_TOO_BIG,  SV_ERR_NOMEM,     SV_ERR_IO,       SV_ERR_PASSPHRASE,  SV_ERR_BUSY,
		SV_ERR_PROTO,    SV_ERR_TRUNCATED, SV_ERR_NO_AGENT, SV_ERR_NOT_A_VAULT, SV_ERR_UNSUPPORTED,
		SV_ERR_LIMITS,   SV_ERR_INTEGRITY, SV_ERR_ROLLBACK, SV_ERR_FORK
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(codes); i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(sv_code_word(codes[i]), sv_code_word(codes[j]));
	}
	assert_string_equal(sv_code_word((enum sv_code)9999), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_the_code_and_keeps_the_sentence),
		cmocka_unit_test(sys_appends_the_reason),
		cmocka_unit_test(prefix_goes_in_front),
		cmocka_unit_test(long_sentences_are_cut_between_characters),
		cmocka_unit_test(every_code_has_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

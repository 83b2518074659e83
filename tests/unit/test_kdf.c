/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slot keys and recovery codes.
 */
#include "tests/support/sv_test.h"

#include "vault/kdf.h"

#include <string.h>

static struct sv_kdf small(void)
{
	struct sv_kdf k = { .alg = SV_KDF_ARGON2ID13, .ops = 1, .mem = SV_KDF_READ_MEM_MIN };

	memset(k.salt, 0x40, sizeof(k.salt));
	return k;
}

static void levels_are_at_or_above_the_floor(void **s)
{
	static const enum sv_kdf_level levels[] = { SV_KDF_INTERACTIVE, SV_KDF_MODERATE, SV_KDF_SENSITIVE };
	struct sv_kdf a, b;

	(void)s;
	for (size_t i = 0; i < SV_COUNT(levels); i++) {
		assert_int_equal(sv_kdf_choose(levels[i], &a, NULL), SV_OK);
		assert_int_equal(a.mem, (uint64_t)64 << 20 << 2 * i);
		assert_int_equal(a.ops, 3);
		assert_int_equal(sv_kdf_check(&a, NULL), SV_OK);
	}
	assert_int_equal(sv_kdf_choose(SV_KDF_INTERACTIVE, &b, NULL), SV_OK);
	assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
	assert_int_equal(sv_kdf_choose((enum sv_kdf_level)99, &b, NULL), SV_ERR_USAGE);
}

static void the_default_is_calibrated_within_bounds(void **s)
{
	struct sv_kdf k;

	(void)s;
	assert_int_equal(sv_kdf_choose(SV_KDF_DEFAULT, &k, NULL), SV_OK);
	assert_in_range(k.ops, 3, 16);
	assert_true(k.mem == (uint64_t)256 << 20 || k.mem == (uint64_t)64 << 20);
}

static void parameters_out_of_bounds_are_refused(void **s)
{
	struct sv_secret *key;
	struct sv_kdf k;

	(void)s;
	for (int i = 0; i < 6; i++) {
		k = small();
		if (i == 0)
			k.alg = 1;
		if (i == 1)
			k.ops = 0;
		if (i == 2)
			k.ops = 33;
		if (i == 3)
			k.mem--;
		if (i == 4)
			k.mem = SV_KDF_READ_MEM_MAX + 1;
		if (i == 5)
			k.mem = UINT64_MAX;
		assert_int_equal(sv_kdf_check(&k, NULL), SV_ERR_LIMITS);
		assert_int_equal(sv_kdf_derive(&k, (const unsigned char *)"p", 1, &key, NULL), SV_ERR_LIMITS);
		assert_null(key);
	}
}

static void the_key_depends_on_passphrase_and_salt(void **s)
{
	static unsigned char longest[SV_PASSPHRASE_MAX + 1];
	struct sv_secret *a, *b;
	struct sv_kdf k = small();

	(void)s;
	assert_int_equal(sv_kdf_derive(&k, (const unsigned char *)"pass", 4, &a, NULL), SV_OK);
	assert_int_equal(sv_secret_len(a), SV_SLOT_KEY_BYTES);
	assert_int_equal(sv_kdf_derive(&k, (const unsigned char *)"pass", 4, &b, NULL), SV_OK);
	assert_true(sv_secret_equal(a, b));
	sv_secret_free(&b);
	assert_int_equal(sv_kdf_derive(&k, (const unsigned char *)"pasS", 4, &b, NULL), SV_OK);
	assert_false(sv_secret_equal(a, b));
	sv_secret_free(&b);
	k.salt[3] ^= 1;
	assert_int_equal(sv_kdf_derive(&k, (const unsigned char *)"pass", 4, &b, NULL), SV_OK);
	assert_false(sv_secret_equal(a, b));
	sv_secret_free(&b);
	sv_secret_free(&a);
	memset(longest, 'p', sizeof(longest));
	assert_int_equal(sv_kdf_derive(&k, longest, 0, &b, NULL), SV_ERR_USAGE);
	assert_int_equal(sv_kdf_derive(&k, longest, SV_PASSPHRASE_MAX + 1, &b, NULL), SV_ERR_USAGE);
	longest[5] = 0;
	assert_int_equal(sv_kdf_derive(&k, longest, 10, &b, NULL), SV_ERR_USAGE);
}

static void a_code_parses_back_however_it_is_typed(void **s)
{
	struct sv_secret *code, *a, *b;
	char typed[128];
	size_t n = 0;

	(void)s;
	assert_int_equal(sv_recovery_new(&code, NULL), SV_OK);
	assert_int_equal(sv_secret_len(code), SV_RECOVERY_TEXT - 1);
	assert_int_equal(strlen((const char *)sv_secret_cpeek(code)), SV_RECOVERY_TEXT - 1);
	assert_int_equal(sv_recovery_parse((const char *)sv_secret_cpeek(code), sv_secret_len(code), &a, NULL), SV_OK);
	assert_int_equal(sv_secret_len(a), 34);
	for (size_t i = 0; i < sv_secret_len(code); i++) {
		char c = (char)sv_secret_cpeek(code)[i];

		typed[n++] = c == '-'   ? ' '
			     : c == '0' ? 'o'
			     : c == '1' ? (i % 2 ? 'l' : 'I')
			     : c >= 'A' ? (char)(c + 32)
					: c;
	}
	typed[n++] = '\n';
	assert_int_equal(sv_recovery_parse(typed, n, &b, NULL), SV_OK);
	assert_true(sv_secret_equal(a, b));
	sv_secret_free(&a);
	sv_secret_free(&b);
	sv_secret_free(&code);
}

static void most_typing_errors_are_told(void **s)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	struct sv_secret *code, *a;
	unsigned tried = 0, missed = 0;

	(void)s;
	assert_int_equal(sv_recovery_new(&code, NULL), SV_OK);
	for (size_t i = 0; i < sv_secret_len(code); i++) {
		unsigned char *p = sv_secret_peek(code) + i, was = *p;

		if (was == '-')
			continue;
		for (size_t d = 0; d < 32; d++) {
			*p = (unsigned char)digits[d];
			if (*p == was)
				continue;
			tried++;
			if (sv_recovery_parse((const char *)sv_secret_cpeek(code), sv_secret_len(code), &a, NULL) ==
			    SV_OK) {
				missed++;
				sv_secret_free(&a);
			}
		}
		*p = was;
	}
	assert_true(missed <= tried / 100); /* ten bits: one in 1024 */
	assert_int_equal(sv_recovery_parse((const char *)sv_secret_cpeek(code), sv_secret_len(code) - 1, &a, NULL),
			 SV_ERR_USAGE);
	assert_int_equal(sv_recovery_parse("", 0, &a, NULL), SV_ERR_USAGE);
	assert_int_equal(sv_recovery_parse("not a code at all, is it? uuuuuuuuuuuuuuuuuuuu", 46, &a, NULL),
			 SV_ERR_USAGE);
	sv_secret_free(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_at_or_above_the_floor),
		cmocka_unit_test(the_default_is_calibrated_within_bounds),
		cmocka_unit_test(parameters_out_of_bounds_are_refused),
		cmocka_unit_test(the_key_depends_on_passphrase_and_salt),
		cmocka_unit_test(a_code_parses_back_however_it_is_typed),
		cmocka_unit_test(most_typing_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

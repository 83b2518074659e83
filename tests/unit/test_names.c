/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name index against a plain model, and against a look at its memory.
 */
#include "tests/support/sv_test.h"

#include "vault/names.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 3000

static uint32_t model[2][NAMES]; /* value length + 1, 0: not there */
static unsigned seed = 7;

static unsigned roll(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* Sorts as its number does; lengths differ. */
static struct sv_text name_of(unsigned i, char out[256])
{
	int n = snprintf(out, 256, "g%02u/%05u-%.*s", i / 100, i, (int)(i * 7 % 180),
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxx"
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

	return (struct sv_text){ out, (size_t)n };
}

static void check(struct sv_names *n, const uint8_t space[16], unsigned which, struct sv_text group, unsigned lo,
		  unsigned hi, struct sv_text after)
{
	struct sv_names_walk w;
	struct sv_name_entry e;
	char buf[256];

	assert_int_equal(sv_names_walk_open(n, space, group, after, &w), SV_OK);
	for (unsigned i = lo; i < hi; i++) {
		if (model[which][i] == 0)
			continue;
		assert_true(sv_names_walk_next(&w, &e));
		assert_int_equal(sv_text_cmp(e.name, name_of(i, buf)), 0);
		assert_int_equal(e.value_len, model[which][i] - 1);
		assert_int_equal(e.expires_s, -(int64_t)i);
		assert_int_equal(e.var.n, i % 3 == 0 ? 3 : 0);
	}
	if (hi == NAMES)
		assert_false(sv_names_walk_next(&w, &e));
	sv_names_walk_close(&w);
}

static void random_changes_keep_the_index_true(void **s)
{
	const struct sv_text none = { "", 0 };
	uint8_t space[2][16] = { { 1 }, { 2 } };
	struct sv_names *n;
	char buf[256], buf2[256];

	(void)s;
	assert_true(sodium_init() >= 0);
	assert_non_null(n = sv_names_new());
	for (unsigned round = 0; round < 400; round++) {
		unsigned changes = round % 20 == 0 ? 2000 : 1 + roll(3);

		for (unsigned k = 0; k < changes; k++) {
			unsigned which = roll(2), i = roll(NAMES);

			if (roll(3) == 0) {
				assert_int_equal(sv_names_drop(n, space[which], name_of(i, buf)), SV_OK);
				model[which][i] = 0;
			} else {
				struct sv_name_entry e = { .name = name_of(i, buf),
							   .expires_s = -(int64_t)i,
							   .value_len = roll(1000) };

				if (i % 3 == 0)
					e.var = (struct sv_text){ "VAR", 3 };
				assert_int_equal(sv_names_put(n, space[which], &e), SV_OK);
				model[which][i] = e.value_len + 1;
			}
		}
		assert_int_equal(sv_names_flush(n), SV_OK);
		if (round % 10 == 0) {
			for (unsigned which = 0; which < 2; which++) {
				unsigned count = 0, at = roll(NAMES - 1), group = roll(30);

				for (unsigned i = 0; i < NAMES; i++)
					count += model[which][i] != 0;
				assert_int_equal(sv_names_count(n, space[which]), count);
				check(n, space[which], which, none, 0, NAMES, none);
				check(n, space[which], which, none, at + 1, NAMES, name_of(at, buf));
				(void)snprintf(buf2, sizeof(buf2), "g%02u/", group);
				check(n, space[which], which, (struct sv_text){ buf2, 4 }, group * 100,
				      group * 100 + 100, none);
			}
		}
	}
	sv_names_free(&n);
	assert_null(n);
}

static void an_empty_space_has_nothing(void **s)
{
	const struct sv_text none = { "", 0 };
	uint8_t space[16] = { 9 };
	struct sv_names *n = sv_names_new();
	struct sv_names_walk w;
	struct sv_name_entry e = { .name = { "a", 1 } };

	(void)s;
	assert_non_null(n);
	assert_int_equal(sv_names_count(n, space), 0);
	assert_int_equal(sv_names_walk_open(n, space, none, none, &w), SV_OK);
	assert_false(sv_names_walk_next(&w, &e));
	sv_names_walk_close(&w);
	e.name = (struct sv_text){ "a", 1 };
	assert_int_equal(sv_names_put(n, space, &e), SV_OK);
	assert_int_equal(sv_names_drop(n, space, e.name), SV_OK);
	assert_int_equal(sv_names_flush(n), SV_OK);
	assert_int_equal(sv_names_count(n, space), 0);
	sv_names_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_keep_the_index_true),
		cmocka_unit_test(an_empty_space_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row index against a plain model: random plans of additions and removals, applied or thrown away.
 */
#include "tests/support/sv_test.h"

#include "vault/rows.h"

#include <stdlib.h>
#include <string.h>

#define IDS  60
#define REVS 12

static unsigned seed = 1;

static unsigned roll(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static bool model[IDS][REVS + 1]; /* which (id, rev) are there */

static void id_of(unsigned i, uint8_t id[16])
{
	memset(id, 0, 16);
	id[0] = (uint8_t)(i * 37);
	id[15] = (uint8_t)i;
}

static void tag_of(unsigned i, uint8_t tag[32])
{
	memset(tag, (int)(i % 20), 32); /* collisions on purpose: several items under one tag, and one home slot */
}

static unsigned top(unsigned i)
{
	for (unsigned r = REVS; r > 0; r--)
		if (model[i][r])
			return r;
	return 0;
}

static int by_row(const void *a, const void *b, void *rows)
{
	return sv_rows_cmp(sv_rows_at(rows, *(const uint32_t *)a), sv_rows_at(rows, *(const uint32_t *)b));
}

static void check(struct sv_rows *r)
{
	uint32_t n = 0;
	uint8_t id[16], tag[32];

	for (unsigned i = 0; i < IDS; i++) {
		uint32_t cur;

		id_of(i, id);
		for (uint32_t rev = 1; rev <= REVS; rev++) {
			assert_int_equal(sv_rows_find(r, id, rev) != SV_ROW_NONE, model[i][rev]);
			n += model[i][rev];
		}
		cur = sv_rows_current(r, id);
		assert_int_equal(cur == SV_ROW_NONE ? 0 : sv_rows_at(r, cur)->rev, top(i));
	}
	assert_int_equal(r->n, n);
	for (uint32_t pos = 1; pos < r->n; pos++)
		assert_true(sv_rows_cmp(sv_rows_at(r, r->order[pos - 1]), sv_rows_at(r, r->order[pos])) < 0);
	for (unsigned t = 0; t < 20; t++) {
		unsigned want = 0, got = 0;
		uint32_t cursor = 0, h;

		for (unsigned i = 0; i < IDS; i++)
			want += i % 20 == t && top(i) != 0;
		tag_of(t, tag);
		while ((h = sv_rows_by_tag(r, tag, &cursor)) != SV_ROW_NONE) {
			got++;
			assert_int_equal(sv_rows_current(r, sv_rows_at(r, h)->id), h);
		}
		assert_int_equal(got, want);
	}
}

static void random_plans_keep_the_index_true(void **s)
{
	struct sv_keys keys = { 0 };
	struct sv_scope scope = { .suite = 1, .keys = &keys };
	struct sv_rows r = { .free = SV_ROW_NONE };

	(void)s;
	{
		uint8_t none[32];

		sv_rows_root(&r, &scope, none); /* as after loading: plans start from hashed branches */
	}
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t add[IDS], del[IDS * REVS], n_add = 0, n_del = 0;
		bool many = roll(10) == 0, keep = roll(4) != 0;
		uint8_t whole[32], part[32];
		struct sv_rows_plan p;

		for (unsigned i = 0; i < IDS; i++) {
			unsigned t = top(i);
			uint8_t id[16];

			id_of(i, id);
			if (roll(many ? 2 : 30) != 0)
				continue;
			if (t < REVS && roll(3) != 0) {
				uint32_t h = sv_rows_new(&r);

				id_of(i, sv_rows_at(&r, h)->id);
				tag_of(i, sv_rows_at(&r, h)->tag);
				sv_rows_at(&r, h)->rev = t + 1;
				sv_rows_at(&r, h)->leaf[0] = (uint8_t)round;
				add[n_add++] = h;
				for (unsigned rev = 1; rev + 3 < t; rev++)
					if (model[i][rev])
						del[n_del++] = sv_rows_find(&r, id, rev);
			} else {
				for (unsigned rev = 1; rev <= t; rev++)
					if (model[i][rev])
						del[n_del++] = sv_rows_find(&r, id, rev);
			}
		}
		qsort_r(add, n_add, sizeof(*add), by_row, &r);
		qsort_r(del, n_del, sizeof(*del), by_row, &r);
		assert_true(sv_rows_plan(&r, add, n_add, del, n_del, &p));
		sv_rows_plan_root(&r, &p, &scope, add, n_add, del, n_del, part);
		if (keep) {
			for (uint32_t k = 0; k < n_add; k++)
				model[sv_rows_at(&r, add[k])->id[15]][sv_rows_at(&r, add[k])->rev] = true;
			for (uint32_t k = 0; k < n_del; k++)
				model[sv_rows_at(&r, del[k])->id[15]][sv_rows_at(&r, del[k])->rev] = false;
			sv_rows_apply(&r, &p, add, n_add, del, n_del);
			/* the root of the plan is the root of what it made */
			sv_rows_root(&r, &scope, whole);
			assert_memory_equal(whole, part, 32);
		} else {
			for (uint32_t k = 0; k < n_add; k++)
				sv_rows_release(&r, add[k]);
		}
		sv_rows_plan_clear(&p);
		if (round % 50 == 0)
			check(&r);
	}
	check(&r);
	sv_rows_clear(&r);
}

static void loading_out_of_order_is_refused(void **s)
{
	struct sv_rows r = { .free = SV_ROW_NONE };
	uint32_t a, b;

	(void)s;
	a = sv_rows_new(&r);
	sv_rows_at(&r, a)->rev = 2;
	b = sv_rows_new(&r);
	sv_rows_at(&r, b)->rev = 2;
	assert_true(sv_rows_append(&r, a));
	assert_false(sv_rows_append(&r, b));
	sv_rows_at(&r, b)->rev = 1;
	assert_false(sv_rows_append(&r, b));
	sv_rows_at(&r, b)->rev = 3;
	assert_true(sv_rows_append(&r, b));
	assert_true(sv_rows_hash_all(&r));
	sv_rows_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_plans_keep_the_index_true),
		cmocka_unit_test(loading_out_of_order_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema steps: in order, each whole or not at all.
 */
#include "tests/support/sv_test.h"

#include "vault/migrate.h"

#include <string.h>

static int number(sqlite3 *db, const char *q)
{
	sqlite3_stmt *s;
	int v;

	assert_int_equal(sqlite3_prepare_v2(db, q, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	v = sqlite3_column_int(s, 0);
	(void)sqlite3_finalize(s);
	return v;
}

static sqlite3 *at_version(int v)
{
	char q[128];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	(void)sqlite3_snprintf(sizeof(q), q, "CREATE TABLE t(a); INSERT INTO t VALUES(1); PRAGMA user_version=%d", v);
	assert_int_equal(sqlite3_exec(db, q, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static const struct sv_migration steps[] = {
	{ 2, "ALTER TABLE t ADD COLUMN b DEFAULT 5" },
	{ 3, "UPDATE t SET a = a + b; CREATE TABLE u(x)" },
};

static void steps_run_in_order_from_where_the_file_is(void **s)
{
	(void)s;
	for (int from = 1; from <= 2; from++) {
		sqlite3 *db = at_version(from);

		if (from == 2)
			assert_int_equal(sqlite3_exec(db, steps[0].sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(sv_migrate(db, steps, 2, 3, NULL), SV_OK);
		assert_int_equal(number(db, "PRAGMA user_version"), 3);
		assert_int_equal(number(db, "SELECT a FROM t"), 6);
		assert_int_equal(sv_migrate(db, steps, 2, 3, NULL), SV_OK); /* nothing more to do */
		assert_int_equal(number(db, "SELECT a FROM t"), 6);
		sqlite3_close(db);
	}
}

static void a_step_that_fails_leaves_the_version_before(void **s)
{
	const struct sv_migration bad[] = { steps[0], { 3, "UPDATE t SET a = 99; SELECT nonsense" } };
	sqlite3 *db = at_version(1);
	struct sv_err err;

	(void)s;
	assert_int_equal(sv_migrate(db, bad, 2, 3, &err), SV_ERR_FAIL);
	assert_int_equal(number(db, "PRAGMA user_version"), 2);
	assert_int_equal(number(db, "SELECT a FROM t"), 1);
	assert_int_equal(sv_migrate(db, steps, 2, 3, &err), SV_OK);
	sqlite3_close(db);
}

static void newer_files_and_gaps_are_refused(void **s)
{
	const struct sv_migration gap[] = { { 3, "SELECT 1" } };
	sqlite3 *db = at_version(4);

	(void)s;
	assert_int_equal(sv_migrate(db, steps, 2, 3, NULL), SV_ERR_UNSUPPORTED);
	sqlite3_close(db);
	db = at_version(1);
	assert_int_equal(sv_migrate(db, gap, 1, 3, NULL), SV_ERR_FAIL);
	assert_int_equal(sv_migrate(db, NULL, 0, 3, NULL), SV_ERR_FAIL);
	assert_int_equal(sv_migrate(db, sv_migrations, sv_migrations_n, 1, NULL), SV_OK);
	assert_int_equal(number(db, "PRAGMA user_version"), 1);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_run_in_order_from_where_the_file_is),
		cmocka_unit_test(a_step_that_fails_leaves_the_version_before),
		cmocka_unit_test(newer_files_and_gaps_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two-name file system: other names do not exist, locks hold, a journal can be wiped.
 */
#include "tests/unit/vault_fixture.h"

#include "vault/vfs.h"

static struct sv_place place;
static struct fix f;

static int begin(void **s)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key);

	(void)s;
	fix_dir(&f);
	if (sv_vault_create(&f.cfg, &slot, 1, &f.v, &f.err) != SV_OK)
		return 1;
	sv_vault_lock(f.v);
	return sv_place_init(&place, f.path, NULL) != SV_OK || sv_place_open(&place, NULL) != SV_OK;
}

static int end(void **s)
{
	(void)s;
	sv_place_clear(&place);
	fix_end(&f);
	return 0;
}

static void only_two_names_exist(void **s)
{
	char other[200], journal[200], path[200];
	sqlite3_vfs *raw;
	struct sv_vfs *v;
	sqlite3_file *file;
	bool hot;
	int fd, out, flags;

	(void)s;
	(void)snprintf(other, sizeof(other), "%s/other", f.dir);
	(void)snprintf(journal, sizeof(journal), "%s-journal", f.path);
	(void)snprintf(path, sizeof(path), "%s-wal", f.path);
	fix_write(other, "x", 1);
	assert_int_equal(sv_place_open_file(&place, &fd, &hot, NULL), SV_OK);
	assert_non_null(v = sv_vfs_new(&place, fd, true));
	assert_non_null(raw = sqlite3_vfs_find(sv_vfs_name(v)));
	assert_non_null(file = calloc(1, (size_t)raw->szOsFile));
	assert_int_not_equal(raw->xOpen(raw, other, file, SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE, &flags),
			     SQLITE_OK);
	assert_int_not_equal(raw->xOpen(raw, other, file,
					SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &flags),
			     SQLITE_OK);
	assert_int_not_equal(
		raw->xOpen(raw, path, file, SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &flags),
		SQLITE_OK);
	assert_int_not_equal(
		raw->xOpen(raw, NULL, file, SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &flags),
		SQLITE_OK);
	assert_int_not_equal(raw->xOpen(raw, f.path, file, SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_READWRITE, &flags),
			     SQLITE_OK);
	assert_int_not_equal(raw->xDelete(raw, other, 0), SQLITE_OK);
	assert_int_not_equal(raw->xDelete(raw, f.path, 0), SQLITE_OK);
	assert_int_not_equal(raw->xAccess(raw, other, SQLITE_ACCESS_EXISTS, &out), SQLITE_OK);
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(access(f.path, F_OK), 0);
	/* a journal that is a link to something else is not opened */
	(void)unlink(journal);
	assert_int_equal(symlink(other, journal), 0);
	assert_int_not_equal(raw->xOpen(raw, journal, file,
					SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &flags),
			     SQLITE_OK);
	assert_int_equal(unlink(journal), 0);
	free(file);
	sv_vfs_free(v);
}

static void stock_sqlite_is_locked_out(void **s)
{
	sqlite3 *db;

	(void)s;
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key, false, &f.err), SV_OK);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT * FROM vault", NULL, NULL, NULL), SQLITE_BUSY);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	sv_vault_lock(f.v);
}

static void a_wiped_journal_is_gone(void **s)
{
	char journal[200];

	(void)s;
	(void)snprintf(journal, sizeof(journal), "%s-journal", f.path);
	fix_write(journal, "old slots", 9);
	assert_int_equal(sv_vfs_wipe_journal(&place), 0);
	assert_int_not_equal(access(journal, F_OK), 0);
	assert_int_equal(sv_vfs_wipe_journal(&place), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_two_names_exist),
		cmocka_unit_test(stock_sqlite_is_locked_out),
		cmocka_unit_test(a_wiped_journal_is_gone),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

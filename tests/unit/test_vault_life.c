/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creating, opening, unlocking, locking; and files that are not to be opened.
 */
#include "tests/unit/vault_fixture.h"

#include "vault/kdf.h"

#include <sys/file.h>

static void a_new_vault_is_unlocked_and_private(void **s)
{
	struct sv_vault_facts facts;
	struct stat st;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_true(sv_vault_is_unlocked(f.v));
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_OK);
	assert_int_equal(facts.seq, 1);
	assert_int_equal(facts.key_epoch, 1);
	assert_int_equal(facts.secrets, 0);
	assert_int_equal(facts.rows, 1);
	assert_true(facts.witness_new);
	assert_int_equal(facts.created_s, f.now);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(f.state, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	fix_sound(&f);
	fix_end(&f);
}

static void missing_parents_are_made_private(void **s)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key);
	struct stat st;
	struct fix f;

	(void)s;
	fix_dir(&f);
	(void)snprintf(f.path, sizeof(f.path), "%.100s/a/b/vault.db", f.dir);
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &f.v, &f.err), SV_OK);
	(void)snprintf(f.path, sizeof(f.path), "%.100s/a", f.dir);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	fix_end(&f);
}

static void create_refuses_what_is_there(void **s)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key), two[2];
	struct sv_vault *v = NULL;
	struct fix f;

	(void)s;
	fix_dir(&f);
	fix_write(f.path, "x", 1);
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &v, &f.err), SV_ERR_EXISTS);
	assert_null(v);
	assert_int_equal(unlink(f.path), 0);
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 0, &v, &f.err), SV_ERR_USAGE);
	two[0] = two[1] = slot;
	assert_int_equal(sv_vault_create(&f.cfg, two, 2, &v, &f.err), SV_ERR_USAGE);
	slot.kdf.mem = 1;
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &v, &f.err), SV_ERR_LIMITS);
	slot.kdf.mem = (uint64_t)64 << 20;
	assert_int_equal(chmod(f.dir, 0777), 0);
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &v, &f.err), SV_ERR_DENIED);
	assert_int_equal(chmod(f.dir, 0700), 0);
	f.cfg.path = "relative/vault.db";
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &v, &f.err), SV_ERR_USAGE);
	fix_end(&f);
}

static void create_takes_the_place_of_an_emptied_journal_only(void **s)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key);
	char journal[200];
	struct fix f;

	(void)s;
	fix_dir(&f);
	(void)snprintf(journal, sizeof(journal), "%s-journal", f.path);
	fix_write(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 hot", 12);
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &f.v, &f.err), SV_ERR_EXISTS);
	fix_write(journal, "\0\0\0\0\0\0\0\0cold", 12);
	assert_int_equal(sv_vault_create(&f.cfg, &slot, 1, &f.v, &f.err), SV_OK);
	fix_end(&f);
}

static void lock_forgets_and_unlock_remembers(void **s)
{
	struct sv_vault_facts facts;
	unsigned char out[8];
	struct fix f;
	size_t n;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	sv_vault_lock(f.v);
	assert_false(sv_vault_is_unlocked(f.v));
	assert_string_equal(fix_get(&f, "default", "a"), "locked");
	assert_int_equal(sv_vault_get_into(f.v, text("default"), text("a"), out, sizeof(out), &n, &f.err),
			 SV_ERR_LOCKED);
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_ERR_LOCKED);
	assert_int_equal(fix_try(&f, SV_PUT_SET, "default", "a", "2"), SV_ERR_LOCKED);
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key2, false, &f.err), SV_ERR_PASSPHRASE);
	assert_int_equal(sv_vault_unlock(f.v, 5, fix_key, false, &f.err), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key, false, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	/* on an unlocked vault it is a check of the key */
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key2, false, &f.err), SV_ERR_PASSPHRASE);
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key, false, &f.err), SV_OK);
	assert_true(sv_vault_is_unlocked(f.v));
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_OK);
	assert_false(facts.witness_new);
	fix_end(&f);
}

static void both_slots_open_and_are_listed(void **s)
{
	struct sv_slot_new slots[2] = { fix_slot(SV_SLOT_PASSPHRASE, fix_key), fix_slot(SV_SLOT_RECOVERY, fix_key2) };
	struct sv_slot_info infos[SV_SLOTS_MAX];
	struct sv_vault_facts facts;
	struct fix f;
	size_t n;

	(void)s;
	fix_dir(&f);
	slots[1].kdf.mem = (uint64_t)8 << 20;
	assert_int_equal(sv_vault_create(&f.cfg, slots, 2, &f.v, &f.err), SV_OK);
	sv_vault_lock(f.v);
	assert_int_equal(sv_vault_slots(f.v, infos, &n, &f.err), SV_OK);
	assert_int_equal(n, 2);
	assert_int_equal(infos[1].kind, SV_SLOT_RECOVERY);
	assert_int_equal(infos[1].kdf.mem, 8 << 20);
	assert_int_equal(sv_vault_unlock(f.v, 1, fix_key, false, &f.err), SV_ERR_PASSPHRASE);
	assert_int_equal(sv_vault_unlock(f.v, 1, fix_key2, false, &f.err), SV_OK);
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_OK);
	assert_true(facts.kdf_below_floor);
	fix_end(&f);
}

static void a_second_opener_is_busy(void **s)
{
	struct sv_vault *other = NULL;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(sv_vault_open(&f.cfg, &other, &f.err), SV_ERR_BUSY);
	assert_null(other);
	sv_vault_lock(f.v);
	assert_int_equal(sv_vault_open(&f.cfg, &other, &f.err), SV_OK);
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key, false, &f.err), SV_ERR_BUSY);
	sv_vault_close(&other);
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key, false, &f.err), SV_OK);
	fix_end(&f);
}

static void a_file_replaced_under_us_is_not_written(void **s)
{
	struct fix f;
	unsigned char *p;
	char old[200];
	size_t n;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	p = fix_read(f.path, &n);
	(void)snprintf(old, sizeof(old), "%s.old", f.path);
	assert_int_equal(rename(f.path, old), 0);
	fix_write(f.path, p, n);
	assert_int_equal(fix_try(&f, SV_PUT_SET, "default", "a", "2"), SV_ERR_CONFLICT);
	assert_false(sv_vault_is_unlocked(f.v));
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key, false, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	free(p);
	fix_end(&f);
}

static enum sv_code open_only(struct fix *f)
{
	struct sv_vault *v = NULL;
	enum sv_code rc = sv_vault_open(&f->cfg, &v, &f->err);

	sv_vault_close(&v);
	return rc;
}

static void files_that_are_no_vaults_are_refused(void **s)
{
	char other[200], name[200];
	struct fix f;
	unsigned char *p;
	size_t n;

	(void)s;
	fix_dir(&f);
	assert_int_equal(open_only(&f), SV_ERR_NO_VAULT);
	fix_write(f.path, "", 0);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	fix_write(f.path, "hello world", 11);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	assert_int_equal(unlink(f.path), 0);
	assert_int_equal(mkdir(f.path, 0700), 0);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	assert_int_equal(rmdir(f.path), 0);
	assert_int_equal(mkfifo(f.path, 0600), 0);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	assert_int_equal(unlink(f.path), 0);
	fix_end(&f);

	fix_new(&f);
	sv_vault_close(&f.v);
	assert_int_equal(chmod(f.path, 0640), 0);
	assert_int_equal(open_only(&f), SV_ERR_DENIED);
	assert_int_equal(chmod(f.path, 0600), 0);
	(void)snprintf(other, sizeof(other), "%s.2", f.path);
	assert_int_equal(link(f.path, other), 0);
	assert_int_equal(open_only(&f), SV_ERR_DENIED);
	assert_int_equal(unlink(f.path), 0);
	assert_int_equal(symlink(other, f.path), 0);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	assert_int_equal(unlink(f.path), 0);
	assert_int_equal(rename(other, f.path), 0);
	assert_int_equal(open_only(&f), SV_OK);
	assert_int_equal(chmod(f.dir, 0770), 0);
	assert_int_equal(open_only(&f), SV_ERR_DENIED);
	assert_int_equal(chmod(f.dir, 0700), 0);
	(void)snprintf(name, sizeof(name), "%s-wal", f.path);
	fix_write(name, "x", 1);
	assert_int_equal(open_only(&f), SV_ERR_INTEGRITY);
	assert_int_equal(unlink(name), 0);
	if (geteuid() == 0) { /* root reaches files of others, and refuses them all the same */
		assert_int_equal(chown(f.path, 12345, 12345), 0);
		assert_int_equal(open_only(&f), SV_ERR_DENIED);
		assert_int_equal(chown(f.path, 0, 0), 0);
	}
	p = fix_read(f.path, &n);
	p[63] = 2; /* user_version, big-endian at 60 */
	fix_write(f.path, p, n);
	assert_int_equal(open_only(&f), SV_ERR_UNSUPPORTED);
	p[63] = 1;
	p[18] = 2; /* write-ahead log */
	fix_write(f.path, p, n);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	free(p);
	fix_end(&f);
}

static void a_vault_cut_at_any_length_is_refused(void **s)
{
	struct fix f;
	unsigned char *p;
	size_t n;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	sv_vault_close(&f.v);
	p = fix_read(f.path, &n);
	for (size_t len = 0; len < n; len += len < 200 || len % 4096 < 3 || len % 4096 > 4093 ? 1 : 61) {
		assert_int_equal(truncate(f.path, (off_t)len), 0);
		if (open_only(&f) != SV_ERR_NOT_A_VAULT)
			fail_msg("cut at %zu: %s", len, f.err.msg);
		fix_write(f.path, p, n);
	}
	fix_reopen(&f);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	free(p);
	fix_end(&f);
}

static void a_planted_journal_is_not_acted_on(void **s)
{
	static const unsigned char magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
	unsigned char j[1024] = { 0 };
	char victim[200], journal[200];
	struct fix f;

	(void)s;
	fix_new(&f);
	sv_vault_close(&f.v);
	(void)snprintf(victim, sizeof(victim), "%s/victim", f.dir);
	(void)snprintf(journal, sizeof(journal), "%s-journal", f.path);
	fix_write(victim, "precious", 8);
	/* header of no pages, then a super-journal record that names the victim (SQLite pager.c, readSuperJournal) */
	memcpy(j, magic, 8);
	memset(j + 20, 0, 4);
	memcpy(j + 512, victim, strlen(victim));
	memcpy(j + sizeof(j) - 8, magic, 8);
	fix_write(journal, j, sizeof(j));
	assert_int_equal(open_only(&f), SV_ERR_INTEGRITY);
	assert_int_equal(access(victim, F_OK), 0);
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(symlink(victim, journal), 0);
	assert_int_equal(open_only(&f), SV_ERR_NOT_A_VAULT);
	assert_int_equal(access(victim, F_OK), 0);
	fix_end(&f);
}

static void rekey_changes_keys_and_keeps_everything(void **s)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key2);
	struct sv_vault_facts facts;
	unsigned char *before, *after;
	char journal[200];
	struct sv_tx *tx;
	struct fix f;
	size_t bn, an;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	fix_set(&f, "default", "a", "2");
	fix_set(&f, "default", "b", "3");
	before = fix_read(f.path, &bn);
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_remove(tx, text("default"), text("b"), 0, &f.err), SV_OK);
	assert_int_equal(sv_vault_rekey(f.v, 0, fix_key2, &slot, 1, &f.err), SV_ERR_PASSPHRASE);
	assert_int_equal(sv_vault_rekey(f.v, 0, fix_key, &slot, 1, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_ERR_CONFLICT);
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_OK);
	assert_int_equal(facts.key_epoch, 2);
	assert_string_equal(fix_get(&f, "default", "a"), "2");
	assert_string_equal(fix_get_version(&f, "default", "a", 1), "1");
	fix_sound(&f);
	sv_vault_close(&f.v);
	/* no sealed byte of before is left: neither in the file nor in a journal */
	(void)snprintf(journal, sizeof(journal), "%s-journal", f.path);
	assert_int_not_equal(access(journal, F_OK), 0);
	after = fix_read(f.path, &an);
	for (size_t i = 8192; i + 32 <= bn; i += 32) {
		static const unsigned char zero[32];

		if (memcmp(before + i, zero, 32) == 0)
			continue;
		for (size_t k = 0; k + 32 <= an; k++)
			if (k != i && memcmp(before + i, after + k, 32) == 0)
				fail_msg("32 bytes from %zu survive at %zu", i, k);
	}
	free(before);
	free(after);
	assert_int_equal(fix_open(&f), SV_ERR_PASSPHRASE);
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key2, false, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "b"), "3");
	fix_end(&f);
}

static void a_backup_opens_by_itself(void **s)
{
	struct fix f;
	char copy[200];
	uint64_t bytes;
	int fd;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	(void)snprintf(copy, sizeof(copy), "%s/copy.db", f.dir);
	fd = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(sv_vault_backup_fd(f.v, fd, &bytes, &f.err), SV_OK);
	assert_int_equal(sv_vault_backup_fd(f.v, fd, &bytes, &f.err), SV_ERR_USAGE);
	close(fd);
	fix_set(&f, "default", "a", "2");
	sv_vault_close(&f.v);
	f.cfg.path = copy;
	(void)snprintf(f.state, sizeof(f.state), "%.100s/elsewhere", f.dir);
	fix_reopen(&f);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	fix_end(&f);
}

static void a_full_disk_fails_the_backup(void **s)
{
	struct fix f;
	uint64_t bytes;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)s;
	fix_new(&f);
	if (fd >= 0) {
		assert_int_not_equal(sv_vault_backup_fd(f.v, fd, &bytes, &f.err), SV_OK);
		close(fd);
	}
	fix_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_vault_is_unlocked_and_private),
		cmocka_unit_test(missing_parents_are_made_private),
		cmocka_unit_test(create_refuses_what_is_there),
		cmocka_unit_test(create_takes_the_place_of_an_emptied_journal_only),
		cmocka_unit_test(lock_forgets_and_unlock_remembers),
		cmocka_unit_test(both_slots_open_and_are_listed),
		cmocka_unit_test(a_second_opener_is_busy),
		cmocka_unit_test(a_file_replaced_under_us_is_not_written),
		cmocka_unit_test(files_that_are_no_vaults_are_refused),
		cmocka_unit_test(a_vault_cut_at_any_length_is_refused),
		cmocka_unit_test(a_planted_journal_is_not_acted_on),
		cmocka_unit_test(rekey_changes_keys_and_keeps_everything),
		cmocka_unit_test(a_backup_opens_by_itself),
		cmocka_unit_test(a_full_disk_fails_the_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

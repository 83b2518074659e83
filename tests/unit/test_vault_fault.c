/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails, fills up or loses power, and a process that is killed: what is found afterwards is the old state
 * or the new one, whole, and what was reported is what is found.
 */
#include "tests/unit/vault_fixture.h"

#ifdef SV_TESTING

#include "vault/vfs.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum action { ADD, RM, PRUNE, REKEY, ACTIONS };

static struct fix g;
static unsigned char *image;
static size_t image_n;

/* a vault of ten secrets, one of them with ten versions */
static int begin(void **s)
{
	char name[32];

	(void)s;
	fix_new(&g);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		fix_set(&g, "default", name, "old");
		fix_set(&g, "default", "s0", name);
	}
	sv_vault_close(&g.v);
	image = fix_read(g.path, &image_n);
	return 0;
}

static int end(void **s)
{
	(void)s;
	fix_end(&g);
	free(image);
	return 0;
}

static void remove_witness(void)
{
	(void)nftw(g.state, fix_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_back(void)
{
	char journal[200];

	sv_vault_close(&g.v);
	(void)snprintf(journal, sizeof(journal), "%s-journal", g.path);
	(void)unlink(journal);
	fix_write(g.path, image, image_n);
	remove_witness();
}

static enum sv_code act(enum action a)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key2);

	switch (a) {
	case ADD: return fix_try(&g, SV_PUT_ADD, "default", "new", "value");
	case RM: return fix_rm(&g, "default", "s5");
	case PRUNE: return fix_try(&g, SV_PUT_SET, "default", "s0", "eleventh");
	default: return sv_vault_rekey(g.v, 0, fix_key, &slot, 1, &g.err);
	}
}

/* 0 old, 1 new; fails the test when it is neither */
static int state_now(enum action a)
{
	int is_new;

	if (a == REKEY) {
		enum sv_code rc = sv_vault_unlock(g.v, 0, fix_key, false, &g.err);

		is_new = rc == SV_ERR_PASSPHRASE;
		if (is_new)
			rc = sv_vault_unlock(g.v, 0, fix_key2, false, &g.err);
		if (rc != SV_OK)
			fail_msg("unlock: %s", g.err.msg);
	} else {
		if (sv_vault_unlock(g.v, 0, fix_key, false, &g.err) != SV_OK)
			fail_msg("unlock: %s", g.err.msg);
		is_new = a == ADD  ? strcmp(fix_get(&g, "default", "new"), "value") == 0
			 : a == RM ? strcmp(fix_get(&g, "default", "s5"), "(none)") == 0
				   : strcmp(fix_get(&g, "default", "s0"), "eleventh") == 0;
	}
	fix_sound(&g);
	assert_string_equal(fix_get(&g, "default", "s3"), "old");
	return is_new;
}

struct fault {
	unsigned at, count;
	int error;
	bool forever;
};

static int inject(void *ctx, enum sv_vfs_op op, bool journal, const void *data, size_t n, int64_t off)
{
	struct fault *x = ctx;

	(void)op;
	(void)journal;
	(void)data;
	(void)n;
	(void)off;
	x->count++;
	return x->count == x->at || (x->forever && x->count > x->at) ? x->error : 0;
}

static void every_operation_that_fails_leaves_old_or_new(void **s)
{
	static const int errors[] = { EIO, ENOSPC };
	unsigned ran = 0, told_old = 0, told_new = 0, unknown = 0;

	(void)s;
	for (enum action a = ADD; a < ACTIONS; a++)
		for (size_t e = 0; e < SV_COUNT(errors); e++)
			for (int forever = 0; forever < 2; forever++)
				for (unsigned at = 1;; at++) {
					struct fault x = { .at = at, .error = errors[e], .forever = forever };
					enum sv_code rc;
					bool known;
					int is_new;

					put_back();
					fix_reopen(&g);
					sv_vfs_test = (struct sv_vfs_test){ inject, &x };
					g.err.msg[0] = '\0';
					rc = act(a);
					known = sv_vault_is_unlocked(g.v);
					sv_vfs_test = (struct sv_vfs_test){ 0 };
					if (known && rc != SV_OK) /* as it was, and usable at once */
						assert_string_equal(fix_get(&g, "default", "s3"), "old");
					sv_vault_close(&g.v);
					if (sv_vault_open(&g.cfg, &g.v, &g.err) != SV_OK)
						fail_msg("open: %s", g.err.msg);
					is_new = state_now(a);
					if (rc == SV_OK && !is_new)
						fail_msg("action %d, fault %u: reported as saved, and it is not",
							 (int)a, at);
					if (rc != SV_OK && known && is_new)
						fail_msg("action %d, fault %u: reported as not saved, and it is",
							 (int)a, at);
					ran++;
					told_new += rc == SV_OK;
					told_old += rc != SV_OK && known;
					unknown += rc != SV_OK && !known;
					if (x.count < at)
						break;
					if (at > 400)
						fail_msg("no end of operations");
				}
	print_message("%u faults: %u saved, %u not saved, %u said to be unknown\n", ran, told_new, told_old, unknown);
	assert_true(told_old > 20);
}

/*
 * ---- power loss: operations recorded, then replayed on the old file up to a point, unsynced writes lost, kept or torn
 * ----
 */

struct op {
	enum sv_vfs_op op;
	bool journal;
	unsigned char *data;
	size_t n;
	int64_t off;
};

static struct op *ops;
static size_t n_ops, ops_cap;

static int record(void *ctx, enum sv_vfs_op op, bool journal, const void *data, size_t n, int64_t off)
{
	(void)ctx;
	if (n_ops == ops_cap)
		assert_non_null(ops = realloc(ops, (ops_cap = ops_cap * 2 + 64) * sizeof(*ops)));
	ops[n_ops] = (struct op){ .op = op, .journal = journal, .n = n, .off = off };
	if (data != NULL) {
		assert_non_null(ops[n_ops].data = malloc(n));
		memcpy(ops[n_ops].data, data, n);
	}
	n_ops++;
	return 0;
}

struct disk {
	unsigned char *p;
	size_t n;
	bool exists;
};

static void do_write(struct disk *d, const void *p, size_t n, size_t off)
{
	if (off + n > d->n) {
		assert_non_null(d->p = realloc(d->p, off + n));
		memset(d->p + d->n, 0, off + n - d->n);
		d->n = off + n;
	}
	memcpy(d->p + off, p, n);
	d->exists = true;
}

/* keep: 0 nothing that was not synced, 1 all of it, 2 each with probability one half, torn at 512 bytes */
static void replay(size_t upto, int keep, struct disk d[2], unsigned seed)
{
	size_t synced[2] = { 0, 0 };

	d[0] = (struct disk){ malloc(image_n), image_n, true };
	memcpy(d[0].p, image, image_n);
	d[1] = (struct disk){ NULL, 0, false };
	for (size_t i = 0; i < upto; i++)
		if (ops[i].op == SV_VFS_SYNC)
			synced[ops[i].journal] = i;
	for (size_t i = 0; i < upto; i++) {
		const struct op *o = &ops[i];
		struct disk *x = &d[o->journal];
		bool safe = i < synced[o->journal];

		if (o->op == SV_VFS_DELETE && (safe || keep != 0)) {
			free(x->p);
			*x = (struct disk){ 0 };
		}
		if (o->op == SV_VFS_CREATE)
			x->exists = true;
		if (o->op == SV_VFS_TRUNCATE && (safe || keep != 0) && (size_t)o->off < x->n)
			x->n = (size_t)o->off;
		if (o->op != SV_VFS_WRITE)
			continue;
		if (safe || keep == 1) {
			do_write(x, o->data, o->n, (size_t)o->off);
		} else if (keep == 2) {
			for (size_t at = 0; at < o->n; at += 512) {
				size_t len = o->n - at < 512 ? o->n - at : 512;

				seed = seed * 1103515245u + 12345u;
				if ((seed >> 16 & 1) != 0)
					do_write(x, o->data + at, len, (size_t)o->off + at);
			}
		}
	}
}

static void power_lost_at_any_operation_leaves_old_or_new(void **s)
{
	unsigned images = 0, news = 0;
	char journal[200];

	(void)s;
	(void)snprintf(journal, sizeof(journal), "%s-journal", g.path);
	for (enum action a = ADD; a < ACTIONS; a++) {
		put_back();
		fix_reopen(&g);
		n_ops = 0;
		sv_vfs_test = (struct sv_vfs_test){ record, NULL };
		assert_int_equal(act(a), SV_OK);
		sv_vfs_test = (struct sv_vfs_test){ 0 };
		for (size_t upto = 0; upto <= n_ops; upto++)
			for (int keep = 0; keep < 6; keep++) {
				struct disk d[2];
				int is_new;

				replay(upto, keep > 2 ? 2 : keep, d, (unsigned)(upto * 31 + (size_t)keep * 7 + 1));
				put_back();
				fix_write(g.path, d[0].p, d[0].n);
				if (d[1].exists)
					fix_write(journal, d[1].p != NULL ? (void *)d[1].p : (void *)"", d[1].n);
				if (sv_vault_open(&g.cfg, &g.v, &g.err) != SV_OK)
					fail_msg("action %d, %zu of %zu operations, keep %d: %s", (int)a, upto, n_ops,
						 keep, g.err.msg);
				is_new = state_now(a);
				/* the change was acknowledged after all its operations */
				if (upto == n_ops && !is_new)
					fail_msg("action %d: an acknowledged change was lost", (int)a);
				images++;
				news += (unsigned)is_new;
				free(d[0].p);
				free(d[1].p);
			}
		for (size_t i = 0; i < n_ops; i++)
			free(ops[i].data);
	}
	free(ops);
	ops = NULL;
	print_message("%u images: %u new, %u old\n", images, news, images - news);
}

static void killed_at_random_times_a_rekey_is_all_or_nothing(void **s)
{
	unsigned news = 0, runs = getenv("SV_TEST_MANY") != NULL ? 1000 : 60;

	(void)s;
	for (unsigned i = 0; i < runs; i++) {
		struct timespec t = { 0, (long)(i % 30) * 150000 };
		int ready[2], status;
		char c;
		pid_t pid;

		put_back();
		assert_int_equal(pipe(ready), 0);
		if ((pid = fork()) == 0) {
			close(ready[0]);
			fix_reopen(&g);
			(void)!write(ready[1], "x", 1);
			(void)act(REKEY);
			_exit(0);
		}
		close(ready[1]);
		assert_int_equal(read(ready[0], &c, 1), 1);
		close(ready[0]);
		(void)nanosleep(&t, NULL); /* not waiting for anything: the moment of the kill is what is varied */
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (sv_vault_open(&g.cfg, &g.v, &g.err) != SV_OK)
			fail_msg("open: %s", g.err.msg);
		news += (unsigned)state_now(REKEY);
	}
	print_message("%u kills: %u new, %u old\n", runs, news, runs - news);
}

static void a_witness_that_cannot_be_written_does_not_undo_the_change(void **s)
{
	(void)s;
	put_back();
	fix_reopen(&g);
	if (geteuid() == 0)
		skip(); /* root writes everywhere */
	assert_int_equal(chmod(g.state, 0), 0);
	assert_int_equal(fix_try(&g, SV_PUT_SET, "default", "s3", "new"), SV_OK);
	assert_int_equal(chmod(g.state, 0700), 0);
	fix_sound(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_that_fails_leaves_old_or_new),
		cmocka_unit_test(power_lost_at_any_operation_leaves_old_or_new),
		cmocka_unit_test(killed_at_random_times_a_rekey_is_all_or_nothing),
		cmocka_unit_test(a_witness_that_cannot_be_written_does_not_undo_the_change),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

#else

int main(void)
{
	puts("needs a build with SV_TESTING");
	return 77;
}

#endif

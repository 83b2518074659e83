/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the vault library costs without process, socket or key derivation: unlock, read, list, batch insert, durable
 * write against a bare SQLite commit with the same settings on the same disk.  Usage: vault_bench DIRECTORY [COUNT...].
 * Prints one line a figure.
 */
#include "vault/vault.h"

#include <fcntl.h>
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUNS 101

static struct sv_err err;
static const struct sv_text env = { "default", 7 }, none = { "", 0 };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(enum sv_code rc, const char *what)
{
	if (rc == SV_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, err.msg);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *t, size_t n)
{
	qsort(t, n, sizeof(*t), by_value);
	return t[n / 2];
}

static void name_of(unsigned i, char out[64])
{
	(void)snprintf(out, 64, "group%u/secret-name-%06u", i % 97, i);
}

static void insert(struct sv_vault *v, unsigned from, unsigned n)
{
	struct sv_put p = { .env = env, .mode = SV_PUT_ADD, .has_value = true };
	struct sv_commit c;
	struct sv_tx *tx;
	double t = now_us(), staged;

	must(sv_tx_begin(v, SV_VERB_IMPORT, &tx, &err), "begin");
	for (unsigned i = from; i < from + n; i++) {
		char name[64], value[64];

		name_of(i, name);
		(void)snprintf(value, sizeof(value), "ghp_%032u", i);
		p.name = (struct sv_text){ name, strlen(name) };
		p.value = (unsigned char *)value;
		p.value_len = strlen(value);
		must(sv_tx_put(tx, &p, &err), "put");
	}
	staged = now_us();
	must(sv_tx_commit(&tx, &c, &err), "commit");
	if (n > 1)
		printf("insert %u in one transaction: %.0f ms (staging %.0f), %.0f secrets/s\n", n,
		       (now_us() - t) / 1e3, (staged - t) / 1e3, n / ((now_us() - t) / 1e6));
}

/* A new version of a secret that is there, so that it works in a full vault too. */
static void rewrite(struct sv_vault *v, unsigned i, unsigned n)
{
	struct sv_put p = { .env = env, .mode = SV_PUT_SET, .has_value = true };
	char name[64], value[64];
	struct sv_commit c;
	struct sv_tx *tx;

	name_of((i * 7919u) % n, name);
	(void)snprintf(value, sizeof(value), "new_%032u", i);
	p.name = (struct sv_text){ name, strlen(name) };
	p.value = (unsigned char *)value;
	p.value_len = strlen(value);
	must(sv_tx_begin(v, SV_VERB_SET, &tx, &err), "begin");
	must(sv_tx_put(tx, &p, &err), "put");
	must(sv_tx_commit(&tx, &c, &err), "commit");
}

static enum sv_code count_entry(void *ctx, const struct sv_entry *e)
{
	(void)e;
	(*(unsigned *)ctx)++;
	return SV_OK;
}

static long resident_kib(void)
{
	long pages = 0, res = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f != NULL) {
		if (fscanf(f, "%ld %ld", &pages, &res) != 2)
			res = 0;
		fclose(f);
	}
	return res * sysconf(_SC_PAGESIZE) / 1024;
}

/* One commit of a row of the same size, with the vault's settings and stock SQLite. */
static double bare_commit(sqlite3 *db, sqlite3_stmt *ins, sqlite3_stmt *upd, unsigned i)
{
	static unsigned char blob[296];
	double t = now_us();

	memcpy(blob, &i, sizeof(i));
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		exit(1);
	sqlite3_bind_blob(ins, 1, blob, 16, SQLITE_STATIC);
	sqlite3_bind_blob(ins, 2, blob, 296, SQLITE_STATIC);
	sqlite3_bind_blob(ins, 3, blob, 296, SQLITE_STATIC);
	sqlite3_step(ins);
	sqlite3_reset(ins);
	sqlite3_step(upd);
	sqlite3_reset(upd);
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		exit(1);
	return now_us() - t;
}

static void bench_write(struct sv_vault *v, const char *dir, unsigned n)
{
	static double ours[RUNS], bare[RUNS];
	sqlite3_stmt *ins, *upd;
	char path[4200];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/bare.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
			 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=PERSIST; PRAGMA synchronous=EXTRA; PRAGMA "
			 "secure_delete=ON;"
			 "CREATE TABLE r(id BLOB PRIMARY KEY, a BLOB, b BLOB) WITHOUT ROWID; CREATE TABLE s(k INTEGER "
			 "PRIMARY KEY, n INTEGER);"
			 "INSERT INTO s VALUES(1, 0)",
			 NULL, NULL, NULL) != SQLITE_OK)
		exit(1);
	sqlite3_prepare_v2(db, "INSERT INTO r VALUES(?1, ?2, ?3)", -1, &ins, NULL);
	sqlite3_prepare_v2(db, "UPDATE s SET n = n + 1", -1, &upd, NULL);
	for (unsigned i = 0; i < RUNS; i++) {
		double t = now_us();

		rewrite(v, i, n);
		ours[i] = now_us() - t;
		bare[i] = bare_commit(db, ins, upd, i);
	}
	sqlite3_finalize(ins);
	sqlite3_finalize(upd);
	sqlite3_close(db);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/bare.db-journal", dir);
	(void)unlink(path);
	printf("durable write at %u: %.0f us, bare SQLite %.0f us, ratio %.2f\n", n, median(ours, RUNS),
	       median(bare, RUNS), median(ours, RUNS) / median(bare, RUNS));
}

static void bench(const char *dir, unsigned n)
{
	unsigned char key[SV_SLOT_KEY_BYTES] = { 1, 2, 3 }, out[4096];
	struct sv_slot_new slot = { .kind = SV_SLOT_PASSPHRASE,
				    .kdf = { .alg = SV_KDF_ARGON2ID13, .ops = 3, .mem = 64u << 20 },
				    .key = key };
	static double t[RUNS];
	char path[4200], state[4200];
	struct sv_vault_config cfg = { .path = path, .state_dir = state };
	struct sv_verify_report report;
	struct sv_secmem_stats mem;
	struct sv_vault *v;
	unsigned seen = 0;
	double start;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/bench-%u.db", dir, n);
	(void)snprintf(state, sizeof(state), "%s/state", dir);
	(void)unlink(path);
	must(sv_vault_create(&cfg, &slot, 1, &v, &err), "create");
	insert(v, 0, n);
	for (unsigned i = 0; i < 7; i++) {
		sv_vault_lock(v);
		start = now_us();
		must(sv_vault_unlock(v, 0, key, false, &err), "unlock");
		t[i] = now_us() - start;
	}
	printf("unlock at %u: %.1f ms\n", n, median(t, 7) / 1e3);
	start = now_us();
	for (unsigned i = 0; i < 20000; i++) {
		char name[64];

		name_of((i * 7919u) % n, name);
		must(sv_vault_get_into(v, env, (struct sv_text){ name, strlen(name) }, out, sizeof(out), &len, &err),
		     "get");
	}
	printf("get_into at %u: %.2f us\n", n, (now_us() - start) / 20000);
	start = now_us();
	while (!sv_vault_index_step(v, 2000))
		;
	printf("name index at %u: %.1f ms\n", n, (now_us() - start) / 1e3);
	for (unsigned i = 0; i < RUNS; i++) {
		start = now_us();
		must(sv_vault_list(v, env, none, none, count_entry, &seen, &err), "list");
		t[i] = now_us() - start;
	}
	printf("list of %u: %.0f us\n", seen / RUNS, median(t, RUNS));
	(void)malloc_trim(0);
	sv_secmem_stats(&mem);
	printf("memory at %u, unlocked, index built: %ld KiB resident, %zu KiB locked in use\n", n, resident_kib(),
	       mem.used_bytes / 1024);
	bench_write(v, dir, n);
	start = now_us();
	must(sv_vault_verify(v, &report, &err), "verify");
	printf("verify at %u: %.0f ms\n", n, (now_us() - start) / 1e3);
	start = now_us();
	must(sv_vault_rekey(v, 0, key, &slot, 1, &err), "rekey");
	printf("re-key at %u: %.0f ms\n", n, (now_us() - start) / 1e3);
	sv_vault_close(&v);
	(void)malloc_trim(0);
	printf("memory after lock: %ld KiB resident\n\n", resident_kib());
	(void)unlink(path);
	(void)strcat(path, "-journal");
	(void)unlink(path);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: vault_bench DIRECTORY [COUNT...]\n");
		return 2;
	}
	must(sv_secmem_init((size_t)2 << 20, false, &err), "locked memory");
	if (argc == 2) {
		bench(argv[1], 1000);
		bench(argv[1], 10000);
		bench(argv[1], 99000); /* 100,000 less the single writes */
	}
	for (int i = 2; i < argc; i++)
		bench(argv[1], (unsigned)strtoul(argv[i], NULL, 10));
	return 0;
}

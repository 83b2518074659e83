/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the SQLite connection: settings, limits, authorizer, schema.  Everything that a hostile file could use is off
 * before the first byte of the file is parsed; FORMAT.md "settings" has the reasons.
 */
#include "vault/store_int.h"

#include "vault/base/secmem.h"
#include "vault/migrate.h"

#include <malloc.h>
#include <unistd.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_MAX   ((sqlite3_int64)256 << 20)
#define LENGTH_MAX (2 << 20)

static const char *const schema[][2] = {
	{ "rec", "CREATE TABLE rec(id BLOB NOT NULL, rev INTEGER NOT NULL, tag BLOB NOT NULL, meta BLOB NOT NULL, val "
		 "BLOB NOT NULL, "
		 "PRIMARY KEY(id, rev)) STRICT, WITHOUT ROWID" },
	{ "slot",
	  "CREATE TABLE slot(id INTEGER PRIMARY KEY CHECK(id BETWEEN 0 AND 7), kind INTEGER NOT NULL, alg INTEGER NOT "
	  "NULL, "
	  "ops INTEGER NOT NULL, mem INTEGER NOT NULL, salt BLOB NOT NULL, cmt BLOB NOT NULL, nonce BLOB NOT NULL, "
	  "wrapped BLOB NOT NULL) STRICT" },
	{ "vault",
	  "CREATE TABLE vault(k INTEGER PRIMARY KEY CHECK(k=1), vault_id BLOB NOT NULL, suite INTEGER NOT NULL, "
	  "key_epoch INTEGER NOT NULL, seq INTEGER NOT NULL, nrec INTEGER NOT NULL, root BLOB NOT NULL, head BLOB NOT "
	  "NULL, "
	  "mac BLOB NOT NULL) STRICT" },
};

/* SQLite's memory holds ciphertext only; it is wiped all the same, because that costs nothing that shows. */
static void *m_malloc(int n)
{
	return malloc((size_t)n);
}

static void m_free(void *p)
{
	if (p != NULL) {
		sv_wipe(p, malloc_usable_size(p));
		free(p);
	}
}

static int m_size(void *p)
{
	return p == NULL ? 0 : (int)malloc_usable_size(p);
}

static void *m_realloc(void *p, int n)
{
	size_t old = malloc_usable_size(p);
	void *q = malloc((size_t)n);

	if (q != NULL) {
		memcpy(q, p, old < (size_t)n ? old : (size_t)n);
		m_free(p);
	}
	return q;
}

static int m_roundup(int n)
{
	return (n + 7) & ~7;
}

static int m_init(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void m_shutdown(void *ctx)
{
	(void)ctx;
}

/*
 * Once per process.  In a program that started SQLite before us its own settings stay; nothing of safety hangs on
 * these.
 */
static bool library_init(void)
{
	static const sqlite3_mem_methods mem = { m_malloc,  m_free, m_realloc,  m_size,
						 m_roundup, m_init, m_shutdown, NULL };
	static bool ready;

	if (ready)
		return true;
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &mem);
	(void)sqlite3_config(SQLITE_CONFIG_URI, 0);
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 128, 100);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	if (sqlite3_initialize() != SQLITE_OK)
		return false;
	(void)sqlite3_hard_heap_limit64(HEAP_MAX);
	ready = true;
	return true;
}

static int progress(void *ctx)
{
	struct sv_store *s = ctx;

	return --s->budget < 0;
}

static bool our_table(const char *name)
{
	for (size_t i = 0; i < 3; i++)
		if (name != NULL && strcmp(name, schema[i][0]) == 0)
			return true;
	return false;
}

static int authorize(void *ctx, int action, const char *a, const char *b, const char *db, const char *inner)
{
	(void)ctx;
	(void)db;
	if (inner != NULL)
		return SQLITE_DENY;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_TRANSACTION: return SQLITE_OK;
	case SQLITE_READ:
		return our_table(a) || (a != NULL && strcmp(a, "sqlite_master") == 0) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE: return our_table(a) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_PRAGMA:
		return a != NULL && strcmp(a, "quick_check") == 0 && b != NULL && strcmp(b, "1") == 0 ? SQLITE_OK
												      : SQLITE_DENY;
	default: return SQLITE_DENY;
	}
}

static int set_limits(sqlite3 *db)
{
	static const int limits[][2] = {
		{ SQLITE_LIMIT_LENGTH, LENGTH_MAX },
		{ SQLITE_LIMIT_SQL_LENGTH, 4096 },
		{ SQLITE_LIMIT_COLUMN, 16 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 16 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 1 },
		{ SQLITE_LIMIT_VDBE_OP, 5000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 4 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 16 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	static const int off[] = {
		SQLITE_DBCONFIG_ENABLE_TRIGGER,
		SQLITE_DBCONFIG_ENABLE_VIEW,
		SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
		SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER,
		SQLITE_DBCONFIG_TRUSTED_SCHEMA,
		SQLITE_DBCONFIG_DQS_DML,
		SQLITE_DBCONFIG_DQS_DDL,
		SQLITE_DBCONFIG_LEGACY_ALTER_TABLE,
	};
	int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(db, limits[i][0], limits[i][1]);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]) && rc == SQLITE_OK; i++)
		rc = sqlite3_db_config(db, off[i], 0, NULL);
	return rc;
}

static enum sv_code exec(struct sv_store *s, const char *text, const char *what, struct sv_err *err)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? SV_OK : sv_store_fail(s, rc, what, err);
}

enum sv_code sv_store_schema_check(struct sv_store *s, struct sv_err *err)
{
	sqlite3_stmt *q = NULL;
	enum sv_code code = SV_OK;
	size_t i = 0;
	int rc = sqlite3_prepare_v2(s->db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name", -1, &q,
				    NULL);

	if (rc != SQLITE_OK)
		return sv_store_fail(s, rc, "reading the schema", err);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && code == SV_OK) {
		const char *c[4];

		for (int k = 0; k < 4; k++)
			c[k] = (const char *)sqlite3_column_text(q, k);
		if (i == 3 || c[0] == NULL || c[1] == NULL || c[2] == NULL || c[3] == NULL ||
		    strcmp(c[0], "table") != 0 || strcmp(c[1], schema[i][0]) != 0 || strcmp(c[2], schema[i][0]) != 0 ||
		    strcmp(c[3], schema[i][1]) != 0)
			code = sv_err_set(err, SV_ERR_INTEGRITY, "the vault's tables are not those of this format");
		i++;
	}
	(void)sqlite3_finalize(q);
	if (code == SV_OK && rc != SQLITE_DONE)
		return sv_store_fail(s, rc, "reading the schema", err);
	if (code == SV_OK && i != 3)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault's tables are not those of this format");
	return code;
}

/* The cache is bounded in KiB, so that a long transaction spills into the file instead of the heap. */
static const char settings[] = "PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE; PRAGMA secure_delete=ON; PRAGMA "
			       "trusted_schema=OFF; PRAGMA cell_size_check=ON;"
			       "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA "
			       "recursive_triggers=OFF; PRAGMA cache_size=-2048;"
			       "PRAGMA synchronous=EXTRA";

static enum sv_code make_schema(struct sv_store *s, struct sv_err *err)
{
	enum sv_code rc =
		exec(s, "PRAGMA encoding='UTF-8'; PRAGMA auto_vacuum=0; PRAGMA journal_mode=MEMORY; BEGIN IMMEDIATE",
		     "a new vault", err);

	for (size_t i = 0; i < 3 && rc == SV_OK; i++)
		rc = exec(s, schema[i][1], "a new vault", err);
	if (rc == SV_OK)
		rc = exec(s, "PRAGMA application_id=0x53765631; PRAGMA user_version=1; COMMIT", "a new vault", err);
	return rc;
}

enum sv_code sv_store_open(const struct sv_place *place, int fd, enum sv_store_mode mode, struct sv_store **out,
			   struct sv_err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
			  SQLITE_OPEN_PRIVATECACHE;
	struct sv_store *s;
	enum sv_code rc;
	int sq;

	*out = NULL;
	if (!library_init() || (s = calloc(1, sizeof(*s))) == NULL) {
		close(fd);
		return sv_err_set(err, SV_ERR_NOMEM, "out of memory");
	}
	s->budget = SV_STORE_BUDGET;
	if ((s->vfs = sv_vfs_new(place, fd, mode == SV_STORE_VAULT)) == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "out of memory");
		goto out;
	}
	sq = sqlite3_open_v2(sv_vfs_path(s->vfs), &s->db, flags, sv_vfs_name(s->vfs));
	if (sq == SQLITE_OK)
		sq = set_limits(s->db);
	if (sq != SQLITE_OK) {
		rc = sv_store_fail(s, sq, "opening the vault", err);
		goto out;
	}
	sqlite3_progress_handler(s->db, SV_STORE_STEPS, progress, s);
	if ((rc = exec(s, settings, "opening the vault", err)) != SV_OK)
		goto out;
	if (mode == SV_STORE_NEW && (rc = make_schema(s, err)) != SV_OK)
		goto out;
	if (mode == SV_STORE_VAULT && (rc = exec(s, "PRAGMA journal_mode=PERSIST", "opening the vault", err)) != SV_OK)
		goto out;
	if (mode == SV_STORE_VAULT &&
	    (rc = sv_migrate(s->db, sv_migrations, sv_migrations_n, SV_USER_VERSION, err)) != SV_OK)
		goto out;
	(void)sqlite3_set_authorizer(s->db, authorize, NULL);
	if ((rc = sv_store_schema_check(s, err)) != SV_OK)
		goto out;
	/* the first read took the lock; a journal was rolled back, and what it left must be a vault */
	if (mode != SV_STORE_NEW && (rc = sv_file_check_header(sv_vfs_fd(s->vfs), err)) != SV_OK)
		goto out;
	*out = s;
	return SV_OK;
out:
	sv_store_close(&s);
	return rc;
}

void sv_store_close(struct sv_store **sp)
{
	struct sv_store *s = *sp;

	if (s == NULL)
		return;
	for (int i = 0; i < Q_COUNT; i++)
		(void)sqlite3_finalize(s->q[i]);
	(void)sqlite3_close(s->db);
	sv_vfs_free(s->vfs);
	free(s);
	*sp = NULL;
}

int sv_store_fd(const struct sv_store *s)
{
	return sv_vfs_fd(s->vfs);
}

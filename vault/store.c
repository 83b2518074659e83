/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite connection and its statements.  How the connection is set up is in store_open.c.
 */
#include "vault/store_int.h"

#include <string.h>

static const char *const sql[Q_COUNT] = {
	[Q_BEGIN] = "BEGIN IMMEDIATE",
	[Q_COMMIT] = "COMMIT",
	[Q_ROLLBACK] = "ROLLBACK",
	[Q_STATE] = "SELECT vault_id, suite, key_epoch, seq, nrec, root, head, mac, k FROM vault",
	[Q_STATE_INSERT] = "INSERT INTO vault(k, vault_id, suite, key_epoch, seq, nrec, root, head, mac) VALUES(1, ?1, "
			   "?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[Q_STATE_UPDATE] = "UPDATE vault SET vault_id = ?1, suite = ?2, key_epoch = ?3, seq = ?4, nrec = ?5, root = "
			   "?6, head = ?7, mac = ?8 WHERE k = 1",
	[Q_SLOTS] = "SELECT id, kind, alg, ops, mem, salt, cmt, nonce, wrapped FROM slot ORDER BY id",
	[Q_SLOTS_DELETE] = "DELETE FROM slot",
	[Q_SLOT_INSERT] = "INSERT INTO slot(id, kind, alg, ops, mem, salt, cmt, nonce, wrapped) VALUES(?1, ?2, ?3, ?4, "
			  "?5, ?6, ?7, ?8, ?9)",
	[Q_GET] = "SELECT id, rev, tag, meta, val FROM rec WHERE id = ?1 AND rev = ?2",
	[Q_SCAN] = "SELECT id, rev, tag, meta, val FROM rec ORDER BY id, rev",
	[Q_INSERT] = "INSERT INTO rec(id, rev, tag, meta, val) VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_UPDATE] = "UPDATE rec SET tag = ?3, meta = ?4, val = ?5 WHERE id = ?1 AND rev = ?2",
	[Q_DELETE] = "DELETE FROM rec WHERE id = ?1 AND rev = ?2",
	[Q_CHECK] = "PRAGMA quick_check(1)",
};

enum sv_code sv_store_fail(struct sv_store *s, int rc, const char *what, struct sv_err *err)
{
	int e = sv_vfs_errno(s->vfs);

	switch (rc & 0xff) {
	case SQLITE_NOTADB: return sv_err_set(err, SV_ERR_NOT_A_VAULT, "the file is not a vault");
	case SQLITE_CORRUPT:
	case SQLITE_FORMAT:
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
	case SQLITE_SCHEMA: return sv_err_set(err, SV_ERR_INTEGRITY, "the vault file is damaged (%s)", what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return sv_err_set(err, SV_ERR_BUSY, "another process has the vault open");
	case SQLITE_NOMEM: return sv_err_set(err, SV_ERR_NOMEM, "out of memory (%s)", what);
	case SQLITE_TOOBIG:
	case SQLITE_INTERRUPT:
		return sv_err_set(err, SV_ERR_LIMITS, "the vault file asks for more than is allowed (%s)", what);
	default:
		if (e != 0)
			return sv_err_sys(err, SV_ERR_IO, e, "%s", what);
		return sv_err_set(err, SV_ERR_IO, "%s: the database reports error %d", what, rc);
	}
}

static sqlite3_stmt *stmt(struct sv_store *s, enum sv_query q, int *rc)
{
	*rc = SQLITE_OK;
	if (s->q[q] == NULL)
		*rc = sqlite3_prepare_v3(s->db, sql[q], -1, SQLITE_PREPARE_PERSISTENT, &s->q[q], NULL);
	return s->q[q];
}

/* A statement without rows, with whatever was bound; resets it. */
static enum sv_code done(struct sv_store *s, sqlite3_stmt *q, const char *what, struct sv_err *err)
{
	int rc = sqlite3_step(q);

	(void)sqlite3_reset(q);
	return rc == SQLITE_DONE ? SV_OK : sv_store_fail(s, rc, what, err);
}

static enum sv_code simple(struct sv_store *s, enum sv_query q, const char *what, struct sv_err *err)
{
	int rc;
	sqlite3_stmt *st = stmt(s, q, &rc);

	return st == NULL ? sv_store_fail(s, rc, what, err) : done(s, st, what, err);
}

/* A blob column of exactly n bytes. */
static const unsigned char *blob(sqlite3_stmt *q, int col, int n)
{
	if (sqlite3_column_type(q, col) != SQLITE_BLOB)
		return NULL;
	return sqlite3_column_bytes(q, col) == n ? sqlite3_column_blob(q, col) : NULL;
}

static bool number(sqlite3_stmt *q, int col, uint64_t max, uint64_t *out)
{
	sqlite3_int64 v = sqlite3_column_int64(q, col);

	*out = (uint64_t)v;
	return sqlite3_column_type(q, col) == SQLITE_INTEGER && v >= 0 && (uint64_t)v <= max;
}

enum sv_code sv_store_state(struct sv_store *s, struct sv_state_row *out, struct sv_err *err)
{
	int rc, rows = 0;
	sqlite3_stmt *q = stmt(s, Q_STATE, &rc);
	enum sv_code code = SV_OK;

	if (q == NULL)
		return sv_store_fail(s, rc, "reading the vault's state", err);
	s->budget = SV_STORE_BUDGET;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && code == SV_OK) {
		const unsigned char *id = blob(q, 0, SV_ID_BYTES), *root = blob(q, 5, SV_HASH_BYTES),
				    *mac = blob(q, 7, SV_HASH_BYTES);
		uint64_t suite, k;
		int n = sqlite3_column_bytes(q, 6);

		if (++rows > 1 || id == NULL || root == NULL || mac == NULL || !number(q, 1, UINT32_MAX, &suite) ||
		    !number(q, 2, INT64_MAX, &out->epoch) || !number(q, 3, INT64_MAX, &out->seq) ||
		    !number(q, 4, INT64_MAX, &out->nrec) || !number(q, 8, 1, &k) ||
		    sqlite3_column_type(q, 6) != SQLITE_BLOB || n < (int)SV_SEAL_EXTRA || n > SV_HEAD_BYTES_MAX) {
			code = sv_err_set(err, SV_ERR_INTEGRITY, "the vault's state row is not in its proper form");
			break;
		}
		out->suite = (uint32_t)suite;
		memcpy(out->vault_id, id, SV_ID_BYTES);
		memcpy(out->root, root, SV_HASH_BYTES);
		memcpy(out->mac, mac, SV_HASH_BYTES);
		memcpy(out->head, sqlite3_column_blob(q, 6), (size_t)n);
		out->head_n = (size_t)n;
	}
	(void)sqlite3_reset(q);
	if (code != SV_OK)
		return code;
	if (rc != SQLITE_DONE)
		return sv_store_fail(s, rc, "reading the vault's state", err);
	if (rows == 0)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault has no state row");
	if (out->suite != SV_SUITE)
		return sv_err_set(err, SV_ERR_UNSUPPORTED,
				  "the vault uses cipher suite %u, this version knows suite %u; a newer sv is needed",
				  (unsigned)out->suite, SV_SUITE);
	if (out->nrec > SV_ROWS_MAX)
		return sv_err_set(err, SV_ERR_LIMITS, "the vault has more rows than are allowed");
	return SV_OK;
}

enum sv_code sv_store_slots(struct sv_store *s, struct sv_slot out[SV_SLOTS_MAX], size_t *n, struct sv_err *err)
{
	int rc;
	sqlite3_stmt *q = stmt(s, Q_SLOTS, &rc);
	enum sv_code code = SV_OK;

	*n = 0;
	if (q == NULL)
		return sv_store_fail(s, rc, "reading the key slots", err);
	s->budget = SV_STORE_BUDGET;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		const unsigned char *salt = blob(q, 5, SV_SALT_BYTES), *cmt = blob(q, 6, SV_HASH_BYTES),
				    *nonce = blob(q, 7, SV_NONCE_BYTES);
		const unsigned char *wrapped = blob(q, 8, SV_WRAPPED_BYTES);
		uint64_t id, kind, alg;
		struct sv_slot *t;

		if (*n == SV_SLOTS_MAX || salt == NULL || cmt == NULL || nonce == NULL || wrapped == NULL ||
		    !number(q, 0, SV_SLOTS_MAX - 1, &id) || !number(q, 1, UINT8_MAX, &kind) ||
		    !number(q, 2, UINT8_MAX, &alg)) {
			code = sv_err_set(err, SV_ERR_INTEGRITY, "a key slot is not in its proper form");
			break;
		}
		t = &out[*n];
		t->id = (uint8_t)id;
		t->kind = (uint8_t)kind;
		t->alg = (uint8_t)alg;
		if (!number(q, 3, INT64_MAX, &t->ops) || !number(q, 4, INT64_MAX, &t->mem)) {
			code = sv_err_set(err, SV_ERR_INTEGRITY, "a key slot is not in its proper form");
			break;
		}
		memcpy(t->salt, salt, SV_SALT_BYTES);
		memcpy(t->cmt, cmt, SV_HASH_BYTES);
		memcpy(t->nonce, nonce, SV_NONCE_BYTES);
		memcpy(t->wrapped, wrapped, SV_WRAPPED_BYTES);
		(*n)++;
	}
	(void)sqlite3_reset(q);
	if (code != SV_OK)
		return code;
	return rc == SQLITE_DONE ? SV_OK : sv_store_fail(s, rc, "reading the key slots", err);
}

static bool raw(sqlite3_stmt *q, struct sv_raw *r)
{
	const unsigned char *id = blob(q, 0, SV_ID_BYTES);
	uint64_t rev;

	if (id == NULL || !number(q, 1, UINT32_MAX - 1, &rev) || rev == 0 ||
	    (r->tag = blob(q, 2, SV_HASH_BYTES)) == NULL || sqlite3_column_type(q, 3) != SQLITE_BLOB ||
	    sqlite3_column_type(q, 4) != SQLITE_BLOB)
		return false;
	memcpy(r->id, id, SV_ID_BYTES);
	r->rev = (uint32_t)rev;
	r->meta_n = (size_t)sqlite3_column_bytes(q, 3);
	r->meta = sqlite3_column_blob(q, 3);
	r->val_n = (size_t)sqlite3_column_bytes(q, 4);
	r->val = sqlite3_column_blob(q, 4);
	return r->meta != NULL && r->val != NULL;
}

enum sv_code sv_store_get(struct sv_store *s, const uint8_t *id, uint32_t rev, struct sv_raw *out, struct sv_err *err)
{
	int rc;
	sqlite3_stmt *q = stmt(s, Q_GET, &rc);

	if (q == NULL)
		return sv_store_fail(s, rc, "reading a row", err);
	(void)sqlite3_reset(q);
	s->budget = SV_STORE_BUDGET;
	if ((rc = sqlite3_bind_blob(q, 1, id, SV_ID_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 2, rev)) != SQLITE_OK)
		return sv_store_fail(s, rc, "reading a row", err);
	rc = sqlite3_step(q);
	if (rc == SQLITE_DONE) {
		(void)sqlite3_reset(q);
		return sv_err_set(err, SV_ERR_INTEGRITY, "a row of the vault has disappeared");
	}
	if (rc != SQLITE_ROW) {
		(void)sqlite3_reset(q);
		return sv_store_fail(s, rc, "reading a row", err);
	}
	/* the statement stays on its row: out has views into it */
	return raw(q, out) ? SV_OK : sv_err_set(err, SV_ERR_INTEGRITY, "a row of the vault is not in its proper form");
}

void sv_store_done(struct sv_store *s)
{
	if (s->q[Q_GET] != NULL)
		(void)sqlite3_reset(s->q[Q_GET]);
}

enum sv_code sv_store_scan(struct sv_store *s, sv_raw_fn fn, void *ctx, struct sv_err *err)
{
	int rc;
	sqlite3_stmt *q = stmt(s, Q_SCAN, &rc);
	enum sv_code code = SV_OK;
	struct sv_raw r;

	if (q == NULL)
		return sv_store_fail(s, rc, "reading the rows", err);
	s->budget = SV_STORE_BUDGET;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (!raw(q, &r)) {
			code = sv_err_set(err, SV_ERR_INTEGRITY, "a row of the vault is not in its proper form");
			break;
		}
		if ((code = fn(ctx, &r, err)) != SV_OK)
			break;
	}
	(void)sqlite3_reset(q);
	if (code != SV_OK)
		return code;
	return rc == SQLITE_DONE ? SV_OK : sv_store_fail(s, rc, "reading the rows", err);
}

enum sv_code sv_store_begin(struct sv_store *s, struct sv_err *err)
{
	sv_store_done(s);
	return simple(s, Q_BEGIN, "beginning a change", err);
}

enum sv_code sv_store_commit(struct sv_store *s, struct sv_err *err)
{
	return simple(s, Q_COMMIT, "writing the change", err);
}

void sv_store_rollback(struct sv_store *s)
{
	if (sqlite3_get_autocommit(s->db) == 0)
		(void)simple(s, Q_ROLLBACK, "taking the change back", NULL);
}

static enum sv_code put_raw(struct sv_store *s, enum sv_query which, const struct sv_raw *r, const char *what,
			    struct sv_err *err)
{
	int rc;
	sqlite3_stmt *q = stmt(s, which, &rc);

	if (q == NULL || (rc = sqlite3_bind_blob(q, 1, r->id, SV_ID_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 2, r->rev)) != SQLITE_OK ||
	    (rc = sqlite3_bind_blob(q, 3, r->tag, SV_HASH_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_blob(q, 4, r->meta, (int)r->meta_n, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_blob(q, 5, r->val, (int)r->val_n, SQLITE_STATIC)) != SQLITE_OK)
		return sv_store_fail(s, rc, what, err);
	return done(s, q, what, err);
}

enum sv_code sv_store_insert(struct sv_store *s, const struct sv_raw *r, struct sv_err *err)
{
	return put_raw(s, Q_INSERT, r, "adding a row", err);
}

enum sv_code sv_store_update(struct sv_store *s, const struct sv_raw *r, struct sv_err *err)
{
	return put_raw(s, Q_UPDATE, r, "replacing a row", err);
}

enum sv_code sv_store_delete(struct sv_store *s, const uint8_t *id, uint32_t rev, struct sv_err *err)
{
	int rc;
	sqlite3_stmt *q = stmt(s, Q_DELETE, &rc);

	if (q == NULL || (rc = sqlite3_bind_blob(q, 1, id, SV_ID_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 2, rev)) != SQLITE_OK)
		return sv_store_fail(s, rc, "removing a row", err);
	return done(s, q, "removing a row", err);
}

enum sv_code sv_store_put_state(struct sv_store *s, const struct sv_state_row *row, bool insert, struct sv_err *err)
{
	static const char what[] = "writing the vault's state";
	int rc;
	sqlite3_stmt *q = stmt(s, insert ? Q_STATE_INSERT : Q_STATE_UPDATE, &rc);

	if (q == NULL || (rc = sqlite3_bind_blob(q, 1, row->vault_id, SV_ID_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 2, row->suite)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 3, (sqlite3_int64)row->epoch)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 4, (sqlite3_int64)row->seq)) != SQLITE_OK ||
	    (rc = sqlite3_bind_int64(q, 5, (sqlite3_int64)row->nrec)) != SQLITE_OK ||
	    (rc = sqlite3_bind_blob(q, 6, row->root, SV_HASH_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_blob(q, 7, row->head, (int)row->head_n, SQLITE_STATIC)) != SQLITE_OK ||
	    (rc = sqlite3_bind_blob(q, 8, row->mac, SV_HASH_BYTES, SQLITE_STATIC)) != SQLITE_OK)
		return sv_store_fail(s, rc, what, err);
	return done(s, q, what, err);
}

enum sv_code sv_store_put_slots(struct sv_store *s, const struct sv_slot *slots, size_t n, struct sv_err *err)
{
	static const char what[] = "writing the key slots";
	enum sv_code code = simple(s, Q_SLOTS_DELETE, what, err);
	int rc;
	sqlite3_stmt *q = stmt(s, Q_SLOT_INSERT, &rc);

	if (code != SV_OK)
		return code;
	for (size_t i = 0; i < n && code == SV_OK; i++) {
		const struct sv_slot *t = &slots[i];

		if (q == NULL || (rc = sqlite3_bind_int(q, 1, t->id)) != SQLITE_OK ||
		    (rc = sqlite3_bind_int(q, 2, t->kind)) != SQLITE_OK ||
		    (rc = sqlite3_bind_int(q, 3, t->alg)) != SQLITE_OK ||
		    (rc = sqlite3_bind_int64(q, 4, (sqlite3_int64)t->ops)) != SQLITE_OK ||
		    (rc = sqlite3_bind_int64(q, 5, (sqlite3_int64)t->mem)) != SQLITE_OK ||
		    (rc = sqlite3_bind_blob(q, 6, t->salt, SV_SALT_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
		    (rc = sqlite3_bind_blob(q, 7, t->cmt, SV_HASH_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
		    (rc = sqlite3_bind_blob(q, 8, t->nonce, SV_NONCE_BYTES, SQLITE_STATIC)) != SQLITE_OK ||
		    (rc = sqlite3_bind_blob(q, 9, t->wrapped, SV_WRAPPED_BYTES, SQLITE_STATIC)) != SQLITE_OK)
			return sv_store_fail(s, rc, what, err);
		code = done(s, q, what, err);
	}
	return code;
}

enum sv_code sv_store_quick_check(struct sv_store *s, struct sv_err *err)
{
	int rc;
	sqlite3_stmt *q = stmt(s, Q_CHECK, &rc);
	enum sv_code code = SV_OK;

	if (q == NULL)
		return sv_store_fail(s, rc, "checking the file", err);
	sv_store_done(s);
	s->budget = SV_STORE_BUDGET;
	if ((rc = sqlite3_step(q)) != SQLITE_ROW)
		code = sv_store_fail(s, rc, "checking the file", err);
	else if (sqlite3_column_bytes(q, 0) != 2 || memcmp(sqlite3_column_text(q, 0), "ok", 2) != 0)
		code = sv_err_set(err, SV_ERR_INTEGRITY, "the vault file is damaged (its pages do not fit together)");
	(void)sqlite3_reset(q);
	return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ordered steps from an older schema to this one.  They run before the authorizer is set and change tables only; what
 * is in the rows is under the root and changes by commits.
 */
#include "vault/migrate.h"

#include <stdio.h>

const struct sv_migration sv_migrations[] = { { 0, NULL } };
const size_t sv_migrations_n = 0;

static int user_version(sqlite3 *db, uint32_t *out)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		*out = (uint32_t)sqlite3_column_int64(q, 0);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(q);
	return rc;
}

enum sv_code sv_migrate(sqlite3 *db, const struct sv_migration *steps, size_t n, uint32_t newest, struct sv_err *err)
{
	uint32_t at = 0;
	int rc = user_version(db, &at);

	if (rc != SQLITE_OK)
		return sv_err_set(err, SV_ERR_FAIL, "the version of the vault cannot be read (error %d)", rc);
	if (at > newest)
		return sv_err_set(err, SV_ERR_UNSUPPORTED,
				  "the vault is in format %u, this version reads format %u; a newer sv is needed", at,
				  newest);
	for (size_t i = 0; i < n; i++) {
		char set[64];

		if (steps[i].version <= at)
			continue;
		if (steps[i].version != at + 1 || steps[i].version > newest)
			return sv_err_set(err, SV_ERR_FAIL, "there is no step from format %u to the next", at);
		(void)snprintf(set, sizeof(set), "PRAGMA user_version=%u", steps[i].version);
		if ((rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) != SQLITE_OK ||
		    (rc = sqlite3_exec(db, steps[i].sql, NULL, NULL, NULL)) != SQLITE_OK ||
		    (rc = sqlite3_exec(db, set, NULL, NULL, NULL)) != SQLITE_OK ||
		    (rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL)) != SQLITE_OK) {
			if (sqlite3_get_autocommit(db) == 0)
				(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return sv_err_set(err, SV_ERR_FAIL, "the step to format %u failed (error %d)", steps[i].version,
					  rc);
		}
		at = steps[i].version;
	}
	if (at != newest)
		return sv_err_set(err, SV_ERR_FAIL, "there is no step from format %u to the next", at);
	return SV_OK;
}

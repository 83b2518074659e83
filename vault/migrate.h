/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ordered steps from an older schema to this one.
 */
#ifndef SV_VAULT_MIGRATE_H
#define SV_VAULT_MIGRATE_H

#include "vault/base/err.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct sv_migration {
	uint32_t version; /* what user_version becomes; steps ascend by one */
	const char *sql;
};

/* Steps of this version: none, format 1 is the first. */
extern const struct sv_migration sv_migrations[];
extern const size_t sv_migrations_n;

/*
 * Run the steps above the file's user_version, each in a transaction of its own that also writes the new number, so
 * that a crash leaves one version or the next.  SV_ERR_UNSUPPORTED: the file is newer than the last step.  SV_ERR_FAIL:
 * the table has a gap, or SQL failed (the file stays at the last version reached).
 */
enum sv_code sv_migrate(sqlite3 *db, const struct sv_migration *steps, size_t n, uint32_t newest,
			struct sv_err *err) SV_CHECK;

#endif

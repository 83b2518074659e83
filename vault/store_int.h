/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What store.c and store_open.c share: the connection and its statement table.
 */
#ifndef SV_VAULT_STORE_INT_H
#define SV_VAULT_STORE_INT_H

#include "vault/store.h"
#include "vault/vfs.h"

#define SV_STORE_BUDGET 400000 /* calls of the progress handler, each SV_STORE_STEPS virtual machine steps */
#define SV_STORE_STEPS  1000

enum sv_query {
	Q_BEGIN,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_STATE,
	Q_STATE_INSERT,
	Q_STATE_UPDATE,
	Q_SLOTS,
	Q_SLOTS_DELETE,
	Q_SLOT_INSERT,
	Q_GET,
	Q_SCAN,
	Q_INSERT,
	Q_UPDATE,
	Q_DELETE,
	Q_CHECK,
	Q_COUNT,
};

struct sv_store {
	sqlite3 *db;
	struct sv_vfs *vfs;
	sqlite3_stmt *q[Q_COUNT];
	long budget;
};

enum sv_code sv_store_fail(struct sv_store *s, int rc, const char *what, struct sv_err *err);

#endif

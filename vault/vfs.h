/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system as SQLite sees it: one vault file and its journal, and nothing else.
 *
 * Stock SQLite believes a journal that lies beside a database and deletes files that it names; here every other name is
 * an I/O error.  The first lock taken is an exclusive one over SQLite's own lock bytes, so other SQLite programs are
 * kept out as well. With SV_TESTING this is also where faults are injected and operations recorded.
 */
#ifndef SV_VAULT_VFS_H
#define SV_VAULT_VFS_H

#include "vault/fscheck.h"

#include <sqlite3.h>

struct sv_vfs;

/*
 * Register a file system for one connection.  place and its directory stay the caller's and outlive it; fd, already
 * checked, is taken over. journal false: no journal may be opened (reading a copy, writing a new file).  NULL without
 * memory (fd is closed).
 */
struct sv_vfs *sv_vfs_new(const struct sv_place *place, int fd, bool journal);
void sv_vfs_free(struct sv_vfs *v);
const char *sv_vfs_name(const struct sv_vfs *v);
const char *sv_vfs_path(const struct sv_vfs *v);
/* The open vault file; -1 before SQLite opened it. */
int sv_vfs_fd(const struct sv_vfs *v);
/* errno of the last operation that failed, 0 none. */
int sv_vfs_errno(const struct sv_vfs *v);

/* Overwrite the journal with zeros, sync, unlink, sync the directory.  SQLite must be closed.  0 or errno. */
int sv_vfs_wipe_journal(const struct sv_place *place);

#ifdef SV_TESTING
enum sv_vfs_op { SV_VFS_WRITE, SV_VFS_TRUNCATE, SV_VFS_SYNC, SV_VFS_DELETE, SV_VFS_CREATE };
/* Called before the operation; an errno returned instead of 0 makes it fail.  data only with SV_VFS_WRITE. */
struct sv_vfs_test {
	int (*before)(void *ctx, enum sv_vfs_op op, bool journal, const void *data, size_t n, int64_t off);
	void *ctx;
};
extern struct sv_vfs_test sv_vfs_test;
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files from outside: owner, mode, kind and header checks before anything parses them.  FORMAT.md "opening an untrusted
 * file".
 */
#ifndef SV_VAULT_FSCHECK_H
#define SV_VAULT_FSCHECK_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SV_PAGE_BYTES     4096
#define SV_FILE_BYTES_MAX ((uint64_t)4 << 30) /* beyond what SV_ROWS_MAX small rows need; a bound for hostile files */
#define SV_APP_ID         0x53765631u
#define SV_USER_VERSION   1u

struct sv_place {         /* where a vault file is: an open directory and a name in it */
	int dir_fd;       /* -1: not open */
	char *dir, *name; /* directory as given, and the last component */
};

/* Split an absolute path.  Both parts are malloc'ed. */
enum sv_code sv_place_init(struct sv_place *p, const char *path, struct sv_err *err) SV_CHECK;
void sv_place_clear(struct sv_place *p);
/* Open the directory and check owner, mode and ancestors; SV_ERR_NO_VAULT when it is not there. */
enum sv_code sv_place_open(struct sv_place *p, struct sv_err *err) SV_CHECK;
/* mkdir -p with mode 0700 for what is missing. */
enum sv_code sv_place_mkdirs(const char *dir, struct sv_err *err) SV_CHECK;

/*
 * Open p->name read-write and check it and its journal: kind, owner, links, mode, size, header, no -wal or -shm, no
 * super-journal. *hot: there is a journal that SQLite may roll back, so the header and the size are to be looked at
 * again afterwards.
 */
enum sv_code sv_place_open_file(const struct sv_place *p, int *fd, bool *hot, struct sv_err *err) SV_CHECK;
/* The header and size checks alone. */
enum sv_code sv_file_check_header(int fd, struct sv_err *err) SV_CHECK;
/* Refuse network file systems, where locks and fsync are not what they are here. */
enum sv_code sv_file_check_fs(int fd, struct sv_err *err) SV_CHECK;
/* Does the name still mean the file behind fd? */
bool sv_place_same(const struct sv_place *p, int fd);
/* p->name with a suffix; malloc'ed. */
char *sv_place_name(const struct sv_place *p, const char *suffix);

#endif

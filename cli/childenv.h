/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a child: the present one and resolved secrets become an envp.  A pure function: no system call, no
 * allocation, and no copy of a value, because envp points at the pairs where they stand.
 *
 * Rules (DESIGN: running programs): an inherited variable that is there twice is kept once, the first, which is what
 * getenv(3) answers; SV_VAULT and SV_SOCKET are the vault's plumbing and removed; a secret replaces an inherited
 * variable of the same name unless SV_CHILDENV_KEEP; names that change how programs load code need SV_CHILDENV_FORCE; a
 * value that is empty, holds a NUL or is too long for a variable is refused, naming the secret.
 */
#ifndef SV_CLI_CHILDENV_H
#define SV_CLI_CHILDENV_H

#include "vault/base/err.h"
#include "vault/base/types.h"

#include <stdbool.h>
#include <stddef.h>

#define SV_CHILDENV_KEEP      1u
#define SV_CHILDENV_FORCE     2u
#define SV_CHILDENV_NO_VALUES 4u /* the pairs end behind '=' (--dry-run) */

struct sv_childenv_var {
	char *pair;          /* "VAR=value" and NUL */
	size_t var_len;      /* without '=' */
	size_t value_len;    /* as the vault has it */
	struct sv_text name; /* of the secret, for messages */
	bool inherited;      /* from the default environment; only told on */
};

/* Bytes of workspace for sv_childenv_build, which needs the alignment of a pointer. */
size_t sv_childenv_room(size_t n_inherited, size_t n_vars);

/*
 * *envp is NULL-terminated and lives in room.  SV_ERR_DENIED: a dangerous name without FORCE; SV_ERR_CONFLICT: two
 * secrets for one variable; SV_ERR_NAME: an illegal variable; SV_ERR_FAIL: empty or with a NUL; SV_ERR_TOO_BIG.
 */
enum sv_code sv_childenv_build(char *const *inherited, const struct sv_childenv_var *vars, size_t n_vars,
			       unsigned flags, void *room, char ***envp, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a file that is there whole or not at all, for no one else to read.
 */
#ifndef SV_PROJECT_ATOMIC_H
#define SV_PROJECT_ATOMIC_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Write p[0..n) to path: a new file beside it, mode, fsync, rename.  A link at path is refused, never followed; replace
 * false: SV_ERR_EXISTS when something is there.  SV_ERR_DENIED (a link, no regular file), SV_ERR_IO; on an error
 * nothing new is left.
 */
enum sv_code sv_atomic_write(const char *path, const void *p, size_t n, mode_t mode, bool replace,
			     struct sv_err *err) SV_CHECK;

#endif

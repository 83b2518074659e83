/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets from outside: a descriptor, standard input or a hidden question; never from argv.  Straight into locked
 * memory.
 */
#ifndef SV_CLI_VALUE_H
#define SV_CLI_VALUE_H

#include "cli/cmd.h"
#include "vault/base/secret.h"

/*
 * The value of a secret: from fd when it is not -1, else from standard input when that is no terminal, else asked.  One
 * line feed at the end is dropped unless raw.  SV_ERR_TOO_BIG past SV_VALUE_MAX (no more than that and two bytes is
 * read); an empty value is the caller's affair.
 */
enum sv_code sv_value_read(struct sv_cli *cli, struct sv_text name, int fd, bool raw, struct sv_secret **out,
			   struct sv_err *err) SV_CHECK;

/* One line from a descriptor, read byte by byte so that what follows stays there; without its line feed.  SV_ERR_USAGE
 * when it is empty, too long, or not open. */
enum sv_code sv_value_line(int fd, const char *what, size_t max, struct sv_secret **out, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a legal secret name, environment name and variable name is, and how text from outside is shown.
 *
 * A secret name is 1 to 255 bytes of valid UTF-8, segments split by '/', no segment empty, "." or "..", no leading '-',
 * no control character (C0, DEL, C1), no line or paragraph separator, no bidirectional or zero-width format character,
 * no '=', no leading or trailing blank in the name, and not the form "sv://".  '@' followed by digits only at the end
 * is refused, because NAME@N names a version.
 */
#ifndef SV_BASE_NAME_H
#define SV_BASE_NAME_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SV_NAME_MAX     255    /* bytes, without NUL */
#define SV_ENV_NAME_MAX 64     /* bytes, without NUL: [A-Za-z0-9][A-Za-z0-9._-]* */
#define SV_VAR_MAX      128    /* bytes, without NUL: [A-Za-z_][A-Za-z0-9_]* */
#define SV_VAR_PAIR_MAX 131071 /* bytes of "VAR=value" without NUL: Linux MAX_ARG_STRLEN less one */

/* SV_OK, or SV_ERR_NAME with a sentence that says which rule; the name itself is not in the sentence. */
enum sv_code sv_name_check(const char *name, size_t len, struct sv_err *err) SV_CHECK;
/* A group: a name with one closing slash, or the empty string for everything. */
enum sv_code sv_group_check(const char *group, size_t len, struct sv_err *err) SV_CHECK;
enum sv_code sv_env_name_check(const char *name, size_t len, struct sv_err *err) SV_CHECK;
enum sv_code sv_var_check(const char *var, size_t len, struct sv_err *err) SV_CHECK;

/*
 * The variable name of a secret without `var` metadata: the last segment, as it is when it contains an upper-case
 * letter, else upper-cased, with every byte outside [A-Za-z0-9_] as '_' in both cases, and '_' in front of a leading
 * digit.  Writes at most SV_VAR_MAX bytes and a NUL to out (SV_VAR_MAX + 1 bytes) and returns the length (cut at
 * SV_VAR_MAX).
 */
size_t sv_var_from_name(const char *name, size_t len, char out[SV_VAR_MAX + 1]);

/* Names that change how programs load code or find each other (PATH, LD_*, BASH_ENV, NODE_OPTIONS ...): need --force.
 */
bool sv_var_dangerous(const char *var, size_t len);

/* true when p[0..n) is valid UTF-8 (no overlong forms, surrogates or code points past U+10FFFF). */
bool sv_utf8_valid(const void *p, size_t n);

/*
 * Escape text from outside for a terminal: printable UTF-8 stays, all else (C0, DEL, C1, invalid bytes, bidirectional
 * and zero-width format characters, line separators) becomes \xNN or \u{N}, backslash becomes \\ .  Writes at most
 * out_size - 1 bytes and a NUL, never half an escape or character; returns the length the whole would need.
 */
size_t sv_escape(const char *p, size_t n, char *out, size_t out_size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random values, from libsodium's generator, every outcome equally likely (randombytes_uniform has no modulo bias).
 *
 *	SPEC		what comes out
 *	40		40 characters of letters, digits and . _ - + : @ , %, a letter or digit first
 *	40:lower,digit	40 characters of these classes: lower, upper, digit, symbol, alpha, alnum; each one present
 *	alnum:24	24 letters and digits; digits:6 six digits
 *	hex:32		32 random bytes as 64 hexadecimal digits; base64:32 32 random bytes in base64
 *	words:6		6 words of five letters, 16 bits each: proquints (Wilkerson, arXiv:0901.4016), joined by '-'
 *
 * The symbols are those that no POSIX shell, URL path or YAML plain scalar gives a meaning inside a word.
 */
#ifndef SV_CLI_GENERATE_H
#define SV_CLI_GENERATE_H

#include "vault/base/secret.h"

#define SV_GENERATE_DEFAULT "32"
#define SV_GENERATE_MAX     4096 /* characters, bytes or words at most */

enum sv_code sv_generate_check(const char *spec, struct sv_err *err) SV_CHECK;
/* *out is the caller's.  SV_ERR_USAGE for a SPEC that is none, SV_ERR_NOMEM. */
enum sv_code sv_generate(const char *spec, struct sv_secret **out, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions on the controlling terminal, which is not standard input or output: a pipe may be there.
 *
 * A hidden answer is read byte by byte into locked memory with echo and line mode off: in line mode the kernel cuts a
 * long paste at 4,096 bytes without a word.  The terminal is put back on every path: at the end, on an error, and on
 * every signal that ends or stops the process, which is then raised again; after a stop the question is asked anew.
 * What was typed behind the answer is thrown away, so that the second line of a paste does not reach the shell. Source:
 * OpenBSD readpassphrase(3).
 */
#ifndef SV_CLI_PROMPT_H
#define SV_CLI_PROMPT_H

#include "vault/base/secret.h"

/* There is a controlling terminal that can be opened. */
bool sv_prompt_possible(void);

/*
 * Ask with echo off; *out (1..max bytes, no line feed) is the caller's.  SV_ERR_TOO_BIG past max, SV_ERR_USAGE for an
 * empty answer or end of input, SV_ERR_IO without a terminal.
 */
enum sv_code sv_prompt_secret(const char *text, size_t max, struct sv_secret **out, struct sv_err *err) SV_CHECK;

/* Ask for y or n; anything but y or yes is no. */
enum sv_code sv_prompt_yes(const char *text, bool *yes, struct sv_err *err) SV_CHECK;

/* Write bytes to the terminal. */
enum sv_code sv_prompt_show(const void *p, size_t n, struct sv_err *err) SV_CHECK;

#endif

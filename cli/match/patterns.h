/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_patterns: the byte strings by which values are recognised, each with its secret and its form.
 *
 * From one value come
 *	raw		the value without newlines at its end; one of several lines also with CRLF or with LF
 *	line		each of several lines, blanks trimmed, from SV_PATTERN_LINE_MIN bytes with
 *			SV_PATTERN_LINE_KINDS different ones; not the "-----BEGIN ...-----" armour
 *	base64(url)	what the value alone decides, for each of the three places at which it can start in a group of
 *			three: found whatever stands before and behind it.  Long ones also broken at 64 and 76 columns
 *	hex		lower and upper case
 *	url		%XX in both cases, with what the usual encoders leave alone, blank as %20 and as '+'
 *	json		plain, with \/, with \uXXXX for what is not ASCII, with Go's \u003c, once more inside a string
 *	xml		&amp; &lt; &gt; with and without the quotes in their usual spellings
 *	shell		inside '...' in two ways, inside "...", with backslashes (%q), and inside $'...'
 *
 * Equal ones are one.  A value under SV_PATTERN_WORD_BYTES bytes counts only as a whole word: neither neighbour is an
 * ASCII letter, digit or underscore; it has no line or base64 form, and hex from 3 bytes.  One over
 * SV_PATTERN_BIG_BYTES has only the first style of url, json and xml.
 *
 * All bytes are in sv_secmem.  Not thread-safe, as that is not.
 */
#ifndef SV_CLI_MATCH_PATTERNS_H
#define SV_CLI_MATCH_PATTERNS_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sv_form {
	SV_FORM_RAW,
	SV_FORM_LINE,
	SV_FORM_BASE64,
	SV_FORM_BASE64URL,
	SV_FORM_HEX,
	SV_FORM_URL,
	SV_FORM_JSON,
	SV_FORM_XML,
	SV_FORM_SHELL,
	SV_FORM_COUNT
};

#define SV_FORMS_ALL ((1u << SV_FORM_COUNT) - 1)
#define SV_FORMS_RAW ((1u << SV_FORM_RAW) | (1u << SV_FORM_LINE))

#define SV_PATTERN_WORD_BYTES  6 /* a shorter value is found as a whole word only */
#define SV_PATTERN_LINE_MIN    8 /* bytes in a line that counts by itself */
#define SV_PATTERN_LINE_KINDS  4 /* different bytes in it */
#define SV_PATTERN_BIG_BYTES   ((size_t)64 << 10)
#define SV_PATTERN_SECRETS_MAX 200000
#define SV_PATTERN_BYTES_MAX   ((size_t)1 << 30) /* of all patterns together */

struct sv_pattern {
	const unsigned char *p; /* in sv_secmem, owned by the list */
	uint32_t len;
	uint32_t secret; /* number that sv_patterns_add() gave */
	uint8_t form;    /* enum sv_form */
	bool word;
};

struct sv_patterns;

/* An empty list; NULL without memory.  forms: bits 1u << enum sv_form; raw is always made. */
struct sv_patterns *sv_patterns_new(unsigned forms);
/* Wipe and free; NULL is allowed. */
void sv_patterns_free(struct sv_patterns *ps);

/*
 * Add all forms of a value.  Secrets are numbered from 0 in the order of the calls; name is what the mask will show,
 * copied and escaped. A value of nothing but newlines has no pattern.  The bytes are copied, the caller's are
 * borrowed.  SV_ERR_NOMEM, SV_ERR_TOO_BIG.
 */
enum sv_code sv_patterns_add(struct sv_patterns *ps, const char *name, size_t name_len, const void *value, size_t len,
			     struct sv_err *err) SV_CHECK;

size_t sv_patterns_count(const struct sv_patterns *ps);
const struct sv_pattern *sv_patterns_at(const struct sv_patterns *ps, size_t i);
size_t sv_patterns_secrets(const struct sv_patterns *ps);
/* The escaped name, NUL-terminated; owned by the list. */
const char *sv_patterns_name(const struct sv_patterns *ps, size_t secret);

/* "raw", "line", "base64" ...; never NULL. */
const char *sv_form_word(enum sv_form form);

#endif

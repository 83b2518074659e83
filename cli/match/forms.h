/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoders behind patterns.h: pure functions from value bytes to the bytes of one form.  Internal to this folder.
 *
 * Each writes at most sv_form_room(n) bytes to out and returns how many; the caller provides locked memory.
 */
#ifndef SV_CLI_MATCH_FORMS_H
#define SV_CLI_MATCH_FORMS_H

#include <stdbool.h>
#include <stddef.h>

/* Enough for every encoder: \u0000 of JSON inside JSON is the longest, seven bytes for one. */
static inline size_t sv_form_room(size_t n)
{
	return 8 * n + 64;
}

/*
 * The characters of base64 that the value alone decides when shift (0..2) bytes stand before it in its group of
 * three.
 */
size_t sv_form_base64(unsigned char *out, const unsigned char *p, size_t n, unsigned shift, bool urlsafe);
/* Break text every columns characters with eol. */
size_t sv_form_wrap(unsigned char *out, const unsigned char *p, size_t n, size_t columns, const char *eol);
size_t sv_form_hex(unsigned char *out, const unsigned char *p, size_t n, bool upper);
/* keep: bytes besides letters and digits that stay; plus: blank is '+'. */
size_t sv_form_url(unsigned char *out, const unsigned char *p, size_t n, const char *keep, bool plus, bool upper);

struct sv_json_style {
	bool slash; /* \/ */
	bool ascii; /* \uXXXX for what is not ASCII; the value must be valid UTF-8 */
	bool html;  /* \u003c \u003e \u0026 */
	bool upper; /* digits of \uXXXX */
};
size_t sv_form_json(unsigned char *out, const unsigned char *p, size_t n, struct sv_json_style style);

/* quot, apos: what stands for " and ', NULL when they stay. */
size_t sv_form_xml(unsigned char *out, const unsigned char *p, size_t n, const char *quot, const char *apos);

/* Inside '...': what stands for a quote. */
size_t sv_form_single(unsigned char *out, const unsigned char *p, size_t n, const char *quote);
/* Backslash before each byte of special. */
size_t sv_form_backslash(unsigned char *out, const unsigned char *p, size_t n, const char *special);
/* Inside $'...'. */
size_t sv_form_ansi_c(unsigned char *out, const unsigned char *p, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoders from value bytes to the bytes of one form.  Relies on nothing; the caller sizes and owns the output.
 */
#include "cli/match/forms.h"

#include <stdint.h>
#include <string.h>

static const char b64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

static size_t put_text(unsigned char *out, size_t at, const char *s)
{
	size_t n = strlen(s);

	memcpy(out + at, s, n);
	return at + n;
}

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_in(const char *set, unsigned char c)
{
	return c != 0 && strchr(set, c) != NULL;
}

/*
 * With shift foreign bytes before it the value starts at bit 8 * shift; the first whole character that it decides
 * alone starts at the next multiple of six (0, 12, 18: so 0, 2 or 3 characters are dropped) and the last ends at or
 * before its last bit.
 */
size_t sv_form_base64(unsigned char *out, const unsigned char *p, size_t n, unsigned shift, bool urlsafe)
{
	const char *set = urlsafe ? b64_url : b64_std;
	size_t bit = shift == 0 ? 0 : shift == 1 ? 4 : 2; /* of the value, where the first character starts */
	size_t len = 0;

	for (; bit + 6 <= 8 * n; bit += 6) {
		size_t at = bit / 8;
		unsigned two = (unsigned)p[at] << 8 | (at + 1 < n ? p[at + 1] : 0u);

		out[len++] = (unsigned char)set[two >> (10 - bit % 8) & 63];
	}
	return len;
}

size_t sv_form_wrap(unsigned char *out, const unsigned char *p, size_t n, size_t columns, const char *eol)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && i % columns == 0)
			len = put_text(out, len, eol);
		out[len++] = p[i];
	}
	return len;
}

size_t sv_form_hex(unsigned char *out, const unsigned char *p, size_t n, bool upper)
{
	const char *digits = upper ? hex_upper : hex_lower;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = (unsigned char)digits[p[i] >> 4];
		out[2 * i + 1] = (unsigned char)digits[p[i] & 15];
	}
	return 2 * n;
}

size_t sv_form_url(unsigned char *out, const unsigned char *p, size_t n, const char *keep, bool plus, bool upper)
{
	const char *digits = upper ? hex_upper : hex_lower;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_alnum(p[i]) || is_in(keep, p[i])) {
			out[len++] = p[i];
		} else if (plus && p[i] == ' ') {
			out[len++] = '+';
		} else {
			out[len++] = '%';
			out[len++] = (unsigned char)digits[p[i] >> 4];
			out[len++] = (unsigned char)digits[p[i] & 15];
		}
	}
	return len;
}

static size_t put_u(unsigned char *out, size_t at, unsigned unit, bool upper)
{
	const char *digits = upper ? hex_upper : hex_lower;

	out[at++] = '\\';
	out[at++] = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		out[at++] = (unsigned char)digits[unit >> shift & 15];
	return at;
}

/* One character of valid UTF-8 that is not ASCII; returns its bytes. */
static size_t take_char(const unsigned char *p, size_t n, uint32_t *cp)
{
	size_t k = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (k > n)
		k = n;
	*cp = p[0] & (0xffu >> (k + 1));
	for (size_t i = 1; i < k; i++)
		*cp = *cp << 6 | (p[i] & 0x3fu);
	return k;
}

size_t sv_form_json(unsigned char *out, const unsigned char *p, size_t n, struct sv_json_style style)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		unsigned char c = p[i];
		const char *at = c != 0 ? strchr(from, c) : NULL;

		if (at != NULL) {
			out[len++] = '\\';
			out[len++] = (unsigned char)to[at - from];
		} else if (c < 0x20 || (style.html && is_in("<>&", c)) || (style.ascii && c == 0x7f)) {
			len = put_u(out, len, c, style.upper);
		} else if (c == '/' && style.slash) {
			out[len++] = '\\';
			out[len++] = c;
		} else if (c >= 0x80 && style.ascii) {
			uint32_t cp;

			i += take_char(p + i, n - i, &cp);
			if (cp >= 0x10000) {
				len = put_u(out, len, 0xd800u + ((cp - 0x10000) >> 10), style.upper);
				cp = 0xdc00u + ((cp - 0x10000) & 0x3ffu);
			}
			len = put_u(out, len, cp, style.upper);
			continue;
		} else {
			out[len++] = c;
		}
		i++;
	}
	return len;
}

size_t sv_form_xml(unsigned char *out, const unsigned char *p, size_t n, const char *quot, const char *apos)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '&')
			len = put_text(out, len, "&amp;");
		else if (p[i] == '<')
			len = put_text(out, len, "&lt;");
		else if (p[i] == '>')
			len = put_text(out, len, "&gt;");
		else if (p[i] == '"' && quot != NULL)
			len = put_text(out, len, quot);
		else if (p[i] == '\'' && apos != NULL)
			len = put_text(out, len, apos);
		else
			out[len++] = p[i];
	}
	return len;
}

size_t sv_form_single(unsigned char *out, const unsigned char *p, size_t n, const char *quote)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\'')
			len = put_text(out, len, quote);
		else
			out[len++] = p[i];
	}
	return len;
}

size_t sv_form_backslash(unsigned char *out, const unsigned char *p, size_t n, const char *special)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_in(special, p[i]))
			out[len++] = '\\';
		out[len++] = p[i];
	}
	return len;
}

size_t sv_form_ansi_c(unsigned char *out, const unsigned char *p, size_t n)
{
	static const char from[] = "'\\\a\b\033\f\n\r\t\v", to[] = "'\\abEfnrtv";
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = p[i];
		const char *at = c != 0 ? strchr(from, c) : NULL;

		if (at != NULL) {
			out[len++] = '\\';
			out[len++] = (unsigned char)to[at - from];
		} else if (c < 0x20 || c == 0x7f) {
			out[len++] = '\\';
			out[len++] = (unsigned char)('0' + (c >> 6));
			out[len++] = (unsigned char)('0' + (c >> 3 & 7));
			out[len++] = (unsigned char)('0' + (c & 7));
		} else {
			out[len++] = c;
		}
	}
	return len;
}

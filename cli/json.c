/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text (RFC 8259), one document a line.
 */
#include "cli/json.h"

#include "cli/units.h"
#include "vault/base/name.h"

#include <string.h>

/* Bytes of the character at p, its code point in *cp; 0 when it is no UTF-8. */
static size_t decode(const unsigned char *p, size_t n, uint32_t *cp)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (len > n || !sv_utf8_valid(p, len))
		return 0;
	*cp = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		*cp = *cp << 6 | (p[i] & 0x3fu);
	return len;
}

static bool harmful(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xfff9 && cp <= 0xfffb) || (cp >= 0xe0000 && cp <= 0xe007f);
}

static void escape(struct sv_out *o, uint32_t cp)
{
	if (cp == '\n')
		sv_out_str(o, "\\n");
	else if (cp == '\t')
		sv_out_str(o, "\\t");
	else if (cp == '\r')
		sv_out_str(o, "\\r");
	else if (cp < 0x10000)
		sv_out_fmt(o, "\\u%04x", (unsigned)cp);
	else
		sv_out_fmt(o, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((cp - 0x10000) >> 10)),
			   (unsigned)(0xdc00 + ((cp - 0x10000) & 0x3ff)));
}

static void string(struct sv_out *o, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t start = 0;
	size_t i = 0;

	sv_out_bytes(o, "\"", 1);
	while (i < n) {
		uint32_t cp = 0;
		size_t len = decode(p + i, n - i, &cp);
		bool special = len == 0 || cp == '"' || cp == '\\' || harmful(cp);

		if (!special) {
			i += len;
			continue;
		}
		sv_out_bytes(o, p + start, i - start);
		if (len == 0)
			sv_out_str(o, "\xef\xbf\xbd");
		else if (cp == '"' || cp == '\\')
			sv_out_bytes(o, (char[]){ '\\', (char)cp }, 2);
		else
			escape(o, cp);
		i += len == 0 ? 1 : len;
		start = i;
	}
	sv_out_bytes(o, p + start, n - start);
	sv_out_bytes(o, "\"", 1);
}

static void member(struct sv_json *j, const char *key)
{
	if (j->comma)
		sv_out_bytes(j->out, ",", 1);
	j->comma = true;
	if (key != NULL) {
		string(j->out, key, strlen(key));
		sv_out_bytes(j->out, ":", 1);
	}
}

void sv_json_open(struct sv_json *j, const char *key, char bracket)
{
	member(j, key);
	sv_out_bytes(j->out, &bracket, 1);
	j->comma = false;
}

void sv_json_close(struct sv_json *j, char bracket)
{
	sv_out_bytes(j->out, &bracket, 1);
	j->comma = true;
}

void sv_json_text(struct sv_json *j, const char *key, struct sv_text t)
{
	member(j, key);
	string(j->out, t.p, t.n);
}

void sv_json_str(struct sv_json *j, const char *key, const char *s)
{
	sv_json_text(j, key, sv_text_of(s));
}

void sv_json_number(struct sv_json *j, const char *key, int64_t n)
{
	member(j, key);
	sv_out_fmt(j->out, "%lld", (long long)n);
}

void sv_json_bool(struct sv_json *j, const char *key, bool b)
{
	member(j, key);
	sv_out_str(j->out, b ? "true" : "false");
}

void sv_json_null(struct sv_json *j, const char *key)
{
	member(j, key);
	sv_out_str(j->out, "null");
}

void sv_json_time(struct sv_json *j, const char *key, int64_t when_s)
{
	char text[SV_DATE_BYTES];

	if (when_s == 0) {
		sv_json_null(j, key);
		return;
	}
	sv_date_format(when_s, true, text);
	sv_json_str(j, key, text);
}

static void base64(struct sv_out *o, const unsigned char *p, size_t n)
{
	static const char digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v =
			(uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0u);
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
				 i + 2 < n ? digits[v & 63] : '=' };

		sv_out_bytes(o, four, 4);
		sv_wipe(four, sizeof(four));
	}
}

void sv_json_value(struct sv_json *j, const char *key, const void *p, size_t n)
{
	char encoded[64];
	size_t len = strlen(key);

	if (sv_utf8_valid(p, n)) {
		sv_json_text(j, key, (struct sv_text){ p, n });
		return;
	}
	if (len > sizeof(encoded) - 8)
		len = sizeof(encoded) - 8;
	memcpy(encoded, key, len);
	memcpy(encoded + len, "_base64", 8);
	member(j, encoded);
	sv_out_bytes(j->out, "\"", 1);
	base64(j->out, p, n);
	sv_out_bytes(j->out, "\"", 1);
}

void sv_json_end(struct sv_json *j)
{
	sv_out_bytes(j->out, "\n", 1);
	j->comma = false;
}

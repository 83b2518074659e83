/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small JSON writer onto a struct sv_out.  Strings are escaped so that they are harmless on a terminal too: control
 * characters, bidirectional and zero-width format characters are \u escapes, bytes that are no UTF-8 become U+FFFD.
 */
#ifndef SV_CLI_JSON_H
#define SV_CLI_JSON_H

#include "cli/out.h"

struct sv_json {
	struct sv_out *out;
	bool comma; /* the next member needs one in front */
};

/* key NULL inside an array and at the top. */
void sv_json_open(struct sv_json *j, const char *key, char bracket); /* '{' or '[' */
void sv_json_close(struct sv_json *j, char bracket);                 /* '}' or ']' */
void sv_json_text(struct sv_json *j, const char *key, struct sv_text t);
void sv_json_str(struct sv_json *j, const char *key, const char *s);
void sv_json_number(struct sv_json *j, const char *key, int64_t n);
void sv_json_bool(struct sv_json *j, const char *key, bool b);
void sv_json_null(struct sv_json *j, const char *key);
/* ISO 8601 in UTC, or null for 0. */
void sv_json_time(struct sv_json *j, const char *key, int64_t when_s);
/* Bytes of a value: "key" when they are UTF-8, else "key_base64". */
void sv_json_value(struct sv_json *j, const char *key, const void *p, size_t n);
/* A line feed after the document. */
void sv_json_end(struct sv_json *j);

#endif

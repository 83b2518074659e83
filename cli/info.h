/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One version of one secret as it is shown: metadata, never its value.
 */
#ifndef SV_CLI_INFO_H
#define SV_CLI_INFO_H

#include "cli/cmd.h"
#include "cli/json.h"

#define SV_MASK "********" /* says nothing about the length */

/* "added", "set", ... for people and JSON. */
const char *sv_info_verb(uint8_t verb);
/* Members of an object that is open. */
void sv_info_json(struct sv_json *j, const struct sv_msg_info *i);
/* "  label:     text" lines. */
void sv_info_text(struct sv_out *o, const struct sv_msg_info *i, int64_t now_s);
/* One line of a history. */
void sv_info_line(struct sv_out *o, const struct sv_msg_info *i);
/* An information request: INFO of ref; views into the client's buffer. */
enum sv_code sv_info_ask(struct sv_cli *cli, const struct sv_msg_ref *ref, struct sv_msg_info *i,
			 struct sv_err *err) SV_CHECK;

/* Walk frames of "u32 length, info" of a request that was begun and filled; fn's code other than SV_OK ends it. */
typedef enum sv_code (*sv_info_each_fn)(void *ctx, const struct sv_msg_info *i, struct sv_err *err);
enum sv_code sv_info_each(struct sv_cli *cli, sv_info_each_fn fn, void *ctx, struct sv_err *err) SV_CHECK;
/* The next info of a body of such frames. */
enum sv_code sv_info_next(struct sv_buf *body, struct sv_msg_info *i, struct sv_err *err) SV_CHECK;

#endif

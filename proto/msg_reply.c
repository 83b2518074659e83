/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of replies.  A client decodes them with the same care as the agent decodes requests: both ends check what
 * they are told.
 */
#include "proto/msg.h"
#include "proto/codec.h"

#include <string.h>

#define PATH_TEXT_MAX    4095 /* a path in a reply, without NUL */
#define VERSION_TEXT_MAX 64
#define PAIR_INHERITED   1u
#define INFO_GONE        1u
#define INFO_INHERITED   2u

enum sv_code sv_msg_put_status(struct sv_buf *b, const struct sv_msg_status *m)
{
	PUT(sv_buf_put_u8(b, m->state));
	PUT(sv_buf_put_u32(b, m->flags));
	PUT(sv_buf_put_u32(b, m->pid));
	PUT(sv_msg_put_text(b, m->version));
	PUT(sv_msg_put_text(b, m->vault_path));
	PUT(sv_buf_put_u32(b, m->idle_left_s));
	PUT(sv_buf_put_u32(b, m->total_left_s));
	PUT(sv_buf_put_u32(b, m->idle_s));
	PUT(sv_buf_put_u32(b, m->total_s));
	PUT(sv_buf_put_u64(b, m->seq));
	PUT(sv_codec_put_i64(b, m->changed_s));
	PUT(sv_buf_put_u32(b, m->secrets));
	PUT(sv_buf_put_u64(b, m->released));
	PUT(sv_buf_put_u32(b, m->refused_peers));
	return sv_buf_put_u32(b, m->failed_unlocks);
}

enum sv_code sv_msg_get_status(struct sv_buf *b, struct sv_msg_status *m)
{
	GET(sv_buf_get_u8(b, &m->state));
	if (m->state > SV_STATE_UNLOCKED)
		return SV_ERR_PROTO;
	GET(sv_buf_get_u32(b, &m->flags));
	GET(sv_buf_get_u32(b, &m->pid));
	GET(sv_msg_get_text(b, &m->version, VERSION_TEXT_MAX));
	GET(sv_msg_get_text(b, &m->vault_path, PATH_TEXT_MAX));
	GET(sv_buf_get_u32(b, &m->idle_left_s));
	GET(sv_buf_get_u32(b, &m->total_left_s));
	GET(sv_buf_get_u32(b, &m->idle_s));
	GET(sv_buf_get_u32(b, &m->total_s));
	GET(sv_buf_get_u64(b, &m->seq));
	GET(sv_codec_get_i64(b, &m->changed_s));
	GET(sv_buf_get_u32(b, &m->secrets));
	GET(sv_buf_get_u64(b, &m->released));
	GET(sv_buf_get_u32(b, &m->refused_peers));
	GET(sv_buf_get_u32(b, &m->failed_unlocks));
	return SV_OK;
}

enum sv_code sv_msg_put_info(struct sv_buf *b, const struct sv_msg_info *m)
{
	PUT(sv_msg_put_text(b, m->env));
	PUT(sv_msg_put_text(b, m->name));
	PUT(sv_msg_put_meta(b, &m->meta));
	PUT(sv_buf_put_u64(b, m->version));
	PUT(sv_buf_put_u64(b, m->txn));
	PUT(sv_buf_put_u8(b, m->verb));
	PUT(sv_buf_put_u8(b, (uint8_t)((m->gone ? INFO_GONE : 0) | (m->inherited ? INFO_INHERITED : 0))));
	PUT(sv_codec_put_i64(b, m->created_s));
	PUT(sv_codec_put_i64(b, m->changed_s));
	PUT(sv_codec_put_i64(b, m->used_s));
	return sv_buf_put_u32(b, m->value_len);
}

enum sv_code sv_msg_get_info(struct sv_buf *b, struct sv_msg_info *m)
{
	uint8_t flags;

	GET(sv_msg_get_text(b, &m->env, SV_ENV_NAME_MAX));
	GET(sv_msg_get_text(b, &m->name, SV_NAME_MAX));
	GET(sv_msg_get_meta(b, &m->meta));
	GET(sv_buf_get_u64(b, &m->version));
	GET(sv_buf_get_u64(b, &m->txn));
	GET(sv_buf_get_u8(b, &m->verb));
	GET(sv_buf_get_u8(b, &flags));
	m->gone = (flags & INFO_GONE) != 0;
	m->inherited = (flags & INFO_INHERITED) != 0;
	GET(sv_codec_get_i64(b, &m->created_s));
	GET(sv_codec_get_i64(b, &m->changed_s));
	GET(sv_codec_get_i64(b, &m->used_s));
	GET(sv_buf_get_u32(b, &m->value_len));
	return m->value_len > SV_VALUE_MAX ? SV_ERR_PROTO : SV_OK;
}

enum sv_code sv_msg_put_entry(struct sv_buf *b, const struct sv_msg_entry *m, bool with_meta)
{
	PUT(sv_buf_put_u8(b, m->inherited));
	PUT(sv_msg_put_text(b, m->name));
	if (!with_meta)
		return SV_OK;
	PUT(sv_msg_put_text(b, m->var));
	PUT(sv_codec_put_i64(b, m->expires_s));
	return sv_buf_put_u32(b, m->value_len);
}

enum sv_code sv_msg_get_entry(struct sv_buf *b, struct sv_msg_entry *m, bool with_meta)
{
	uint8_t inherited;

	memset(m, 0, sizeof(*m));
	GET(sv_buf_get_u8(b, &inherited));
	if (inherited > 1)
		return SV_ERR_PROTO;
	m->inherited = inherited == 1;
	GET(sv_msg_get_text(b, &m->name, SV_NAME_MAX));
	if (!with_meta)
		return SV_OK;
	GET(sv_msg_get_text(b, &m->var, SV_VAR_MAX));
	GET(sv_codec_get_i64(b, &m->expires_s));
	GET(sv_buf_get_u32(b, &m->value_len));
	return m->value_len > SV_VALUE_MAX ? SV_ERR_PROTO : SV_OK;
}

enum sv_code sv_msg_put_pair_head(struct sv_buf *b, bool inherited, struct sv_text var, struct sv_text name,
				  uint32_t value_len)
{
	if (var.n > SV_VAR_MAX || name.n > SV_NAME_MAX)
		return SV_ERR_TOO_BIG;
	PUT(sv_buf_put_u8(b, inherited ? PAIR_INHERITED : 0));
	PUT(sv_buf_put_u16(b, (uint16_t)var.n));
	PUT(sv_buf_put_u16(b, (uint16_t)name.n));
	PUT(sv_buf_put_u32(b, value_len));
	PUT(sv_buf_put(b, name.p, name.n));
	PUT(sv_buf_put_u8(b, 0));
	PUT(sv_buf_put(b, var.p, var.n));
	return sv_buf_put_u8(b, '=');
}

enum sv_code sv_msg_get_pair(struct sv_buf *b, struct sv_msg_pair *m, bool names_only)
{
	uint8_t flags;
	uint16_t var_len, name_len;
	const unsigned char *name, *pair;
	size_t value_bytes;

	GET(sv_buf_get_u8(b, &flags));
	GET(sv_buf_get_u16(b, &var_len));
	GET(sv_buf_get_u16(b, &name_len));
	GET(sv_buf_get_u32(b, &m->value_len));
	if (var_len == 0 || var_len > SV_VAR_MAX || name_len == 0 || name_len > SV_NAME_MAX ||
	    m->value_len > SV_VALUE_MAX)
		return SV_ERR_PROTO;
	value_bytes = names_only ? 0 : m->value_len;
	GET(sv_buf_peek(b, &name, (size_t)name_len + 1));
	GET(sv_buf_peek(b, &pair, (size_t)var_len + 1 + value_bytes + 1));
	/*
	 * Both are C strings of exactly their length: no NUL inside, one behind; and the first '=' is the one behind
	 * the variable.
	 */
	if (memchr(name, '\0', (size_t)name_len + 1) != name + name_len ||
	    memchr(pair, '=', (size_t)var_len + 1) != pair + var_len ||
	    memchr(pair, '\0', (size_t)var_len + value_bytes + 2) != pair + var_len + 1 + value_bytes)
		return SV_ERR_PROTO;
	m->inherited = (flags & PAIR_INHERITED) != 0;
	m->name = (struct sv_text){ (const char *)name, name_len };
	m->var = (struct sv_text){ (const char *)pair, var_len };
	m->pair = (char *)b->data + (pair - b->data);
	return SV_OK;
}

enum sv_code sv_msg_put_commit(struct sv_buf *b, const struct sv_msg_commit *m)
{
	PUT(sv_buf_put_u64(b, m->txn));
	PUT(sv_buf_put_u32(b, m->added));
	PUT(sv_buf_put_u32(b, m->changed));
	PUT(sv_buf_put_u32(b, m->removed));
	return sv_buf_put_u32(b, m->unchanged);
}

enum sv_code sv_msg_get_commit(struct sv_buf *b, struct sv_msg_commit *m)
{
	GET(sv_buf_get_u64(b, &m->txn));
	GET(sv_buf_get_u32(b, &m->added));
	GET(sv_buf_get_u32(b, &m->changed));
	GET(sv_buf_get_u32(b, &m->removed));
	GET(sv_buf_get_u32(b, &m->unchanged));
	return SV_OK;
}

enum sv_code sv_msg_put_error(struct sv_buf *b, const struct sv_err *e)
{
	const char *end = memchr(e->msg, '\0', SV_ERR_MSG_BYTES - 1);

	PUT(sv_buf_put_u16(b, (uint16_t)e->code));
	return sv_buf_put_str16(b, e->msg, end != NULL ? (size_t)(end - e->msg) : SV_ERR_MSG_BYTES - 1);
}

/* A code of a newer agent is still an error. */
static enum sv_code known_code(uint16_t code)
{
	if ((code >= SV_ERR_FAIL && code <= SV_ERR_NO_AGENT) || (code >= SV_ERR_NOT_A_VAULT && code <= SV_ERR_FORK))
		return (enum sv_code)code;
	return SV_ERR_FAIL;
}

enum sv_code sv_msg_get_error(struct sv_buf *b, struct sv_err *e)
{
	uint16_t code;
	struct sv_text text;

	GET(sv_buf_get_u16(b, &code));
	GET(sv_msg_get_text(b, &text, SV_ERR_MSG_BYTES - 1));
	if (code == SV_OK)
		return SV_ERR_PROTO;
	e->code = known_code(code);
	e->sys_errno = 0;
	memcpy(e->msg, text.p, text.n);
	e->msg[text.n] = '\0';
	return SV_OK;
}

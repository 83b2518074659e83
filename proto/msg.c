/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests, and the parts that requests and replies share (texts, metadata, key slots).
 *
 * Decoders bound every length by the limit of its field before they believe it, and report whatever is wrong as
 * SV_ERR_PROTO.
 */
#include "proto/msg.h"
#include "proto/codec.h"

#include <string.h>

enum sv_code sv_msg_put_text(struct sv_buf *b, struct sv_text t)
{
	return sv_buf_put_str16(b, t.p, t.n);
}

enum sv_code sv_msg_get_text(struct sv_buf *b, struct sv_text *t, size_t max)
{
	GET(sv_buf_peek_str16(b, &t->p, &t->n, max));
	return memchr(t->p, '\0', t->n) != NULL ? SV_ERR_PROTO : SV_OK;
}

static enum sv_code put_texts(struct sv_buf *b, const struct sv_text *t, size_t n)
{
	if (n > SV_META_LIST_MAX)
		return SV_ERR_TOO_BIG;
	PUT(sv_buf_put_u8(b, (uint8_t)n));
	for (size_t i = 0; i < n; i++) {
		if (t[i].n > SV_META_TEXT_MAX)
			return SV_ERR_TOO_BIG;
		PUT(sv_msg_put_text(b, t[i]));
	}
	return SV_OK;
}

static enum sv_code get_texts(struct sv_buf *b, struct sv_text *t, size_t *n)
{
	uint8_t count;

	GET(sv_buf_get_u8(b, &count));
	if (count > SV_META_LIST_MAX)
		return SV_ERR_PROTO;
	for (size_t i = 0; i < count; i++)
		GET(sv_msg_get_text(b, &t[i], SV_META_TEXT_MAX));
	*n = count;
	return SV_OK;
}

enum sv_code sv_msg_put_meta(struct sv_buf *b, const struct sv_meta *m)
{
	const struct sv_text texts[] = { m->var, m->desc, m->owner, m->url, m->type };
	size_t start = b->len;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].n > (i == 0 ? SV_VAR_MAX : SV_META_TEXT_MAX))
			return SV_ERR_TOO_BIG;
		PUT(sv_msg_put_text(b, texts[i]));
	}
	PUT(put_texts(b, m->tags, m->n_tags));
	PUT(put_texts(b, m->scopes, m->n_scopes));
	PUT(sv_buf_put_u64(b, (uint64_t)m->expires_s));
	PUT(sv_buf_put_u64(b, (uint64_t)m->rotate_s));
	return b->len - start > SV_META_BYTES_MAX ? SV_ERR_TOO_BIG : SV_OK;
}

enum sv_code sv_msg_get_meta(struct sv_buf *b, struct sv_meta *m)
{
	size_t start = b->off;

	memset(m, 0, sizeof(*m));
	GET(sv_msg_get_text(b, &m->var, SV_VAR_MAX));
	GET(sv_msg_get_text(b, &m->desc, SV_META_TEXT_MAX));
	GET(sv_msg_get_text(b, &m->owner, SV_META_TEXT_MAX));
	GET(sv_msg_get_text(b, &m->url, SV_META_TEXT_MAX));
	GET(sv_msg_get_text(b, &m->type, SV_META_TEXT_MAX));
	GET(get_texts(b, m->tags, &m->n_tags));
	GET(get_texts(b, m->scopes, &m->n_scopes));
	GET(sv_codec_get_i64(b, &m->expires_s));
	GET(sv_codec_get_i64(b, &m->rotate_s));
	return b->off - start > SV_META_BYTES_MAX ? SV_ERR_PROTO : SV_OK;
}

/* ---- key slots ------------------------------------------------------------------------------ */

static enum sv_code put_kdf(struct sv_buf *b, const struct sv_kdf *k)
{
	PUT(sv_buf_put_u8(b, k->alg));
	PUT(sv_buf_put_u64(b, k->ops));
	PUT(sv_buf_put_u64(b, k->mem));
	return sv_buf_put(b, k->salt, SV_SALT_BYTES);
}

static enum sv_code get_kdf(struct sv_buf *b, struct sv_kdf *k)
{
	GET(sv_buf_get_u8(b, &k->alg));
	GET(sv_buf_get_u64(b, &k->ops));
	GET(sv_buf_get_u64(b, &k->mem));
	GET(sv_buf_get(b, k->salt, SV_SALT_BYTES));
	return SV_OK;
}

enum sv_code sv_msg_put_slots(struct sv_buf *b, const struct sv_slot_info *s, size_t n)
{
	if (n > SV_SLOTS_MAX)
		return SV_ERR_TOO_BIG;
	PUT(sv_buf_put_u8(b, (uint8_t)n));
	for (size_t i = 0; i < n; i++) {
		PUT(sv_buf_put_u8(b, s[i].id));
		PUT(sv_buf_put_u8(b, s[i].kind));
		PUT(put_kdf(b, &s[i].kdf));
	}
	return SV_OK;
}

enum sv_code sv_msg_get_slots(struct sv_buf *b, struct sv_slot_info s[SV_SLOTS_MAX], size_t *n)
{
	uint8_t count;

	GET(sv_buf_get_u8(b, &count));
	if (count > SV_SLOTS_MAX)
		return SV_ERR_PROTO;
	for (size_t i = 0; i < count; i++) {
		GET(sv_buf_get_u8(b, &s[i].id));
		GET(sv_buf_get_u8(b, &s[i].kind));
		GET(get_kdf(b, &s[i].kdf));
		if (s[i].id >= SV_SLOTS_MAX)
			return SV_ERR_PROTO;
	}
	*n = count;
	return SV_OK;
}

static enum sv_code put_slots_new(struct sv_buf *b, const struct sv_msg_slots_new *s)
{
	if (s->n > SV_SLOTS_MAX)
		return SV_ERR_TOO_BIG;
	PUT(sv_buf_put_u8(b, (uint8_t)s->n));
	for (size_t i = 0; i < s->n; i++) {
		PUT(sv_buf_put_u8(b, s->slot[i].kind));
		PUT(put_kdf(b, &s->slot[i].kdf));
		PUT(sv_buf_put(b, s->slot[i].key, SV_SLOT_KEY_BYTES));
	}
	return SV_OK;
}

static enum sv_code get_slots_new(struct sv_buf *b, struct sv_msg_slots_new *s)
{
	uint8_t count;

	GET(sv_buf_get_u8(b, &count));
	if (count == 0 || count > SV_SLOTS_MAX)
		return SV_ERR_PROTO;
	for (size_t i = 0; i < count; i++) {
		GET(sv_buf_get_u8(b, &s->slot[i].kind));
		GET(get_kdf(b, &s->slot[i].kdf));
		GET(sv_buf_peek(b, &s->slot[i].key, SV_SLOT_KEY_BYTES));
	}
	s->n = count;
	return SV_OK;
}

static enum sv_code put_timers(struct sv_buf *b, const struct sv_msg_timers *t)
{
	PUT(sv_buf_put_u32(b, t->idle_s));
	return sv_buf_put_u32(b, t->total_s);
}

static enum sv_code get_timers(struct sv_buf *b, struct sv_msg_timers *t)
{
	GET(sv_buf_get_u32(b, &t->idle_s));
	GET(sv_buf_get_u32(b, &t->total_s));
	return SV_OK;
}

/* ---- requests ------------------------------------------------------------------------------- */

enum sv_code sv_msg_put_init(struct sv_buf *b, const struct sv_msg_init *m)
{
	PUT(put_slots_new(b, &m->slots));
	return put_timers(b, &m->timers);
}

enum sv_code sv_msg_get_init(struct sv_buf *b, struct sv_msg_init *m)
{
	GET(get_slots_new(b, &m->slots));
	GET(get_timers(b, &m->timers));
	return SV_OK;
}

enum sv_code sv_msg_put_unlock(struct sv_buf *b, const struct sv_msg_unlock *m)
{
	PUT(sv_buf_put_u8(b, m->slot));
	PUT(sv_buf_put(b, m->key, SV_SLOT_KEY_BYTES));
	PUT(put_timers(b, &m->timers));
	return sv_buf_put_u8(b, m->accept_rollback);
}

enum sv_code sv_msg_get_unlock(struct sv_buf *b, struct sv_msg_unlock *m)
{
	GET(sv_buf_get_u8(b, &m->slot));
	if (m->slot >= SV_SLOTS_MAX)
		return SV_ERR_PROTO;
	GET(sv_buf_peek(b, &m->key, SV_SLOT_KEY_BYTES));
	GET(get_timers(b, &m->timers));
	GET(sv_codec_get_bool(b, &m->accept_rollback));
	return SV_OK;
}

enum sv_code sv_msg_put_rekey(struct sv_buf *b, const struct sv_msg_rekey *m)
{
	PUT(sv_buf_put_u8(b, m->proof_slot));
	PUT(sv_buf_put(b, m->proof, SV_SLOT_KEY_BYTES));
	return put_slots_new(b, &m->slots);
}

enum sv_code sv_msg_get_rekey(struct sv_buf *b, struct sv_msg_rekey *m)
{
	GET(sv_buf_get_u8(b, &m->proof_slot));
	if (m->proof_slot >= SV_SLOTS_MAX)
		return SV_ERR_PROTO;
	GET(sv_buf_peek(b, &m->proof, SV_SLOT_KEY_BYTES));
	GET(get_slots_new(b, &m->slots));
	return SV_OK;
}

enum sv_code sv_msg_put_ref(struct sv_buf *b, const struct sv_msg_ref *m)
{
	PUT(sv_msg_put_text(b, m->env));
	PUT(sv_msg_put_text(b, m->name));
	return sv_buf_put_u64(b, m->version);
}

enum sv_code sv_msg_get_ref(struct sv_buf *b, struct sv_msg_ref *m)
{
	GET(sv_msg_get_text(b, &m->env, SV_ENV_NAME_MAX));
	GET(sv_msg_get_text(b, &m->name, SV_NAME_MAX));
	GET(sv_buf_get_u64(b, &m->version));
	return SV_OK;
}

enum sv_code sv_msg_put_list(struct sv_buf *b, const struct sv_msg_list *m)
{
	PUT(sv_msg_put_text(b, m->env));
	PUT(sv_msg_put_text(b, m->group));
	return sv_buf_put_u8(b, m->with_meta);
}

enum sv_code sv_msg_get_list(struct sv_buf *b, struct sv_msg_list *m)
{
	GET(sv_msg_get_text(b, &m->env, SV_ENV_NAME_MAX));
	GET(sv_msg_get_text(b, &m->group, SV_NAME_MAX + 1));
	GET(sv_codec_get_bool(b, &m->with_meta));
	return SV_OK;
}

enum sv_code sv_msg_put_resolve(struct sv_buf *b, const struct sv_msg_resolve *m)
{
	if (m->n > SV_SELECTORS_MAX)
		return SV_ERR_TOO_BIG;
	PUT(sv_msg_put_text(b, m->env));
	PUT(sv_buf_put_u8(b, m->flags));
	return sv_buf_put_u16(b, m->n);
}

enum sv_code sv_msg_get_resolve(struct sv_buf *b, struct sv_msg_resolve *m)
{
	GET(sv_msg_get_text(b, &m->env, SV_ENV_NAME_MAX));
	GET(sv_buf_get_u8(b, &m->flags));
	GET(sv_buf_get_u16(b, &m->n));
	return (m->flags & ~(SV_RESOLVE_NAMES_ONLY | SV_RESOLVE_LENIENT)) != 0 || m->n > SV_SELECTORS_MAX ? SV_ERR_PROTO
													  : SV_OK;
}

enum sv_code sv_msg_put_selector(struct sv_buf *b, const struct sv_msg_selector *m)
{
	PUT(sv_buf_put_u8(b, m->kind));
	PUT(sv_msg_put_text(b, m->arg));
	return sv_msg_put_text(b, m->var);
}

enum sv_code sv_msg_get_selector(struct sv_buf *b, struct sv_msg_selector *m)
{
	GET(sv_buf_get_u8(b, &m->kind));
	GET(sv_msg_get_text(b, &m->arg, SV_NAME_MAX + 1));
	GET(sv_msg_get_text(b, &m->var, SV_VAR_MAX));
	switch (m->kind) {
	case SV_SELECT_NAME: return m->arg.n == 0 || m->arg.n > SV_NAME_MAX ? SV_ERR_PROTO : SV_OK;
	case SV_SELECT_GROUP:
	case SV_SELECT_VAR_PREFIX:
	case SV_SELECT_VAR: return m->arg.n == 0 || m->var.n != 0 ? SV_ERR_PROTO : SV_OK;
	case SV_SELECT_ALL: return m->arg.n != 0 || m->var.n != 0 ? SV_ERR_PROTO : SV_OK;
	default: return SV_ERR_PROTO;
	}
}

enum sv_code sv_msg_put_op(struct sv_buf *b, const struct sv_msg_op *m)
{
	PUT(sv_buf_put_u8(b, m->op));
	PUT(sv_msg_put_text(b, m->env));
	PUT(sv_msg_put_text(b, m->name));
	PUT(sv_msg_put_text(b, m->to_env));
	PUT(sv_msg_put_text(b, m->to_name));
	PUT(sv_buf_put_u64(b, m->version));
	PUT(sv_buf_put_u8(b, m->force));
	if (m->op != SV_OP_PUT)
		return SV_OK;
	PUT(sv_buf_put_u8(b, m->mode));
	PUT(sv_buf_put_u8(b, m->has_value));
	if (m->has_value) {
		if (m->value_len > SV_VALUE_MAX)
			return SV_ERR_TOO_BIG;
		PUT(sv_buf_put_str32(b, m->value, m->value_len));
	}
	PUT(sv_buf_put_u32(b, m->meta_fields));
	return sv_msg_put_meta(b, &m->meta);
}

enum sv_code sv_msg_get_op(struct sv_buf *b, struct sv_msg_op *m)
{
	memset(m, 0, sizeof(*m));
	GET(sv_buf_get_u8(b, &m->op));
	if (m->op < SV_OP_PUT || m->op > SV_OP_ENV_COPY)
		return SV_ERR_PROTO;
	GET(sv_msg_get_text(b, &m->env, SV_ENV_NAME_MAX));
	GET(sv_msg_get_text(b, &m->name, SV_NAME_MAX + 1));
	GET(sv_msg_get_text(b, &m->to_env, SV_ENV_NAME_MAX));
	GET(sv_msg_get_text(b, &m->to_name, SV_NAME_MAX + 1));
	GET(sv_buf_get_u64(b, &m->version));
	GET(sv_codec_get_bool(b, &m->force));
	if (m->op != SV_OP_PUT)
		return SV_OK;
	GET(sv_buf_get_u8(b, &m->mode));
	if (m->mode > SV_PUT_UPDATE)
		return SV_ERR_PROTO;
	GET(sv_codec_get_bool(b, &m->has_value));
	if (m->has_value)
		GET(sv_buf_peek_str32(b, &m->value, &m->value_len, SV_VALUE_MAX));
	GET(sv_buf_get_u32(b, &m->meta_fields));
	if ((m->meta_fields & ~SV_MF_ALL) != 0)
		return SV_ERR_PROTO;
	GET(sv_msg_get_meta(b, &m->meta));
	return SV_OK;
}

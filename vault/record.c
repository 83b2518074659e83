/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plaintext records to and from bytes.  One encoding per content: fields ascend, none twice, empty ones are left out,
 * the fill is zero; whatever else is met is refused, because only our own writer can have sealed it.
 */
#include "vault/record.h"

#include "vault/base/name.h"

#include <string.h>

#define CRITICAL 0x8000u

enum field {
	F_KIND = 1,
	F_STATE,
	F_ENV,
	F_NAME,
	F_TXN,
	F_VERB,
	F_CREATED,
	F_CHANGED,
	F_ORIGIN,
	F_UNDO_OF,
	F_VALUE_LEN,
	F_STANDALONE,
	F_VAR = 32,
	F_DESC,
	F_OWNER,
	F_URL,
	F_TYPE,
	F_TAGS,
	F_SCOPES,
	F_EXPIRES,
	F_ROTATE,
	H_CREATED = 1,
	H_CHANGED,
	H_SECRETS,
	H_GONE_OLDEST,
	H_WRITER = 32,
};

#define WRITER "sv 1"

size_t sv_pad_bucket(size_t n)
{
	size_t step = 65536;

	if (n <= 4096) {
		size_t b = 256;

		while (b < n)
			b *= 2;
		return b;
	}
	if (n <= 65536)
		return (n + 4095) & ~(size_t)4095;
	while (n > step * 2)
		step *= 2;
	step /= 8;
	return (n + step - 1) / step * step;
}

/* in: what sv_buf_put_* made behind the four length bytes */
static enum sv_code pad_finish(struct sv_buf *b)
{
	size_t want = sv_pad_bucket(b->len);
	unsigned char *fill;

	sv_le32(b->data, (uint32_t)(b->len - 4));
	return want == b->len ? SV_OK : sv_buf_extend(b, want - b->len, &fill);
}

enum sv_code sv_pad_put(struct sv_buf *out, const void *body, size_t n)
{
	enum sv_code rc;

	sv_buf_reset(out);
	if ((rc = sv_buf_reserve(out, sv_pad_bucket(n + 4))) != SV_OK || (rc = sv_buf_put_u32(out, 0)) != SV_OK)
		return rc;
	if (n > 0 && (rc = sv_buf_put(out, body, n)) != SV_OK)
		return rc;
	return pad_finish(out);
}

enum sv_code sv_pad_get(const unsigned char *plain, size_t n, const unsigned char **body, size_t *body_n)
{
	unsigned char rest = 0;
	size_t len;

	if (n < 4 || (len = sv_rd32(plain)) > n - 4 || sv_pad_bucket(len + 4) != n)
		return SV_ERR_INTEGRITY;
	for (size_t i = 4 + len; i < n; i++)
		rest |= plain[i];
	if (rest != 0)
		return SV_ERR_INTEGRITY;
	*body = plain + 4;
	*body_n = len;
	return SV_OK;
}

static enum sv_code put_field(struct sv_buf *b, unsigned tag, const void *p, size_t n)
{
	enum sv_code rc = sv_buf_put_u16(b, (uint16_t)tag);

	return rc != SV_OK ? rc : sv_buf_put_str16(b, p, n);
}

static enum sv_code put_u8(struct sv_buf *b, unsigned tag, uint8_t v)
{
	return put_field(b, tag, &v, 1);
}

static enum sv_code put_u32(struct sv_buf *b, unsigned tag, uint32_t v)
{
	unsigned char le[4];

	sv_le32(le, v);
	return put_field(b, tag, le, sizeof(le));
}

static enum sv_code put_u64(struct sv_buf *b, unsigned tag, uint64_t v)
{
	unsigned char le[8];

	sv_le64(le, v);
	return put_field(b, tag, le, sizeof(le));
}

static enum sv_code put_text(struct sv_buf *b, unsigned tag, struct sv_text t)
{
	return t.n == 0 ? SV_OK : put_field(b, tag, t.p, t.n);
}

static enum sv_code put_list(struct sv_buf *b, unsigned tag, const struct sv_text *t, size_t n)
{
	size_t bytes = 0;
	enum sv_code rc;

	if (n == 0)
		return SV_OK;
	for (size_t i = 0; i < n; i++)
		bytes += 2 + t[i].n;
	if (bytes > UINT16_MAX)
		return SV_ERR_TOO_BIG;
	if ((rc = sv_buf_put_u16(b, (uint16_t)tag)) != SV_OK || (rc = sv_buf_put_u16(b, (uint16_t)bytes)) != SV_OK)
		return rc;
	for (size_t i = 0; i < n && rc == SV_OK; i++)
		rc = sv_buf_put_str16(b, t[i].p, t[i].n);
	return rc;
}

static enum sv_code put_user(struct sv_buf *b, const struct sv_meta *m)
{
	enum sv_code rc;

	if ((rc = put_text(b, F_VAR, m->var)) != SV_OK || (rc = put_text(b, F_DESC, m->desc)) != SV_OK ||
	    (rc = put_text(b, F_OWNER, m->owner)) != SV_OK || (rc = put_text(b, F_URL, m->url)) != SV_OK ||
	    (rc = put_text(b, F_TYPE, m->type)) != SV_OK || (rc = put_list(b, F_TAGS, m->tags, m->n_tags)) != SV_OK ||
	    (rc = put_list(b, F_SCOPES, m->scopes, m->n_scopes)) != SV_OK)
		return rc;
	if (m->expires_s != 0 && (rc = put_u64(b, F_EXPIRES, (uint64_t)m->expires_s)) != SV_OK)
		return rc;
	return m->rotate_s != 0 ? put_u64(b, F_ROTATE, (uint64_t)m->rotate_s) : SV_OK;
}

enum sv_code sv_record_encode(const struct sv_record *r, struct sv_buf *out, struct sv_err *err)
{
	size_t before;
	enum sv_code rc;

	sv_buf_reset(out);
	if ((rc = sv_buf_put_u32(out, 0)) != SV_OK || (rc = put_u8(out, F_KIND | CRITICAL, r->kind)) != SV_OK ||
	    (rc = put_u8(out, F_STATE | CRITICAL, r->state)) != SV_OK ||
	    (r->kind == SV_KIND_SECRET && (rc = put_field(out, F_ENV | CRITICAL, r->env_id, SV_ID_BYTES)) != SV_OK) ||
	    (rc = put_field(out, F_NAME | CRITICAL, r->name.p, r->name.n)) != SV_OK ||
	    (rc = put_u64(out, F_TXN | CRITICAL, r->txn)) != SV_OK ||
	    (rc = put_u8(out, F_VERB | CRITICAL, r->verb)) != SV_OK ||
	    (rc = put_u64(out, F_CREATED | CRITICAL, (uint64_t)r->created_s)) != SV_OK ||
	    (rc = put_u64(out, F_CHANGED | CRITICAL, (uint64_t)r->changed_s)) != SV_OK ||
	    (rc = put_u64(out, F_ORIGIN | CRITICAL, r->origin)) != SV_OK ||
	    (r->undo_of != 0 && (rc = put_u64(out, F_UNDO_OF | CRITICAL, r->undo_of)) != SV_OK) ||
	    (rc = put_u32(out, F_VALUE_LEN | CRITICAL, r->value_len)) != SV_OK ||
	    (r->standalone && (rc = put_u8(out, F_STANDALONE | CRITICAL, 1)) != SV_OK))
		goto out;
	before = out->len;
	if ((rc = put_user(out, &r->meta)) != SV_OK)
		goto out;
	rc = out->len - before > SV_META_BYTES_MAX ? SV_ERR_TOO_BIG : pad_finish(out);
out:
	if (rc == SV_ERR_TOO_BIG)
		return sv_err_set(err, rc, "the metadata of one secret may not take more than %d bytes",
				  SV_META_BYTES_MAX);
	return rc == SV_OK ? rc : sv_err_set(err, rc, "no locked memory for a record");
}

static bool get_u8(const unsigned char *p, size_t n, uint8_t *v)
{
	*v = n == 1 ? p[0] : 0;
	return n == 1;
}

static bool get_u32(const unsigned char *p, size_t n, uint32_t *v)
{
	*v = n == 4 ? sv_rd32(p) : 0;
	return n == 4;
}

static bool get_u64(const unsigned char *p, size_t n, uint64_t *v)
{
	*v = n == 8 ? sv_rd64(p) : 0;
	return n == 8;
}

static bool get_s64(const unsigned char *p, size_t n, int64_t *v)
{
	uint64_t u;
	bool ok = get_u64(p, n, &u);

	*v = (int64_t)u;
	return ok;
}

static bool get_text(const unsigned char *p, size_t n, size_t max, struct sv_text *t)
{
	*t = (struct sv_text){ (const char *)p, n };
	return n > 0 && n <= max;
}

static bool get_list(const unsigned char *p, size_t n, struct sv_text *t, size_t *count)
{
	size_t i = 0;

	for (; n > 0; i++) {
		size_t len;

		if (i == SV_META_LIST_MAX || n < 2)
			return false;
		len = (size_t)p[0] | (size_t)p[1] << 8;
		if (len > n - 2 || len == 0 || len > SV_META_TEXT_MAX)
			return false;
		t[i] = (struct sv_text){ (const char *)p + 2, len };
		p += 2 + len;
		n -= 2 + len;
	}
	*count = i;
	return i > 0;
}

/* One field into r; false when it is malformed, *known when its number means something here. */
static bool take_field(struct sv_record *r, unsigned tag, const unsigned char *p, size_t n, bool *known)
{
	struct sv_meta *m = &r->meta;
	uint8_t flag;

	switch (tag) {
	case F_KIND: return get_u8(p, n, &r->kind) && r->kind >= 1;
	case F_STATE: return get_u8(p, n, &r->state) && r->state <= SV_GONE;
	case F_ENV:
		if (n == SV_ID_BYTES)
			memcpy(r->env_id, p, SV_ID_BYTES);
		return n == SV_ID_BYTES && r->kind == SV_KIND_SECRET;
	case F_NAME: return get_text(p, n, SV_NAME_MAX, &r->name);
	case F_TXN: return get_u64(p, n, &r->txn);
	case F_VERB: return get_u8(p, n, &r->verb);
	case F_CREATED: return get_s64(p, n, &r->created_s);
	case F_CHANGED: return get_s64(p, n, &r->changed_s);
	case F_ORIGIN: return get_u64(p, n, &r->origin);
	case F_UNDO_OF: return get_u64(p, n, &r->undo_of) && r->undo_of != 0;
	case F_VALUE_LEN: return get_u32(p, n, &r->value_len) && r->value_len <= SV_VALUE_MAX;
	case F_STANDALONE: return (r->standalone = get_u8(p, n, &flag) && flag == 1 && r->kind == SV_KIND_ENV);
	case F_VAR: return get_text(p, n, SV_VAR_MAX, &m->var);
	case F_DESC: return get_text(p, n, SV_META_TEXT_MAX, &m->desc);
	case F_OWNER: return get_text(p, n, SV_META_TEXT_MAX, &m->owner);
	case F_URL: return get_text(p, n, SV_META_TEXT_MAX, &m->url);
	case F_TYPE: return get_text(p, n, SV_META_TEXT_MAX, &m->type);
	case F_TAGS: return get_list(p, n, m->tags, &m->n_tags);
	case F_SCOPES: return get_list(p, n, m->scopes, &m->n_scopes);
	case F_EXPIRES: return get_s64(p, n, &m->expires_s) && m->expires_s != 0;
	case F_ROTATE: return get_s64(p, n, &m->rotate_s) && m->rotate_s != 0;
	default: *known = false; return true;
	}
}

/* Walks fields; calls back through take.  The mask of fields 1..31 met is returned in *seen. */
typedef bool (*take_fn)(void *ctx, unsigned tag, const unsigned char *p, size_t n, bool *known);

static enum sv_code walk(const unsigned char *plain, size_t n, take_fn take, void *ctx, uint32_t *seen,
			 struct sv_err *err)
{
	static const char bad[] = "a sealed record is not in its one proper form";
	const unsigned char *p;
	unsigned last = 0;

	*seen = 0;
	if (sv_pad_get(plain, n, &p, &n) != SV_OK)
		return sv_err_set(err, SV_ERR_INTEGRITY, "%s", bad);
	while (n > 0) {
		bool known = true;
		unsigned tag;
		size_t len;

		if (n < 4)
			return sv_err_set(err, SV_ERR_INTEGRITY, "%s", bad);
		tag = (unsigned)p[0] | (unsigned)p[1] << 8;
		len = (size_t)p[2] | (size_t)p[3] << 8;
		if (len > n - 4 || (tag & ~CRITICAL) <= last)
			return sv_err_set(err, SV_ERR_INTEGRITY, "%s", bad);
		last = tag & ~CRITICAL;
		if (!take(ctx, last, p + 4, len, &known))
			return sv_err_set(err, SV_ERR_INTEGRITY, "%s", bad);
		if (!known && (tag & CRITICAL) != 0)
			return sv_err_set(err, SV_ERR_UNSUPPORTED,
					  "a record was written by a newer version of sv, which is needed to read it");
		if (known && ((tag & CRITICAL) != 0) != (last < 32))
			return sv_err_set(err, SV_ERR_INTEGRITY, "%s", bad);
		if (last < 32)
			*seen |= 1u << last;
		p += 4 + len;
		n -= 4 + len;
	}
	return SV_OK;
}

static bool take_record(void *ctx, unsigned tag, const unsigned char *p, size_t n, bool *known)
{
	return take_field(ctx, tag, p, n, known);
}

enum sv_code sv_record_decode(const unsigned char *plain, size_t n, struct sv_record *r, struct sv_err *err)
{
	const uint32_t need = 1u << F_KIND | 1u << F_STATE | 1u << F_NAME | 1u << F_TXN | 1u << F_VERB |
			      1u << F_CREATED | 1u << F_CHANGED | 1u << F_ORIGIN | 1u << F_VALUE_LEN;
	enum sv_code rc;
	uint32_t seen;

	memset(r, 0, sizeof(*r));
	if ((rc = walk(plain, n, take_record, r, &seen, err)) != SV_OK)
		return rc;
	if ((seen & need) != need || (r->kind == SV_KIND_SECRET) != ((seen & 1u << F_ENV) != 0))
		return sv_err_set(err, SV_ERR_INTEGRITY, "a sealed record lacks a field");
	return SV_OK;
}

static bool take_head(void *ctx, unsigned tag, const unsigned char *p, size_t n, bool *known)
{
	struct sv_head *h = ctx;

	switch (tag) {
	case H_CREATED: return get_s64(p, n, &h->created_s);
	case H_CHANGED: return get_s64(p, n, &h->changed_s);
	case H_SECRETS: return get_u32(p, n, &h->secrets);
	case H_GONE_OLDEST: return get_s64(p, n, &h->gone_oldest_s) && h->gone_oldest_s != 0;
	case H_WRITER: return n > 0;
	default: *known = false; return true;
	}
}

enum sv_code sv_head_encode(const struct sv_head *h, struct sv_buf *out)
{
	enum sv_code rc;

	sv_buf_reset(out);
	if ((rc = sv_buf_put_u32(out, 0)) != SV_OK ||
	    (rc = put_u64(out, H_CREATED | CRITICAL, (uint64_t)h->created_s)) != SV_OK ||
	    (rc = put_u64(out, H_CHANGED | CRITICAL, (uint64_t)h->changed_s)) != SV_OK ||
	    (rc = put_u32(out, H_SECRETS | CRITICAL, h->secrets)) != SV_OK ||
	    (h->gone_oldest_s != 0 &&
	     (rc = put_u64(out, H_GONE_OLDEST | CRITICAL, (uint64_t)h->gone_oldest_s)) != SV_OK) ||
	    (rc = put_field(out, H_WRITER, WRITER, sizeof(WRITER) - 1)) != SV_OK)
		return rc;
	return pad_finish(out);
}

enum sv_code sv_head_decode(const unsigned char *plain, size_t n, struct sv_head *h, struct sv_err *err)
{
	enum sv_code rc;
	uint32_t seen;

	memset(h, 0, sizeof(*h));
	if ((rc = walk(plain, n, take_head, h, &seen, err)) != SV_OK)
		return rc;
	if ((seen & 0xe) != 0xe)
		return sv_err_set(err, SV_ERR_INTEGRITY, "the vault's own record lacks a field");
	return SV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RESOLVE: selectors to variables and values, in one round trip.  Values are decrypted straight into the reply, each
 * behind its "VAR=", so that the client can hand the reply to execve(2) as it stands.
 *
 * Which variable belongs to which secret is remembered in a hash table of offsets into the reply; the texts themselves
 * exist in the reply only.
 */
#include "agent/req.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_NAMES 256
#define ENTRY_MAX  (1 + 2 + SV_NAME_MAX + 2 + SV_VAR_MAX + 8 + 4)
#define HEAD_BYTES (1 + 2 + 2 + 4)
#define GUESS      512 /* most tokens are shorter */

struct taken { /* where a pair stands in the reply; at 0: free */
	uint32_t at;
};

struct resolve {
	struct sv_req *q;
	struct sv_text env;
	bool names_only, lenient;
	uint32_t count;
	uint32_t visits;     /* names walked over */
	struct taken *table; /* cap is a power of two */
	size_t cap;
	struct sv_err *err;
};

static uint32_t hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return h;
}

static uint16_t get16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static struct sv_text var_at(const struct resolve *r, uint32_t at)
{
	const unsigned char *p = r->q->r->b->data + at;

	return (struct sv_text){ (const char *)p + HEAD_BYTES + get16(p + 3) + 1, get16(p + 1) };
}

static struct sv_text name_at(const struct resolve *r, uint32_t at)
{
	const unsigned char *p = r->q->r->b->data + at;

	return (struct sv_text){ (const char *)p + HEAD_BYTES, get16(p + 3) };
}

static bool equal(struct sv_text x, struct sv_text y)
{
	return x.n == y.n && (x.n == 0 || memcmp(x.p, y.p, x.n) == 0);
}

static size_t slot_of(const struct resolve *r, struct sv_text var)
{
	size_t i = hash(var.p, var.n) & (r->cap - 1);

	while (r->table[i].at != 0 && !equal(var_at(r, r->table[i].at), var))
		i = (i + 1) & (r->cap - 1);
	return i;
}

static enum sv_code grow(struct resolve *r)
{
	struct taken *old = r->table;
	size_t n = r->cap;

	if (r->count * 2 < r->cap)
		return SV_OK;
	r->cap = n == 0 ? 64 : n * 2;
	r->table = calloc(r->cap, sizeof(*r->table));
	if (r->table == NULL) {
		r->table = old;
		r->cap = n;
		return sv_req_no_memory(SV_ERR_NOMEM, r->err);
	}
	for (size_t i = 0; i < n; i++)
		if (old[i].at != 0)
			r->table[slot_of(r, var_at(r, old[i].at))] = old[i];
	free(old);
	return SV_OK;
}

static enum sv_code check_value(const struct resolve *r, struct sv_text name, struct sv_text var,
				const unsigned char *value, size_t len)
{
	if (len == 0)
		return sv_err_set(r->err, SV_ERR_FAIL, "the value of \"%.*s\" is empty; sv set gives it one",
				  (int)name.n, name.p);
	if (memchr(value, 0, len) != NULL)
		return sv_err_set(
			r->err, SV_ERR_FAIL,
			"the value of \"%.*s\" holds a NUL byte, which no variable can; sv get writes it to a pipe",
			(int)name.n, name.p);
	if (var.n + 1 + len > SV_VAR_PAIR_MAX)
		return sv_err_set(r->err, SV_ERR_TOO_BIG,
				  "the value of \"%.*s\" is too large for a variable (%zu bytes; %d at most); sv get "
				  "writes it to a pipe",
				  (int)name.n, name.p, len, SV_VAR_PAIR_MAX - (int)var.n - 1);
	return SV_OK;
}

/* Is the variable free?  *slot is where it goes in the table; *again: the same secret set it already. */
static enum sv_code claim(struct resolve *r, struct sv_text name, struct sv_text var, size_t *slot, bool *again)
{
	struct sv_text other;
	enum sv_code rc;

	*again = false;
	if (sv_var_check(var.p, var.n, NULL) != SV_OK)
		return sv_err_set(r->err, SV_ERR_USAGE, "\"%.*s\" gives no usable variable name; say -s VAR=NAME",
				  (int)name.n, name.p);
	if ((rc = grow(r)) != SV_OK)
		return rc;
	*slot = slot_of(r, var);
	if (r->table[*slot].at == 0)
		return SV_OK;
	other = name_at(r, r->table[*slot].at);
	if (equal(other, name)) {
		*again = true;
		return SV_OK;
	}
	if (r->lenient && r->names_only)
		return SV_OK;
	return sv_err_set(r->err, SV_ERR_CONFLICT,
			  "\"%.*s\" and \"%.*s\" both set the variable %.*s; say -s VAR=NAME for one of them",
			  (int)other.n, other.p, (int)name.n, name.p, (int)var.n, var.p);
}

/* Head, `len` bytes of value that stand at `from` in the buffer's room (NULL: none), NUL. */
static enum sv_code put_pair(struct resolve *r, struct sv_text name, struct sv_text var, bool inherited,
			     const unsigned char *from, size_t len, size_t slot)
{
	struct sv_buf *b = r->q->r->b;
	size_t at = b->len;
	enum sv_code rc = sv_msg_put_pair_head(b, inherited, var, name, (uint32_t)len);

	if (rc == SV_OK && from != NULL) {
		memmove(b->data + b->len, from, len);
		b->len += len;
	}
	if (rc == SV_OK)
		rc = sv_buf_put_u8(b, 0);
	if (rc != SV_OK)
		return sv_req_no_memory(rc, r->err);
	r->table[slot].at = (uint32_t)at;
	r->count++;
	return SV_OK;
}

/*
 * One secret with its value.  var empty: its own.  The value is opened behind the longest head that there can be, and
 * moved to where the head really ends.  name and var must not point into the reply.
 */
static enum sv_code emit_value(struct resolve *r, struct sv_text name, struct sv_text var)
{
	struct sv_buf *b = r->q->r->b;
	size_t head = HEAD_BYTES + name.n + 1 + SV_VAR_MAX + 1, room = GUESS, len = 0, slot, var_n = 0;
	char own[SV_VAR_MAX + 1];
	unsigned char *value;
	bool inherited, again;
	enum sv_code rc;

	/* Before anything is opened: a secret that several selectors find is opened once. */
	if (var.n > 0 && ((rc = claim(r, name, var, &slot, &again)) != SV_OK || again))
		return rc;
	for (;;) {
		if ((rc = sv_reply_room(r->q->r, head + room + 1, SV_RESOLVE_FRAME_BYTES, r->err)) != SV_OK)
			return rc;
		value = b->data + b->len + head;
		rc = sv_vault_get_pair(r->q->a->vault, r->env, name, own, &var_n, &inherited, value, room, &len,
				       r->err);
		if (rc != SV_ERR_TOO_BIG || len <= room)
			break;
		room = len;
	}
	if (rc != SV_OK)
		return rc;
	if (var.n == 0)
		var = (struct sv_text){ own, var_n };
	rc = check_value(r, name, var, value, len);
	if (rc == SV_OK)
		rc = claim(r, name, var, &slot, &again);
	if (rc == SV_OK && !again) {
		rc = put_pair(r, name, var, inherited, value, len, slot);
		r->q->a->released++;
	}
	/* what stands behind the end now is the tail of where the value was opened */
	if (b->data + b->len < value + len)
		sv_wipe(b->data + b->len, (size_t)(value + len - (b->data + b->len)));
	return rc;
}

/* One secret without its value. */
static enum sv_code emit_name(struct resolve *r, struct sv_text name, struct sv_text var, bool inherited,
			      uint32_t value_len)
{
	size_t slot;
	bool again;
	enum sv_code rc = claim(r, name, var, &slot, &again);

	if (rc != SV_OK || again)
		return rc;
	rc = sv_reply_room(r->q->r, HEAD_BYTES + name.n + 1 + var.n + 2, SV_RESOLVE_FRAME_BYTES, r->err);
	return rc == SV_OK ? put_pair(r, name, var, inherited, NULL, value_len, slot) : rc;
}

static enum sv_code one_name(struct resolve *r, struct sv_text name, struct sv_text var)
{
	char own[SV_VAR_MAX + 1];
	struct sv_entry e;
	enum sv_code rc = sv_name_check(name.p, name.n, r->err);

	if (rc != SV_OK)
		return rc;
	if (!r->names_only)
		return emit_value(r, name, var);
	rc = sv_vault_entry(r->q->a->vault, r->env, name, &e, own, r->err);
	return rc == SV_OK ? emit_name(r, name, var.n > 0 ? var : e.var, e.inherited, e.value_len) : rc;
}

static bool chosen(const struct sv_msg_selector *s, const struct sv_msg_entry *e)
{
	if (s->kind == SV_SELECT_VAR_PREFIX)
		return e->var.n >= s->arg.n && memcmp(e->var.p, s->arg.p, s->arg.n) == 0;
	return s->kind != SV_SELECT_VAR || equal(e->var, s->arg);
}

static enum sv_code nothing_found(const struct resolve *r, const struct sv_msg_selector *s)
{
	const char *what = s->kind == SV_SELECT_GROUP ? "no secret in group"
			   : s->kind == SV_SELECT_ALL ? "no secret at all"
			   : s->kind == SV_SELECT_VAR ? "no secret with the variable name"
						      : "no secret whose variable name starts with";

	if (s->kind == SV_SELECT_ALL)
		return sv_err_set(r->err, SV_ERR_NOT_FOUND, "%s in environment \"%.*s\"", what, (int)r->env.n,
				  r->env.p);
	return sv_err_set(r->err, SV_ERR_NOT_FOUND, "%s \"%.*s\" in environment \"%.*s\"", what, (int)s->arg.n,
			  s->arg.p, (int)r->env.n, r->env.p);
}

/* Everything that a walk over the names finds for s; by pages, since a value cannot be opened while the names are
 * walked. */
static enum sv_code walk(struct resolve *r, const struct sv_msg_selector *s)
{
	struct sv_text group = { "", 0 };
	char after[SV_NAME_MAX];
	size_t after_len = 0;
	bool full = true, any = false;
	enum sv_code rc = SV_OK;

	if (s->kind == SV_SELECT_GROUP)
		group = s->arg;
	if ((rc = sv_group_check(group.p, group.n, r->err)) != SV_OK)
		return rc;
	while (rc == SV_OK && full) {
		struct sv_buf page = SV_BUF_LOCKED(PAGE_NAMES * (size_t)ENTRY_MAX);
		struct sv_msg_entry e;

		rc = sv_page_read(r->q->a, r->env, group, (struct sv_text){ after, after_len }, PAGE_NAMES, &page,
				  &full, r->err);
		if (rc == SV_OK && sv_agent_expired(r->q->a))
			rc = sv_err_set(r->err, SV_ERR_LOCKED, "the vault locks while this was being looked up");
		while (rc == SV_OK && sv_buf_unread(&page) > 0) {
			if (++r->visits > SV_RESOLVE_VISITS_MAX) {
				rc = sv_err_set(r->err, SV_ERR_TOO_BIG,
						"too many groups and prefixes for so many secrets in one request");
				break;
			}
			if (sv_msg_get_entry(&page, &e, true) != SV_OK) {
				rc = sv_err_set(r->err, SV_ERR_FAIL, "a listing does not parse");
				break;
			}
			memcpy(after, e.name.p, e.name.n);
			after_len = e.name.n;
			if (!chosen(s, &e))
				continue;
			any = true;
			rc = r->names_only ? emit_name(r, e.name, e.var, e.inherited, e.value_len)
					   : emit_value(r, e.name, e.var);
		}
		sv_buf_clear(&page);
	}
	sv_wipe(after, sizeof(after));
	if (rc == SV_OK && !any)
		return nothing_found(r, s);
	return rc;
}

static enum sv_code select_one(struct resolve *r, const struct sv_msg_selector *s)
{
	enum sv_code rc;

	switch (s->kind) {
	case SV_SELECT_NAME: rc = one_name(r, s->arg, s->var); break;
	case SV_SELECT_GROUP:
	case SV_SELECT_ALL:
	case SV_SELECT_VAR_PREFIX:
	case SV_SELECT_VAR: rc = walk(r, s); break;
	default: return sv_req_malformed(r->err);
	}
	return rc == SV_ERR_NOT_FOUND && r->lenient ? SV_OK : rc;
}

enum sv_code sv_req_resolve(struct sv_req *q, struct sv_err *err)
{
	struct sv_msg_resolve m;
	struct resolve r = { .q = q, .err = err };
	size_t count_at;
	enum sv_code rc;

	if (sv_msg_get_resolve(q->body, &m) != SV_OK || m.n == 0 || m.n > SV_SELECTORS_MAX)
		return sv_req_malformed(err);
	if ((rc = sv_req_env(&m.env, err)) != SV_OK)
		return rc;
	r.env = m.env;
	r.names_only = (m.flags & SV_RESOLVE_NAMES_ONLY) != 0;
	r.lenient = (m.flags & SV_RESOLVE_LENIENT) != 0;
	count_at = q->r->b->len;
	if ((rc = sv_buf_put_u32(q->r->b, 0)) != SV_OK)
		return sv_req_no_memory(rc, err);
	for (uint16_t i = 0; i < m.n && rc == SV_OK; i++) {
		struct sv_msg_selector s;

		rc = sv_msg_get_selector(q->body, &s) != SV_OK ? sv_req_malformed(err) : select_one(&r, &s);
	}
	if (rc == SV_OK && sv_buf_unread(q->body) > 0)
		rc = sv_req_malformed(err);
	if (rc == SV_OK)
		for (int k = 0; k < 4; k++)
			q->r->b->data[count_at + (size_t)k] = (unsigned char)(r.count >> (8 * k));
	free(r.table);
	return rc;
}

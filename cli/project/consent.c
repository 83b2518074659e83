/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity, set, bytes.
 */
#include "cli/project/consent.h"

#include "vault/base/name.h"
#include "vault/base/types.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum sv_code sv_consent_identify(int dir_fd, const char *path, struct sv_consent_dir *out, struct sv_err *err)
{
	struct statx stx;

	*out = (struct sv_consent_dir){ .path = path };
	if (statx(dir_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &stx) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot look at the project's directory");
	out->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	out->ino = stx.stx_ino;
	if ((stx.stx_mask & STATX_BTIME) != 0) {
		out->birth_s = stx.stx_btime.tv_sec;
		out->birth_ns = stx.stx_btime.tv_nsec;
	}
	return SV_OK;
}

void sv_consent_key(const char *path, char key[SV_CONSENT_KEY_BYTES])
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
	(void)snprintf(key, SV_CONSENT_KEY_BYTES, "d:%08x%08x", (unsigned)(h >> 32), (unsigned)(h & 0xffffffffu));
}

bool sv_consent_same_dir(const struct sv_consent_dir *a, const struct sv_consent_dir *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->birth_s == b->birth_s && a->birth_ns == b->birth_ns &&
	       strcmp(a->path, b->path) == 0;
}

bool sv_consent_has(const struct sv_consent *c, const struct sv_consent_item *item)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].var, item->var) == 0 && strcmp(c->v[i].name, item->name) == 0 &&
		    strcmp(c->v[i].env, item->env) == 0)
			return true;
	return false;
}

enum sv_code sv_consent_add(struct sv_arena *a, struct sv_consent *c, const struct sv_consent_item *item,
			    struct sv_err *err)
{
	struct sv_consent_item copy;

	if (sv_consent_has(c, item))
		return SV_OK;
	if (c->n >= SV_CONSENT_ITEMS_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG,
				  "more than %d names are allowed for this directory; sv disallow forgets them",
				  SV_CONSENT_ITEMS_MAX);
	copy.var = sv_arena_text(a, item->var, strlen(item->var));
	copy.env = sv_arena_text(a, item->env, strlen(item->env));
	copy.name = sv_arena_text(a, item->name, strlen(item->name));
	if (copy.var == NULL || copy.env == NULL || copy.name == NULL || !SV_ARENA_GROW(a, c->v, c->n))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for what is allowed");
	c->v[c->n++] = copy;
	return SV_OK;
}

static enum sv_code put_text(struct sv_buf *b, const char *s)
{
	return sv_buf_put_str16(b, s, strlen(s));
}

enum sv_code sv_consent_encode(const struct sv_consent *c, struct sv_buf *out)
{
	enum sv_code rc;

	if ((rc = sv_buf_put_u8(out, 1)) != SV_OK || (rc = sv_buf_put_u64(out, c->dir.dev)) != SV_OK ||
	    (rc = sv_buf_put_u64(out, c->dir.ino)) != SV_OK ||
	    (rc = sv_buf_put_u64(out, (uint64_t)c->dir.birth_s)) != SV_OK ||
	    (rc = sv_buf_put_u32(out, c->dir.birth_ns)) != SV_OK || (rc = put_text(out, c->dir.path)) != SV_OK ||
	    (rc = sv_buf_put_u32(out, (uint32_t)c->n)) != SV_OK)
		return rc;
	for (size_t i = 0; i < c->n; i++)
		if ((rc = put_text(out, c->v[i].var)) != SV_OK || (rc = put_text(out, c->v[i].env)) != SV_OK ||
		    (rc = put_text(out, c->v[i].name)) != SV_OK)
			return rc;
	return SV_OK;
}

static enum sv_code get_text(struct sv_arena *a, struct sv_buf *in, size_t max, const char **out)
{
	const char *p;
	size_t n;

	if (sv_buf_peek_str16(in, &p, &n, max) != SV_OK || memchr(p, '\0', n) != NULL)
		return SV_ERR_PROTO;
	*out = sv_arena_text(a, p, n);
	return *out != NULL ? SV_OK : SV_ERR_NOMEM;
}

enum sv_code sv_consent_decode(struct sv_arena *a, struct sv_buf *in, struct sv_consent *c)
{
	uint8_t version;
	uint64_t birth;
	uint32_t n;

	*c = (struct sv_consent){ 0 };
	if (sv_buf_get_u8(in, &version) != SV_OK || version != 1 || sv_buf_get_u64(in, &c->dir.dev) != SV_OK ||
	    sv_buf_get_u64(in, &c->dir.ino) != SV_OK || sv_buf_get_u64(in, &birth) != SV_OK ||
	    sv_buf_get_u32(in, &c->dir.birth_ns) != SV_OK || get_text(a, in, 4096, &c->dir.path) != SV_OK ||
	    sv_buf_get_u32(in, &n) != SV_OK || n > SV_CONSENT_ITEMS_MAX)
		return SV_ERR_PROTO;
	c->dir.birth_s = (int64_t)birth;
	for (uint32_t i = 0; i < n; i++) {
		if (!SV_ARENA_GROW(a, c->v, c->n))
			return SV_ERR_NOMEM;
		if (get_text(a, in, SV_VAR_MAX, &c->v[c->n].var) != SV_OK ||
		    get_text(a, in, SV_ENV_NAME_MAX, &c->v[c->n].env) != SV_OK ||
		    get_text(a, in, SV_NAME_MAX, &c->v[c->n].name) != SV_OK)
			return SV_ERR_PROTO;
		c->n++;
	}
	return sv_buf_unread(in) == 0 ? SV_OK : SV_ERR_PROTO;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User metadata as a set of fields: what may be written, merged and compared.
 */
#include "vault/record.h"

#include "vault/base/name.h"

#include <string.h>

static enum sv_code text_check(struct sv_text t, const char *what, struct sv_err *err)
{
	if (t.n > SV_META_TEXT_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "%s: over %d bytes", what, SV_META_TEXT_MAX);
	if (t.n > 0 && (!sv_utf8_valid(t.p, t.n) || memchr(t.p, 0, t.n) != NULL))
		return sv_err_set(err, SV_ERR_USAGE, "%s: not valid UTF-8 text", what);
	return SV_OK;
}

static enum sv_code list_check(const struct sv_text *t, size_t n, const char *what, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	if (n > SV_META_LIST_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "%s: more than %d", what, SV_META_LIST_MAX);
	for (size_t i = 0; i < n && rc == SV_OK; i++)
		rc = t[i].n == 0 ? sv_err_set(err, SV_ERR_USAGE, "%s: an empty one", what)
				 : text_check(t[i], what, err);
	return rc;
}

enum sv_code sv_meta_check(const struct sv_meta *m, struct sv_err *err)
{
	enum sv_code rc;

	if (m->var.n > 0 && (rc = sv_var_check(m->var.p, m->var.n, err)) != SV_OK)
		return rc;
	if ((rc = text_check(m->desc, "description", err)) != SV_OK ||
	    (rc = text_check(m->owner, "owner", err)) != SV_OK || (rc = text_check(m->url, "url", err)) != SV_OK ||
	    (rc = text_check(m->type, "type", err)) != SV_OK ||
	    (rc = list_check(m->tags, m->n_tags, "tags", err)) != SV_OK ||
	    (rc = list_check(m->scopes, m->n_scopes, "scopes", err)) != SV_OK)
		return rc;
	if (m->expires_s < 0 || m->rotate_s < 0)
		return sv_err_set(err, SV_ERR_USAGE, "an expiry or rotation period before 1970 or below zero");
	return SV_OK;
}

void sv_meta_merge(struct sv_meta *dst, const struct sv_meta *src, uint32_t fields)
{
	if (fields & SV_MF_VAR)
		dst->var = src->var;
	if (fields & SV_MF_DESC)
		dst->desc = src->desc;
	if (fields & SV_MF_OWNER)
		dst->owner = src->owner;
	if (fields & SV_MF_URL)
		dst->url = src->url;
	if (fields & SV_MF_TYPE)
		dst->type = src->type;
	if (fields & SV_MF_TAGS) {
		memcpy(dst->tags, src->tags, sizeof(dst->tags));
		dst->n_tags = src->n_tags;
	}
	if (fields & SV_MF_SCOPES) {
		memcpy(dst->scopes, src->scopes, sizeof(dst->scopes));
		dst->n_scopes = src->n_scopes;
	}
	if (fields & SV_MF_EXPIRES)
		dst->expires_s = src->expires_s;
	if (fields & SV_MF_ROTATE)
		dst->rotate_s = src->rotate_s;
}

static bool text_equal(struct sv_text a, struct sv_text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool list_equal(const struct sv_text *a, size_t an, const struct sv_text *b, size_t bn)
{
	for (size_t i = 0; i < an && an == bn; i++)
		if (!text_equal(a[i], b[i]))
			return false;
	return an == bn;
}

bool sv_meta_equal(const struct sv_meta *a, const struct sv_meta *b)
{
	return text_equal(a->var, b->var) && text_equal(a->desc, b->desc) && text_equal(a->owner, b->owner) &&
	       text_equal(a->url, b->url) && text_equal(a->type, b->type) &&
	       list_equal(a->tags, a->n_tags, b->tags, b->n_tags) &&
	       list_equal(a->scopes, a->n_scopes, b->scopes, b->n_scopes) && a->expires_s == b->expires_s &&
	       a->rotate_s == b->rotate_s;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splitting templates and env files into literal text and references.
 */
#include "cli/project/template.h"

#include "cli/project/manifest.h"
#include "vault/base/name.h"

#include <string.h>

struct place {
	const char *at;
	unsigned line, col;
};

static void advance(struct place *p, const char *to)
{
	for (; p->at < to; p->at++) {
		p->col++;
		if (*p->at == '\n') {
			p->line++;
			p->col = 1;
		}
	}
}

static enum sv_code put(struct sv_arena *a, struct sv_template *t, struct sv_template_piece piece, struct sv_err *err)
{
	if (!SV_ARENA_GROW(a, t->v, t->n))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the template");
	t->v[t->n++] = piece;
	return SV_OK;
}

static enum sv_code literal(struct sv_arena *a, struct sv_template *t, const char *from, const char *to,
			    struct sv_err *err)
{
	if (to == from)
		return SV_OK;
	return put(a, t, (struct sv_template_piece){ .text = { from, (size_t)(to - from) } }, err);
}

static enum sv_code reference(struct sv_arena *a, struct sv_template *t, const char *from, const char *to,
			      const struct place *at, struct sv_err *err)
{
	struct sv_template_piece piece = { .line = at->line, .col = at->col };
	struct sv_err why = SV_ERR_INIT;
	char *text = sv_arena_text(a, from, (size_t)(to - from));

	if (text == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the template");
	if (strlen(text) != (size_t)(to - from) || sv_manifest_ref(a, text, &piece.env, &piece.name, &why) != SV_OK)
		return sv_err_set(err, SV_ERR_FAIL, "line %u, column %u: %s", at->line, at->col,
				  why.msg[0] != '\0' ? why.msg : "this is no reference");
	if (++t->n_refs > SV_TEMPLATE_REFS_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "line %u: more than %d references", at->line,
				  SV_TEMPLATE_REFS_MAX);
	return put(a, t, piece, err);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

enum sv_code sv_template_parse(struct sv_arena *a, const char *text, size_t len, struct sv_template *t,
			       struct sv_err *err)
{
	const char *end = text + len;
	const char *from = text;
	struct place place = { text, 1, 1 };
	const char *p = text;
	enum sv_code rc;

	*t = (struct sv_template){ 0 };
	while ((p = memmem(p, (size_t)(end - p), "{{", 2)) != NULL) {
		const char *ref = p + 2;
		const char *close;
		const char *stop;

		while (ref < end && blank(*ref))
			ref++;
		if (end - ref < 5 || memcmp(ref, "sv://", 5) != 0) {
			p++;
			continue;
		}
		advance(&place, p);
		close = memmem(ref, (size_t)(end - ref), "}}", 2);
		if (close == NULL || memchr(ref, '\n', (size_t)(close - ref)) != NULL)
			return sv_err_set(err, SV_ERR_FAIL, "line %u, column %u: the reference has no }}", place.line,
					  place.col);
		for (stop = close; stop > ref && blank(stop[-1]);)
			stop--;
		if ((rc = literal(a, t, from, p, err)) != SV_OK ||
		    (rc = reference(a, t, ref, stop, &place, err)) != SV_OK)
			return rc;
		p = from = close + 2;
	}
	return literal(a, t, from, end, err);
}

/* One line, blanks around it gone; *l is filled in when it sets something. */
static enum sv_code assignment(struct sv_arena *a, const char *p, const char *eol, struct sv_envfile_line *l,
			       struct sv_err *err)
{
	const char *eq;
	const char *name_end;
	struct place at = { p, l->line, 1 };

	if (eol - p > 7 && memcmp(p, "export", 6) == 0 && blank(p[6]))
		for (p += 6; p < eol && blank(*p);)
			p++;
	eq = memchr(p, '=', (size_t)(eol - p));
	if (eq == NULL)
		return sv_err_set(err, SV_ERR_FAIL, "line %u: this is neither NAME=value nor a comment", l->line);
	for (name_end = eq; name_end > p && blank(name_end[-1]);)
		name_end--;
	if (sv_var_check(p, (size_t)(name_end - p), err) != SV_OK) {
		sv_err_prefix(err, "line %u", l->line);
		return SV_ERR_FAIL;
	}
	if ((l->var = sv_arena_text(a, p, (size_t)(name_end - p))) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the file");
	for (p = eq + 1; p < eol && blank(*p);)
		p++;
	if (eol - p >= 2 && (*p == '"' || *p == '\'') && eol[-1] == *p) {
		p++;
		eol--;
	}
	if (eol - p > 5 && memcmp(p, "sv://", 5) == 0) {
		l->secret = true;
		return reference(a, &l->value, p, eol, &at, err);
	}
	if (sv_template_parse(a, p, (size_t)(eol - p), &l->value, err) != SV_OK) {
		sv_err_prefix(err, "in line %u of the file", l->line);
		return SV_ERR_FAIL;
	}
	l->secret = l->value.n_refs > 0;
	return SV_OK;
}

enum sv_code sv_envfile_parse(struct sv_arena *a, const char *text, size_t len, struct sv_envfile_line **lines,
			      size_t *n, struct sv_err *err)
{
	const char *end = text + len;
	unsigned line = 1;
	enum sv_code rc;

	*lines = NULL;
	*n = 0;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (const char *p = text; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *next;
		struct sv_envfile_line l = { .line = line };

		if (eol == NULL)
			eol = end;
		next = eol + 1;
		while (eol > p && (blank(eol[-1]) || eol[-1] == '\r'))
			eol--;
		while (p < eol && blank(*p))
			p++;
		if (p < eol && *p != '#') {
			if ((rc = assignment(a, p, eol, &l, err)) != SV_OK)
				return rc;
			for (size_t i = 0; i < *n; i++)
				if (strcmp((*lines)[i].var, l.var) == 0)
					return sv_err_set(err, SV_ERR_FAIL, "line %u: %s is there twice", line, l.var);
			if (!SV_ARENA_GROW(a, *lines, *n))
				return sv_err_set(err, SV_ERR_NOMEM, "no memory for the file");
			(*lines)[(*n)++] = l;
		}
		p = next;
	}
	return SV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: text in which {{ sv:///NAME }} or {{ sv://ENV/NAME }} stands for a value, and env files whose lines hold
 * such references.
 *
 * A template is split into pieces first, so that every reference is known before one value is fetched, and nothing is
 * written when one of them is missing.  Values are put in as they are, byte for byte, and never looked at again.
 */
#ifndef SV_PROJECT_TEMPLATE_H
#define SV_PROJECT_TEMPLATE_H

#include "cli/project/arena.h"
#include "vault/base/types.h"

#include <stdbool.h>

#define SV_TEMPLATE_BYTES_MAX ((size_t)16 << 20)
#define SV_TEMPLATE_REFS_MAX  4096

struct sv_template_piece {
	struct sv_text text;    /* literal text, a view into the template; n 0 for a reference */
	const char *env, *name; /* of a reference; env NULL: the current environment */
	unsigned line, col;
};

struct sv_template {
	struct sv_template_piece *v;
	size_t n, n_refs;
};

/*
 * "{{" not followed by blanks and "sv://" is ordinary text (other template languages use it); "{{ sv:" that does not
 * end well is an error with line and column.  SV_ERR_FAIL, SV_ERR_TOO_BIG.
 */
enum sv_code sv_template_parse(struct sv_arena *a, const char *text, size_t len, struct sv_template *t,
			       struct sv_err *err) SV_CHECK;

struct sv_envfile_line {
	const char *var;
	struct sv_template value; /* pieces: literal text and references */
	bool secret;              /* it holds a reference */
	unsigned line;
};

/*
 * VAR=text lines: blank lines and whole-line comments are passed over, "export " may stand in front, a pair of quotes
 * around the whole value is taken off, nothing is expanded or unescaped.  A value is a bare reference (sv:///NAME), or
 * a template.  SV_ERR_FAIL with the line.
 */
enum sv_code sv_envfile_parse(struct sv_arena *a, const char *text, size_t len, struct sv_envfile_line **lines,
			      size_t *n, struct sv_err *err) SV_CHECK;

#endif

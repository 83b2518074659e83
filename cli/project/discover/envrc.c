/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .envrc of direnv: variables that it uses and does not set before, and those of env_vars_required.  Nothing is run.
 *
 * A light reader of shell text: comments, single quotes and backslashes are respected; ${X:-d} and its like need
 * nothing.
 */
#include "cli/project/discover/sources.h"

#include <ctype.h>
#include <string.h>

struct shell {
	struct sv_asks *a;
	const char *file;
	const char *p, *end;
	unsigned line;
	const char *set[256]; /* names that were assigned, with their lengths */
	size_t set_len[256];
	size_t n_set;
};

static size_t name_at(const char *p, const char *end)
{
	size_t n = 0;

	if (p < end && isdigit((unsigned char)*p))
		return 0;
	while (p + n < end && (isalnum((unsigned char)p[n]) || p[n] == '_'))
		n++;
	return n;
}

static bool is_set(const struct shell *s, const char *name, size_t n)
{
	for (size_t i = 0; i < s->n_set; i++)
		if (s->set_len[i] == n && memcmp(s->set[i], name, n) == 0)
			return true;
	return false;
}

static void use(struct shell *s, const char *name, size_t n, bool weak)
{
	if (!is_set(s, name, n))
		sv_asks_add(s->a, name, n, s->file, s->line, "used in .envrc", weak);
}

static void dollar(struct shell *s)
{
	size_t n;

	s->p++;
	if (s->p < s->end && *s->p == '{') {
		const char *behind;

		n = name_at(++s->p, s->end);
		behind = s->p + n;
		if (n > 0 && behind < s->end)
			use(s, s->p, n,
			    *behind == '-' || *behind == '=' || *behind == '+' ||
				    (*behind == ':' && behind + 1 < s->end && behind[1] != '?'));
		s->p = behind;
		return;
	}
	n = name_at(s->p, s->end);
	if (n > 0)
		use(s, s->p, n, false);
	s->p += n;
}

/* At the start of a word that may be a command or an assignment. */
static void start_of_word(struct shell *s)
{
	size_t n = name_at(s->p, s->end);
	const char *word = s->p;

	if (n == 0) {
		s->p++;
		return;
	}
	s->p += n;
	if (s->p < s->end && *s->p == '=') {
		/* A name on its own right side is used before it is set: export X="$X". */
		const char *self = s->p + 1;
		bool refers = false;

		for (; self < s->end && *self != '\n' && *self != ';'; self++)
			if (*self == '$') {
				const char *q = self + 1 + (self + 1 < s->end && self[1] == '{');

				refers = refers || (name_at(q, s->end) == n && memcmp(q, word, n) == 0);
			}
		if (!refers && s->n_set < 256) {
			s->set[s->n_set] = word;
			s->set_len[s->n_set++] = n;
		}
		return;
	}
	if (n == 17 && memcmp(word, "env_vars_required", 17) == 0) {
		while (s->p < s->end && *s->p != '\n' && *s->p != ';' && *s->p != '#') {
			size_t len = name_at(s->p, s->end);

			if (len > 0)
				use(s, s->p, len, false);
			s->p += len > 0 ? len : 1;
		}
	}
}

void sv_source_envrc(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	struct shell s = { .a = a, .file = file, .p = text, .end = text + len, .line = 1 };
	bool quoted = false; /* inside "..." */
	bool fresh = true;   /* at the start of a word */

	while (s.p < s.end) {
		char c = *s.p;

		if (c == '\n') {
			s.line++;
			s.p++;
			fresh = true;
		} else if (c == '\\') {
			s.p += s.p + 1 < s.end && s.p[1] != '\n' ? 2 : 1;
			fresh = false;
		} else if (c == '\'' && !quoted) {
			for (s.p++; s.p < s.end && *s.p != '\''; s.p++)
				s.line += *s.p == '\n';
			s.p += s.p < s.end;
			fresh = false;
		} else if (c == '"') {
			quoted = !quoted;
			s.p++;
			fresh = false;
		} else if (c == '$') {
			dollar(&s);
			fresh = false;
		} else if (c == '#' && fresh && !quoted) {
			while (s.p < s.end && *s.p != '\n')
				s.p++;
		} else if (strchr(" \t;&|()", c) != NULL) {
			s.p++;
			fresh = true;
		} else if (fresh && !quoted) {
			start_of_word(&s);
			fresh = false;
		} else {
			s.p++;
		}
	}
}

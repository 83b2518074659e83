/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References of the form ${X} in the configuration files of package managers and build tools.
 *
 * Which of them each tool replaces: npm docs "npmrc" and npm/cli env-replace.js; yarn berry docs "yarnrc"; pip docs
 * "requirements file format"; Maven docs "settings".
 */
#include "cli/project/discover/sources.h"

#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

#define REF_ENV_DOT   1u /* ${env.X} too */
#define REF_ONLY_DOT  2u /* ${env.X} and nothing else */
#define REF_BACKSLASH 4u
#define REF_UPPER     8u
#define REF_QUESTION  16u
#define REF_DASH      32u
#define REF_DOLLAR    64u /* $X; $$ is a dollar */

/* One reference at p ('$'); the number of characters it takes, at least 1. */
static size_t reference(struct sv_asks *a, const char *file, unsigned line, const char *p, const char *end,
			unsigned flags, const char *why)
{
	const char *name = p + 2;
	size_t n;
	bool weak = false;
	bool dot;

	if ((flags & REF_DOLLAR) != 0 && p + 1 < end && p[1] == '$')
		return 2;
	if ((flags & REF_DOLLAR) != 0 && p + 1 < end && p[1] != '{') {
		n = strspn(p + 1, NAME_CHARS);
		if (p + 1 + n > end)
			n = (size_t)(end - p - 1);
		sv_asks_add(a, p + 1, n, file, line, why, false);
		return n + 1;
	}
	if (p + 2 >= end || p[1] != '{')
		return 1;
	dot = strncmp(name, "env.", 4) == 0 && (flags & (REF_ENV_DOT | REF_ONLY_DOT)) != 0;
	if (dot)
		name += 4;
	else if ((flags & REF_ONLY_DOT) != 0)
		return 1;
	n = strspn(name, NAME_CHARS);
	if (n == 0 || name + n >= end)
		return 1;
	if ((flags & REF_UPPER) != 0)
		for (size_t i = 0; i < n; i++)
			if (name[i] >= 'a' && name[i] <= 'z')
				return 1;
	if (name[n] == '?' && (flags & REF_QUESTION) != 0 && name[n + 1] == '}')
		weak = true;
	else if ((name[n] == '-' || (name[n] == ':' && name[n + 1] == '-')) && (flags & REF_DASH) != 0)
		weak = true;
	else if ((flags & REF_DASH) != 0 && (name[n] == '?' || name[n] == '+' || name[n] == ':'))
		weak = name[n] == '+' || (name[n] == ':' && name[n + 1] == '+');
	else if (name[n] != '}')
		return 1;
	sv_asks_add(a, name, n, file, line, why, weak);
	return (size_t)(name - p) + n;
}

static void span(struct sv_asks *a, const char *file, unsigned line, const char *p, const char *end, unsigned flags,
		 const char *why)
{
	unsigned slashes = 0;

	while (p < end) {
		if (*p == '$' && !((flags & REF_BACKSLASH) != 0 && slashes % 2 == 1)) {
			p += reference(a, file, line, p, end, flags, why);
			slashes = 0;
			continue;
		}
		slashes = *p == '\\' ? slashes + 1 : 0;
		p++;
	}
}

/* Line by line; a line whose first character that is no blank is among `comments` is none. */
static void lines(struct sv_asks *a, const char *file, const char *text, size_t len, const char *comments,
		  unsigned flags)
{
	const char *end = text + len;
	unsigned line = 1;

	for (const char *p = text; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *first;

		if (eol == NULL)
			eol = end;
		for (first = p; first < eol && (*first == ' ' || *first == '\t');)
			first++;
		if (first < eol && strchr(comments, *first) == NULL)
			span(a, file, line, first, eol, flags, "${...}");
		p = eol + 1;
	}
}

void sv_source_npmrc(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	lines(a, file, text, len, "#;", REF_BACKSLASH | REF_QUESTION | REF_DASH);
}

void sv_source_yarnrc(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	lines(a, file, text, len, "#", REF_DASH);
}

void sv_source_ini(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	lines(a, file, text, len, "#;", REF_ENV_DOT);
}

void sv_source_requirements(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	lines(a, file, text, len, "#", REF_UPPER);
}

void sv_source_properties(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	lines(a, file, text, len, "#!", REF_ENV_DOT);
}

void sv_source_maven(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	const char *end = text + len;
	const char *p = text;
	unsigned line = 1;

	while (p < end) {
		if (*p == '<' && end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
			const char *close = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);
			const char *stop = close != NULL ? close + 3 : end;

			for (; p < stop; p++)
				line += *p == '\n';
			continue;
		}
		if (*p == '$') {
			p += reference(a, file, line, p, end, REF_ONLY_DOT, "${env...}");
			continue;
		}
		line += *p++ == '\n';
	}
}

void sv_source_dollars(struct sv_asks *a, const char *file, unsigned line, const char *text, const char *why)
{
	span(a, file, line, text, text + strlen(text), REF_DOLLAR | REF_DASH, why);
}

/* System.getenv("X"), System.getenv().get("X") is rare; providers.environmentVariable("X"); env "X" of Kotlin scripts
 * is the first. */
void sv_source_gradle(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	static const char *const calls[] = { "getenv", "environmentVariable" };
	const char *end = text + len;
	unsigned line = 1;
	const char *counted = text;

	for (const char *p = text; p < end; p++) {
		if (*p == '/' && p + 1 < end && p[1] == '/' &&
		    (p == text || p[-1] != ':')) { /* not the // of an address */
			const char *eol = memchr(p, '\n', (size_t)(end - p));

			p = eol != NULL ? eol - 1 : end - 1;
			continue;
		}
		for (size_t i = 0; i < 2; i++) {
			size_t n = strlen(calls[i]);
			const char *q = p + n;
			char quote;

			if (strncmp(p, calls[i], n) != 0)
				continue;
			q += strspn(q, " \t");
			if (*q == '(')
				q++;
			q += strspn(q, " \t");
			quote = *q;
			if (quote != '"' && quote != '\'')
				continue;
			n = strspn(++q, NAME_CHARS);
			if (q[n] != quote)
				continue;
			for (; counted < p; counted++)
				line += *counted == '\n';
			sv_asks_add(a, q, n, file, line, "getenv", false);
			p = q;
		}
	}
}

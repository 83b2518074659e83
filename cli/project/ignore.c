/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitignore(5): the last pattern that matches decides.
 */
#include "cli/project/ignore.h"

#include <ctype.h>
#include <string.h>

#define STEPS_MAX 20000 /* of one match: a pattern made to be slow gives up and matches nothing */

/* [...] at p; *end: behind it.  -1: no closing bracket. */
static int bracket(const char *p, char c, const char **end)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = { { "[:alnum:]", isalnum }, { "[:alpha:]", isalpha },  { "[:digit:]", isdigit },
			{ "[:lower:]", islower }, { "[:upper:]", isupper },  { "[:space:]", isspace },
			{ "[:punct:]", ispunct }, { "[:xdigit:]", isxdigit } };
	bool not = false;
	bool in = false;
	bool first = true;

	p++;
	if (*p == '!' || *p == '^') {
		not = true;
		p++;
	}
	for (; *p != '\0' && (*p != ']' || first); first = false) {
		unsigned char low;
		unsigned char high;
		bool class = false;

		for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]) && !class; i++) {
			size_t n = strlen(classes[i].name);

			if (strncmp(p, classes[i].name, n) == 0) {
				in = in || classes[i].is((unsigned char)c) != 0;
				p += n;
				class = true;
			}
		}
		if (class)
			continue;
		if (*p == '\\' && p[1] != '\0')
			p++;
		low = high = (unsigned char)*p++;
		if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
			p++;
			if (*p == '\\' && p[1] != '\0')
				p++;
			high = (unsigned char)*p++;
		}
		in = in || ((unsigned char)c >= low && (unsigned char)c <= high);
	}
	if (*p != ']')
		return -1;
	*end = p + 1;
	return c != '/' && in != not ;
}

static bool wild(const char *p, const char *t, const char *start, unsigned *left)
{
	for (; *p != '\0'; p++, t++) {
		const char *end;
		int is;

		if (*left == 0)
			return false;
		--*left;
		switch (*p) {
		case '*':
			if (p[1] == '*' && (p == start || p[-1] == '/') && (p[2] == '\0' || p[2] == '/')) {
				if (p[2] == '\0')
					return true;
				if (wild(p + 3, t, start, left)) /* no directory at all */
					return true;
				for (; *t != '\0'; t++)
					if (*t == '/' && wild(p + 3, t + 1, start, left))
						return true;
				return false;
			}
			while (p[1] == '*')
				p++;
			if (p[1] == '\0')
				return strchr(t, '/') == NULL;
			for (;; t++) {
				if (wild(p + 1, t, start, left))
					return true;
				if (*t == '\0' || *t == '/')
					return false;
			}
		case '?':
			if (*t == '\0' || *t == '/')
				return false;
			break;
		case '[':
			is = *t == '\0' ? -1 : bracket(p, *t, &end);
			if (is <= 0)
				return false;
			p = end - 1;
			break;
		case '\\':
			if (p[1] != '\0')
				p++;
			/* fall through */
		default:
			if (*p != *t)
				return false;
		}
	}
	return *t == '\0';
}

bool sv_ignore_wild(const char *pattern, const char *text)
{
	unsigned left = STEPS_MAX;

	return wild(pattern, text, pattern, &left);
}

static void push_line(struct sv_ignore *ig, const char *p, size_t n, size_t base_len)
{
	struct sv_ignore_pattern pat = { .base_len = base_len, .literal = true };
	char *text;

	if (n > 0 && p[n - 1] == '\r')
		n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t') && (n < 2 || p[n - 2] != '\\'))
		n--;
	if (n == 0 || *p == '#')
		return;
	if (*p == '!') {
		pat.negative = true;
		p++;
		n--;
	}
	if (n > 0 && p[n - 1] == '/') {
		pat.dir_only = true;
		n--;
	}
	if (n > 0 && memchr(p, '/', n) != NULL)
		pat.anchored = true;
	if (n > 0 && *p == '/') {
		p++;
		n--;
	}
	if (n == 0 || n > 1024 || (text = sv_arena_text(ig->a, p, n)) == NULL || !SV_ARENA_GROW(ig->a, ig->v, ig->n))
		return;
	pat.text = text;
	pat.len = n;
	pat.literal = strpbrk(text, "*?[\\") == NULL;
	if (!pat.anchored && n > 1 && text[0] == '*' && strpbrk(text + 1, "*?[\\") == NULL)
		pat.suffix = text + 1;
	ig->v[ig->n++] = pat;
}

size_t sv_ignore_push(struct sv_ignore *ig, const char *text, size_t len, size_t base_len)
{
	size_t before = ig->n;
	const char *end = text + len;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));

		if (eol == NULL)
			eol = end;
		push_line(ig, text, (size_t)(eol - text), base_len);
		text = eol + 1;
	}
	return before;
}

void sv_ignore_drop(struct sv_ignore *ig, size_t n)
{
	ig->n = n;
}

static bool matches(const struct sv_ignore_pattern *p, const char *path, const char *name)
{
	size_t n;

	if (p->anchored)
		return p->literal ? strcmp(p->text, path + p->base_len) == 0
				  : sv_ignore_wild(p->text, path + p->base_len);
	if (p->literal)
		return strcmp(p->text, name) == 0;
	if (p->suffix != NULL) {
		n = strlen(name);
		return n >= p->len - 1 && memcmp(name + n - (p->len - 1), p->suffix, p->len - 1) == 0;
	}
	return sv_ignore_wild(p->text, name);
}

bool sv_ignore_match(const struct sv_ignore *ig, const char *path, bool dir)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = ig->n; i-- > 0;) {
		const struct sv_ignore_pattern *p = &ig->v[i];

		if ((!p->dir_only || dir) && matches(p, path, name))
			return !p->negative;
	}
	return false;
}

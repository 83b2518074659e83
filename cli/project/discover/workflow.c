/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workflows of GitHub: secrets.X in expressions.  Source: GitHub docs "Contexts: secrets context".
 */
#include "cli/project/discover/sources.h"

#include <ctype.h>
#include <string.h>

static bool word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* At "secrets": behind it .X or ['X']. */
static void at_secrets(struct sv_asks *a, const char *file, unsigned line, const char *p, const char *eol)
{
	const char *name;

	if (p < eol && *p == '.') {
		name = p + 1;
	} else if (eol - p > 2 && p[0] == '[' && (p[1] == '\'' || p[1] == '"')) {
		name = p + 2;
	} else {
		return;
	}
	for (p = name; p < eol && word(*p);)
		p++;
	sv_asks_add(a, name, (size_t)(p - name), file, line, "secrets", false);
}

void sv_source_workflow(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	const char *end = text + len;
	unsigned line = 1;

	for (const char *p = text; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *q;

		if (eol == NULL)
			eol = end;
		for (q = p; q < eol && (*q == ' ' || *q == '\t');)
			q++;
		if (q < eol && *q != '#')
			while ((q = memmem(q, (size_t)(eol - q), "secrets", 7)) != NULL) {
				bool whole =
					q == text || (!word(q[-1]) && q[-1] != '.' && q[-1] != '-' && q[-1] != '/');

				q += 7;
				if (whole)
					at_secrets(a, file, line, q, eol);
			}
		p = eol + 1;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .env.example, .env.sample, .env.template, .env.dist and .env.schema: the names on the left; a name beside which a
 * value stands works without.
 */
#include "cli/project/discover/sources.h"

#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static const char *blanks(const char *p, const char *eol)
{
	while (p < eol && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

void sv_source_dotenv(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	const char *end = text + len;
	unsigned line = 1;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (const char *p = text; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *next;
		const char *q;
		size_t n;

		if (eol == NULL)
			eol = end;
		next = eol + 1;
		while (eol > p && (eol[-1] == '\r' || eol[-1] == ' ' || eol[-1] == '\t'))
			eol--;
		q = blanks(p, eol);
		if (eol - q > 7 && memcmp(q, "export", 6) == 0 && (q[6] == ' ' || q[6] == '\t'))
			q = blanks(q + 6, eol);
		n = strspn(q, NAME_CHARS);
		if (n > 0 && q + n <= eol) {
			const char *value = blanks(q + n, eol);

			if (value < eol && (*value == '=' || *value == ':')) {
				bool colon = *value == ':';

				value = blanks(value + 1, eol);
				if (!(colon && value < eol && *value == '/')) /* an address, not a name */
					sv_asks_add(a, q, n, file, line, "named in an example",
						    !(value == eol || *value == '#' ||
						      (eol - value == 2 && (memcmp(value, "\"\"", 2) == 0 ||
									    memcmp(value, "''", 2) == 0))));
			} else if (value == eol) {
				sv_asks_add(a, q, n, file, line, "named in an example", false);
			}
		}
		p = next;
	}
}

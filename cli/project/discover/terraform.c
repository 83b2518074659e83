/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables of Terraform and OpenTofu that have no default, as the environment variables TF_VAR_x that set them.
 *
 * A light reader of HCL: comments, strings with ${...} inside, heredocs and nested braces are stepped over, so that
 * only blocks at the top level count.  Source: HashiCorp, "HCL native syntax specification", "Input variables".
 */
#include "cli/project/discover/sources.h"

#include <ctype.h>
#include <string.h>

struct hcl {
	const char *p, *end;
	unsigned line;
};

static bool ident(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static void step(struct hcl *h)
{
	h->line += *h->p == '\n';
	h->p++;
}

static void skip_string(struct hcl *h)
{
	int depth = 0;

	step(h);
	while (h->p < h->end && *h->p != '\n') {
		if (*h->p == '\\' && h->p + 1 < h->end) {
			h->p += 2;
			continue;
		}
		if ((*h->p == '$' || *h->p == '%') && h->p + 1 < h->end && h->p[1] == '{') {
			depth++;
			h->p += 2;
			continue;
		}
		if (depth > 0 && *h->p == '}')
			depth--;
		else if (depth > 0 && *h->p == '{')
			depth++;
		else if (depth == 0 && *h->p == '"') {
			h->p++;
			return;
		}
		h->p++;
	}
}

static void skip_line(struct hcl *h)
{
	while (h->p < h->end && *h->p != '\n')
		h->p++;
}

/* At "<<": to the line that is the word alone. */
static void skip_heredoc(struct hcl *h)
{
	const char *word;
	size_t n;

	h->p += 2;
	if (h->p < h->end && *h->p == '-')
		h->p++;
	word = h->p;
	while (h->p < h->end && ident(*h->p))
		h->p++;
	n = (size_t)(h->p - word);
	if (n == 0)
		return;
	skip_line(h);
	while (h->p < h->end) {
		step(h); /* the line feed */
		while (h->p < h->end && (*h->p == ' ' || *h->p == '\t'))
			h->p++;
		if ((size_t)(h->end - h->p) >= n && memcmp(h->p, word, n) == 0 &&
		    (h->p + n == h->end || h->p[n] == '\n' || h->p[n] == '\r')) {
			h->p += n;
			return;
		}
		skip_line(h);
	}
}

/* Steps over what is neither a brace nor a word; false when nothing of the kind is here. */
static bool skip_other(struct hcl *h)
{
	if (*h->p == '#' || (*h->p == '/' && h->p + 1 < h->end && h->p[1] == '/')) {
		skip_line(h);
	} else if (*h->p == '/' && h->p + 1 < h->end && h->p[1] == '*') {
		while (h->p < h->end && !(h->p[0] == '*' && h->p + 1 < h->end && h->p[1] == '/'))
			step(h);
		h->p = h->p + 2 <= h->end ? h->p + 2 : h->end;
	} else if (*h->p == '"') {
		skip_string(h);
	} else if (*h->p == '<' && h->p + 1 < h->end && h->p[1] == '<') {
		skip_heredoc(h);
	} else {
		return false;
	}
	return true;
}

/* Behind the opening brace of a variable block, to behind its closing one; true when `default` is set at its first
 * level. */
static bool has_default(struct hcl *h)
{
	bool found = false;
	int depth = 1;

	while (h->p < h->end && depth > 0) {
		if (skip_other(h))
			continue;
		if (*h->p == '{' || *h->p == '[' || *h->p == '(')
			depth++;
		else if (*h->p == '}' || *h->p == ']' || *h->p == ')')
			depth--;
		if (ident(*h->p)) {
			const char *word = h->p;
			const char *q;

			while (h->p < h->end && ident(*h->p))
				h->p++;
			for (q = h->p; q < h->end && (*q == ' ' || *q == '\t');)
				q++;
			if (depth == 1 && h->p - word == 7 && memcmp(word, "default", 7) == 0 && q < h->end &&
			    *q == '=')
				found = true;
			continue;
		}
		step(h);
	}
	return found;
}

static void variable(struct sv_asks *a, const char *file, struct hcl *h)
{
	char var[SV_META_TEXT_MAX];
	unsigned line = h->line;
	const char *name;
	size_t n;
	bool quote;

	while (h->p < h->end && (*h->p == ' ' || *h->p == '\t'))
		h->p++;
	quote = h->p < h->end && *h->p == '"';
	if (quote)
		h->p++;
	name = h->p;
	while (h->p < h->end && ident(*h->p))
		h->p++;
	n = (size_t)(h->p - name);
	if (quote && h->p < h->end && *h->p == '"')
		h->p++;
	while (h->p < h->end && (*h->p == ' ' || *h->p == '\t'))
		h->p++;
	if (n == 0 || n > 120 || h->p >= h->end || *h->p != '{')
		return;
	h->p++;
	if (has_default(h))
		return;
	memcpy(var, "TF_VAR_", 7);
	memcpy(var + 7, name, n);
	sv_asks_add(a, var, n + 7, file, line, "variable without default", false);
}

void sv_source_terraform(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	struct hcl h = { text, text + len, 1 };
	int depth = 0;

	while (h.p < h.end) {
		if (skip_other(&h))
			continue;
		if (*h.p == '{')
			depth++;
		else if (*h.p == '}' && depth > 0)
			depth--;
		if (ident(*h.p)) {
			const char *word = h.p;

			while (h.p < h.end && ident(*h.p))
				h.p++;
			if (depth == 0 && h.p - word == 8 && memcmp(word, "variable", 8) == 0)
				variable(a, file, &h);
			continue;
		}
		step(&h);
	}
}

bool sv_source_assigns(const char *text, size_t len, const char *name)
{
	const char *end = text + len;
	size_t n = strlen(name);

	for (const char *p = text; p < end; p++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *q = p;

		if (eol == NULL)
			eol = end;
		while (q < eol && (*q == ' ' || *q == '\t'))
			q++;
		if ((size_t)(eol - q) > n && memcmp(q, name, n) == 0) {
			for (q += n; q < eol && (*q == ' ' || *q == '\t');)
				q++;
			if (q < eol && *q == '=')
				return true;
		}
		p = eol;
	}
	return false;
}

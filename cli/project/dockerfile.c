/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical lines to instructions: directives, comments, continuation and heredocs.  What the instructions mean is in
 * dockerfile_stages.c.
 */
#include "cli/project/dockerfile_int.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HEREDOCS_MAX 16

struct lines {
	const char *p, *end;
	unsigned line; /* of p */
};

struct heredoc {
	const char *word;
	size_t n;
	bool chomp; /* <<-: leading tabs go */
};

enum sv_code sv_dockerfile_no_memory(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_NOMEM, "no memory for a Dockerfile");
}

/* The next physical line without its end; false at the end of the text. */
static bool next(struct lines *l, const char **p, size_t *n)
{
	const char *eol;

	if (l->p >= l->end)
		return false;
	eol = memchr(l->p, '\n', (size_t)(l->end - l->p));
	if (eol == NULL)
		eol = l->end;
	*p = l->p;
	*n = (size_t)(eol - l->p);
	if (*n > 0 && (*p)[*n - 1] == '\r')
		--*n;
	l->p = eol < l->end ? eol + 1 : l->end;
	l->line++;
	return true;
}

static size_t blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i;
}

/* "# name=value" at the top; true when it is a directive. */
static bool directive(struct sv_dockerfile *d, const char *p, size_t n, enum sv_code *rc)
{
	size_t i = blanks(p, n);
	size_t name;
	size_t name_len;

	if (i == n || p[i] != '#')
		return false;
	i++;
	i += blanks(p + i, n - i);
	name = i;
	while (i < n && (isalnum((unsigned char)p[i]) || p[i] == '_'))
		i++;
	name_len = i - name;
	i += blanks(p + i, n - i);
	if (name_len == 0 || i == n || p[i] != '=')
		return false;
	i++;
	i += blanks(p + i, n - i);
	while (n > i && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	if (name_len == 6 && strncasecmp(p + name, "escape", 6) == 0) {
		if (n - i == 1 && (p[i] == '\\' || p[i] == '`'))
			d->escape = p[i];
		return true;
	}
	if (name_len == 6 && strncasecmp(p + name, "syntax", 6) == 0) {
		if ((d->syntax = sv_arena_text(&d->arena, p + i, n - i)) == NULL)
			*rc = SV_ERR_NOMEM;
		return true;
	}
	return name_len == 5 && strncasecmp(p + name, "check", 5) == 0;
}

/* Without the escape character and blanks at its end: true when the line goes on. */
static bool continues(const struct sv_dockerfile *d, const char *p, size_t *n)
{
	size_t end = *n;

	while (end > 0 && (p[end - 1] == ' ' || p[end - 1] == '\t'))
		end--;
	if (end == 0 || p[end - 1] != d->escape)
		return false;
	*n = end - 1;
	return true;
}

/* Words behind << outside quotes, as RUN, COPY and ADD take them. */
static size_t find_heredocs(const char *args, struct heredoc h[HEREDOCS_MAX])
{
	size_t found = 0;
	char quote = 0;

	for (const char *p = args; *p != '\0' && found < HEREDOCS_MAX; p++) {
		struct heredoc one = { NULL, 0, false };
		const char *q;
		char close = 0;

		if (quote != 0) {
			quote = *p == quote ? 0 : quote;
			continue;
		}
		if (*p == '\'' || *p == '"') {
			quote = *p;
			continue;
		}
		if (p[0] != '<' || p[1] != '<' || p[2] == '<' || (p > args && p[-1] == '<'))
			continue;
		/* A shift or a here-string inside a word is none: the reference wants a blank or a descriptor before
		 * it. */
		q = p;
		while (q > args && isdigit((unsigned char)q[-1]))
			q--;
		if (q > args && q[-1] != ' ' && q[-1] != '\t')
			continue;
		q = p + 2;
		if (*q == '-') {
			one.chomp = true;
			q++;
		}
		if (*q == '\'' || *q == '"')
			close = *q++;
		one.word = q;
		while (*q != '\0' &&
		       (close != 0 ? *q != close : (isalnum((unsigned char)*q) || strchr("_-.", *q) != NULL)))
			q++;
		one.n = (size_t)(q - one.word);
		if (one.n == 0)
			continue;
		h[found++] = one;
		p = q - (close == 0);
	}
	return found;
}

/* The bodies of the heredocs, one after the other. */
static enum sv_code read_heredocs(struct sv_dockerfile *d, struct lines *l, struct sv_df_instruction *in,
				  struct sv_err *err)
{
	struct heredoc h[HEREDOCS_MAX];
	size_t n = find_heredocs(in->args, h);
	const char *from = l->p;
	const char *p = from;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		bool closed = false;

		while (!closed && next(l, &p, &len)) {
			size_t skip = 0;

			while (h[i].chomp && skip < len && p[skip] == '\t')
				skip++;
			closed = len - skip == h[i].n && memcmp(p + skip, h[i].word, h[i].n) == 0;
		}
		if (!closed)
			return sv_err_set(err, SV_ERR_FAIL, "line %u: a heredoc has no end", in->line);
	}
	if (n > 0) {
		in->heredoc = sv_arena_text(&d->arena, from, (size_t)(l->p - from));
		if (in->heredoc == NULL)
			return sv_dockerfile_no_memory(err);
	}
	in->last_line = l->line - 1;
	return SV_OK;
}

static bool takes_heredoc(const char *keyword)
{
	return strcmp(keyword, "RUN") == 0 || strcmp(keyword, "COPY") == 0 || strcmp(keyword, "ADD") == 0;
}

/* joined: the whole instruction in one line. */
static enum sv_code instruction(struct sv_dockerfile *d, struct lines *l, char *joined, unsigned line,
				struct sv_err *err)
{
	struct sv_df_instruction in = { .line = line, .last_line = l->line - 1, .stage = (int)d->n_stages - 1 };
	char *word = joined + strspn(joined, " \t");
	enum sv_code rc;

	for (;;) {
		size_t n = strcspn(word, " \t");
		char *args = word + n;

		args += strspn(args, " \t");
		for (size_t i = 0; i < n; i++)
			word[i] = (char)toupper((unsigned char)word[i]);
		in.keyword = sv_arena_text(&d->arena, word, n);
		in.args = args;
		if (in.keyword == NULL)
			return sv_dockerfile_no_memory(err);
		if (strcmp(in.keyword, "ONBUILD") != 0 || in.onbuild)
			break;
		in.onbuild = true;
		word = args;
	}
	if (takes_heredoc(in.keyword) && (rc = read_heredocs(d, l, &in, err)) != SV_OK)
		return rc;
	if (!SV_ARENA_GROW(&d->arena, d->instructions, d->n_instructions))
		return sv_dockerfile_no_memory(err);
	d->instructions[d->n_instructions++] = in;
	return sv_dockerfile_understand(d, d->n_instructions - 1, err);
}

enum sv_code sv_dockerfile_parse(struct sv_dockerfile *d, const char *text, size_t len, struct sv_err *err)
{
	struct lines l = { text, text + len, 1 };
	char *joined = sv_arena_alloc(&d->arena, len + 1);
	size_t used = 0;
	unsigned line = 0;
	bool top = true;
	bool open = false;
	const char *p;
	size_t n;
	enum sv_code rc = SV_OK;

	d->escape = '\\';
	if (joined == NULL)
		return sv_dockerfile_no_memory(err);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		l.p += 3;
	if (l.end - l.p >= 2 && l.p[0] == '#' && l.p[1] == '!') { /* a script's first line is a comment */
		(void)next(&l, &p, &n);
	}
	while (rc == SV_OK && next(&l, &p, &n)) {
		size_t lead = blanks(p, n);
		bool more;

		if (top && (top = directive(d, p, n, &rc)))
			continue;
		if (lead == n && !open)
			continue;
		if (lead < n && p[lead] == '#')
			continue; /* between continued lines too */
		if (lead == n) {
			continue; /* an empty line inside an instruction is passed over, as builders do */
		}
		if (!open) {
			line = l.line - 1;
			used = 0;
		}
		more = continues(d, p, &n);
		memcpy(joined + used, p, n);
		used += n;
		joined[used] = '\0';
		open = more;
		if (!more) {
			char *whole = sv_arena_text(&d->arena, joined, used);

			rc = whole == NULL ? sv_dockerfile_no_memory(err) : instruction(d, &l, whole, line, err);
		}
	}
	if (rc == SV_OK && open) {
		char *whole = sv_arena_text(&d->arena, joined, used);

		rc = whole == NULL ? sv_dockerfile_no_memory(err) : instruction(d, &l, whole, line, err);
	}
	return rc;
}

void sv_dockerfile_clear(struct sv_dockerfile *d)
{
	sv_arena_clear(&d->arena);
	*d = (struct sv_dockerfile)SV_DOCKERFILE_INIT;
}

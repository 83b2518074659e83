/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list in the order of finding, and a table of names beside it.
 */
#include "cli/project/discover/asks.h"

#include "vault/base/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set by shells, logins and systems; a file that uses one asks for no secret. */
static const char *const everybody[] = {
	"COLUMNS", "DISPLAY",     "EDITOR",  "EUID",    "GID",     "GOPATH", "HOME",        "HOSTNAME",
	"IFS",     "JAVA_HOME",   "LANG",    "LINES",   "LOGNAME", "OLDPWD", "PATH",        "PPID",
	"PS1",     "PWD",         "RANDOM",  "SECONDS", "SHELL",   "SHLVL",  "TEMP",        "TERM",
	"TMP",     "TMPDIR",      "TZ",      "UID",     "USER",    "VISUAL", "BASH_SOURCE", "M2_HOME",
	"LC_ALL",  "USERPROFILE", "APPDATA", "CI",      NULL,
};

static size_t slot(const struct sv_asks *a, const char *var, size_t len)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)var[i]) * 16777619u;
	for (i = h & (SV_ASKS_TABLE - 1); a->table[i] != 0; i = (i + 1) & (SV_ASKS_TABLE - 1)) {
		const char *other = a->v[a->table[i] - 1].var;

		if (strncmp(other, var, len) == 0 && other[len] == '\0')
			break;
	}
	return i;
}

const struct sv_ask *sv_asks_find(const struct sv_asks *a, const char *var, size_t len)
{
	size_t i;

	if (a->table == NULL)
		return NULL;
	i = slot(a, var, len);
	return a->table[i] != 0 ? &a->v[a->table[i] - 1] : NULL;
}

void sv_asks_note(struct sv_asks *a, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	char *copy;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	copy = a->n_notes < 64 ? sv_arena_text(&a->arena, text, strlen(text)) : NULL;
	if (copy != NULL && SV_ARENA_GROW(&a->arena, a->notes, a->n_notes))
		a->notes[a->n_notes++] = copy;
}

void sv_asks_add(struct sv_asks *a, const char *var, size_t len, const char *file, unsigned line, const char *why,
		 bool weak)
{
	struct sv_ask ask = { .line = line, .why = why, .weak = weak };
	size_t i;

	if (len == 0 || len > SV_VAR_MAX || sv_var_check(var, len, NULL) != SV_OK)
		return;
	for (const char *const *e = everybody; *e != NULL; e++)
		if (strncmp(*e, var, len) == 0 && (*e)[len] == '\0')
			return;
	if (a->table == NULL && (a->table = sv_arena_alloc(&a->arena, SV_ASKS_TABLE * sizeof(*a->table))) == NULL)
		return;
	i = slot(a, var, len);
	if (a->table[i] != 0) {
		struct sv_ask *there = &a->v[a->table[i] - 1];

		there->more++;
		if (strcmp(file, there->file) < 0) { /* whatever order a directory is read in, the same place is told */
			const char *copy = sv_arena_text(&a->arena, file, strlen(file));

			if (copy != NULL) {
				there->file = copy;
				there->line = line;
				there->why = why;
			}
		}
		there->weak = there->weak && weak;
		return;
	}
	if (a->n == SV_ASKS_MAX) {
		if (!a->full)
			sv_asks_note(a, "more than %d names are asked for; the rest is left out", SV_ASKS_MAX);
		a->full = true;
		return;
	}
	ask.var = sv_arena_text(&a->arena, var, len);
	ask.file = sv_arena_text(&a->arena, file, strlen(file));
	if (ask.var == NULL || ask.file == NULL || !SV_ARENA_GROW(&a->arena, a->v, a->n))
		return;
	a->v[a->n++] = ask;
	a->table[i] = (uint16_t)a->n;
}

static int by_place(const void *x, const void *y)
{
	const struct sv_ask *a = x;
	const struct sv_ask *b = y;
	int file = strcmp(a->file, b->file);

	if (file != 0)
		return file;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return strcmp(a->var, b->var);
}

void sv_asks_sort(struct sv_asks *a)
{
	if (a->n == 0)
		return;
	qsort(a->v, a->n, sizeof(*a->v), by_place);
	memset(a->table, 0, SV_ASKS_TABLE * sizeof(*a->table));
	for (size_t i = 0; i < a->n; i++)
		a->table[slot(a, a->v[i].var, strlen(a->v[i].var))] = (uint16_t)(i + 1);
}

void sv_asks_clear(struct sv_asks *a)
{
	sv_arena_clear(&a->arena);
	*a = (struct sv_asks)SV_ASKS_INIT;
}

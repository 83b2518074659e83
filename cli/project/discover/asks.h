/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a project's files ask for: variable names, each with the file and line where it was found first and the reason.
 */
#ifndef SV_PROJECT_ASKS_H
#define SV_PROJECT_ASKS_H

#include "cli/project/arena.h"
#include "vault/base/types.h"

#include <stdbool.h>

#define SV_ASKS_MAX   4096
#define SV_ASKS_TABLE 16384 /* twice as many and more, a power of two */

struct sv_ask {
	const char *var;
	const char *file; /* as shown: relative to where the search began, ~/... in the home directory */
	unsigned line;    /* from 1; 0: the command line */
	const char *why;  /* "ARG", "secret mount", "${...}" ... */
	bool weak;        /* it works without: has a default, or a value stands beside it */
	unsigned more;    /* further places */
};

struct sv_asks {
	struct sv_arena arena;
	struct sv_ask *v;
	size_t n;
	const char **notes; /* sentences: what could not be read, and where the search ended */
	size_t n_notes;
	unsigned files, entries; /* read; looked at */
	bool full;
	uint16_t *table; /* 0 free, else index + 1 */
};

#define SV_ASKS_INIT                   \
	{                              \
		.arena = SV_ARENA_INIT \
	}

/*
 * One more find.  What is no legal variable name is left out, so are the names that every shell sets by itself.  why is
 * a literal, file is copied once per find that is new.
 */
void sv_asks_add(struct sv_asks *a, const char *var, size_t len, const char *file, unsigned line, const char *why,
		 bool weak);
void sv_asks_note(struct sv_asks *a, const char *fmt, ...) SV_PRINTF(2, 3);
const struct sv_ask *sv_asks_find(const struct sv_asks *a, const char *var, size_t len);
/* By file, line and name. */
void sv_asks_sort(struct sv_asks *a);
void sv_asks_clear(struct sv_asks *a);

#endif

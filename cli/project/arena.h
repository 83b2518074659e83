/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_arena: memory for what is read from a project's files, given back all at once.  For names and paths, never
 * for values.
 */
#ifndef SV_PROJECT_ARENA_H
#define SV_PROJECT_ARENA_H

#include "vault/base/err.h"

#include <stddef.h>

struct sv_arena_block;

struct sv_arena {
	struct sv_arena_block *last;
	size_t total; /* bytes handed out */
};

#define SV_ARENA_INIT   \
	{               \
		NULL, 0 \
	}
#define SV_ARENA_MAX ((size_t)64 << 20) /* more than this is NULL: no project's files ask for so much */

/* n zeroed bytes, aligned for any type, until sv_arena_clear(); NULL with errno ENOMEM. */
void *sv_arena_alloc(struct sv_arena *a, size_t n);
/* A copy of p[0..n) and a NUL. */
char *sv_arena_text(struct sv_arena *a, const char *p, size_t n);
char *sv_arena_fmt(struct sv_arena *a, const char *fmt, ...) SV_PRINTF(2, 3);
/*
 * Room for one more item behind n items of a list in the arena: doubles it when n is a power of two or zero.  false: no
 * memory, the list stays as it was.
 */
#define SV_ARENA_GROW(a, list, n) sv_arena_grow((a), (void **)(void *)&(list), (n), sizeof(*(list)))
_Bool sv_arena_grow(struct sv_arena *a, void **list, size_t n, size_t item_bytes);
void sv_arena_clear(struct sv_arena *a);

#endif

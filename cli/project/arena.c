/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of growing size, newest first.
 */
#include "cli/project/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN ((size_t)16 << 10)

struct sv_arena_block {
	struct sv_arena_block *before;
	size_t used, size;
	max_align_t data[];
};

void *sv_arena_alloc(struct sv_arena *a, size_t n)
{
	struct sv_arena_block *b = a->last;
	size_t want;
	void *p;

	if (n == 0)
		n = 1;
	if (n > SV_ARENA_MAX || a->total + n > SV_ARENA_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	want = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (b == NULL || b->size - b->used < want) {
		size_t size = want > BLOCK_MIN ? want : BLOCK_MIN;

		b = malloc(sizeof(*b) + size);
		if (b == NULL)
			return NULL;
		b->before = a->last;
		b->used = 0;
		b->size = size;
		a->last = b;
	}
	p = (char *)b->data + b->used;
	b->used += want;
	a->total += want;
	return memset(p, 0, n);
}

char *sv_arena_text(struct sv_arena *a, const char *p, size_t n)
{
	char *text = sv_arena_alloc(a, n + 1);

	if (text != NULL && n > 0)
		memcpy(text, p, n);
	return text;
}

char *sv_arena_fmt(struct sv_arena *a, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (text = sv_arena_alloc(a, (size_t)n + 1)) == NULL)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

_Bool sv_arena_grow(struct sv_arena *a, void **list, size_t n, size_t item_bytes)
{
	void *more;

	if (n != 0 && (n & (n - 1)) != 0)
		return true;
	if (n > SV_ARENA_MAX / 2 / item_bytes)
		return false;
	more = sv_arena_alloc(a, (n == 0 ? 1 : 2 * n) * item_bytes);
	if (more == NULL)
		return false;
	if (n > 0)
		memcpy(more, *list, n * item_bytes);
	*list = more;
	return true;
}

void sv_arena_clear(struct sv_arena *a)
{
	while (a->last != NULL) {
		struct sv_arena_block *b = a->last;

		a->last = b->before;
		free(b);
	}
	a->total = 0;
}

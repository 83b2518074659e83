/* SPDX-License-Identifier: Apache-2.0 */
/*
 * free(3) and realloc(3) that wipe, for glibc: libraries give memory back without a thought for
 * what was in it.  Left out of sanitizer builds, which bring an allocator of their own.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

extern void __libc_free(void *p);
extern void *__libc_malloc(size_t n);

__attribute__((visibility("default"))) void free(void *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	__libc_free(p);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	size_t old;
	void *q;

	if (p == NULL)
		return __libc_malloc(n);
	old = malloc_usable_size(p);
	if (n == 0) {
		free(p);
		return NULL;
	}
	q = __libc_malloc(n);
	if (q == NULL)
		return NULL;
	memcpy(q, p, old < n ? old : n);
	free(p);
	return q;
}

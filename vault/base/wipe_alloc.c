/* SPDX-License-Identifier: Apache-2.0 */
/*
 * free(3) and realloc(3) that wipe, for glibc: libraries give memory back without a thought for what was in it.  Left
 * out of sanitizer builds, which bring an allocator of their own.
 *
 * In a dynamic program these definitions stand before those of the C library; in a static one (SV_WIPE_WRAP) the linker
 * leads all calls to them (ld --wrap), those from inside the C library's own archive included.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#ifdef SV_WIPE_WRAP
extern void __real_free(void *p);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t n);
#define SYSTEM_FREE    __real_free
#define SYSTEM_MALLOC  malloc
#define WIPING_FREE    __wrap_free
#define WIPING_REALLOC __wrap_realloc
#define EXPORTED
#else
extern void __libc_free(void *p);
extern void *__libc_malloc(size_t n);
#define SYSTEM_FREE    __libc_free
#define SYSTEM_MALLOC  __libc_malloc
#define WIPING_FREE    free
#define WIPING_REALLOC realloc
#define EXPORTED       __attribute__((visibility("default")))
#endif

EXPORTED void WIPING_FREE(void *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	SYSTEM_FREE(p);
}

EXPORTED void *WIPING_REALLOC(void *p, size_t n)
{
	size_t old;
	void *q;

	if (p == NULL)
		return SYSTEM_MALLOC(n);
	old = malloc_usable_size(p);
	if (n == 0) {
		WIPING_FREE(p);
		return NULL;
	}
	q = SYSTEM_MALLOC(n);
	if (q == NULL)
		return NULL;
	memcpy(q, p, old < n ? old : n);
	WIPING_FREE(p);
	return q;
}

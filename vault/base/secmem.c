/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locked memory for secrets.  Relies on mmap(2) and mlock(2); memfd_secret(2) and the madvise(2) hints are used where
 *they exist.
 *
 * The arena is cut into 64-byte units.  A block is a header unit followed by its data:
 *
 *	| head: size, state, magic | data ........ | head | data ...
 *
 * Free neighbours are merged when a block is freed and while the list is walked.  The search is first-fit from a rover,
 *which is near constant time for the few dozen live blocks that both programs have.  PROT_NONE pages stand before and
 *behind the arena and behind every mapping of its own, so that a run past the end faults.
 */
#ifdef __linux__
#define _GNU_SOURCE 1
#endif

#include "vault/base/secmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447 /* the same number on every architecture: linux/include/uapi/asm-generic/unistd.h */
#endif
#ifndef MADV_DONTDUMP
#define MADV_DONTDUMP 16
#endif
#ifndef MADV_DONTFORK
#define MADV_DONTFORK 10
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define UNIT       64
#define MAGIC_USED 0x5356555345443031ull
#define MAGIC_FREE 0x5356465245453031ull
#define MAGIC_MAP  0x53564d4150303031ull
/* A block of more than this part of the arena gets a mapping of its own, so that one large value cannot crowd out the
 * small ones. */
#define ARENA_SHARE 4

struct head {
	uint64_t magic;
	size_t data;  /* usable bytes behind the head: a multiple of UNIT, or to the end of the mapping's pages */
	size_t total; /* MAGIC_MAP: bytes mapped and accessible, head included */
	unsigned char pad[UNIT - 8 - 2 * sizeof(size_t)];
};

static struct {
	unsigned char *base; /* first unit */
	size_t size;         /* bytes, a multiple of the page size */
	unsigned char *map;  /* with guards */
	size_t map_size;
	size_t rover; /* offset of the head to look at first */
	size_t live;  /* blocks handed out, arena only */
	struct sv_secmem_stats stats;
} arena;

static size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

void sv_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

/* Writes through a volatile pointer's function so that neither inlining nor dead-store elimination can drop it. */
__attribute__((noinline)) void sv_stack_scrub(void)
{
	unsigned char below[65536];

	explicit_bzero(below, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory");
}

bool sv_equal_ct(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char diff = 0;

	for (size_t i = 0; i < n; i++)
		diff = (unsigned char)(diff | (x[i] ^ y[i]));
	return diff == 0;
}

/* The kernel's hints about memory that must not be copied.  All best effort: an older kernel refuses some of them. */
static void hint(void *p, size_t n, bool secretmem)
{
#ifdef __linux__
	(void)madvise(p, n, MADV_DONTDUMP);
	if (secretmem || madvise(p, n, MADV_WIPEONFORK) != 0)
		(void)madvise(p, n, MADV_DONTFORK);
#else
	(void)p;
	(void)n;
	(void)secretmem;
#endif
}

static void note_lock_failure(int errno_value)
{
	arena.stats.unlocked = true;
	arena.stats.lock_failed++;
	arena.stats.lock_errno = errno_value;
}

/* Reserve n accessible bytes between two guard pages. */
static unsigned char *map_guarded(size_t n, unsigned char **map, size_t *map_size)
{
	size_t page = page_size();
	unsigned char *m = mmap(NULL, n + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	*map = m;
	*map_size = n + 2 * page;
	return m + page;
}

/* Lay memfd_secret memory over the reserved range.  The descriptor is closed at once: a holder of it could map the
 * memory. */
static bool lay_secretmem(unsigned char *at, size_t n)
{
#if defined(__linux__)
	int fd = (int)syscall(SYS_memfd_secret, 0x80000 /* O_CLOEXEC on the generic architectures */);
	bool ok;

	if (fd < 0)
		return false;
	ok = ftruncate(fd, (off_t)n) == 0 &&
	     mmap(at, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
	(void)close(fd);
	return ok;
#else
	(void)at;
	(void)n;
	return false;
#endif
}

enum sv_code sv_secmem_init(size_t arena_bytes, bool need_lock, struct sv_err *err)
{
	size_t size = round_up(arena_bytes < 4 * UNIT ? 4 * UNIT : arena_bytes, page_size());
	struct head *h;

	if (arena.base != NULL)
		return sv_err_set(err, SV_ERR_FAIL, "the locked memory is set up already");
	arena.base = map_guarded(size, &arena.map, &arena.map_size);
	if (arena.base == NULL)
		return sv_err_sys(err, SV_ERR_NOMEM, errno, "cannot map %zu bytes of memory", size);
	arena.stats.secretmem = lay_secretmem(arena.base, size);
	if (!arena.stats.secretmem) {
		if (mmap(arena.base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED) {
			int e = errno;

			(void)munmap(arena.map, arena.map_size);
			arena.base = NULL;
			return sv_err_sys(err, SV_ERR_NOMEM, e, "cannot map %zu bytes of memory", size);
		}
		if (mlock(arena.base, size) != 0) {
			int e = errno;

			note_lock_failure(e);
			if (need_lock) {
				(void)munmap(arena.map, arena.map_size);
				arena.base = NULL;
				return sv_err_sys(err, SV_ERR_NOMEM, e, "cannot lock %zu KiB of memory (see ulimit -l)",
						  size / 1024);
			}
		}
	}
	hint(arena.base, size, arena.stats.secretmem);
	arena.size = size;
	arena.rover = 0;
	arena.live = 0;
	arena.stats.arena = true;
	arena.stats.arena_bytes = size;
	h = (struct head *)(void *)arena.base;
	h->magic = MAGIC_FREE;
	h->data = size - UNIT;
	POISON(h + 1, h->data);
	return SV_OK;
}

size_t sv_secmem_release(void)
{
	size_t left = arena.live;

	if (arena.base == NULL)
		return 0;
	UNPOISON(arena.base, arena.size);
	sv_wipe(arena.base, arena.size);
	(void)munmap(arena.map, arena.map_size);
	arena.base = NULL;
	arena.size = 0;
	arena.stats.arena = false;
	arena.stats.arena_bytes = 0;
	return left;
}

static struct head *head_at(size_t off)
{
	return (struct head *)(void *)(arena.base + off);
}

static size_t next_off(size_t off)
{
	return off + UNIT + head_at(off)->data;
}

/* Swallow the free blocks that follow. */
static void merge_free(size_t off)
{
	struct head *h = head_at(off);

	for (size_t n = next_off(off); n < arena.size && head_at(n)->magic == MAGIC_FREE; n = next_off(off)) {
		struct head *next = head_at(n);

		if (arena.rover == n)
			arena.rover = off;
		h->data += UNIT + next->data;
		sv_wipe(next, UNIT);
		POISON(next, UNIT);
	}
}

static void *arena_take(size_t data)
{
	size_t off = arena.rover;
	bool wrapped = false;

	for (;;) {
		struct head *h = head_at(off);

		if (h->magic == MAGIC_FREE) {
			merge_free(off);
			if (h->data >= data)
				break;
		}
		off = next_off(off);
		if (off >= arena.size) {
			off = 0;
			if (wrapped)
				return NULL;
			wrapped = true;
		} else if (wrapped && off > arena.rover) {
			return NULL;
		}
	}
	struct head *h = head_at(off);

	if (h->data > data + UNIT) {
		struct head *rest;

		UNPOISON(arena.base + off + UNIT + data, UNIT);
		rest = head_at(off + UNIT + data);
		rest->magic = MAGIC_FREE;
		rest->data = h->data - data - UNIT;
		h->data = data;
	}
	h->magic = MAGIC_USED;
	UNPOISON(h + 1, h->data);
	arena.rover = next_off(off) < arena.size ? next_off(off) : 0;
	arena.live++;
	arena.stats.used_bytes += h->data;
	return h + 1;
}

static void *map_take(size_t n)
{
	size_t size = round_up(n + UNIT, page_size());
	unsigned char *map;
	size_t map_size;
	struct head *h = (struct head *)(void *)map_guarded(size, &map, &map_size);

	if (h == NULL || mprotect(h, size, PROT_READ | PROT_WRITE) != 0) {
		if (h != NULL)
			(void)munmap(map, map_size);
		errno = ENOMEM;
		return NULL;
	}
	if (mlock(h, size) != 0)
		note_lock_failure(errno);
	hint(h, size, false);
	h->magic = MAGIC_MAP;
	h->total = size;
	h->data = size - UNIT;
	arena.stats.used_bytes += h->data;
	arena.stats.mapped_bytes += h->data;
	return h + 1;
}

void *sv_secmem_alloc(size_t n)
{
	void *p = NULL;

	if (n == 0)
		n = 1;
	if (n > (SIZE_MAX >> 1)) {
		errno = ENOMEM;
		return NULL;
	}
	if (arena.base != NULL && n <= arena.size / ARENA_SHARE)
		p = arena_take(round_up(n, UNIT));
	return p != NULL ? p : map_take(n);
}

static struct head *head_of(const void *p)
{
	struct head *h = (struct head *)(void *)(uintptr_t)((const unsigned char *)p - UNIT);

	if (h->magic != MAGIC_USED && h->magic != MAGIC_MAP)
		abort();
	return h;
}

void sv_secmem_free(void *p)
{
	struct head *h;

	if (p == NULL)
		return;
	h = head_of(p);
	sv_wipe(p, h->data);
	arena.stats.used_bytes -= h->data;
	if (h->magic == MAGIC_MAP) {
		size_t total = h->total;

		arena.stats.mapped_bytes -= h->data;
		h->magic = 0;
		(void)munmap((unsigned char *)h - page_size(), total + 2 * page_size());
		return;
	}
	h->magic = MAGIC_FREE;
	POISON(p, h->data);
	arena.live--;
	merge_free((size_t)((unsigned char *)h - arena.base));
}

size_t sv_secmem_size(const void *p)
{
	return head_of(p)->data;
}

void sv_secmem_stats(struct sv_secmem_stats *out)
{
	*out = arena.stats;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for secrets: locked, kept out of core files and children, wiped before it is given back.
 *
 * One arena (memfd_secret(2) where the kernel has it, else mmap + mlock) serves small and middle blocks; what does not
 * fit gets a mapping of its own.  Locking is checked: when it fails, allocation goes on only if sv_secmem_init() was
 * told that this is tolerable, and sv_secmem_stats() says so ("reported, never silent").  A program that never calls
 * sv_secmem_init() (the short-lived client) gets a mapping per block.  Not thread-safe: both programs are
 * single-threaded.
 *
 * Sources: memfd_secret(2), mlock(2), madvise(2) MADV_DONTDUMP, MADV_DONTFORK, MADV_WIPEONFORK; libsodium's guarded
 * heap is not used because sodium_malloc stops locking silently at RLIMIT_MEMLOCK and takes four pages a block.
 */
#ifndef SV_BASE_SECMEM_H
#define SV_BASE_SECMEM_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sv_secmem_stats {
	bool arena;           /* sv_secmem_init() made one */
	bool secretmem;       /* it is memfd_secret memory */
	bool unlocked;        /* some block since the start could not be locked */
	size_t arena_bytes;   /* size of the arena */
	size_t used_bytes;    /* in blocks handed out, arena and mappings */
	size_t mapped_bytes;  /* in blocks with a mapping of their own */
	unsigned lock_failed; /* how often locking was refused */
	int lock_errno;       /* why, the last time */
};

/*
 * Map and lock the arena (arena_bytes is rounded up to pages).  With need_lock, SV_ERR_NOMEM when it cannot be locked;
 * without, the arena is used unlocked and counted in the statistics.  Calling it twice without sv_secmem_release() is
 * an error.
 */
enum sv_code sv_secmem_init(size_t arena_bytes, bool need_lock, struct sv_err *err);

/* Wipe and unmap the arena.  Every block must have been freed (the return value is the number that were not). */
size_t sv_secmem_release(void);

/* A zeroed block of n bytes (n 0 is 1), aligned for any type; NULL with errno ENOMEM.  Owned by the caller. */
void *sv_secmem_alloc(size_t n);

/* Wipe the block and give it back; NULL is allowed.  A pointer that did not come from sv_secmem_alloc aborts. */
void sv_secmem_free(void *p);

/* How many bytes of the block may be used; at least what was asked for. */
size_t sv_secmem_size(const void *p);

void sv_secmem_stats(struct sv_secmem_stats *out);

/* Overwrite n bytes in a way the compiler keeps.  p may be NULL when n is 0. */
void sv_wipe(void *p, size_t n);

/* Overwrite 64 KiB of stack below the caller, where libraries leave copies of keys (references: libsodium kdf, pwhash).
 */
void sv_stack_scrub(void);

/* Compare in time that depends on n only.  true when equal. */
bool sv_equal_ct(const void *a, const void *b, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sv_secret: bytes that must be wiped, with their length.  Opaque, so it cannot meet a "%s".
 */
#ifndef SV_BASE_SECRET_H
#define SV_BASE_SECRET_H

#include "vault/base/secmem.h"

struct sv_secret;

/* n zeroed bytes in locked memory; NULL when there is none.  Freed with sv_secret_free(). */
struct sv_secret *sv_secret_new(size_t n);
/* The same with a copy of p[0..n). */
struct sv_secret *sv_secret_from(const void *p, size_t n);
/* Wipe, free, set to NULL.  s and *s may be NULL. */
void sv_secret_free(struct sv_secret **s);

unsigned char *sv_secret_peek(struct sv_secret *s); /* borrowed until the secret is freed */
const unsigned char *sv_secret_cpeek(const struct sv_secret *s);
size_t sv_secret_len(const struct sv_secret *s);
/* Make it shorter (n <= length); the bytes behind are wiped. */
void sv_secret_cut(struct sv_secret *s, size_t n);
bool sv_secret_equal(const struct sv_secret *a, const struct sv_secret *b);

#endif

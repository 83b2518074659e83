/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small values that were read lately, so that a program which asks for two hundred of them costs two hundred copies
 * rather than two hundred look-ups, hashes and seals.
 *
 * An entry rests encrypted (ChaCha20, a random key per unlock in locked memory, a nonce never used twice): what is
 * found in this memory without that key is noise.  It belongs to a row by the row's authenticated leaf, so nothing has
 * to be told when rows change.  Values above SV_CACHE_BYTES, their variable name included, are not kept.
 */
#ifndef SV_VAULT_CACHE_H
#define SV_VAULT_CACHE_H

#include "vault/base/name.h"
#include "vault/base/types.h"
#include "vault/rows.h"

#define SV_CACHE_BYTES 208
#define SV_CACHE_SLOTS 4096 /* about 1 MiB, touched as it fills */

struct sv_cache;

struct sv_cache *sv_cache_new(void); /* NULL without memory */
/* Wipe, free, NULL. */
void sv_cache_free(struct sv_cache **c);

/* Keep what row h holds: its explicit variable name (may be empty) and its value. */
void sv_cache_put(struct sv_cache *c, uint32_t h, const struct sv_row *row, struct sv_text var,
		  const unsigned char *value, size_t n);
/*
 * false: not there.  Else *var_n and *n are set, var (SV_VAR_MAX + 1 bytes, may be NULL) is filled, and out gets the
 * value if it has room for it (*n
 * <= cap); else nothing is written to out.
 */
bool sv_cache_get(struct sv_cache *c, uint32_t h, const struct sv_row *row, char *var, size_t *var_n,
		  unsigned char *out, size_t cap, size_t *n);

#endif

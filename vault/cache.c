/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A direct-mapped table: row h has slot h modulo the number of slots.
 */
#include "vault/cache.h"

#include "vault/base/secmem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_BYTES 16 /* of a keyed hash: enough to tell rows apart */

struct slot {
	uint8_t leaf[LEAF_BYTES]; /* all zero: empty */
	uint64_t nonce;
	uint16_t value_n;
	uint8_t var_n;
	unsigned char sealed[SV_CACHE_BYTES]; /* variable name, value */
};

struct keys {
	unsigned char stream[crypto_stream_chacha20_KEYBYTES];
	unsigned char plain[SV_CACHE_BYTES]; /* while an entry is open */
};

struct sv_cache {
	struct keys *keys; /* locked memory */
	uint64_t nonce;    /* the next one */
	struct slot *slots;
};

struct sv_cache *sv_cache_new(void)
{
	struct sv_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->keys = sv_secmem_alloc(sizeof(*c->keys));
	c->slots = calloc(SV_CACHE_SLOTS, sizeof(*c->slots));
	if (c->keys == NULL || c->slots == NULL) {
		sv_cache_free(&c);
		return NULL;
	}
	randombytes_buf(c->keys->stream, sizeof(c->keys->stream));
	return c;
}

void sv_cache_free(struct sv_cache **c)
{
	if (*c == NULL)
		return;
	sv_secmem_free((*c)->keys);
	free((*c)->slots);
	free(*c);
	*c = NULL;
}

static void seal(struct sv_cache *c, unsigned char *out, const unsigned char *in, size_t n, uint64_t nonce)
{
	unsigned char iv[crypto_stream_chacha20_NONCEBYTES];

	sv_le64(iv, nonce);
	(void)crypto_stream_chacha20_xor(out, in, n, iv, c->keys->stream);
}

void sv_cache_put(struct sv_cache *c, uint32_t h, const struct sv_row *row, struct sv_text var,
		  const unsigned char *value, size_t n)
{
	struct slot *s = &c->slots[h % SV_CACHE_SLOTS];

	if (n > SV_CACHE_BYTES || var.n > SV_CACHE_BYTES - n)
		return;
	memcpy(s->leaf, row->leaf, LEAF_BYTES);
	s->nonce = c->nonce++;
	s->value_n = (uint16_t)n;
	s->var_n = (uint8_t)var.n;
	if (var.n > 0)
		memcpy(c->keys->plain, var.p, var.n);
	if (n > 0)
		memcpy(c->keys->plain + var.n, value, n);
	seal(c, s->sealed, c->keys->plain, var.n + n, s->nonce);
	sv_wipe(c->keys->plain, var.n + n);
}

bool sv_cache_get(struct sv_cache *c, uint32_t h, const struct sv_row *row, char *var, size_t *var_n,
		  unsigned char *out, size_t cap, size_t *n)
{
	const struct slot *s = &c->slots[h % SV_CACHE_SLOTS];
	size_t all = (size_t)s->var_n + s->value_n;

	/* A leaf of zeros has the odds of a forged one. */
	if (memcmp(s->leaf, row->leaf, LEAF_BYTES) != 0)
		return false;
	*n = s->value_n;
	*var_n = s->var_n;
	seal(c, c->keys->plain, s->sealed, all, s->nonce);
	if (var != NULL)
		memcpy(var, c->keys->plain, s->var_n);
	if (s->value_n <= cap && s->value_n > 0)
		memcpy(out, c->keys->plain + s->var_n, s->value_n);
	sv_wipe(c->keys->plain, all);
	return true;
}

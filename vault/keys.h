/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vault master key: wrapped in key slots, unwrapped to derive the subkeys, wiped.  FORMAT.md "key slots".
 */
#ifndef SV_VAULT_KEYS_H
#define SV_VAULT_KEYS_H

#include "vault/crypt.h"

#define SV_WRAPPED_BYTES (SV_KEY_BYTES + SV_TAG_BYTES)
#define SV_SLOT_BYTES \
	(3 + 8 + 8 + SV_SALT_BYTES + SV_HASH_BYTES + SV_NONCE_BYTES + SV_WRAPPED_BYTES) /* in the state MAC */

struct sv_slot { /* a row of table slot */
	uint8_t id, kind, alg;
	uint64_t ops, mem;
	uint8_t salt[SV_SALT_BYTES];
	uint8_t cmt[SV_HASH_BYTES];
	uint8_t nonce[SV_NONCE_BYTES];
	uint8_t wrapped[SV_WRAPPED_BYTES];
};

/* Derive the subkeys (locked memory) and scrub the stack behind it. */
void sv_keys_derive(const unsigned char vmk[SV_KEY_BYTES], struct sv_keys *out);

/*
 * Fill in a slot: commitment, nonce and wrapped key from n->key.  epoch and vault id come from s; s->keys is not used.
 */
void sv_slot_wrap(const struct sv_scope *s, uint8_t id, const struct sv_slot_new *n,
		  const unsigned char vmk[SV_KEY_BYTES], struct sv_slot *out);
/* SV_ERR_PASSPHRASE: the commitment differs.  SV_ERR_INTEGRITY: it fits, and the wrap does not open. */
enum sv_code sv_slot_unwrap(const struct sv_scope *s, const struct sv_slot *slot, const unsigned char *key,
			    unsigned char vmk[SV_KEY_BYTES]) SV_CHECK;
/* The fixed-size bytes that enter the state MAC. */
void sv_slot_bytes(const struct sv_slot *slot, unsigned char out[SV_SLOT_BYTES]);
/* What may be opened: bounds of the parameters, at most one passphrase slot and one recovery slot. */
enum sv_code sv_slots_check(const struct sv_slot *slots, size_t n, struct sv_err *err) SV_CHECK;
/*
 * What may be written: known kinds, at most one of each, parameters that can be read back (the floor is for whoever
 * chooses them).
 */
enum sv_code sv_slots_check_new(const struct sv_slot_new *slots, size_t n, struct sv_err *err) SV_CHECK;

#endif

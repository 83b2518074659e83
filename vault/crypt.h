/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals, tags, leaves and the root: every use of a subkey on vault contents, each with its label.  Layouts: FORMAT.md
 * "keys", "framing".  Nothing here allocates or does I/O; callers own all memory, plaintext only in locked memory.
 */
#ifndef SV_VAULT_CRYPT_H
#define SV_VAULT_CRYPT_H

#include "vault/base/types.h"
#include "vault/base/err.h"

#include <sodium.h>

#define SV_FORMAT      1u
#define SV_SUITE       1u
#define SV_KEY_BYTES   32
#define SV_ID_BYTES    16
#define SV_HASH_BYTES  32
#define SV_NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SV_TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SV_SEAL_EXTRA  (SV_NONCE_BYTES + SV_TAG_BYTES) /* what sealing adds: nonce in front, Poly1305 tag behind */

/* The six subkeys, derived from the vault master key by crypto_kdf; lives in locked memory only. */
struct sv_keys {
	unsigned char mac[SV_KEY_BYTES];   /* leaves, root, state */
	unsigned char rec[SV_KEY_BYTES];   /* record keys */
	unsigned char name[SV_KEY_BYTES];  /* name tags */
	unsigned char wit[SV_KEY_BYTES];   /* rollback witness */
	unsigned char draft[SV_KEY_BYTES]; /* seed of the X25519 draft key pair */
	unsigned char audit[SV_KEY_BYTES]; /* reserved */
};

/* What is bound into every seal besides the row itself. */
struct sv_scope {
	uint32_t suite;
	uint8_t vault_id[SV_ID_BYTES];
	uint64_t epoch;
	const struct sv_keys *keys; /* borrowed; NULL while locked */
};

enum sv_role { SV_ROLE_META = 1, SV_ROLE_VALUE = 2 };
enum sv_state { SV_LIVE = 0, SV_GONE = 1 };

static inline void sv_le32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static inline void sv_le64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static inline uint32_t sv_rd32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t sv_rd64(const unsigned char *p)
{
	return (uint64_t)sv_rd32(p) | (uint64_t)sv_rd32(p + 4) << 32;
}

/* Keyed BLAKE2b-256 over pieces, by init/update/final (the one-shot call leaves its input on the stack). */
struct sv_mac {
	crypto_generichash_blake2b_state st;
};
void sv_mac_init(struct sv_mac *m, const unsigned char key[SV_KEY_BYTES], const char label[8]);
void sv_mac_put(struct sv_mac *m, const void *p, size_t n);
void sv_mac_u8(struct sv_mac *m, uint8_t v);
void sv_mac_u32(struct sv_mac *m, uint32_t v);
void sv_mac_u64(struct sv_mac *m, uint64_t v);
void sv_mac_final(struct sv_mac *m, unsigned char out[SV_HASH_BYTES]);

/* The keyed hash by which a name is found. */
void sv_crypt_tag(const struct sv_scope *s, uint8_t kind, enum sv_state state, const uint8_t env_id[SV_ID_BYTES],
		  struct sv_text name, uint8_t out[SV_HASH_BYTES]);

struct sv_row_ref {
	const uint8_t *id;
	uint64_t rev;
	const uint8_t *tag;
};

/* The hash that stands for one row under the root. */
void sv_crypt_leaf(const struct sv_scope *s, struct sv_row_ref r, const void *meta, size_t meta_n, const void *val,
		   size_t val_n, uint8_t out[SV_HASH_BYTES]);

/* Seal n padded bytes to out (n + SV_SEAL_EXTRA bytes). */
void sv_crypt_seal(const struct sv_scope *s, enum sv_role role, struct sv_row_ref r, const unsigned char *plain,
		   size_t n, unsigned char *out);
/* Open a blob of n bytes to plain (n - SV_SEAL_EXTRA bytes, locked memory).  SV_ERR_INTEGRITY; plain is wiped then. */
enum sv_code sv_crypt_open(const struct sv_scope *s, enum sv_role role, struct sv_row_ref r, const unsigned char *blob,
			   size_t n, unsigned char *plain) SV_CHECK;

/* The same for the vault-level facts, whose key and associated data carry the commit counter. */
void sv_crypt_seal_head(const struct sv_scope *s, uint64_t seq, const unsigned char *plain, size_t n,
			unsigned char *out);
enum sv_code sv_crypt_open_head(const struct sv_scope *s, uint64_t seq, const unsigned char *blob, size_t n,
				unsigned char *plain) SV_CHECK;

#endif

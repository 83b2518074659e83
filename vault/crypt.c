/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals, tags, leaves and the root.  Integers are little-endian and of fixed width, so every concatenation reads one
 * way only.
 */
#include "vault/crypt.h"

#include "vault/base/secmem.h"

#include <string.h>

#define REC_AAD_BYTES  (8 + 4 + SV_ID_BYTES + 8 + 1 + SV_ID_BYTES + 8 + SV_HASH_BYTES)
#define HEAD_AAD_BYTES (8 + 4 + SV_ID_BYTES + 8 + 8)

void sv_mac_init(struct sv_mac *m, const unsigned char key[SV_KEY_BYTES], const char label[8])
{
	(void)crypto_generichash_blake2b_init(&m->st, key, SV_KEY_BYTES, SV_HASH_BYTES);
	sv_mac_put(m, label, 8);
}

void sv_mac_put(struct sv_mac *m, const void *p, size_t n)
{
	if (n > 0)
		(void)crypto_generichash_blake2b_update(&m->st, p, n);
}

void sv_mac_u8(struct sv_mac *m, uint8_t v)
{
	sv_mac_put(m, &v, 1);
}

void sv_mac_u32(struct sv_mac *m, uint32_t v)
{
	unsigned char b[4];

	sv_le32(b, v);
	sv_mac_put(m, b, sizeof(b));
}

void sv_mac_u64(struct sv_mac *m, uint64_t v)
{
	unsigned char b[8];

	sv_le64(b, v);
	sv_mac_put(m, b, sizeof(b));
}

void sv_mac_final(struct sv_mac *m, unsigned char out[SV_HASH_BYTES])
{
	(void)crypto_generichash_blake2b_final(&m->st, out, SV_HASH_BYTES);
	sv_wipe(m, sizeof(*m));
}

void sv_crypt_tag(const struct sv_scope *s, uint8_t kind, enum sv_state state, const uint8_t env_id[SV_ID_BYTES],
		  struct sv_text name, uint8_t out[SV_HASH_BYTES])
{
	struct sv_mac m;

	sv_mac_init(&m, s->keys->name, "sv1.ntag");
	sv_mac_put(&m, s->vault_id, SV_ID_BYTES);
	sv_mac_u8(&m, kind);
	sv_mac_u8(&m, (uint8_t)state);
	sv_mac_put(&m, env_id, SV_ID_BYTES);
	sv_mac_put(&m, name.p, name.n);
	sv_mac_final(&m, out);
}

void sv_crypt_leaf(const struct sv_scope *s, struct sv_row_ref r, const void *meta, size_t meta_n, const void *val,
		   size_t val_n, uint8_t out[SV_HASH_BYTES])
{
	unsigned char fixed[SV_ID_BYTES + SV_HASH_BYTES + 8 + 4];
	struct sv_mac m;

	sv_mac_init(&m, s->keys->mac, "sv1.leaf");
	memcpy(fixed, r.id, SV_ID_BYTES);
	memcpy(fixed + SV_ID_BYTES, r.tag, SV_HASH_BYTES);
	sv_le64(fixed + SV_ID_BYTES + SV_HASH_BYTES, r.rev);
	sv_le32(fixed + SV_ID_BYTES + SV_HASH_BYTES + 8, (uint32_t)meta_n);
	sv_mac_put(&m, fixed, sizeof(fixed));
	sv_mac_put(&m, meta, meta_n);
	sv_mac_u32(&m, (uint32_t)val_n);
	sv_mac_put(&m, val, val_n);
	sv_mac_final(&m, out);
}

/* BLAKE2b with salt and personalisation as a key derivation: 64 bytes, of which role META takes the first half. */
static void derive(const struct sv_scope *s, const uint8_t salt[SV_ID_BYTES], const char label[8], uint64_t n,
		   unsigned char *out, size_t out_n)
{
	unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES];
	struct sv_mac m;

	memcpy(personal, label, 8);
	sv_le64(personal + 8, n);
	(void)crypto_generichash_blake2b_init_salt_personal(&m.st, s->keys->rec, SV_KEY_BYTES, out_n, salt, personal);
	(void)crypto_generichash_blake2b_final(&m.st, out, out_n);
	sv_wipe(&m, sizeof(m));
}

static void rec_aad(const struct sv_scope *s, enum sv_role role, struct sv_row_ref r, unsigned char aad[REC_AAD_BYTES])
{
	memcpy(aad, "sv1.recd", 8);
	sv_le32(aad + 8, s->suite);
	memcpy(aad + 12, s->vault_id, SV_ID_BYTES);
	sv_le64(aad + 28, s->epoch);
	aad[36] = (unsigned char)role;
	memcpy(aad + 37, r.id, SV_ID_BYTES);
	sv_le64(aad + 53, r.rev);
	memcpy(aad + 61, r.tag, SV_HASH_BYTES);
}

static void head_aad(const struct sv_scope *s, uint64_t seq, unsigned char aad[HEAD_AAD_BYTES])
{
	memcpy(aad, "sv1.head", 8);
	sv_le32(aad + 8, s->suite);
	memcpy(aad + 12, s->vault_id, SV_ID_BYTES);
	sv_le64(aad + 28, s->epoch);
	sv_le64(aad + 36, seq);
}

static void seal(const unsigned char key[SV_KEY_BYTES], const unsigned char *aad, size_t aad_n,
		 const unsigned char *plain, size_t n, unsigned char *out)
{
	randombytes_buf(out, SV_NONCE_BYTES);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + SV_NONCE_BYTES, NULL, plain, n, aad, aad_n, NULL, out,
							 key);
}

static enum sv_code unseal(const unsigned char key[SV_KEY_BYTES], const unsigned char *aad, size_t aad_n,
			   const unsigned char *blob, size_t n, unsigned char *plain)
{
	if (n < SV_SEAL_EXTRA)
		return SV_ERR_INTEGRITY;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, blob + SV_NONCE_BYTES, n - SV_NONCE_BYTES,
						       aad, aad_n, blob, key) != 0) {
		sv_wipe(plain, n - SV_SEAL_EXTRA);
		return SV_ERR_INTEGRITY;
	}
	return SV_OK;
}

void sv_crypt_seal(const struct sv_scope *s, enum sv_role role, struct sv_row_ref r, const unsigned char *plain,
		   size_t n, unsigned char *out)
{
	unsigned char key[2 * SV_KEY_BYTES], aad[REC_AAD_BYTES];

	derive(s, r.id, "sv1.rkey", r.rev, key, sizeof(key));
	rec_aad(s, role, r, aad);
	seal(role == SV_ROLE_META ? key : key + SV_KEY_BYTES, aad, sizeof(aad), plain, n, out);
	sv_wipe(key, sizeof(key));
}

enum sv_code sv_crypt_open(const struct sv_scope *s, enum sv_role role, struct sv_row_ref r, const unsigned char *blob,
			   size_t n, unsigned char *plain)
{
	unsigned char key[2 * SV_KEY_BYTES], aad[REC_AAD_BYTES];
	enum sv_code rc;

	derive(s, r.id, "sv1.rkey", r.rev, key, sizeof(key));
	rec_aad(s, role, r, aad);
	rc = unseal(role == SV_ROLE_META ? key : key + SV_KEY_BYTES, aad, sizeof(aad), blob, n, plain);
	sv_wipe(key, sizeof(key));
	return rc;
}

void sv_crypt_seal_head(const struct sv_scope *s, uint64_t seq, const unsigned char *plain, size_t n,
			unsigned char *out)
{
	unsigned char key[SV_KEY_BYTES], aad[HEAD_AAD_BYTES];

	derive(s, s->vault_id, "sv1.head", seq, key, sizeof(key));
	head_aad(s, seq, aad);
	seal(key, aad, sizeof(aad), plain, n, out);
	sv_wipe(key, sizeof(key));
}

enum sv_code sv_crypt_open_head(const struct sv_scope *s, uint64_t seq, const unsigned char *blob, size_t n,
				unsigned char *plain)
{
	unsigned char key[SV_KEY_BYTES], aad[HEAD_AAD_BYTES];
	enum sv_code rc;

	derive(s, s->vault_id, "sv1.head", seq, key, sizeof(key));
	head_aad(s, seq, aad);
	rc = unseal(key, aad, sizeof(aad), blob, n, plain);
	sv_wipe(key, sizeof(key));
	return rc;
}

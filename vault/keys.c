/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vault master key: wrapped in key slots, unwrapped to derive the subkeys, wiped.  crypto_kdf leaves its key on the
 * stack (libsodium 1.0.18), hence the scrub behind every use.
 */
#include "vault/keys.h"

#include "vault/base/secmem.h"
#include "vault/kdf.h"

#include <string.h>

#define SLOT_AAD_BYTES (8 + 4 + 4 + SV_ID_BYTES + 8 + 3 + 8 + 8 + SV_SALT_BYTES)

static __attribute__((noinline)) void derive_all(const unsigned char *vmk, struct sv_keys *out)
{
	static const char ctx[6][crypto_kdf_CONTEXTBYTES + 1] = { "sv1.vmac", "sv1.recs", "sv1.name",
								  "sv1.witn", "sv1.drft", "sv1.audt" };
	unsigned char *const to[6] = { out->mac, out->rec, out->name, out->wit, out->draft, out->audit };

	for (unsigned i = 0; i < 6; i++)
		(void)crypto_kdf_derive_from_key(to[i], SV_KEY_BYTES, i + 1, ctx[i], vmk);
}

void sv_keys_derive(const unsigned char vmk[SV_KEY_BYTES], struct sv_keys *out)
{
	derive_all(vmk, out);
	sv_stack_scrub();
}

static __attribute__((noinline)) void slot_keys(const unsigned char *pk, unsigned char wrap[SV_KEY_BYTES],
						unsigned char cmt[SV_HASH_BYTES])
{
	(void)crypto_kdf_derive_from_key(wrap, SV_KEY_BYTES, 1, "svKSwrap", pk);
	(void)crypto_kdf_derive_from_key(cmt, SV_HASH_BYTES, 2, "svKScmit", pk);
}

static void slot_aad(const struct sv_scope *s, const struct sv_slot *t, unsigned char aad[SLOT_AAD_BYTES])
{
	memcpy(aad, "sv1.slot", 8);
	sv_le32(aad + 8, SV_FORMAT);
	sv_le32(aad + 12, s->suite);
	memcpy(aad + 16, s->vault_id, SV_ID_BYTES);
	sv_le64(aad + 32, s->epoch);
	aad[40] = t->id;
	aad[41] = t->kind;
	aad[42] = t->alg;
	sv_le64(aad + 43, t->ops);
	sv_le64(aad + 51, t->mem);
	memcpy(aad + 59, t->salt, SV_SALT_BYTES);
}

void sv_slot_wrap(const struct sv_scope *s, uint8_t id, const struct sv_slot_new *n,
		  const unsigned char vmk[SV_KEY_BYTES], struct sv_slot *out)
{
	unsigned char wrap[SV_KEY_BYTES], aad[SLOT_AAD_BYTES];

	*out = (struct sv_slot){ .id = id, .kind = n->kind, .alg = n->kdf.alg, .ops = n->kdf.ops, .mem = n->kdf.mem };
	memcpy(out->salt, n->kdf.salt, SV_SALT_BYTES);
	slot_keys(n->key, wrap, out->cmt);
	slot_aad(s, out, aad);
	randombytes_buf(out->nonce, SV_NONCE_BYTES);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out->wrapped, NULL, vmk, SV_KEY_BYTES, aad, sizeof(aad), NULL,
							 out->nonce, wrap);
	sv_wipe(wrap, sizeof(wrap));
	sv_stack_scrub();
}

enum sv_code sv_slot_unwrap(const struct sv_scope *s, const struct sv_slot *slot, const unsigned char *key,
			    unsigned char vmk[SV_KEY_BYTES])
{
	unsigned char wrap[SV_KEY_BYTES], cmt[SV_HASH_BYTES], aad[SLOT_AAD_BYTES];
	enum sv_code rc = SV_ERR_PASSPHRASE;

	slot_keys(key, wrap, cmt);
	/* before decryption: XChaCha20-Poly1305 does not commit to its key */
	if (sv_equal_ct(cmt, slot->cmt, sizeof(cmt))) {
		slot_aad(s, slot, aad);
		rc = SV_OK;
		if (crypto_aead_xchacha20poly1305_ietf_decrypt(vmk, NULL, NULL, slot->wrapped, SV_WRAPPED_BYTES, aad,
							       sizeof(aad), slot->nonce, wrap) != 0)
			rc = SV_ERR_INTEGRITY;
	}
	sv_wipe(wrap, sizeof(wrap));
	sv_wipe(cmt, sizeof(cmt));
	sv_stack_scrub();
	return rc;
}

void sv_slot_bytes(const struct sv_slot *t, unsigned char out[SV_SLOT_BYTES])
{
	unsigned char *p = out;

	*p++ = t->id;
	*p++ = t->kind;
	*p++ = t->alg;
	sv_le64(p, t->ops);
	sv_le64(p + 8, t->mem);
	p += 16;
	memcpy(p, t->salt, SV_SALT_BYTES);
	p += SV_SALT_BYTES;
	memcpy(p, t->cmt, SV_HASH_BYTES);
	p += SV_HASH_BYTES;
	memcpy(p, t->nonce, SV_NONCE_BYTES);
	p += SV_NONCE_BYTES;
	memcpy(p, t->wrapped, SV_WRAPPED_BYTES);
}

enum sv_code sv_slots_check(const struct sv_slot *slots, size_t n, struct sv_err *err)
{
	unsigned pass = 0, recovery = 0;

	for (size_t i = 0; i < n; i++) {
		struct sv_kdf k = { .alg = slots[i].alg, .ops = slots[i].ops, .mem = slots[i].mem };
		enum sv_code rc;

		if (slots[i].kind != SV_SLOT_PASSPHRASE && slots[i].kind != SV_SLOT_RECOVERY)
			continue; /* a later version's; kept, and of no use here */
		pass += slots[i].kind == SV_SLOT_PASSPHRASE;
		recovery += slots[i].kind == SV_SLOT_RECOVERY;
		if ((rc = sv_kdf_check(&k, err)) != SV_OK)
			return rc;
	}
	if (pass > 1 || recovery > 1)
		return sv_err_set(err, SV_ERR_LIMITS,
				  "the vault has more key slots of one kind than this format allows");
	return SV_OK;
}

enum sv_code sv_slots_check_new(const struct sv_slot_new *slots, size_t n, struct sv_err *err)
{
	unsigned pass = 0, recovery = 0;

	if (n < 1 || n > SV_SLOTS_MAX)
		return sv_err_set(err, SV_ERR_USAGE, "a vault has 1 to %d key slots", SV_SLOTS_MAX);
	for (size_t i = 0; i < n; i++) {
		enum sv_code rc = sv_kdf_check(&slots[i].kdf, err);

		if (rc != SV_OK)
			return rc;
		if (slots[i].kind == SV_SLOT_PASSPHRASE)
			pass++;
		else if (slots[i].kind == SV_SLOT_RECOVERY)
			recovery++;
		else
			return sv_err_set(err, SV_ERR_USAGE, "key slot kind %u is not known", slots[i].kind);
		if (slots[i].key == NULL)
			return sv_err_set(err, SV_ERR_USAGE, "a key slot has no key");
	}
	if (pass > 1 || recovery > 1)
		return sv_err_set(err, SV_ERR_USAGE, "at most one passphrase slot and one recovery slot");
	return SV_OK;
}

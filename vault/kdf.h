/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passphrase or recovery code to slot key, in the client process: the agent never sees a passphrase.  Links libsodium,
 * no SQLite.
 */
#ifndef SV_VAULT_KDF_H
#define SV_VAULT_KDF_H

#include "vault/vault.h"

#define SV_PASSPHRASE_MAX 1024 /* bytes, without NUL */
#define SV_RECOVERY_BYTES 20
#define SV_RECOVERY_TEXT  43 /* 34 Crockford Base32 characters in groups of four with '-' between, and NUL */

enum sv_kdf_level { SV_KDF_DEFAULT, SV_KDF_INTERACTIVE, SV_KDF_MODERATE, SV_KDF_SENSITIVE };

/* What may be written: at least 64 MiB and 3 passes.  What may be read: 1..32 passes, 8 MiB .. 1 GiB. */
#define SV_KDF_FLOOR_MEM    ((uint64_t)64 << 20)
#define SV_KDF_FLOOR_OPS    3
#define SV_KDF_READ_MEM_MIN ((uint64_t)8 << 20)
#define SV_KDF_READ_MEM_MAX ((uint64_t)1 << 30)
#define SV_KDF_READ_OPS_MAX 32

/*
 * Fill in alg, ops, mem and a fresh random salt.  INTERACTIVE 64 MiB x 3, MODERATE 256 MiB x 3, SENSITIVE 1 GiB x 3;
 * DEFAULT takes 256 MiB (64 MiB when the machine has less than 2 GiB) and calibrates passes upward until about 0.8 s, 3
 * to 16.
 */
enum sv_code sv_kdf_choose(enum sv_kdf_level level, struct sv_kdf *out, struct sv_err *err) SV_CHECK;
/* SV_ERR_LIMITS outside the reading bounds above, before anything is allocated. */
enum sv_code sv_kdf_check(const struct sv_kdf *kdf, struct sv_err *err) SV_CHECK;
/*
 * Argon2id.  Blocks for about a second using kdf->mem bytes.  pass is borrowed (1..SV_PASSPHRASE_MAX bytes, no NUL:
 * SV_ERR_USAGE); *key (SV_SLOT_KEY_BYTES) is the caller's.  SV_ERR_LIMITS, SV_ERR_NOMEM.  Source: RFC 9106.
 */
enum sv_code sv_kdf_derive(const struct sv_kdf *kdf, const unsigned char *pass, size_t len, struct sv_secret **key,
			   struct sv_err *err) SV_CHECK;

/* A new recovery code as text (locked memory, length SV_RECOVERY_TEXT - 1, NUL behind it). */
enum sv_code sv_recovery_new(struct sv_secret **text, struct sv_err *err) SV_CHECK;
/*
 * Typed text to the canonical 34 characters that go into sv_kdf_derive: case, blanks, '-' and the look-alikes I L O are
 * forgiven; SV_ERR_USAGE when the two check characters disagree (a typing error) or it is no code.
 */
enum sv_code sv_recovery_parse(const char *typed, size_t len, struct sv_secret **canonical,
			       struct sv_err *err) SV_CHECK;

#endif

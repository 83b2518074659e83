/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that the vault and the protocol share: limits, metadata, key slots.  Plain data; no function.
 */
#ifndef SV_BASE_TYPES_H
#define SV_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SV_VALUE_MAX      ((size_t)1 << 20) /* bytes in a value */
#define SV_META_TEXT_MAX  4096    /* bytes in one metadata text (desc, owner, url, type, one tag, one scope) */
#define SV_META_LIST_MAX  32      /* tags, scopes */
#define SV_META_BYTES_MAX 16384   /* all metadata of one version, encoded */
#define SV_SECRETS_MAX    100000  /* live secrets in a vault */
#define SV_ROWS_MAX       1200000 /* rows in a vault, old versions and the rest included */
#define SV_SLOTS_MAX      8
#define SV_VERSIONS_KEPT  10           /* versions kept per secret, the current one included */
#define SV_GONE_KEPT_S    (90 * 86400) /* a deleted secret can be brought back at least this long */
#define SV_SLOT_KEY_BYTES 32           /* what Argon2id gives: "pk" in FORMAT.md */
#define SV_SALT_BYTES     16
#define SV_ENV_DEFAULT    "default"

/* Text with a length; needs no NUL; borrowed. */
struct sv_text {
	const char *p;
	size_t n;
};

enum sv_slot_kind { SV_SLOT_PASSPHRASE = 1, SV_SLOT_RECOVERY = 2 /* 3 key file, 4 hardware, 5 device: reserved */ };

#define SV_KDF_ARGON2ID13 2

struct sv_kdf {
	uint8_t alg;  /* SV_KDF_ARGON2ID13 */
	uint64_t ops; /* passes */
	uint64_t mem; /* bytes */
	uint8_t salt[SV_SALT_BYTES];
};

struct sv_slot_info {
	uint8_t id;   /* 0 .. SV_SLOTS_MAX-1 */
	uint8_t kind; /* enum sv_slot_kind, or a number this version does not know */
	struct sv_kdf kdf;
};

struct sv_slot_new {
	uint8_t kind;
	struct sv_kdf kdf;
	const unsigned char *key; /* SV_SLOT_KEY_BYTES, borrowed */
};

/* Metadata of a secret.  All views are borrowed.  Absent: n == 0, times 0. */
struct sv_meta {
	struct sv_text var, desc, owner, url, type;
	struct sv_text tags[SV_META_LIST_MAX];
	struct sv_text scopes[SV_META_LIST_MAX];
	size_t n_tags, n_scopes;
	int64_t expires_s; /* seconds since 1970 */
	int64_t rotate_s;  /* a period in seconds */
};

enum sv_verb {
	SV_VERB_ADD = 1,
	SV_VERB_SET,
	SV_VERB_META,
	SV_VERB_RM,
	SV_VERB_MV,
	SV_VERB_CP,
	SV_VERB_UNDO,
	SV_VERB_RESTORE,
	SV_VERB_EDIT,
	SV_VERB_IMPORT,
	SV_VERB_ENV
};

enum sv_put_mode {
	SV_PUT_ADD /* SV_ERR_EXISTS when there */,
	SV_PUT_SET /* create or new version */,
	SV_PUT_UPDATE /* SV_ERR_NOT_FOUND when not there */
};

/* Which fields of a struct sv_meta are meant. */
#define SV_MF_VAR     (1u << 0)
#define SV_MF_DESC    (1u << 1)
#define SV_MF_OWNER   (1u << 2)
#define SV_MF_URL     (1u << 3)
#define SV_MF_TYPE    (1u << 4)
#define SV_MF_TAGS    (1u << 5)
#define SV_MF_SCOPES  (1u << 6)
#define SV_MF_EXPIRES (1u << 7)
#define SV_MF_ROTATE  (1u << 8)
#define SV_MF_ALL     0x1ffu

#endif

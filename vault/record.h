/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plaintext records to and from bytes: the field list of a version's metadata, and the padding that blurs lengths.
 * FORMAT.md "records".
 */
#ifndef SV_VAULT_RECORD_H
#define SV_VAULT_RECORD_H

#include "vault/base/buf.h"
#include "vault/base/types.h"
#include "vault/crypt.h"

#define SV_KIND_ENV    1
#define SV_KIND_SECRET 2
#define SV_RECORD_BYTES_MAX \
	((size_t)20480) /* padded metadata plaintext: 16 KiB for the user, the rest for the fixed fields */
#define SV_VALUE_PADDED_MAX ((size_t)1 << 20 | (size_t)1 << 17) /* bucket of 4 + SV_VALUE_MAX bytes */

struct sv_record { /* views point into what was decoded */
	uint8_t kind, state, verb;
	bool standalone;             /* kind 1 */
	uint8_t env_id[SV_ID_BYTES]; /* zero unless kind 2 */
	struct sv_text name;
	uint64_t txn, origin, undo_of;
	int64_t created_s, changed_s;
	uint32_t value_len;
	struct sv_meta meta;
};

/* The smallest bucket that holds n bytes. */
size_t sv_pad_bucket(size_t n);
/* Put length, body and zero fill to out, which is reset first. */
enum sv_code sv_pad_put(struct sv_buf *out, const void *body, size_t n) SV_CHECK;
/* Check the length and the fill of padded plaintext; *body is a view.  SV_ERR_INTEGRITY. */
enum sv_code sv_pad_get(const unsigned char *plain, size_t n, const unsigned char **body, size_t *body_n) SV_CHECK;

/* out is reset and gets the padded plaintext.  SV_ERR_TOO_BIG. */
enum sv_code sv_record_encode(const struct sv_record *r, struct sv_buf *out, struct sv_err *err) SV_CHECK;
/* SV_ERR_INTEGRITY: not canonical.  SV_ERR_UNSUPPORTED: a critical field this version does not know. */
enum sv_code sv_record_decode(const unsigned char *plain, size_t n, struct sv_record *r, struct sv_err *err) SV_CHECK;

/* Limits of what a caller wants to write. */
enum sv_code sv_meta_check(const struct sv_meta *m, struct sv_err *err) SV_CHECK;
/* Take the fields named by SV_MF_* bits from src. */
void sv_meta_merge(struct sv_meta *dst, const struct sv_meta *src, uint32_t fields);
bool sv_meta_equal(const struct sv_meta *a, const struct sv_meta *b);

struct sv_head { /* vault-level facts, sealed in column vault.head */
	int64_t created_s, changed_s;
	uint32_t secrets;      /* live */
	int64_t gone_oldest_s; /* time of the oldest deletion still kept, 0 none */
};
enum sv_code sv_head_encode(const struct sv_head *h, struct sv_buf *out) SV_CHECK;
enum sv_code sv_head_decode(const unsigned char *plain, size_t n, struct sv_head *h, struct sv_err *err) SV_CHECK;

#endif

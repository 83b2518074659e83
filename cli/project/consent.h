/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consent: what the person allowed the files of a directory to ask for, kept in the vault under the directory's
 * identity.
 *
 * Identity is device, inode, time of birth (where the file system tells) and path; all must be the same, so a directory
 * that was removed and made anew by somebody else starts without.  What is allowed is a set of (variable, environment,
 * secret); a set that grows is asked for the difference only.
 *
 * The object's bytes (version 1, little-endian): u8 1, u64 device, u64 inode, i64 birth seconds, u32 birth nanoseconds,
 * str16 path, u32 n, n times str16 variable, str16 environment, str16 secret.  Its key: "d:" and 16 hexadecimal digits
 * of FNV-1a 64 over the path.
 */
#ifndef SV_PROJECT_CONSENT_H
#define SV_PROJECT_CONSENT_H

#include "cli/project/arena.h"
#include "vault/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define SV_CONSENT_KEY_BYTES 19 /* with NUL */
#define SV_CONSENT_ITEMS_MAX 8192

struct sv_consent_dir {
	uint64_t dev, ino;
	int64_t birth_s;
	uint32_t birth_ns;
	const char *path;
};

struct sv_consent_item {
	const char *var, *env, *name;
};

struct sv_consent {
	struct sv_consent_dir dir;
	struct sv_consent_item *v;
	size_t n;
};

/* The identity of an open directory; path is borrowed. */
enum sv_code sv_consent_identify(int dir_fd, const char *path, struct sv_consent_dir *out, struct sv_err *err) SV_CHECK;
void sv_consent_key(const char *path, char key[SV_CONSENT_KEY_BYTES]);
bool sv_consent_same_dir(const struct sv_consent_dir *a, const struct sv_consent_dir *b);

bool sv_consent_has(const struct sv_consent *c, const struct sv_consent_item *item);
/* Put an item into the set when it is not there; the texts are copied.  SV_ERR_TOO_BIG, SV_ERR_NOMEM. */
enum sv_code sv_consent_add(struct sv_arena *a, struct sv_consent *c, const struct sv_consent_item *item,
			    struct sv_err *err) SV_CHECK;

enum sv_code sv_consent_encode(const struct sv_consent *c, struct sv_buf *out) SV_CHECK;
/* SV_ERR_PROTO for anything that is not exactly right. */
enum sv_code sv_consent_decode(struct sv_arena *a, struct sv_buf *in, struct sv_consent *c) SV_CHECK;

#endif

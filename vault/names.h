/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name index: per environment the names of its secrets in byte order, for listings.
 *
 * Entries are packed in blocks of up to 16 KiB that rest encrypted (ChaCha20, a random key per unlock in locked memory,
 * a nonce never used twice), so neither swap nor a look at the memory shows names.  A block is opened into locked
 * scratch, walked and wiped.  The encryption hides; it does not authenticate, for whoever writes to this memory has won
 * anyway.
 */
#ifndef SV_VAULT_NAMES_H
#define SV_VAULT_NAMES_H

#include "vault/base/types.h"
#include "vault/base/err.h"
#include "vault/crypt.h"

#include <stdbool.h>

struct sv_name_entry {
	struct sv_text name, var;
	int64_t expires_s; /* objects: changed_s */
	uint32_t value_len;
};

struct sv_names;

struct sv_names *sv_names_new(void); /* NULL without memory */
void sv_names_free(struct sv_names **n);

/* Collect a change; it counts from the next sv_names_flush() on, which is also called when the collection is full. */
enum sv_code sv_names_put(struct sv_names *n, const uint8_t space[SV_ID_BYTES], const struct sv_name_entry *e) SV_CHECK;
enum sv_code sv_names_drop(struct sv_names *n, const uint8_t space[SV_ID_BYTES], struct sv_text name) SV_CHECK;
enum sv_code sv_names_flush(struct sv_names *n) SV_CHECK;
/* Is there room to collect n more changes without a flush? */
bool sv_names_room(const struct sv_names *n, uint32_t changes);
uint32_t sv_names_count(const struct sv_names *n, const uint8_t space[SV_ID_BYTES]);

/* Walk: from the first name > after and >= group.  Views in *e live until the next call. */
struct sv_names_walk {
	const struct sv_names *n;
	const void *space;    /* NULL: nothing there */
	unsigned char *plain; /* locked */
	uint32_t block, len, off;
};
enum sv_code sv_names_walk_open(struct sv_names *n, const uint8_t space[SV_ID_BYTES], struct sv_text group,
				struct sv_text after, struct sv_names_walk *w) SV_CHECK;
bool sv_names_walk_next(struct sv_names_walk *w, struct sv_name_entry *e);
void sv_names_walk_close(struct sv_names_walk *w);

int sv_text_cmp(struct sv_text a, struct sv_text b);
bool sv_text_has_prefix(struct sv_text t, struct sv_text prefix);

#endif

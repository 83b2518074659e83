/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollback witness: the newest state of a vault that this machine has seen, kept outside the vault.  FORMAT.md
 * "witness".
 */
#ifndef SV_VAULT_WITNESS_H
#define SV_VAULT_WITNESS_H

#include "vault/crypt.h"

#include <stdbool.h>

enum sv_witness_found {
	SV_WITNESS_NONE,     /* no file */
	SV_WITNESS_DAMAGED,  /* a file in which nothing holds */
	SV_WITNESS_OLD_KEYS, /* of an earlier key epoch: written before a re-key that was then interrupted */
	SV_WITNESS_NEW_KEYS, /* of a later key epoch: the vault is older */
	SV_WITNESS_GOOD,
};

struct sv_witness {
	uint64_t seq;
	uint8_t mac[SV_HASH_BYTES];
};

/* Read <dir>/<hex vault id>.  SV_ERR_IO, SV_ERR_DENIED (a link, another owner, open to others). */
enum sv_code sv_witness_read(const char *dir, const struct sv_scope *s, enum sv_witness_found *found,
			     struct sv_witness *w, struct sv_err *err) SV_CHECK;
/*
 * Write it, durable on return; makes the directory and the file when missing.  whole: forget what else is in the file.
 */
enum sv_code sv_witness_write(const char *dir, const struct sv_scope *s, const struct sv_witness *w, bool whole,
			      struct sv_err *err) SV_CHECK;

#endif

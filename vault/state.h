/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state MAC: one keyed hash over what the whole vault is at one commit.
 */
#ifndef SV_VAULT_STATE_H
#define SV_VAULT_STATE_H

#include "vault/record.h"
#include "vault/store.h"

void sv_state_mac(const struct sv_scope *s, const struct sv_state_row *row, const struct sv_slot *slots, size_t n,
		  uint8_t out[SV_HASH_BYTES]);
/* Seal the vault-level facts into row->head for row->seq. */
enum sv_code sv_state_seal_head(const struct sv_scope *s, const struct sv_head *h, struct sv_state_row *row,
				struct sv_err *err) SV_CHECK;
enum sv_code sv_state_open_head(const struct sv_scope *s, const struct sv_state_row *row, struct sv_head *h,
				struct sv_err *err) SV_CHECK;

#endif

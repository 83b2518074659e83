/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that a vault and a copy of it have in common.
 */
#ifndef SV_VAULT_VERIFY_H
#define SV_VAULT_VERIFY_H

#include "vault/vault_int.h"

/* Compare a store with what v knows; with a report, open every seal as well. */
enum sv_code sv_verify_store(struct sv_vault *v, struct sv_store *store, struct sv_verify_report *report,
			     struct sv_err *err) SV_CHECK;

#endif

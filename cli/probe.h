/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands where the vault should be, from its owner, mode and first bytes: so that nobody is asked for the
 * passphrase of something that is no vault.  It believes nothing; opening is the agent's.
 */
#ifndef SV_CLI_PROBE_H
#define SV_CLI_PROBE_H

#include "vault/base/err.h"

/* SV_OK: it may be a vault.  SV_ERR_NO_VAULT, SV_ERR_NOT_A_VAULT, SV_ERR_UNSUPPORTED, SV_ERR_DENIED, SV_ERR_IO; the
 * sentence names the path. */
enum sv_code sv_probe_vault(const char *path, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Systems whose sandbox this program does not use yet: nothing is restricted, and the status says so.
 */
#include "agent/harden.h"

void sv_harden_sandbox(const struct sv_sandbox *s, uint32_t *status)
{
	(void)s;
	(void)status;
}

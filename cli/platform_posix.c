/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elsewhere: what POSIX alone allows.  The core limit is left alone because a child program would inherit it.
 */
#include "cli/platform.h"

void sv_platform_undumpable(void) {}

size_t sv_platform_self(char *out, size_t size)
{
	if (size > 0)
		out[0] = '\0';
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux: prctl(2) and /proc.
 */
#include "cli/platform.h"

#include <sys/prctl.h>
#include <unistd.h>

void sv_platform_undumpable(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

size_t sv_platform_self(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);

	if (n <= 0 || (size_t)n >= size - 1)
		return 0;
	out[n] = '\0';
	return (size_t)n;
}

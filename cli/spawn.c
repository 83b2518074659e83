/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec with the search of execvp(3), which cannot be used: it takes the PATH of this process, and not every libc passes
 * an envp.
 */
#include "cli/spawn.h"

#include "proto/endpoint.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static const char *path_of(char *const *envp)
{
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return DEFAULT_PATH;
}

/* The shell runs what the kernel does not know (POSIX execvp). */
static void run_by_shell(const char *file, char *const *argv, char *const *envp)
{
	size_t n = 0;
	char **args;

	while (argv[n] != NULL)
		n++;
	args = malloc((n + 2) * sizeof(*args));
	if (args == NULL)
		return;
	args[0] = (char[]){ "/bin/sh" };
	args[1] = (char *)(uintptr_t)file;
	memcpy(args + 2, argv + 1, n * sizeof(*args));
	(void)execve(args[0], args, envp);
	free(args);
}

static void try(const char *file, char *const *argv, char *const *envp)
{
	(void)execve(file, argv, envp);
	if (errno == ENOEXEC)
		run_by_shell(file, argv, envp);
}

/* errno of the search: EACCES is remembered, a missing file is not. */
static int search(const char *path, char *const *argv, char *const *envp)
{
	char file[SV_PATH_BYTES];
	size_t len = strlen(argv[0]);
	int denied = 0;

	for (;;) {
		size_t n = strcspn(path, ":");

		if (n + 1 + len < sizeof(file)) {
			memcpy(file, path, n);
			if (n > 0)
				file[n++] = '/';
			memcpy(file + n, argv[0], len + 1);
			try(file, argv, envp);
			if (errno == EACCES)
				denied = EACCES;
			else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV &&
				 errno != ETIMEDOUT && errno != ELOOP && errno != ENAMETOOLONG)
				return errno;
		}
		path += strcspn(path, ":");
		if (*path == '\0')
			return denied != 0 ? denied : ENOENT;
		path++;
	}
}

enum sv_code sv_spawn_exec(char *const *argv, char *const *envp, int *status, struct sv_err *err)
{
	int why;

	if (argv[0][0] == '\0') {
		why = ENOENT;
	} else if (strchr(argv[0], '/') != NULL) {
		try(argv[0], argv, envp);
		why = errno;
	} else {
		why = search(path_of(envp), argv, envp);
	}
	if (why == E2BIG) {
		*status = SV_STATUS_NOT_STARTED;
		return sv_err_set(err, SV_ERR_TOO_BIG,
				  "arguments and environment together are too large for this system");
	}
	*status = why == ENOENT || why == ENOTDIR ? SV_STATUS_NOT_FOUND : SV_STATUS_CANNOT_RUN;
	return sv_err_sys(err, SV_ERR_IO, why, "cannot run %s", argv[0]);
}

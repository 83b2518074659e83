/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git and shred for one file.
 */
#include "cli/edit/original.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run git in dir; true when it succeeds and, with want_output, says something. */
static bool git(const char *dir, const char *const *words, bool want_output)
{
	const char *argv[24] = { "git", "-C",
				 dir,   "--literal-pathspecs",
				 "-c",  "core.fsmonitor=false",
				 "-c",  "core.hooksPath=/dev/null",
				 "-c",  "core.pager=cat",
				 "-c",  "log.showSignature=false" };
	size_t n = 12;
	int out[2], status = 0;
	bool said = false;
	char c;
	pid_t pid;

	for (size_t i = 0; words[i] != NULL && n < 23; i++)
		argv[n++] = words[i];
	if (pipe2(out, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		(void)signal(SIGPIPE, SIG_DFL);
		if (null < 0 || dup2(null, 0) < 0 || dup2(out[1], 1) < 0 || dup2(null, 2) < 0)
			_exit(127);
		(void)setenv("GIT_OPTIONAL_LOCKS", "0", 1);
		(void)setenv("GIT_TERMINAL_PROMPT", "0", 1);
		(void)execvp("git", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(out[1]);
	while (pid > 0) {
		ssize_t got = read(out[0], &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		said = true;
	}
	(void)close(out[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && (said || !want_output);
}

enum sv_git_knows sv_original_in_git(const char *path)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *const tracked[] = { "ls-files", "--error-unmatch", "--", name, NULL };
	const char *const once[] = { "log", "--all", "--no-textconv", "--no-ext-diff", "--format=%H", "-n", "1", "--",
				     name,  NULL };

	if (snprintf(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		     slash != NULL ? path : ".") >= (int)sizeof(dir))
		return SV_GIT_NO;
	if (git(dir, tracked, true))
		return SV_GIT_TRACKS;
	return git(dir, once, true) ? SV_GIT_TRACKED : SV_GIT_NO;
}

enum sv_code sv_original_shred(const char *path, struct sv_err *err)
{
	unsigned char noise[65536];
	struct stat st;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum sv_code rc = SV_OK;

	if (fd < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot open the file to shred it");
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		rc = sv_err_set(err, SV_ERR_DENIED, "only a regular file of yours is shredded");
		goto out;
	}
	for (off_t left = st.st_size; left > 0;) {
		size_t n = left < (off_t)sizeof(noise) ? (size_t)left : sizeof(noise);
		ssize_t w;

		randombytes_buf(noise, n);
		w = write(fd, noise, n);
		if (w < 0 && errno != EINTR) {
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot overwrite the file");
			goto out;
		}
		left -= w > 0 ? w : 0;
	}
	if (fsync(fd) != 0 || ftruncate(fd, 0) != 0 || unlink(path) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot remove the file");
out:
	(void)close(fd);
	return rc;
}

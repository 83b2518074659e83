/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardening that is POSIX, or nearly so.  The sandbox is the platform's: sandbox_linux.c, sandbox_none.c.
 */
#include "agent/harden.h"

#include "proto/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#define FIRST_FD   3
#define MANY_FILES 65536

static bool open_std(void)
{
	for (;;) {
		int fd = open("/dev/null", O_RDWR);

		if (fd < 0)
			return false;
		if (fd > 2) {
			(void)close(fd);
			return true;
		}
	}
}

static void close_range_of(int from, int to)
{
	if (from > to)
		return;
#if defined(__linux__) && defined(__GLIBC__)
	if (close_range((unsigned)from, (unsigned)to, 0) == 0)
		return;
#endif
	for (int fd = from; fd <= to && fd < MANY_FILES; fd++)
		(void)close(fd);
}

static void close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low < FIRST_FD)
		low = high;
	if (low < FIRST_FD) {
		close_range_of(FIRST_FD, 0x7fffffff);
		return;
	}
	close_range_of(FIRST_FD, low - 1);
	if (high > low)
		close_range_of(low + 1, high - 1);
	close_range_of(high + 1, 0x7fffffff);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			(void)signal(s, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

enum sv_code sv_harden_start(int keep_a, int keep_b, struct sv_err *err)
{
	const struct rlimit no_core = { 0, 0 };

	if (!open_std())
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot open /dev/null");
	close_others(keep_a, keep_b);
	(void)umask(077);
	reset_signals();
	if (getuid() != geteuid() || getgid() != getegid())
		return sv_err_set(err, SV_ERR_DENIED, "sv-agent must not be set-uid or set-gid");
	(void)setrlimit(RLIMIT_CORE, &no_core);
#ifdef __linux__
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	return SV_OK;
}

/* The pid of a tracer from /proc/self/status; 0 none, also where there is no /proc. */
static long tracer(void)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *at;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strstr(text, "TracerPid:");
	return at == NULL ? 0 : strtol(at + 10, NULL, 10);
}

enum sv_code sv_harden_check(uint32_t *status, struct sv_err *err)
{
#ifdef __linux__
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		*status |= SV_STATUS_DUMPABLE;
#else
	*status |= SV_STATUS_DUMPABLE;
#endif
	if (tracer() != 0)
		return sv_err_set(err, SV_ERR_DENIED,
				  "another process traces sv-agent; it does not start under a tracer");
	return SV_OK;
}

enum sv_code sv_harden_let_go(struct sv_err *err)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot let go of the terminal");
	if (fd > 2)
		(void)close(fd);
	return SV_OK;
}

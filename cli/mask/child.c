/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork(2), sessions, and the monitor.
 */
#include "cli/mask/child.h"

#include "cli/out.h"
#include "cli/spawn.h"
#include "vault/base/secmem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum sv_code sv_child_env_copy(struct sv_child_env *e, char *const *envp, struct sv_err *err)
{
	size_t bytes = 0;
	size_t n = 0;
	char *at;

	for (; envp[n] != NULL; n++)
		bytes += strlen(envp[n]) + 1;
	e->size = (n + 1) * sizeof(*e->envp) + bytes;
	e->map = mmap(NULL, e->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (e->map == MAP_FAILED) {
		e->map = NULL;
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the environment");
	}
	(void)mlock(e->map, e->size);
#ifdef MADV_DONTDUMP
	(void)madvise(e->map, e->size, MADV_DONTDUMP);
#endif
	e->envp = e->map;
	at = (char *)(e->envp + n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(envp[i]) + 1;

		memcpy(at, envp[i], len);
		e->envp[i] = at;
		at += len;
	}
	e->envp[n] = NULL;
	return SV_OK;
}

void sv_child_env_wipe(struct sv_child_env *e)
{
	if (e->map == NULL)
		return;
	sv_wipe(e->map, e->size);
	(void)munmap(e->map, e->size);
	e->map = NULL;
	e->envp = NULL;
}

struct failure {
	int status;
	struct sv_err err;
};

/* Give the three descriptors their numbers, although they may stand in each other's place. */
static bool place(const int fd[3])
{
	int high[3];

	for (int i = 0; i < 3; i++)
		if ((high[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 3)) < 0)
			return false;
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return false;
	return true;
}

/* Our handlers must not run in what is the program already; what was ignored stays so. */
static void default_signals(const struct sv_child_plan *plan)
{
	struct sigaction a;

	for (int sig = 1; sig < 32; sig++)
		if (sigaction(sig, NULL, &a) == 0 && a.sa_handler != SIG_IGN && a.sa_handler != SIG_DFL) {
			a = (struct sigaction){ .sa_handler = SIG_DFL };
			(void)sigaction(sig, &a, NULL);
		}
	if (plan->ignore_chld) {
		a = (struct sigaction){ .sa_handler = SIG_IGN };
		(void)sigaction(SIGCHLD, &a, NULL);
	}
	sv_write_restore_signal();
}

static _Noreturn void become(const struct sv_child_plan *plan, int tell)
{
	struct failure f = { .status = SV_STATUS_NOT_STARTED, .err = SV_ERR_INIT };

	if (!place(plan->fd)) {
		(void)sv_err_sys(&f.err, SV_ERR_IO, errno, "cannot hand over the descriptors");
	} else {
		default_signals(plan);
		(void)sigprocmask(SIG_SETMASK, plan->mask, NULL);
		f.err.code = sv_spawn_exec(plan->argv, plan->env->envp, &f.status, &f.err);
	}
	if (write(tell, &f, sizeof(f)) < 0)
		_exit(SV_STATUS_NOT_STARTED);
	_exit(f.status);
}

static void close_all_but(int keep)
{
	if (keep != 3)
		(void)dup2(keep, 3);
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 4U, ~0U, 0U) == 0)
		return;
#endif
	for (int fd = 4; fd < 1024; fd++)
		(void)close(fd);
}

/* Tell of every stop, and of the end; then wait until that was heard before the process id is given back. */
static _Noreturn void monitor(struct sv_child_plan *plan, int report, int tell)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;
	char byte;

	(void)setsid();
	(void)ioctl(plan->terminal, TIOCSCTTY, 0);
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		/* SIGTTOU is blocked here, so this works from the background. */
		(void)tcsetpgrp(plan->terminal, getpid());
		(void)close(report);
		become(plan, tell);
	}
	sv_child_env_wipe(plan->env);
	if (send(report, &pid, sizeof(pid), MSG_NOSIGNAL) < 0 || pid < 0)
		_exit(1);
	(void)close(tell);
	if (null >= 0)
		for (int i = 0; i < 3; i++)
			(void)dup2(null, i);
	close_all_but(report);
	for (;;) {
		siginfo_t si = { 0 };
		int how;

		if (waitid(P_PID, (id_t)pid, &si, WEXITED | WSTOPPED | WNOWAIT) != 0) {
			if (errno == EINTR)
				continue;
			_exit(1);
		}
		if (si.si_code == CLD_STOPPED || si.si_code == CLD_TRAPPED) {
			if (waitpid(pid, &how, WUNTRACED | WNOHANG) != pid)
				continue;
		} else {
			how = si.si_code == CLD_EXITED ? si.si_status << 8 : si.si_status;
		}
		if (send(3, &how, sizeof(how), MSG_NOSIGNAL) < 0)
			_exit(1);
		if (!WIFSTOPPED(how))
			break;
	}
	while (read(3, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* Whether exec worked: then the pipe ends without a word. */
static enum sv_code heard(int fd, int *status, struct sv_err *err)
{
	struct failure f;
	ssize_t n;

	do
		n = read(fd, &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return SV_OK;
	*status = SV_STATUS_NOT_STARTED;
	if (n != (ssize_t)sizeof(f))
		return sv_err_set(err, SV_ERR_IO, "the program could not be started");
	*status = f.status;
	if (err != NULL)
		*err = f.err;
	return f.err.code;
}

enum sv_code sv_child_start(const struct sv_child_plan *plan, struct sv_child *c, int *status, struct sv_err *err)
{
	struct sv_child_plan mine = *plan;
	int report[2] = { -1, -1 };
	int tell[2] = { -1, -1 };
	enum sv_code rc = SV_OK;

	*c = (struct sv_child){ .report = -1 };
	*status = SV_STATUS_NOT_STARTED;
	if (pipe2(tell, O_CLOEXEC) != 0 ||
	    (plan->terminal >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) != 0)) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot start a program");
		goto out;
	}
	c->started = fork();
	if (c->started < 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot start a program");
		goto out;
	}
	if (c->started == 0) {
		if (plan->terminal >= 0)
			monitor(&mine, report[1], tell[1]);
		if (plan->own_group)
			(void)setpgid(0, 0);
		become(&mine, tell[1]);
	}
	if (plan->own_group)
		(void)setpgid(c->started, c->started);
	(void)close(tell[1]);
	tell[1] = -1;
	c->pid = c->started;
	if (plan->terminal >= 0) {
		(void)close(report[1]);
		report[1] = -1;
		c->report = report[0];
		report[0] = -1;
		if (recv(c->report, &c->pid, sizeof(c->pid), 0) != (ssize_t)sizeof(c->pid) || c->pid < 0)
			rc = sv_err_set(err, SV_ERR_IO, "cannot start a program");
	}
	if (rc == SV_OK)
		rc = heard(tell[0], status, err);
	if (rc != SV_OK)
		sv_child_release(c);
	else
		*status = 0;
out:
	for (int i = 0; i < 2; i++) {
		if (report[i] >= 0)
			(void)close(report[i]);
		if (tell[i] >= 0)
			(void)close(tell[i]);
	}
	return rc;
}

bool sv_child_changed(struct sv_child *c, int *how)
{
	siginfo_t si = { 0 };

	if (c->pid == 0)
		return false;
	if (c->report >= 0) {
		ssize_t n = recv(c->report, how, sizeof(*how), MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(*how))
			return true;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		*how = 1 << 8; /* the monitor is gone, and with it the session */
		return true;
	}
	if (waitid(P_PID, (id_t)c->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid == c->pid) {
		*how = si.si_code == CLD_EXITED ? si.si_status << 8 : si.si_status;
		return true;
	}
	return waitpid(c->pid, how, WUNTRACED | WNOHANG) == c->pid && WIFSTOPPED(*how);
}

void sv_child_release(struct sv_child *c)
{
	c->pid = 0;
	if (c->report >= 0)
		(void)close(c->report);
	c->report = -1;
	while (c->started > 0 && waitpid(c->started, NULL, 0) < 0 && errno == EINTR)
		;
	c->started = 0;
}

void sv_child_reap_others(const struct sv_child *c)
{
	siginfo_t si = { 0 };

	while (getpid() == 1 && waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid > 0 &&
	       si.si_pid != c->started) {
		(void)waitpid(si.si_pid, NULL, WNOHANG);
		si.si_pid = 0;
	}
}

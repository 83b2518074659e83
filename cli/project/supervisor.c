/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop over signals (signalfd), the watched descriptor and a deadline.
 */
#include "cli/project/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES     ((size_t)256 << 10)
#define RESTART_WAIT_MS 10000

struct run {
	struct sv_supervisor *s;
	struct sv_err *err;
	sigset_t before; /* the mask that the child gets */
	int signals, tty;
	pid_t child;
	pid_t own_group;
	pid_t parent; /* this process, as the child sees it */
	bool give;    /* the child's group gets the terminal at its start */
	bool restarting, killed;
	bool ended;
	int64_t deadline_ms; /* of a restart */
	struct termios modes;
	bool has_modes;
	enum sv_code rc; /* of a start */
	bool started;
};

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool foreground(const struct run *r, pid_t group)
{
	return r->tty >= 0 && tcgetpgrp(r->tty) == group;
}

/*
 * The new process.  It shares memory with its parent, which is held until exec or exit (CLONE_VFORK): secrets in memory
 * that a fork would wipe are there, and a failure is told by writing to r.
 */
static int new_process(void *arg)
{
	struct run *r = arg;
	pid_t self = getpid();
	int status = 125;

	(void)setpgid(0, 0);
	if (r->give)
		(void)tcsetpgrp(r->tty, self); /* SIGTTOU is blocked */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != r->parent && r->parent != 0)
		_exit(125);
	(void)sigprocmask(SIG_SETMASK, &r->before, NULL);
	r->s->become(r->s->ctx, self, &status, r->err);
	r->s->status = status;
	r->started = false;
	_exit(status);
}

static enum sv_code start(struct run *r)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	enum sv_code rc = SV_OK;

	if (stack == MAP_FAILED)
		return sv_err_sys(r->err, SV_ERR_NOMEM, errno, "no memory for a child process");
	if (r->s->prepare != NULL && (rc = r->s->prepare(r->s->ctx, r->err)) != SV_OK) {
		(void)munmap(stack, STACK_BYTES);
		return rc;
	}
	r->started = true;
	r->child = clone(new_process, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, r);
	if (r->child < 0)
		rc = sv_err_sys(r->err, SV_ERR_IO, errno, "cannot start a child process");
	(void)munmap(stack, STACK_BYTES);
	if (rc == SV_OK && !r->started) {
		(void)waitpid(r->child, NULL, 0);
		rc = r->err->code != SV_OK ? r->err->code : SV_ERR_IO;
	}
	return rc;
}

static void take_terminal_back(struct run *r)
{
	if (foreground(r, r->child) ||
	    (r->tty >= 0 && kill(-r->child, 0) != 0 && tcgetpgrp(r->tty) != r->own_group && r->give))
		(void)tcsetpgrp(r->tty, r->own_group);
}

/* The child stopped by sig. */
static void stopped(struct run *r, int sig)
{
	sigset_t one;
	sigset_t pending;

	if ((sig == SIGTTIN || sig == SIGTTOU) && foreground(r, r->own_group)) {
		(void)tcsetpgrp(r->tty, r->child);
		(void)kill(-r->child, SIGCONT);
		return;
	}
	if (getpid() == 1)
		return;
	if (foreground(r, r->child)) {
		(void)tcsetpgrp(r->tty, r->own_group);
		r->give = true;
	}
	if (sig != SIGSTOP)
		sig = SIGTSTP; /* for the shell that waits */
	(void)sigemptyset(&one);
	(void)sigaddset(&one, sig);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)sigprocmask(SIG_BLOCK, &one, NULL);
	/* Continued: SIGCONT waits to be read.  If not, this group is orphaned and could not stop: neither may the
	 * child. */
	if (sig == SIGTSTP && sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 0)
		(void)kill(-r->child, SIGCONT);
}

static void child_ended(struct run *r, int status)
{
	r->ended = true;
	r->s->by_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	r->s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + r->s->by_signal;
	take_terminal_back(r);
	/* A program that was killed could not put the terminal right. */
	if (r->s->by_signal != 0 && r->has_modes && foreground(r, r->own_group))
		(void)tcsetattr(r->tty, TCSADRAIN, &r->modes);
}

static void reap(struct run *r)
{
	int status;
	pid_t pid;

	/* One SIGCHLD may stand for several.  Only process 1 gets orphans; helpers of ours are waited for by their ids.
	 */
	while ((pid = waitpid(getpid() == 1 ? -1 : r->child, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != r->child)
			continue; /* an orphan */
		if (WIFSTOPPED(status))
			stopped(r, WSTOPSIG(status));
		else
			child_ended(r, status);
	}
}

static void pass_on(const struct run *r, const struct signalfd_siginfo *si)
{
	int sig = (int)si->ssi_signo;

	if (si->ssi_code == SI_QUEUE) {
		union sigval value = { .sival_ptr = (void *)(uintptr_t)si->ssi_ptr };

		(void)sigqueue(r->child, sig, value);
	} else if (si->ssi_code == SI_KERNEL) {
		(void)kill(-r->child, sig); /* the terminal means everybody */
	} else {
		(void)kill(r->child, sig);
	}
}

static void on_signal(struct run *r, const struct signalfd_siginfo *si)
{
	switch ((int)si->ssi_signo) {
	case SIGCHLD: reap(r); break;
	case SIGCONT:
		if (r->give && foreground(r, r->own_group))
			(void)tcsetpgrp(r->tty, r->child);
		(void)kill(-r->child, SIGCONT);
		break;
	case SIGTTIN:
	case SIGTTOU: break;
	default: pass_on(r, si); break;
	}
}

static void restart(struct run *r)
{
	if (r->restarting)
		return;
	r->restarting = true;
	r->killed = false;
	r->deadline_ms = now_ms() + RESTART_WAIT_MS;
	(void)kill(-r->child, SIGTERM);
	(void)kill(-r->child, SIGCONT);
}

static void watched(struct run *r)
{
	switch (r->s->ready(r->s->ctx)) {
	case SV_SUPERVISOR_GO_ON: break;
	case SV_SUPERVISOR_RESTART: restart(r); break;
	case SV_SUPERVISOR_SIGNAL: (void)kill(r->child, r->s->signal); break;
	case SV_SUPERVISOR_UNWATCH: r->s->fd = -1; break;
	}
}

static int timeout_of(struct run *r)
{
	int64_t left;

	if (!r->restarting || r->killed)
		return -1;
	left = r->deadline_ms - now_ms();
	if (left > 0)
		return (int)left;
	(void)kill(-r->child, SIGKILL);
	r->killed = true;
	return -1;
}

static enum sv_code loop(struct run *r)
{
	enum sv_code rc;

	for (;;) {
		struct pollfd fds[2] = { { r->signals, POLLIN, 0 }, { r->s->fd, POLLIN, 0 } };
		struct signalfd_siginfo si;
		int n = poll(fds, r->s->fd >= 0 ? 2 : 1, timeout_of(r));

		if (n < 0 && errno != EINTR)
			return sv_err_sys(r->err, SV_ERR_IO, errno, "cannot wait for the child process");
		if (n > 0 && fds[0].revents != 0)
			while (read(r->signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
				on_signal(r, &si);
		if (n > 0 && r->s->fd >= 0 && fds[1].revents != 0 && !r->ended)
			watched(r);
		if (!r->ended)
			continue;
		if (!r->restarting)
			return SV_OK;
		r->restarting = r->ended = false;
		if ((rc = start(r)) != SV_OK)
			return rc;
	}
}

enum sv_code sv_supervise(struct sv_supervisor *s, struct sv_err *err)
{
	struct run r = { .s = s, .err = err, .signals = -1, .own_group = getpgrp(), .parent = getpid() };
	sigset_t all;
	enum sv_code rc;

	s->by_signal = 0;
	s->status = 125;
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGBUS);
	(void)sigdelset(&all, SIGFPE);
	(void)sigdelset(&all, SIGILL);
	(void)sigdelset(&all, SIGABRT);
	(void)sigprocmask(SIG_BLOCK, &all, &r.before);
	r.tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	r.has_modes = r.tty >= 0 && tcgetattr(r.tty, &r.modes) == 0;
	r.give = foreground(&r, r.own_group) && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
	r.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r.signals < 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot wait for signals");
	else if ((rc = start(&r)) == SV_OK)
		rc = loop(&r);
	if (rc != SV_OK)
		take_terminal_back(&r);
	if (r.signals >= 0)
		(void)close(r.signals);
	if (r.tty >= 0)
		(void)close(r.tty);
	if (rc != SV_OK)
		(void)sigprocmask(SIG_SETMASK, &r.before, NULL);
	return rc;
}

void sv_supervisor_end(const struct sv_supervisor *s)
{
	const struct rlimit none = { 0, 0 };
	sigset_t one;

	if (s->by_signal != 0 && getpid() != 1) {
		(void)setrlimit(RLIMIT_CORE,
				&none); /* the program's core file is enough, and this process held secrets */
		(void)signal(s->by_signal, SIG_DFL);
		(void)sigemptyset(&one);
		(void)sigaddset(&one, s->by_signal);
		(void)raise(s->by_signal);
		(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	}
	_exit(s->status);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers with a pipe to wake the loop.  One supervisor per process, so its state is static.
 */
#include "cli/mask/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,   SIGUSR1,
				 SIGUSR2, SIGALRM, SIGTSTP, SIGVTALRM, SIGPROF };
static const int noticed[] = { SIGCHLD, SIGCONT, SIGWINCH };
#define FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))
#define NOTICED   (sizeof(noticed) / sizeof(noticed[0]))

static volatile sig_atomic_t to_pid;
static volatile sig_atomic_t from_kernel;
static volatile sig_atomic_t happened[3];
static int wake[2] = { -1, -1 };
static sigset_t mask_before;
static struct sigaction before[32];
static bool changed[32];

static void on_signal(int sig, siginfo_t *si, void *context)
{
	int saved = errno;

	(void)context;
	if (sig == SIGCHLD)
		happened[0] = 1;
	else if (sig == SIGCONT)
		happened[1] = 1;
	else if (sig == SIGWINCH)
		happened[2] = 1;
	else if (to_pid > 0 && (from_kernel || si->si_code <= 0))
		(void)kill(to_pid, sig);
	if (write(wake[1], "", 1) < 0)
		errno = 0; /* full: it will wake all the same */
	errno = saved;
}

static void change(int sig, const struct sigaction *a)
{
	(void)sigaction(sig, a, changed[sig] ? NULL : &before[sig]);
	changed[sig] = true;
}

static void set(int sig, void (*handler)(int))
{
	change(sig, &(struct sigaction){ .sa_handler = handler });
}

static void handle(int sig)
{
	struct sigaction a = { .sa_flags = SA_SIGINFO | SA_RESTART };

	a.sa_sigaction = on_signal;
	(void)sigfillset(&a.sa_mask);
	change(sig, &a);
}

enum sv_code sv_signals_open(struct sv_child_plan *plan, struct sv_err *err)
{
	struct sigaction now;
	sigset_t all;

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a pipe");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &mask_before);
	plan->mask = &mask_before;
	(void)sigaction(SIGCHLD, NULL, &now);
	plan->ignore_chld = now.sa_handler == SIG_IGN;
	for (size_t i = 0; i < NOTICED; i++)
		handle(noticed[i]);
	/* What is ignored here (nohup) is ignored by the program too. */
	for (size_t i = 0; i < FORWARDED; i++)
		if (sigaction(forwarded[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			handle(forwarded[i]);
	return SV_OK;
}

void sv_signals_unblock(void)
{
	sigset_t mask = mask_before;

	for (size_t i = 0; i < NOTICED; i++)
		(void)sigdelset(&mask, noticed[i]);
	/* A reader that went away is told by the error; the program has its own disposition. */
	set(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
}

void sv_signals_close(void)
{
	for (int sig = 1; sig < 32; sig++)
		if (changed[sig]) {
			(void)sigaction(sig, &before[sig], NULL);
			changed[sig] = false;
		}
	if (wake[0] >= 0) {
		(void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
		(void)close(wake[0]);
		(void)close(wake[1]);
	}
	wake[0] = wake[1] = -1;
}

void sv_signals_forward_to(pid_t pid, bool kernel)
{
	from_kernel = kernel;
	to_pid = pid;
}

int sv_signals_fd(void)
{
	return wake[0];
}

unsigned sv_signals_take(void)
{
	char some[64];
	unsigned what = 0;

	while (read(wake[0], some, sizeof(some)) == (ssize_t)sizeof(some))
		;
	for (size_t i = 0; i < NOTICED; i++)
		if (happened[i]) {
			happened[i] = 0;
			what |= 1u << i;
		}
	return what;
}

void sv_signals_stop(int sig, bool group)
{
	if (sig == SIGSTOP) {
		(void)raise(SIGSTOP);
		return;
	}
	set(sig, SIG_DFL);
	(void)kill(group ? 0 : getpid(), sig);
	if (sig == SIGTSTP)
		handle(sig);
}

void sv_signals_die(int sig)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t one;

	(void)sigaction(sig, &plain, NULL);
	(void)sigemptyset(&one);
	(void)sigaddset(&one, sig);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)raise(sig);
}

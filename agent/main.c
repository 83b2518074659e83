/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv-agent: options, start order, readiness, exit status.
 *
 * Start order, and why: descriptors, signals and dumpability first, since everything later relies on them; then a fork,
 * so that nobody holds an early handle on this memory; then the lock on the socket's name, before the socket or any
 * memory for secrets exists; then locked memory, the socket, the sandbox; and only then the word that it is ready.
 */
#include "agent/agent.h"
#include "agent/harden.h"
#include "agent/log.h"
#include "agent/server.h"
#include "proto/endpoint.h"
#include "proto/spawn_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#define EXIT_BUSY     3 /* another agent has this socket */
#define ACTIVATION_FD 3 /* sd_listen_fds(3): the first passed descriptor */

struct options {
	struct sv_paths paths;
	bool foreground, insecure, activated;
	int ready_fd;
};

static const char usage[] = "usage: sv-agent [--foreground] [--vault PATH] [--socket PATH] [--state-dir PATH]\n"
			    "                [--insecure-memory] [--ready-fd N] [--version] [--help]\n"
			    "Holds the keys of one unlocked vault for sv(1).  sv starts it when it is needed.\n";

static void tell_ready(int *fd, char what, const struct sv_err *err)
{
	unsigned char message[3 + SV_ERR_MSG_BYTES];
	size_t n = 1;

	if (*fd < 0)
		return;
	message[0] = (unsigned char)what;
	if (err != NULL) {
		size_t text = strlen(err->msg);

		message[n++] = (unsigned char)((unsigned)err->code & 0xff);
		message[n++] = (unsigned char)((unsigned)err->code >> 8);
		memcpy(message + n, err->msg, text);
		n += text;
	}
	if (write(*fd, message, n) < 0)
		sv_log_event("nobody waits for the start", 0);
	(void)close(*fd);
	*fd = -1;
}

static int fail(struct options *o, const struct sv_err *err)
{
	if (o->ready_fd < 0)
		(void)fprintf(stderr, "sv-agent: %s\n", err->msg);
	tell_ready(&o->ready_fd, err->code == SV_ERR_BUSY ? SV_READY_BUSY : SV_READY_ERROR,
		   err->code == SV_ERR_BUSY ? NULL : err);
	return err->code == SV_ERR_BUSY ? EXIT_BUSY : EXIT_FAILURE;
}

static enum sv_code set_path(char to[SV_PATH_BYTES], const char *path, struct sv_err *err)
{
	if (path[0] != '/' || strlen(path) >= SV_PATH_BYTES)
		return sv_err_set(err, SV_ERR_USAGE,
				  "paths given to sv-agent must be absolute and shorter than %d bytes", SV_PATH_BYTES);
	memcpy(to, path, strlen(path) + 1);
	return SV_OK;
}

/* sd_listen_fds(3): one listening stream socket, meant for this process. */
static bool is_activated(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	return pid != NULL && fds != NULL && strtol(pid, NULL, 10) == (long)getpid() && strcmp(fds, "1") == 0;
}

static enum sv_code parse(int argc, char **argv, struct options *o, struct sv_err *err)
{
	static const struct option longs[] = {
		{ "vault", required_argument, NULL, 'v' },
		{ "socket", required_argument, NULL, 's' },
		{ "state-dir", required_argument, NULL, 'd' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "insecure-memory", no_argument, NULL, 'i' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *vault = NULL, *sock = NULL, *state = NULL;
	enum sv_code rc;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'v': vault = optarg; break;
		case 's': sock = optarg; break;
		case 'd': state = optarg; break;
		case 'f': o->foreground = true; break;
		case 'i': o->insecure = true; break;
		case 'r': o->ready_fd = (int)strtol(optarg, NULL, 10); break;
		case 'V': (void)printf("sv-agent %s\n", SV_VERSION); exit(EXIT_SUCCESS);
		case 'h': (void)fputs(usage, stdout); exit(EXIT_SUCCESS);
		default: (void)fputs(usage, stderr); exit(2);
		}
	}
	if (optind < argc) {
		(void)fputs(usage, stderr);
		exit(2);
	}
	if ((vault == NULL || sock == NULL || state == NULL) && (rc = sv_paths_find(&o->paths, err)) != SV_OK)
		return rc;
	if (vault != NULL && (rc = set_path(o->paths.vault, vault, err)) != SV_OK)
		return rc;
	if (sock != NULL && (rc = set_path(o->paths.socket, sock, err)) != SV_OK)
		return rc;
	return state != NULL ? set_path(o->paths.state_dir, state, err) : SV_OK;
}

static volatile sig_atomic_t child_pid;

static void pass_on(int sig)
{
	if (child_pid > 0)
		(void)kill((pid_t)child_pid, sig);
}

/* The first process in the foreground: hands signals on to the one that stays, and ends as it ends. */
static void stand_by(pid_t child)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	struct sigaction sa;
	int status = 0;

	child_pid = (sig_atomic_t)child;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = pass_on;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &sa, NULL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/*
 * The process that stays is a new one in every case, so that a handle on /proc/PID/mem from before it was undumpable
 * reads an address space that is left behind.  In the background the first one goes at once: whoever started it reaps
 * it and waits for the word on ready_fd.
 */
static enum sv_code detach(bool foreground, struct sv_err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a process");
	if (pid > 0 && foreground)
		stand_by(pid);
	if (pid > 0)
		_exit(EXIT_SUCCESS);
#ifdef __linux__
	if (foreground)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
#endif
	if (!foreground && setsid() < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot leave the session");
	return SV_OK;
}

static enum sv_code passed_socket(int *fd, struct sv_err *err)
{
	struct sockaddr_un a;
	socklen_t n = sizeof(a);
	int listening = 0, type = 0;
	socklen_t one = sizeof(int);

	*fd = ACTIVATION_FD;
	if (getsockname(*fd, (struct sockaddr *)&a, &n) != 0 || a.sun_family != AF_UNIX ||
	    getsockopt(*fd, SOL_SOCKET, SO_TYPE, &type, &one) != 0 || type != SOCK_STREAM ||
	    getsockopt(*fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &one) != 0 || listening == 0)
		return sv_err_set(err, SV_ERR_USAGE, "the socket that was passed is no listening Unix stream socket");
	if (fcntl(*fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot use the socket that was passed");
	return SV_OK;
}

static enum sv_code open_socket(struct options *o, int *lock_fd, int *fd, struct sv_err *err)
{
	enum sv_code rc;

	if (o->activated)
		return passed_socket(fd, err);
	if ((rc = sv_endpoint_dir(o->paths.socket, err)) != SV_OK ||
	    (rc = sv_endpoint_lock(o->paths.socket, false, lock_fd, err)) != SV_OK)
		return rc;
	return sv_endpoint_listen(o->paths.socket, fd, err);
}

static enum sv_code set_up(struct options *o, struct sv_agent *a, int *lock_fd, struct sv_err *err)
{
	const struct sv_sandbox box = {
		.vault_path = o->paths.vault,
		.state_dir = o->paths.state_dir,
		.socket_path = o->activated ? NULL : o->paths.socket,
	};
	struct sv_agent_config cfg = {
		.vault_path = o->paths.vault,
		.state_dir = o->paths.state_dir,
		.socket_path = o->activated ? NULL : o->paths.socket,
		.listen_fd = -1,
	};
	enum sv_code rc;

	if ((rc = sv_harden_check(&cfg.status_flags, err)) != SV_OK ||
	    (rc = open_socket(o, lock_fd, &cfg.listen_fd, err)) != SV_OK ||
	    (rc = sv_secmem_init(SV_ARENA_BYTES, !o->insecure, err)) != SV_OK)
		return rc;
	/* before the sandbox, which has no /dev/null in it */
	if (!o->foreground && !o->activated && (rc = sv_harden_let_go(err)) != SV_OK)
		return rc;
	sv_harden_sandbox(&box, &cfg.status_flags);
	return sv_agent_init(a, &cfg, err);
}

int main(int argc, char **argv)
{
	static struct options o = { .ready_fd = -1 };
	static struct sv_agent a;
	struct sv_err err = SV_ERR_INIT;
	sigset_t during;
	int lock_fd = -1;
	enum sv_code rc = parse(argc, argv, &o, &err);

	o.activated = is_activated();
	if (rc == SV_OK)
		rc = sv_harden_start(o.ready_fd, o.activated ? ACTIVATION_FD : -1, &err);
	if (rc != SV_OK)
		return fail(&o, &err);
#ifndef SV_TESTING
	(void)clearenv();
#endif
	if (chdir("/") != 0)
		return fail(&o, (sv_err_sys(&err, SV_ERR_IO, errno, "cannot go to /"), &err));
	if ((rc = detach(o.foreground || o.activated, &err)) != SV_OK)
		return fail(&o, &err);
	sv_log_open(o.foreground || o.activated);
	sv_server_catch_signals(&during);
	if ((rc = set_up(&o, &a, &lock_fd, &err)) != SV_OK)
		return fail(&o, &err);
	tell_ready(&o.ready_fd, SV_READY_OK, NULL);
	sv_log_event("ready", (long long)getpid());
	sv_server_run(&a, &during);
	sv_agent_clear(&a);
	(void)sv_secmem_release();
	if (lock_fd >= 0)
		(void)close(lock_fd);
	return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the agent.  The lock makes starters wait for each other; whoever gets it second finds the first one's
 * agent by connecting.  The agent gets nothing of ours but the write end of a pipe, a short environment and three
 * standard descriptors that it replaces itself, so a pipe around the command that started it ends when that command
 * does.
 */
#ifdef __linux__
#define _GNU_SOURCE 1
#endif

#include "proto/spawn_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#endif

#ifndef SV_BINDIR
#define SV_BINDIR "/usr/bin"
#endif

#define READY_FD   3

/* ---- which program -------------------------------------------------------------------------- */

/* The directory of the running program, without a slash at the end.  false where that cannot be told. */
static bool own_dir(char dir[SV_PATH_BYTES])
{
#ifdef __linux__
	ssize_t n = readlink("/proc/self/exe", dir, SV_PATH_BYTES - 1);
	char *slash;

	if (n <= 0 || n >= SV_PATH_BYTES - 1)
		return false;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
#else
	(void)dir;
	return false;
#endif
}

static bool try_program(char out[SV_PATH_BYTES], const char *dir, const char *tail)
{
	size_t nd = strlen(dir), nt = strlen(tail);

	if (nd + nt >= SV_PATH_BYTES)
		return false;
	memcpy(out, dir, nd);
	memcpy(out + nd, tail, nt + 1);
	return access(out, X_OK) == 0;
}

static enum sv_code find_agent(char out[SV_PATH_BYTES], struct sv_err *err)
{
	static const char *const beside[] = { "/sv-agent", "/../bin/sv-agent", "/../../bin/sv-agent" };
	char dir[SV_PATH_BYTES];

	if (own_dir(dir)) {
		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
			if (try_program(out, dir, beside[i]))
				return SV_OK;
	}
	if (try_program(out, SV_BINDIR, "/sv-agent"))
		return SV_OK;
	return sv_err_set(err, SV_ERR_NOT_FOUND, "sv-agent is neither beside this program nor in " SV_BINDIR);
}

/* ---- what it gets --------------------------------------------------------------------------- */

/* The agent reads no settings from its environment; a token in ours has no business in its memory. */
static const char *const passed[] = {
	"HOME=",    "TZ=",           "LANG=",          "XDG_RUNTIME_DIR=",
#ifdef SV_TESTING
	"SV_TEST_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=",    "GCOV_PREFIX", "LLVM_PROFILE_FILE=",
#endif
};
#define ENV_MAX 32

static void short_environment(char *out[ENV_MAX + 1])
{
	extern char **environ;
	size_t n = 0;

	for (char **e = environ; *e != NULL && n < ENV_MAX; e++)
		for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
			if (strncmp(*e, passed[i], strlen(passed[i])) == 0) {
				out[n++] = *e;
				break;
			}
	out[n] = NULL;
}

/* In the child: keep 0 to 2 and the pipe, which becomes READY_FD. */
static void close_the_rest(int ready)
{
	if (ready != READY_FD) {
		if (dup2(ready, READY_FD) < 0)
			_exit(127);
	} else {
		(void)fcntl(ready, F_SETFD, 0);
	}
#ifdef __linux__
	if (syscall(SYS_close_range, READY_FD + 1, ~0U, 0) == 0)
		return;
#endif
	long max = sysconf(_SC_OPEN_MAX);

	for (int fd = READY_FD + 1; fd < (max > 0 && max < 65536 ? (int)max : 65536); fd++)
		(void)close(fd);
}

static void run_agent(const char *program, const struct sv_paths *p, int ready, char *const env[])
{
	const char *insecure = getenv("SV_INSECURE_MEMORY");
	const char *argv[12] = {
		"sv-agent", "--vault", p->vault, "--socket", p->socket, "--state-dir", p->state_dir, "--ready-fd", "3",
	};

	if (insecure != NULL && strcmp(insecure, "1") == 0)
		argv[9] = "--insecure-memory";
	close_the_rest(ready);
	(void)execve(program, (char *const *)(void *)argv, env);
	_exit(127);
}

/* ---- waiting for its word ------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Read until the other end closes, the buffer is full, or the time is over; returns the bytes read. */
static size_t read_word(int fd, unsigned char *buf, size_t size)
{
	int64_t end = now_ms() + SV_START_WAIT_MS;
	size_t n = 0;

	while (n < size) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t r;

		if (left <= 0)
			break;
		if (poll(&pfd, 1, (int)left) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		r = read(fd, buf + n, size - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		n += (size_t)r;
		if (buf[0] != SV_READY_ERROR)
			break;
	}
	return n;
}

static enum sv_code hear(int fd, struct sv_err *err)
{
	unsigned char word[3 + SV_ERR_MSG_BYTES];
	size_t n = read_word(fd, word, sizeof(word) - 1);
	unsigned code;

	if (n == 0)
		return sv_err_set(err, SV_ERR_IO, "sv-agent ended before it was ready");
	if (word[0] == SV_READY_OK)
		return SV_OK;
	if (word[0] == SV_READY_BUSY)
		return sv_err_set(err, SV_ERR_BUSY, "another agent has the socket and does not answer");
	if (word[0] != SV_READY_ERROR || n < 3)
		return sv_err_set(err, SV_ERR_IO, "sv-agent could not start");
	word[n] = '\0';
	code = (unsigned)word[1] | (unsigned)word[2] << 8;
	return sv_err_set(err, code > SV_OK && code <= SV_ERR_FORK ? (enum sv_code)code : SV_ERR_FAIL, "sv-agent: %s",
			  (const char *)word + 3);
}

static enum sv_code launch(const struct sv_paths *p, struct sv_err *err)
{
	char program[SV_PATH_BYTES];
	char *env[ENV_MAX + 1];
	enum sv_code rc;
	int fds[2];
	pid_t pid;

	rc = find_agent(program, err);
	if (rc != SV_OK)
		return rc;
	short_environment(env);
	if (pipe(fds) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a pipe");
	(void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		run_agent(program, p, fds[1], env);
	(void)close(fds[1]);
	if (pid < 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot start sv-agent");
	} else {
		rc = hear(fds[0], err);
		/* The process that was started ends as soon as the one that stays has spoken. */
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	(void)close(fds[0]);
	return rc;
}

/*
 * Another agent holds the lock of the socket's name.  It may be a moment from listening, or on its way out with replies
 * still to send: so look for it, and try to start one, in turn.
 */
static enum sv_code launch_or_find(const struct sv_paths *p, struct sv_err *err)
{
	static const struct timespec pause = { 0, 10000000 };
	int64_t end = now_ms() + SV_START_WAIT_MS;

	for (;;) {
		enum sv_code rc = launch(p, err);
		int fd;

		if (rc != SV_ERR_BUSY)
			return rc;
		if (sv_endpoint_connect(p->socket, &fd, NULL) == SV_OK) {
			(void)close(fd);
			return SV_OK;
		}
		if (now_ms() >= end)
			return rc;
		(void)nanosleep(&pause, NULL);
	}
}

enum sv_code sv_agent_start(const struct sv_paths *p, struct sv_err *err)
{
	char start[SV_PATH_BYTES];
	size_t n = strlen(p->socket);
	enum sv_code rc;
	int lock = -1, fd = -1;

	if (n + sizeof(".start") > sizeof(start))
		return sv_err_set(err, SV_ERR_USAGE, "the path of the agent's socket is too long");
	memcpy(start, p->socket, n);
	memcpy(start + n, ".start", sizeof(".start"));
	rc = sv_endpoint_dir(p->socket, err);
	if (rc == SV_OK)
		rc = sv_endpoint_lock(start, true, &lock, err);
	if (rc != SV_OK)
		return rc;
	rc = sv_endpoint_connect(p->socket, &fd, NULL);
	if (rc == SV_OK)
		(void)close(fd);
	else
		rc = launch_or_find(p, err);
	(void)close(lock);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clipboard.  The process that stays behind gets the value over a pipe: locked memory does not go through fork(2).
 */
#include "cli/clipboard.h"

#include "cli/platform.h"
#include "cli/say.h"
#include "cli/settings.h"
#include "cli/value.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EARLIER_MAX ((size_t)1 << 20)

struct tool {
	const char *session; /* the variable that says that this display is there; NULL: always */
	const char *const copy[5], *const paste[5], *const clear[5];
};

static const struct tool tools[] = {
	{ "WAYLAND_DISPLAY",
	  { "wl-copy", NULL },
	  { "wl-paste", "--no-newline", NULL },
	  { "wl-copy", "--clear", NULL } },
	{ "DISPLAY",
	  { "xclip", "-selection", "clipboard", NULL },
	  { "xclip", "-selection", "clipboard", "-o", NULL },
	  { "xclip", "-selection", "clipboard", NULL } },
	{ "DISPLAY",
	  { "xsel", "--clipboard", "--input", NULL },
	  { "xsel", "--clipboard", "--output", NULL },
	  { "xsel", "--clipboard", "--clear", NULL } },
	{ NULL, { "pbcopy", NULL }, { "pbpaste", NULL }, { "pbcopy", NULL } },
};

static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[SV_PATH_BYTES];

	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");

		if (n > 0 && n + strlen(name) + 2 < sizeof(file)) {
			memcpy(file, path, n);
			file[n] = '/';
			memcpy(file + n + 1, name, strlen(name) + 1);
			if (access(file, X_OK) == 0)
				return true;
		}
		path += n + (path[n] == ':');
	}
	return false;
}

static const struct tool *find_tool(void)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		const char *session = tools[i].session != NULL ? getenv(tools[i].session) : "";

		if (session != NULL && (tools[i].session == NULL || *session != '\0') && in_path(tools[i].copy[0]))
			return &tools[i];
	}
	return NULL;
}

/* Start argv with one end of a pipe as its standard input (write) or output; the other end in *fd. */
static pid_t start(const char *const *argv, bool write_to_it, int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(write_to_it ? ends[0] : null, STDIN_FILENO);
		(void)dup2(write_to_it ? null : ends[1], STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		if (null > STDERR_FILENO)
			(void)close(null);
		sv_write_restore_signal();
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(ends[write_to_it ? 0 : 1]);
	*fd = ends[write_to_it ? 1 : 0];
	if (pid < 0)
		(void)close(*fd);
	else
		(void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
	return pid;
}

static bool finish(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool feed(const char *const *argv, const void *p, size_t n)
{
	int fd = -1;
	pid_t pid = start(argv, true, &fd);
	bool good;

	if (pid < 0)
		return false;
	good = sv_write_all(fd, p, n, NULL) == SV_OK;
	(void)close(fd);
	return finish(pid) && good;
}

/* What the clipboard holds; false when it is nothing that can be put back. */
static bool drain(const char *const *argv, struct sv_buf *b)
{
	unsigned char *p;
	int fd = -1;
	pid_t pid = start(argv, false, &fd);
	bool good = pid >= 0;

	while (good) {
		ssize_t n;

		if (sv_buf_extend(b, 4096, &p) != SV_OK) {
			good = false;
			break;
		}
		n = read(fd, p, 4096);
		b->len -= 4096 - (n > 0 ? (size_t)n : 0);
		if (n < 0 && errno == EINTR)
			continue;
		good = n >= 0;
		if (n <= 0)
			break;
	}
	if (pid >= 0) {
		(void)close(fd);
		good = finish(pid) && good;
	}
	return good;
}

static bool holds(const struct tool *t, const struct sv_buf *value)
{
	struct sv_buf now = SV_BUF_LOCKED(SV_VALUE_MAX + 8192);
	bool same = drain(t->paste, &now) && now.len == value->len &&
		    (now.len == 0 || sv_equal_ct(now.data, value->data, now.len));

	sv_buf_clear(&now);
	return same;
}

/* The process that stays: read both texts from the pipe, wait, put back. */
static __attribute__((noreturn)) void stay(const struct tool *t, int from, unsigned seconds)
{
	struct sv_buf all = SV_BUF_LOCKED(SV_VALUE_MAX + EARLIER_MAX + 65536);
	struct sv_buf value, earlier;
	const unsigned char *p[2];
	size_t n[2];
	unsigned char *room;
	ssize_t r = 1;

	sv_platform_undumpable();
	(void)setsid();
	while (r > 0) {
		if (sv_buf_extend(&all, 16384, &room) != SV_OK)
			_exit(1);
		r = read(from, room, 16384);
		all.len -= 16384 - (r > 0 ? (size_t)r : 0);
	}
	(void)close(from);
	if (sv_buf_peek_str32(&all, &p[0], &n[0], SV_VALUE_MAX) != SV_OK ||
	    sv_buf_peek_str32(&all, &p[1], &n[1], EARLIER_MAX) != SV_OK)
		_exit(1);
	value = (struct sv_buf){ .data = all.data + (p[0] - all.data), .len = n[0], .cap = n[0] };
	earlier = (struct sv_buf){ .data = all.data + (p[1] - all.data), .len = n[1], .cap = n[1] };
	while (seconds > 0)
		seconds = sleep(seconds);
	if (holds(t, &value))
		(void)(earlier.len > 0 ? feed(t->copy, earlier.data, earlier.len) : feed(t->clear, "", 0));
	sv_buf_clear(&all);
	_exit(0);
}

static bool leave_behind(const struct tool *t, const struct sv_buf *message, unsigned seconds)
{
	int ends[2];
	int null;
	pid_t pid;
	bool good;

	if (pipe(ends) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		if (fork() != 0)
			_exit(0);
		(void)close(ends[1]);
		null = open("/dev/null", O_RDWR);
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			(void)dup2(null, fd);
		if (null > STDERR_FILENO)
			(void)close(null);
		stay(t, ends[0], seconds);
	}
	(void)close(ends[0]);
	good = pid >= 0 && sv_write_all(ends[1], message->data, message->len, NULL) == SV_OK;
	(void)close(ends[1]);
	if (pid >= 0)
		good = finish(pid) && good;
	return good;
}

enum sv_code sv_clipboard_copy(struct sv_cli *cli, const unsigned char *value, size_t len, struct sv_err *err)
{
	const struct tool *t = find_tool();
	struct sv_buf earlier = SV_BUF_LOCKED(EARLIER_MAX);
	struct sv_buf message = SV_BUF_LOCKED(SV_VALUE_MAX + EARLIER_MAX + 64);
	struct sv_settings settings;
	enum sv_code rc;

	if (t == NULL)
		return sv_err_set(err, SV_ERR_NOT_FOUND,
				  "there is no clipboard here: none of wl-copy, xclip, xsel and pbcopy can be used");
	if ((rc = sv_settings_load(&settings, err)) != SV_OK)
		return rc;
	if (!drain(t->paste, &earlier))
		sv_buf_reset(&earlier);
	if (sv_buf_put_str32(&message, value, len) != SV_OK ||
	    sv_buf_put_str32(&message, earlier.len > 0 ? (const void *)earlier.data : "", earlier.len) != SV_OK)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the clipboard");
	else if (!feed(t->copy, value, len))
		rc = sv_err_set(err, SV_ERR_FAIL, "%s did not take the value", t->copy[0]);
	else if (!leave_behind(t, &message, settings.clipboard_clear_s))
		rc = sv_err_set(err, SV_ERR_FAIL, "the value is on the clipboard, and nothing will clear it");
	else
		sv_say(cli, "copied; the clipboard is cleared in %u s", (unsigned)settings.clipboard_clear_s);
	sv_buf_clear(&earlier);
	sv_buf_clear(&message);
	return rc;
}

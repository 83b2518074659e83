/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hidden and visible answers from /dev/tty.
 */
#include "cli/prompt.h"

#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define TTY        "/dev/tty"
#define BACKSPACE  0x08
#define DEL_KEY    0x7f
#define ERASE_WORD 0x17 /* ^W: a hidden answer is one word */

/* Signals that end or stop the process, and the one that says that it goes on. */
static const int watched[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT };
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static volatile sig_atomic_t caught[WATCHED];

static void on_signal(int sig)
{
	for (size_t i = 0; i < WATCHED; i++)
		if (watched[i] == sig)
			caught[i] = 1;
}

static bool any_caught(void)
{
	for (size_t i = 0; i < WATCHED; i++)
		if (caught[i])
			return true;
	return false;
}

bool sv_prompt_possible(void)
{
	int fd = open(TTY, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static enum sv_code open_tty(int *fd, struct sv_err *err)
{
	*fd = open(TTY, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *fd >= 0 ? SV_OK : sv_err_sys(err, SV_ERR_IO, errno, "there is no terminal to ask on");
}

enum sv_code sv_prompt_show(const void *p, size_t n, struct sv_err *err)
{
	enum sv_code rc;
	int fd;

	if ((rc = open_tty(&fd, err)) != SV_OK)
		return rc;
	rc = sv_write_all(fd, p, n, err);
	(void)close(fd);
	return rc;
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

struct answer {
	struct sv_secret *bytes; /* room for max + 1 */
	size_t len, max;
	bool too_long, eof;
};

/* Take back one character: its UTF-8 continuation bytes too. */
static void rub_out(struct answer *a)
{
	unsigned char *p = sv_secret_peek(a->bytes);

	while (a->len > 0) {
		unsigned char last = p[--a->len];

		p[a->len] = 0;
		if ((last & 0xc0) != 0x80)
			break;
	}
}

/* true when the byte ends the answer. */
static bool take_byte(struct answer *a, unsigned char c, const struct termios *tio)
{
	if (c == '\n' || c == '\r')
		return true;
	if (c == (unsigned char)tio->c_cc[VEOF] && a->len == 0) {
		a->eof = true;
		return true;
	}
	if (c == (unsigned char)tio->c_cc[VERASE] || c == DEL_KEY || c == BACKSPACE) {
		rub_out(a);
	} else if (c == (unsigned char)tio->c_cc[VKILL] || c == ERASE_WORD) {
		sv_wipe(sv_secret_peek(a->bytes), a->len);
		a->len = 0;
		a->too_long = false;
	} else if (a->len == a->max) {
		a->too_long = true;
	} else {
		sv_secret_peek(a->bytes)[a->len++] = c;
	}
	return false;
}

static enum sv_code read_answer(int fd, struct answer *a, const struct termios *tio, struct sv_err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t held, before;
	unsigned char c = 0;
	enum sv_code rc = SV_OK;

	/* Signals arrive inside ppoll(2) only: one between the look and a read would wait for the next key. */
	(void)sigemptyset(&held);
	for (size_t i = 0; i < WATCHED; i++)
		if (watched[i] != SIGTTIN &&
		    watched[i] != SIGTTOU) /* blocked, they would fail the read of a background job */
			(void)sigaddset(&held, watched[i]);
	(void)sigprocmask(SIG_BLOCK, &held, &before);
	while (!any_caught()) {
		ssize_t n;

		if (ppoll(&p, 1, NULL, &before) < 0 && errno == EINTR)
			continue;
		n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read from the terminal");
			break;
		}
		if (n == 0) {
			a->eof = true;
			break;
		}
		if (take_byte(a, c, tio))
			break;
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	sv_wipe(&c, 1);
	return rc;
}

/* ---- asking -------------------------------------------------------------------------------------------------------
 */

static void watch(struct sigaction old[WATCHED])
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal; /* without SA_RESTART: read(2) must come back */
	(void)sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < WATCHED; i++) {
		caught[i] = 0;
		(void)sigaction(watched[i], &sa, &old[i]);
		/* What was ignored stays ignored (nohup, a shell without job control). */
		if (old[i].sa_handler == SIG_IGN)
			(void)sigaction(watched[i], &old[i], NULL);
	}
}

static void unwatch(const struct sigaction old[WATCHED])
{
	for (size_t i = 0; i < WATCHED; i++)
		(void)sigaction(watched[i], &old[i], NULL);
}

/* Raise what came meanwhile; true when the process was stopped or continued and the question must be asked again. */
static bool deliver(void)
{
	bool again = false;

	for (size_t i = 0; i < WATCHED; i++) {
		if (!caught[i])
			continue;
		if (watched[i] == SIGTSTP || watched[i] == SIGTTIN || watched[i] == SIGTTOU || watched[i] == SIGCONT)
			again = true;
		if (watched[i] != SIGCONT)
			(void)kill(getpid(), watched[i]);
	}
	return again;
}

static bool set_terminal(int fd, const struct termios *tio)
{
	while (tcsetattr(fd, TCSAFLUSH, tio) != 0)
		if (errno != EINTR || any_caught())
			return false;
	return true;
}

/* One attempt; *again when a signal cut it short and the process lives on. */
static enum sv_code ask_once(int fd, const char *text, bool hidden, struct answer *a, bool *again, struct sv_err *err)
{
	struct sigaction old[WATCHED];
	struct termios before, now;
	enum sv_code rc = SV_OK;
	bool changed = false;

	*again = false;
	if (tcgetattr(fd, &before) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "the terminal does not answer");
	now = before;
	if (hidden) {
		now.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ICANON | IEXTEN);
		now.c_lflag |= ISIG;
		now.c_cc[VMIN] = 1;
		now.c_cc[VTIME] = 0;
	}
	watch(old);
	if (hidden) {
		changed = set_terminal(fd, &now);
		if (!changed && !any_caught())
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot turn off the terminal's echo");
	}
	if (rc == SV_OK && !any_caught())
		rc = sv_write_all(fd, text, strlen(text), err);
	if (rc == SV_OK)
		rc = read_answer(fd, a, &before, err);
	if (changed) {
		/* SIGTTOU must not keep the terminal from being put back when the process is in the background by now.
		 */
		sigset_t block, mask;

		(void)sigemptyset(&block);
		(void)sigaddset(&block, SIGTTOU);
		(void)sigprocmask(SIG_BLOCK, &block, &mask);
		while (tcsetattr(fd, TCSAFLUSH, &before) != 0 && errno == EINTR)
			;
		if (write(fd, "\n", 1) < 0) {
			/* only the look of the screen */
		}
		(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	}
	unwatch(old);
	if (any_caught()) {
		*again = deliver();
		if (!*again && rc == SV_OK)
			rc = sv_err_set(err, SV_ERR_FAIL, "interrupted");
	}
	return rc;
}

static enum sv_code ask(const char *text, bool hidden, struct answer *a, struct sv_err *err)
{
	enum sv_code rc;
	bool again;
	int fd;

	if ((rc = open_tty(&fd, err)) != SV_OK)
		return rc;
	do {
		sv_wipe(sv_secret_peek(a->bytes), a->len);
		a->len = 0;
		a->too_long = a->eof = false;
		rc = ask_once(fd, text, hidden, a, &again, err);
	} while (rc == SV_OK && again);
	(void)close(fd);
	return rc;
}

enum sv_code sv_prompt_secret(const char *text, size_t max, struct sv_secret **out, struct sv_err *err)
{
	struct answer a = { .max = max };
	enum sv_code rc;

	*out = NULL;
	a.bytes = sv_secret_new(max);
	if (a.bytes == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the answer");
	rc = ask(text, true, &a, err);
	if (rc == SV_OK && a.too_long)
		rc = sv_err_set(err, SV_ERR_TOO_BIG, "the answer is longer than %zu bytes", max);
	else if (rc == SV_OK && a.len == 0)
		rc = sv_err_set(err, SV_ERR_USAGE, a.eof ? "no answer was given" : "the answer is empty");
	if (rc == SV_OK) {
		sv_secret_cut(a.bytes, a.len);
		*out = a.bytes;
		a.bytes = NULL;
	}
	sv_secret_free(&a.bytes);
	return rc;
}

enum sv_code sv_prompt_yes(const char *text, bool *yes, struct sv_err *err)
{
	struct answer a = { .max = 64 };
	const unsigned char *p;
	enum sv_code rc;

	*yes = false;
	a.bytes = sv_secret_new(a.max);
	if (a.bytes == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the answer");
	rc = ask(text, false, &a, err);
	p = sv_secret_cpeek(a.bytes);
	if (rc == SV_OK)
		*yes = !a.too_long &&
		       ((a.len == 1 && (p[0] == 'y' || p[0] == 'Y')) || (a.len == 3 && memcmp(p, "yes", 3) == 0));
	sv_secret_free(&a.bytes);
	return rc;
}

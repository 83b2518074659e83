/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an editor session that lives in the private namespace: it starts the editor, waits for it and everything
 * it leaves running, stops when it stops, and keeps the draft when `sv` is gone.
 */
#include "cli/edit/session_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#define GRACE_MS      2000 /* for an editor that was told to end */
#define BACKGROUND_MS 300  /* for processes that the editor leaves behind */

struct helper {
	const struct sv_edit_helper_args *a;
	struct sv_private where;
	int sock;
	pid_t editor;
	struct sv_buf head; /* of a draft */
	unsigned char pk[SV_DRAFT_PK_BYTES];
	char state_dir[SV_PATH_BYTES], vault[SV_PATH_BYTES];
	unsigned char first[crypto_generichash_BYTES]; /* of the text as it was first given to the editor */
	bool armed, have_first;
	bool gone; /* sv is */
};

static volatile sig_atomic_t child_event;

static void on_child(int sig)
{
	child_event = sig;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void settle_in(int sock)
{
	struct sigaction sa;
	static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE, SIGTTOU };
	sigset_t block;

	memset(&sa, 0, sizeof(sa));
	(void)sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &sa, NULL);
	sa.sa_handler = on_child;
	(void)sigaction(SIGCHLD, &sa, NULL);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &block, NULL);
#ifdef __linux__
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#endif
	for (int fd = 3; fd < 256; fd++)
		if (fd != sock)
			(void)close(fd);
}

/* ---- the place --------------------------------------------------------------------------------------------------- */

static enum sv_code find_place(struct helper *h, char fell_back[256], struct sv_err *err)
{
	enum sv_code rc = SV_ERR_UNSUPPORTED;

	fell_back[0] = '\0';
	if (h->a->level == SV_PLACE_PRIVATE) {
		rc = sv_private_enter(h->a->mount_point, &h->where, err);
		if (rc == SV_OK)
			return rc;
		(void)snprintf(fell_back, 256, "%.255s", err->msg);
	}
	if (h->a->level != SV_PLACE_INSECURE) {
		rc = sv_private_shared(h->a->runtime_dir, &h->where, err);
		if (rc == SV_OK)
			return rc;
		(void)snprintf(fell_back, 256, "%.255s", err->msg);
	}
	if (!h->a->insecure)
		return sv_err_set(err, SV_ERR_DENIED, "there is no place in memory for the text (%.200s)", fell_back);
	return sv_private_insecure(&h->where, err);
}

static bool report_place(struct helper *h, enum sv_code rc, const char *fell_back, const struct sv_err *err)
{
	struct sv_buf b = SV_BUF_INIT;
	bool ok;

	if (rc != SV_OK)
		ok = sv_buf_put_u16(&b, (uint16_t)rc) == SV_OK &&
		     sv_buf_put_str16(&b, err->msg, strnlen(err->msg, 400)) == SV_OK &&
		     sv_edit_send(h->sock, SV_EDIT_FAILED, &b, -1, NULL) == SV_OK;
	else
		ok = sv_buf_put_u8(&b, (uint8_t)h->where.level) == SV_OK &&
		     sv_buf_put_u8(&b, h->where.may_swap) == SV_OK &&
		     sv_buf_put_str16(&b, h->where.dir, strlen(h->where.dir)) == SV_OK &&
		     sv_buf_put_str16(&b, fell_back, strlen(fell_back)) == SV_OK &&
		     sv_edit_send(h->sock, SV_EDIT_READY, &b, h->where.fd, NULL) == SV_OK;
	sv_buf_clear(&b);
	return ok && rc == SV_OK;
}

/* ---- a draft without sv ------------------------------------------------------------------------------------------ */

static bool get_path(struct sv_buf *b, char out[SV_PATH_BYTES])
{
	const char *p;
	size_t n;

	if (sv_buf_peek_str16(b, &p, &n, SV_PATH_BYTES - 1) != SV_OK)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static void arm(struct helper *h, struct sv_buf *b)
{
	h->armed = sv_buf_get(b, h->pk, sizeof(h->pk)) == SV_OK && get_path(b, h->state_dir) && get_path(b, h->vault);
	sv_buf_reset(&h->head);
	if (h->armed && sv_buf_put(&h->head, sv_buf_head(b), sv_buf_unread(b)) != SV_OK)
		h->armed = false;
}

static bool digest_file(struct helper *h, bool copies, struct sv_buf *text, unsigned char out[crypto_generichash_BYTES])
{
	return sv_edit_read_file(h->where.fd, h->a->file, copies, text, NULL) == SV_OK &&
	       crypto_generichash(out, crypto_generichash_BYTES, text->data, text->len, NULL, 0) == 0;
}

static void keep_draft(struct helper *h)
{
	struct sv_buf text = SV_BUF_LOCKED(2 * SV_DOC_BYTES_MAX);
	unsigned char now[crypto_generichash_BYTES];

	if (!h->armed || !digest_file(h, true, &text, now))
		goto out;
	if (h->have_first && memcmp(now, h->first, sizeof(now)) == 0)
		goto out;
	/* Nobody is left to hear of a failure. */
	if (sv_draft_put_text(&h->head, text.data, text.len, NULL) == SV_OK &&
	    sv_draft_save_file(h->state_dir, h->vault, h->pk, &h->head, NULL) == SV_OK)
		h->armed = false;
out:
	sv_buf_clear(&text);
}

/* ---- the editor -------------------------------------------------------------------------------------------------- */

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((noreturn))
become_editor(struct helper *h, char **argv, const char env[2][512], bool hand_off, int report)
{
	enum sv_code banned = SV_OK;
	int e;

#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
#endif
	reset_signals();
	(void)setenv("TMPDIR", h->where.dir, 1);
	for (int i = 0; i < 2; i++) {
		char name[64];
		const char *eq = strchr(env[i], '=');

		if (eq == NULL || eq - env[i] >= (int)sizeof(name))
			continue;
		memcpy(name, env[i], (size_t)(eq - env[i]));
		name[eq - env[i]] = '\0';
		(void)setenv(name, eq + 1, 1);
	}
	/*
	 * An editor that hands the file over must reach its other process; the ban would only break it.  A kernel
	 * without Landlock leaves the editor's own settings, which are made beforehand.
	 */
	if (!hand_off && h->where.level != SV_PLACE_INSECURE)
		banned = sv_private_ban_writes(&h->where, NULL);
	(void)banned;
	(void)execvp(argv[0], argv);
	e = errno;
	if (write(report, &e, sizeof(e)) != (ssize_t)sizeof(e))
		_exit(127);
	_exit(127);
}

struct command {
	char *argv[SV_EDITOR_WORDS_MAX + 1];
	char env[2][512];
	uint8_t hand_off;
};

static bool parse_command(struct helper *h, struct sv_buf *b, struct command *c)
{
	const char *p;
	uint16_t n;
	size_t len;

	memset(c, 0, sizeof(*c));
	if (sv_buf_get_u16(b, &n) != SV_OK || n == 0 || n > SV_EDITOR_WORDS_MAX)
		return false;
	for (uint16_t i = 0; i < n; i++) {
		if (sv_buf_peek_str16(b, &p, &len, UINT16_MAX) != SV_OK || (c->argv[i] = strndup(p, len)) == NULL)
			return false;
	}
	for (int i = 0; i < 2; i++) {
		if (sv_buf_peek_str16(b, &p, &len, sizeof(c->env[i]) - 1) != SV_OK)
			return false;
		memcpy(c->env[i], p, len);
	}
	if (sv_buf_get_u8(b, &c->hand_off) != SV_OK || sv_buf_peek_str16(b, &p, &len, UINT16_MAX) != SV_OK)
		return false;
	if (len > 0) {
		int fd = openat(h->where.fd, SV_EDITOR_RC_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
				0600);

		if (fd < 0 || sv_write_all(fd, p, len, NULL) != SV_OK || close(fd) != 0)
			return false;
	}
	return true;
}

/* Start it; 0 or the errno of the exec. */
static int start_editor(struct helper *h, struct sv_buf *b)
{
	struct command c;
	int report[2], e = 0;
	ssize_t n;

	if (!parse_command(h, b, &c))
		return EINVAL;
	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	h->editor = fork();
	if (h->editor == 0)
		become_editor(h, c.argv, (const char(*)[512])c.env, c.hand_off != 0, report[1]);
	e = h->editor < 0 ? errno : 0;
	(void)close(report[1]);
	if (e == 0) {
		do
			n = read(report[0], &e, sizeof(e));
		while (n < 0 && errno == EINTR);
		if (n != (ssize_t)sizeof(e))
			e = 0;
	}
	(void)close(report[0]);
	for (size_t i = 0; c.argv[i] != NULL; i++)
		free(c.argv[i]);
	return e;
}

/* An editor that stops only itself: stop with it, so that the shell gets the terminal, and go on with it. */
static void stop_too(pid_t editor)
{
	const struct timespec moment = { 0, 50000000 };
	int status;

	/* When the whole group was stopped we are here after it was continued. */
	(void)nanosleep(&moment, NULL);
	if (waitpid(editor, &status, WNOHANG | WCONTINUED) == editor)
		return;
	(void)kill(0, SIGTSTP);
	(void)kill(editor, SIGCONT);
}

struct watch {
	bool ended;  /* the editor has */
	bool others; /* children are left */
	int status;
};

static void reap(struct helper *h, struct watch *w)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
		if (pid <= 0)
			break;
		if (WIFSTOPPED(status)) {
			if (pid == h->editor)
				stop_too(pid);
			continue;
		}
		if (pid == h->editor) {
			w->ended = true;
			w->status = status;
		}
	}
	w->others = pid == 0;
}

static void send_end(struct helper *h, const struct watch *w, int start_errno, bool background)
{
	const uint32_t v[4] = { w->ended && WIFEXITED(w->status),
				(uint32_t)(!w->ended              ? 0
					   : WIFEXITED(w->status) ? WEXITSTATUS(w->status)
								  : WTERMSIG(w->status)),
				(uint32_t)start_errno, background };
	struct sv_buf b = SV_BUF_INIT;

	for (int i = 0; i < 4; i++)
		if (sv_buf_put_u32(&b, v[i]) != SV_OK)
			_exit(1);
	(void)sv_edit_send(h->sock, SV_EDIT_END, &b, -1, NULL);
	sv_buf_clear(&b);
}

/* Tell the editor to end, and see that it does. */
static void end_editor(struct helper *h, struct watch *w, int sig)
{
	const struct timespec moment = { 0, 20000000 };
	int64_t until = now_ms() + GRACE_MS;

	if (w->ended)
		return;
	(void)kill(h->editor, sig);
	(void)kill(h->editor, SIGCONT);
	while (!w->ended) {
		reap(h, w);
		if (!w->ended && now_ms() > until)
			(void)kill(h->editor, SIGKILL);
		if (!w->ended)
			(void)nanosleep(&moment, NULL);
	}
}

static void run(struct helper *h, struct sv_buf *b)
{
	struct watch w = { 0 };
	struct sv_buf body = SV_BUF_INIT;
	struct pollfd p = { .fd = h->sock, .events = POLLIN };
	int64_t patience = 0;
	bool told = false, enough = false;
	sigset_t open_mask;
	int e = start_editor(h, b);

	if (e != 0) {
		reap(h, &w);
		w.ended = false;
		send_end(h, &w, e, false);
		return;
	}
	(void)sigemptyset(&open_mask);
	for (;;) {
		struct timespec wait = { 0, BACKGROUND_MS / 3 * 1000000L };
		enum sv_edit_word word;
		uint32_t sig = SIGHUP;

		reap(h, &w);
		if (w.ended && patience == 0)
			patience = now_ms() + BACKGROUND_MS;
		if (w.ended && (!w.others || enough))
			break;
		if (w.ended && !told && now_ms() > patience) {
			send_end(h, &w, 0, true);
			told = true;
		}
		if (ppoll(&p, 1, w.ended && !told ? &wait : NULL, &open_mask) <= 0 || p.revents == 0)
			continue;
		if (sv_edit_receive(h->sock, &word, &body, NULL, NULL) != SV_OK || word == SV_EDIT_DONE) {
			h->gone = true;
			end_editor(h, &w, SIGHUP);
			break;
		}
		if (word == SV_EDIT_STOP) {
			if (sv_buf_get_u32(&body, &sig) != SV_OK)
				sig = SIGHUP;
			end_editor(h, &w, (int)sig);
			enough = true;
		}
		enough = enough || word == SV_EDIT_ENOUGH;
	}
	sv_buf_clear(&body);
	if (!h->gone)
		send_end(h, &w, 0, false);
}

void sv_edit_helper(const struct sv_edit_helper_args *a)
{
	struct helper h = { .a = a,
			    .where = { .fd = -1 },
			    .sock = a->sock,
			    .editor = -1,
			    .head = SV_BUF_LOCKED(SV_DOC_BYTES_MAX * 5) };
	struct sv_buf body = SV_BUF_LOCKED(SV_DOC_BYTES_MAX * 4);
	struct sv_buf text = SV_BUF_LOCKED(2 * SV_DOC_BYTES_MAX);
	struct sv_err err = SV_ERR_INIT;
	char fell_back[256];
	enum sv_edit_word word;
	enum sv_code rc;

	settle_in(a->sock);
	rc = sodium_init() < 0 ? SV_ERR_FAIL : find_place(&h, fell_back, &err);
	if (!report_place(&h, rc, fell_back, &err))
		_exit(1);
	while (!h.gone) {
		if (sv_edit_receive(h.sock, &word, &body, NULL, NULL) != SV_OK) {
			h.gone = true;
			break;
		}
		if (word == SV_EDIT_DONE)
			break;
		if (word == SV_EDIT_ARM)
			arm(&h, &body);
		if (word == SV_EDIT_RUN) {
			if (!h.have_first)
				h.have_first = digest_file(&h, false, &text, h.first);
			sv_buf_clear(&text);
			run(&h, &body);
		}
	}
	if (h.gone)
		keep_draft(&h);
	sv_private_remove(&h.where);
	sv_buf_clear(&h.head);
	sv_buf_clear(&body);
	_exit(0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop over the program's streams, the keyboard, and signals.
 *
 * Signals go on from the handler itself, so that they do not wait for a reader of our output.
 */
#include "cli/mask/supervisor.h"

#include "cli/mask/outlet.h"
#include "cli/mask/pty.h"
#include "cli/mask/pump.h"
#include "cli/mask/signals.h"
#include "vault/base/secmem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)
/* After the program's end, others may hold its streams: what was in them by then is read, at most this and so long. */
#define LAST_BYTES ((size_t)256 << 10)
#define LAST_MS    100

enum kind { TERMINAL, DIRECT, PIPED };

struct stream {
	int src; /* -1: at its end */
	struct sv_outlet out;
	struct sv_filter *f;
};

struct sup {
	const struct sv_supervise *s;
	struct sv_child child;
	struct stream stream[2];
	size_t n_streams;
	struct sv_pty tty, err_tty; /* the controlling one; one for stderr alone */
	bool session;               /* the program has a session of its own */
	bool keys_on;               /* the keyboard is ours to read */
	int key_fd;
	struct sv_raw raw;
	unsigned char keys[4096];
	size_t key_off, key_len;
	unsigned char *chunk;
	bool ended;
	int how;
	size_t last_bytes;
	enum sv_code rc;
	struct sv_err err;
};

static enum kind kind_of(int fd, bool files)
{
	struct stat st;

	if (isatty(fd) == 1)
		return TERMINAL;
	if (fstat(fd, &st) != 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return DIRECT;
	return S_ISREG(st.st_mode) && !files ? DIRECT : PIPED;
}

bool sv_supervise_needed(bool files)
{
	return kind_of(STDOUT_FILENO, files) != DIRECT || kind_of(STDERR_FILENO, files) != DIRECT;
}

static bool same_terminal(int a, int b)
{
	struct stat x;
	struct stat y;

	return isatty(a) == 1 && isatty(b) == 1 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_rdev == y.st_rdev;
}

/* The first failure counts; no more comes out after it. */
static void fail(struct sup *u, enum sv_code rc)
{
	if (u->rc == SV_OK)
		u->rc = rc;
}

static void close_stream(struct sup *u, struct stream *t)
{
	if (t->src < 0)
		return;
	if (t->src != u->tty.master && t->src != u->err_tty.master)
		(void)close(t->src);
	t->src = -1;
}

/* What became of writing: a reader that went away is the program's business, as it would be without us. */
static void result(struct sup *u, struct stream *t, enum sv_code rc, const struct sv_err *err)
{
	if (rc == SV_OK)
		return;
	sv_outlet_clear(&t->out);
	close_stream(u, t);
	if (rc == SV_ERR_IO && err->sys_errno == EPIPE)
		return;
	if (u->rc == SV_OK)
		u->err = *err;
	fail(u, rc);
	for (size_t i = 0; i < u->n_streams; i++)
		close_stream(u, &u->stream[i]);
	/* As when a terminal goes away. */
	if (u->session && u->child.pid > 0)
		(void)kill(-u->child.pid, SIGHUP);
}

static enum sv_code add_stream(struct sup *u, int src, int to, struct sv_err *err)
{
	struct stream *t = &u->stream[u->n_streams++];

	*t = (struct stream){ .src = src, .out = SV_OUTLET_INIT(to) };
	sv_outlet_unblock(&t->out);
	t->f = sv_filter_new(u->s->set, SV_MATCH_SEQUENCES, sv_outlet_write, &t->out);
	return t->f != NULL ? SV_OK : sv_err_set(err, SV_ERR_NOMEM, "no memory for the filter");
}

/* A pipe for stream fd; *end is the program's. */
static enum sv_code add_pipe(struct sup *u, int fd, int *end, struct sv_err *err)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a pipe");
	/* Only our end: the program's is an open file of its own. */
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	*end = p[1];
	return add_stream(u, p[0], fd, err);
}

/* Decide what each stream becomes; plan->fd is what the program gets, made[] what is to be closed afterwards. */
static enum sv_code arrange(struct sup *u, struct sv_child_plan *plan, int made[2], struct sv_err *err)
{
	const enum kind out = kind_of(STDOUT_FILENO, u->s->files);
	const enum kind second = kind_of(STDERR_FILENO, u->s->files);
	enum sv_code rc = SV_OK;

	u->session = out == TERMINAL;
	if (u->session) {
		if ((rc = sv_pty_open(&u->tty, STDOUT_FILENO, false, err)) != SV_OK)
			return rc;
		plan->terminal = plan->fd[1] = u->tty.slave;
		if (same_terminal(STDIN_FILENO, STDOUT_FILENO))
			plan->fd[0] = u->tty.slave;
		u->key_fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (u->key_fd >= 0 && sv_raw_foreground(u->key_fd) && tcgetpgrp(u->key_fd) < 0) {
			(void)close(u->key_fd);
			u->key_fd = -1;
		}
		if (u->key_fd < 0)
			u->key_fd = fcntl(plan->fd[0] == u->tty.slave ? STDIN_FILENO : STDOUT_FILENO, F_DUPFD_CLOEXEC,
					  3);
		u->keys_on = plan->fd[0] == u->tty.slave;
		rc = add_stream(u, u->tty.master, STDOUT_FILENO, err);
	} else if (out == PIPED) {
		rc = add_pipe(u, STDOUT_FILENO, &made[0], err);
		plan->fd[1] = made[0];
	}
	if (rc != SV_OK)
		return rc;
	if (second == TERMINAL && u->session && same_terminal(STDOUT_FILENO, STDERR_FILENO)) {
		plan->fd[2] = u->tty.slave;
	} else if (second == TERMINAL) {
		if ((rc = sv_pty_open(&u->err_tty, STDERR_FILENO, true, err)) != SV_OK)
			return rc;
		plan->fd[2] = u->err_tty.slave;
		rc = add_stream(u, u->err_tty.master, STDERR_FILENO, err);
	} else if (second == PIPED) {
		rc = add_pipe(u, STDERR_FILENO, &made[1], err);
		plan->fd[2] = made[1];
	}
	return rc;
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* true when there may be more. */
static bool read_stream(struct sup *u, struct stream *t)
{
	struct sv_err err = SV_ERR_INIT;
	enum sv_code rc;
	ssize_t n;

	if (t->src < 0 || sv_outlet_full(&t->out))
		return false;
	n = read(t->src, u->chunk, CHUNK);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0) {
		u->last_bytes += (size_t)n;
		rc = sv_filter_put(t->f, u->chunk, (size_t)n, sv_pump_now_ms(), &err);
	} else {
		close_stream(u, t); /* EIO is how a pseudo-terminal ends */
		rc = sv_filter_finish(t->f, &err);
	}
	result(u, t, rc, &err);
	return n > 0 && rc == SV_OK;
}

static void resume(struct sup *u)
{
	if (u->keys_on)
		sv_raw_enter(&u->raw);
	sv_pty_resize(&u->tty, STDOUT_FILENO);
	sv_pty_resize(&u->err_tty, STDERR_FILENO);
	if (u->child.pid > 0)
		(void)kill(u->session ? -u->child.pid : u->child.pid, SIGCONT);
}

/* The program has stopped, so we do; what it wrote before is shown first. */
static void stop(struct sup *u, int sig)
{
	struct sv_err err = SV_ERR_INIT;

	for (size_t i = 0; i < u->n_streams; i++) {
		while (read_stream(u, &u->stream[i]))
			;
		if (u->stream[i].out.fd >= 0)
			result(u, &u->stream[i], sv_outlet_flush(&u->stream[i].out, false, &err), &err);
	}
	sv_raw_leave(&u->raw);
	sv_signals_stop(u->session ? sig : SIGSTOP, u->session);
	resume(u);
}

static void look_at_child(struct sup *u)
{
	int how;

	while (!u->ended && sv_child_changed(&u->child, &how)) {
		if (WIFSTOPPED(how)) {
			stop(u, WSTOPSIG(how));
			continue;
		}
		u->ended = true;
		u->how = how;
		u->last_bytes = 0;
		sv_signals_forward_to(0, false);
		/* Without the last slave the pseudo-terminals come to their end. */
		sv_pty_close_slave(&u->tty);
		sv_pty_close_slave(&u->err_tty);
		sv_child_release(&u->child);
	}
}

static void read_keys(struct sup *u)
{
	ssize_t n;

	if (!sv_raw_foreground(u->key_fd)) {
		u->raw.on = false; /* somebody else's now; SIGCONT says when it is ours again */
		return;
	}
	n = read(u->key_fd, u->keys, sizeof(u->keys));
	if (n > 0) {
		u->key_off = 0;
		u->key_len = (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		u->keys_on = false;
	}
}

static void write_keys(struct sup *u)
{
	while (u->key_off < u->key_len) {
		ssize_t n = write(u->tty.master, u->keys + u->key_off, u->key_len - u->key_off);

		if (n <= 0)
			break;
		u->key_off += (size_t)n;
	}
	if (u->key_off == u->key_len) {
		sv_wipe(u->keys, u->key_len);
		u->key_off = u->key_len = 0;
	}
}

static bool open_streams(const struct sup *u)
{
	for (size_t i = 0; i < u->n_streams; i++)
		if (u->stream[i].src >= 0 || sv_outlet_full(&u->stream[i].out))
			return true;
	return false;
}

static int wait_ms(const struct sup *u, uint64_t now)
{
	int least = u->ended ? LAST_MS : -1;

	for (size_t i = 0; i < u->n_streams; i++) {
		const struct stream *t = &u->stream[i];
		int ms = t->src >= 0 && !sv_outlet_full(&t->out) ? sv_filter_wait_ms(t->f, now) : -1;

		/* What waits for a reader is not given up. */
		if (u->ended && sv_outlet_full(&t->out))
			least = least == LAST_MS ? -1 : least;
		if (ms >= 0 && (least < 0 || ms < least))
			least = ms;
	}
	return least;
}

enum { WAKE, REPORT, KEYS, MASTER, STREAMS, N_FDS = STREAMS + 4 };

static int wait_for_something(struct sup *u, struct pollfd p[N_FDS])
{
	bool keys = u->keys_on && !u->ended && u->tty.master >= 0;

	for (int i = 0; i < N_FDS; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[WAKE].fd = sv_signals_fd();
	p[REPORT].fd = u->ended ? -1 : u->child.report;
	p[KEYS].fd = keys && u->raw.on && u->key_len == 0 ? u->key_fd : -1;
	p[MASTER] = (struct pollfd){ .fd = keys && u->key_len > 0 ? u->tty.master : -1, .events = POLLOUT };
	for (size_t i = 0; i < u->n_streams; i++) {
		const struct stream *t = &u->stream[i];

		if (sv_outlet_full(&t->out))
			p[STREAMS + 2 * i] = (struct pollfd){ .fd = t->out.fd, .events = POLLOUT };
		else
			p[STREAMS + 2 * i + 1].fd = t->src;
	}
	return poll(p, N_FDS, wait_ms(u, sv_pump_now_ms()));
}

/* The streams' part of one turn; true when something came. */
static bool serve_streams(struct sup *u, const struct pollfd p[N_FDS])
{
	bool came = false;

	for (size_t i = 0; i < u->n_streams; i++) {
		struct stream *t = &u->stream[i];
		struct sv_err err = SV_ERR_INIT;

		if (p[STREAMS + 2 * i].revents != 0 && sv_outlet_full(&t->out)) {
			result(u, t, sv_outlet_flush(&t->out, false, &err), &err);
			came = true;
		}
		if (p[STREAMS + 2 * i + 1].revents != 0) {
			(void)read_stream(u, t);
			came = true;
		} else if (t->src >= 0 && !sv_outlet_full(&t->out)) {
			result(u, t, sv_filter_idle(t->f, sv_pump_now_ms(), &err), &err);
		}
	}
	return came;
}

static void loop(struct sup *u)
{
	struct pollfd p[N_FDS];

	while (!u->ended || open_streams(u)) {
		int ready = wait_for_something(u, p);
		unsigned what = sv_signals_take();
		bool came;

		if (what & SV_SIGNALS_CONTINUED)
			resume(u);
		if (what & SV_SIGNALS_RESIZED) {
			sv_pty_resize(&u->tty, STDOUT_FILENO);
			sv_pty_resize(&u->err_tty, STDERR_FILENO);
		}
		/* Interrupted: what was taken is dealt with all the same. */
		for (int i = 0; i < N_FDS && ready < 0; i++)
			p[i].revents = 0;
		came = serve_streams(u, p);
		if (u->session && !u->keys_on && !u->ended && u->key_len == 0 && came && sv_pty_wants_keys(&u->tty)) {
			u->keys_on = true;
			sv_raw_enter(&u->raw);
		}
		if (p[MASTER].revents != 0)
			write_keys(u);
		if (p[KEYS].revents != 0) {
			read_keys(u);
			write_keys(u);
		}
		if (u->ended && ((ready == 0 && wait_ms(u, 0) == LAST_MS) || u->last_bytes > LAST_BYTES))
			break;
		if ((what & SV_SIGNALS_CHILD) || p[REPORT].revents != 0) {
			look_at_child(u);
			sv_child_reap_others(&u->child);
		}
	}
}

/* What is held was no value; what nobody has read yet is waited for. */
static void finish(struct sup *u)
{
	for (size_t i = 0; i < u->n_streams; i++) {
		struct stream *t = &u->stream[i];
		struct sv_err err = SV_ERR_INIT;

		if (t->src >= 0) {
			close_stream(u, t);
			result(u, t, sv_filter_finish(t->f, &err), &err);
		}
		if (t->out.fd >= 0)
			result(u, t, sv_outlet_flush(&t->out, true, &err), &err);
	}
}

static void tidy(struct sup *u)
{
	sv_raw_leave(&u->raw);
	for (size_t i = 0; i < u->n_streams; i++) {
		close_stream(u, &u->stream[i]);
		sv_filter_free(u->stream[i].f);
		sv_outlet_clear(&u->stream[i].out);
	}
	sv_pty_close(&u->tty);
	sv_pty_close(&u->err_tty);
	if (u->key_fd >= 0)
		(void)close(u->key_fd);
	sv_wipe(u->keys, sizeof(u->keys));
	sv_secmem_free(u->chunk);
}

enum sv_code sv_supervise_run(const struct sv_supervise *s, int *how, int *status, struct sv_err *err)
{
	struct sup u = { .s = s, .tty = SV_PTY_INIT, .err_tty = SV_PTY_INIT, .key_fd = -1, .child = { .report = -1 } };
	struct sv_child_plan plan = { .argv = s->argv, .env = s->env, .fd = { 0, 1, 2 }, .terminal = -1 };
	int made[2] = { -1, -1 };
	enum sv_code rc;
	int fd;

	/* A closed stream must not be taken by what is opened here. */
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3)
		;
	if (fd >= 0)
		(void)close(fd);
	*status = 125;
	if ((u.chunk = sv_secmem_alloc(CHUNK)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory to read with");
	rc = arrange(&u, &plan, made, err);
	if (rc == SV_OK)
		rc = sv_signals_open(&plan, err);
	if (rc == SV_OK) {
		plan.own_group = !u.session && !has_terminal();
		rc = sv_child_start(&plan, &u.child, status, err);
	}
	sv_child_env_wipe(s->env);
	for (int i = 0; i < 2; i++)
		if (made[i] >= 0)
			(void)close(made[i]);
	if (rc == SV_OK) {
		u.raw.fd = u.key_fd;
		if (u.keys_on)
			sv_raw_enter(&u.raw);
		sv_signals_forward_to(u.child.pid, u.session || plan.own_group);
		sv_signals_unblock();
		loop(&u);
		finish(&u);
		*how = u.how;
		rc = u.rc;
		if (rc != SV_OK) {
			*status = 1;
			if (err != NULL)
				*err = u.err;
		}
	}
	tidy(&u);
	sv_signals_close();
	return rc;
}

int sv_supervise_end_like(int how)
{
	const struct rlimit none = { 0, 0 };

	if (WIFEXITED(how))
		return WEXITSTATUS(how);
	/* The program may have left a core file; ours would hold values. */
	(void)setrlimit(RLIMIT_CORE, &none);
	sv_signals_die(WTERMSIG(how));
	return 128 + WTERMSIG(how);
}

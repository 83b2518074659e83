/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppoll over the listening socket and the connections.
 */
#include "agent/server.h"

#include "agent/conn.h"
#include "agent/dispatch.h"
#include "agent/log.h"
#include "proto/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCEPT_PAUSE_MS 100 /* out of descriptors: try again later, do not spin */
#define SIGNAL_TURNS    32  /* how many busy turns a signal waits at most */

static volatile sig_atomic_t got_lock, got_end;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		got_lock = 1;
	else
		got_end = 1;
}

void sv_server_catch_signals(sigset_t *during)
{
	static const int signals[] = { SIGUSR1, SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa;
	sigset_t block;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&block);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		(void)sigaction(signals[i], &sa, NULL);
		(void)sigaddset(&block, signals[i]);
	}
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigprocmask(SIG_BLOCK, &block, during);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigdelset(during, signals[i]);
}

/* ---- the table ------------------------------------------------------------------------------ */

static void drop(struct sv_agent *a, size_t i)
{
	sv_conn_free(&a->conns[i]);
	a->conns[i] = a->conns[--a->n_conns];
	a->conns[a->n_conns] = NULL;
}

/* All that it has in work is a frame that does not come to its end. */
static bool only_begun(const struct sv_conn *c)
{
	return c->part_ms != 0 && sv_buf_unread(&c->out) == 0 && c->job == NULL && c->tx == NULL && c->load == NULL;
}

static size_t longest_begun(const struct sv_agent *a)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < a->n_conns; i++)
		if (only_begun(a->conns[i]) && a->now.mono_ms - a->conns[i]->part_ms >= SV_BEGUN_SAFE_MS &&
		    (found == SIZE_MAX || a->conns[i]->part_ms < a->conns[found]->part_ms))
			found = i;
	return found;
}

/* The one that began a change or a file longest ago, and has sent nothing more of it since. */
static size_t longest_left(const struct sv_agent *a)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < a->n_conns; i++) {
		const struct sv_conn *c = a->conns[i];

		if ((c->tx == NULL && c->load == NULL) || sv_buf_unread(&c->in) > 0 || sv_buf_unread(&c->out) > 0 ||
		    c->job != NULL || c->ticket != 0 || a->now.mono_ms - c->used_ms < SV_FRAME_WITHIN_MS)
			continue;
		if (found == SIZE_MAX || c->used_ms < a->conns[found]->used_ms)
			found = i;
	}
	return found;
}

/*
 * The connection that has been without a request for longest gives way; where there is none, the one whose frame has
 * been unfinished for longest, then the one that left a change or a file lying: a table full of half frames and
 * abandoned changes would keep everybody out.  Never one that has more in work.
 */
static bool make_place(struct sv_agent *a)
{
	size_t oldest = SIZE_MAX;

	if (a->n_conns < SV_CONNS_MAX)
		return true;
	for (size_t i = 0; i < a->n_conns; i++)
		if (sv_conn_idle(a->conns[i]) &&
		    (oldest == SIZE_MAX || a->conns[i]->used_ms < a->conns[oldest]->used_ms))
			oldest = i;
	if (oldest == SIZE_MAX)
		oldest = longest_begun(a);
	if (oldest == SIZE_MAX)
		oldest = longest_left(a);
	if (oldest == SIZE_MAX)
		return false;
	drop(a, oldest);
	return true;
}

/* Replies that nobody reads may not fill the memory: past the limit, who has owed the reading for longest is closed. */
static void bound_output(struct sv_agent *a)
{
	for (;;) {
		struct sv_conn *oldest = NULL;
		size_t held = 0;

		for (size_t i = 0; i < a->n_conns; i++) {
			struct sv_conn *c = a->conns[i];

			if (c->dead || sv_buf_unread(&c->out) == 0)
				continue;
			held += c->out.cap;
			if (oldest == NULL || c->owed_ms < oldest->owed_ms)
				oldest = c;
		}
		if (held <= SV_OUTPUT_MAX)
			return;
		oldest->dead = true;
		sv_buf_clear(&oldest->out);
		sv_log_event("connection closed: too much output that nobody reads", (long long)held);
	}
}

bool sv_server_adopt(struct sv_agent *a, int fd)
{
	uid_t uid = (uid_t)-1;

	/* Before a byte is read.  Root is another user too, unless we are root. */
	if (sv_endpoint_peer_uid(fd, &uid, NULL) != SV_OK || uid != geteuid()) {
		(void)close(fd);
		a->refused_peers++;
		sv_log_event("connection of another user refused", (long long)uid);
		return false;
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || !make_place(a) ||
	    (a->conns[a->n_conns] = sv_conn_new(fd, a->now.mono_ms)) == NULL) {
		(void)close(fd);
		sv_log_event("connection refused: too many", (long long)a->n_conns);
		return false;
	}
	a->n_conns++;
	return true;
}

/* false: out of descriptors. */
static bool accept_some(struct sv_agent *a)
{
	for (int i = 0; i < SV_ACCEPTS_PER_TURN; i++) {
		int fd = accept4(a->cfg.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS;
		}
		(void)sv_server_adopt(a, fd);
	}
	return true;
}

static size_t input_held(const struct sv_agent *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_conns; i++)
		n += a->conns[i]->in.cap;
	return n;
}

/* ---- one connection's share ----------------------------------------------------------------- */

static void read_clock(struct sv_agent *a)
{
	static const char *const why[] = {
		[SV_IDLE_UNUSED] = "locked: not used",
		[SV_IDLE_TOTAL] = "locked: time is up",
		[SV_IDLE_SLEPT] = "locked: the machine slept",
	};
	enum sv_idle_verdict v;

	a->now = a->cfg.clock(a->cfg.clock_ctx);
	v = sv_idle_look(&a->idle, a->now);
	if (v != SV_IDLE_STAY)
		sv_agent_lock(a, NULL, why[v]);
}

/*
 * Send what is in a->reply.  Making it may have taken longer than the session had left: then nothing of it goes out.
 */
static void send_reply(struct sv_agent *a, struct sv_conn *c)
{
	bool was = sv_agent_unlocked(a);

	read_clock(a);
	if (was && !sv_agent_unlocked(a)) {
		c->dead = true; /* the lock has wiped the reply */
		return;
	}
	if (sv_buf_unread(&a->reply) > 0)
		sv_conn_send(c, &a->reply, a->now.mono_ms);
	if (sv_buf_unread(&c->out) > 0)
		bound_output(a);
}

/* Serve one frame from view, which is c->in or scratch, and keep the rest. */
static void serve_one(struct sv_agent *a, struct sv_conn *c, struct sv_buf *view)
{
	struct sv_frame f;
	size_t need;

	if (sv_frame_peek(view, &f, &need) != SV_ERR_TRUNCATED) {
		(void)sv_dispatch(a, c, view);
		sv_conn_keep(c, view, a->scratch, a->now.mono_ms);
		send_reply(a, c);
		return;
	}
	sv_conn_keep(c, view, a->scratch, a->now.mono_ms);
}

static void share_of(struct sv_agent *a, struct sv_conn *c, short events)
{
	struct sv_buf scratch_view, *view;

	read_clock(a); /* a lock may have closed this connection */
	if (c->dead)
		return;
	if (sv_buf_unread(&c->out) > 0) {
		if ((events & (POLLOUT | POLLERR | POLLHUP)) != 0)
			sv_conn_flush(c, a->now.mono_ms);
		return;
	}
	if (c->closing && c->job == NULL)
		return;
	if (c->watching && c->events != 0) {
		sv_dispatch_event(a, c);
		send_reply(a, c);
		return;
	}
	if (c->job != NULL) {
		sv_dispatch_job(a, c);
		send_reply(a, c);
		return;
	}
	if (c->ticket != 0) {
		if ((events & (POLLERR | POLLHUP)) != 0)
			c->dead = true; /* nobody waits for the answer any more */
		else if (sv_idle_wait_ms(&a->idle, a->now) == 0)
			serve_one(a, c, &c->in);
		return;
	}
	if (sv_conn_has_frame(c)) {
		serve_one(a, c, &c->in);
		return;
	}
	if (c->eof || (events & (POLLIN | POLLERR | POLLHUP)) == 0)
		return;
	if (input_held(a) > SV_INPUT_MAX && sv_buf_unread(&c->in) > 0) {
		c->dead = true;
		sv_log_event("connection closed: too much unfinished input", (long long)a->n_conns);
		return;
	}
	if (sv_conn_read(c, a->scratch, &view, &scratch_view, a->now.mono_ms))
		serve_one(a, c, view);
}

/* Has the connection come to its end? */
static bool is_over(const struct sv_conn *c, int64_t now_ms)
{
	if (c->dead)
		return true;
	if (sv_conn_deadline_ms(c) <= now_ms)
		return true;
	if (sv_buf_unread(&c->out) > 0 || c->job != NULL)
		return false;
	return c->closing || (c->eof && c->ticket == 0 && !sv_conn_has_frame(c));
}

/* ---- a turn --------------------------------------------------------------------------------- */

static short wanted(const struct sv_conn *c)
{
	if (sv_buf_unread(&c->out) > 0)
		return POLLOUT;
	if (c->job != NULL || c->ticket != 0 || c->closing || c->eof)
		return 0;
	return sv_conn_has_frame(c) ? 0 : POLLIN;
}

/* Something to do without waiting for a socket? */
static bool ready_now(const struct sv_conn *c)
{
	if (sv_buf_unread(&c->out) > 0 || c->ticket != 0)
		return false;
	return c->job != NULL || c->closing || (c->watching && c->events != 0) || sv_conn_has_frame(c);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* Milliseconds until something is due, -1: nothing is. */
static int64_t wait_ms(const struct sv_agent *a, int max_wait_ms)
{
	int64_t w = sooner(max_wait_ms, sv_idle_next_ms(&a->idle, a->now));
	bool waiting = false;

	w = sooner(w, sv_clock_poll_ms());
	/* A suspend moves the boot clock alone, which ends no ppoll: a session is looked at now and then. */
	if (a->cfg.socket_path != NULL || a->idle.running)
		w = sooner(w, SV_SOCKET_CHECK_MS);
	for (size_t i = 0; i < a->n_conns; i++) {
		int64_t d = sv_conn_deadline_ms(a->conns[i]);

		if (ready_now(a->conns[i]))
			return 0;
		waiting |= a->conns[i]->ticket != 0;
		if (d != INT64_MAX)
			w = sooner(w, d > a->now.mono_ms ? d - a->now.mono_ms : 0);
	}
	if (waiting)
		w = sooner(w, sv_idle_wait_ms(&a->idle, a->now));
	return w;
}

static void look_for_socket(struct sv_agent *a)
{
	struct stat st;

	if (a->now.mono_ms < a->socket_look_ms)
		return;
	a->socket_look_ms = a->now.mono_ms + SV_SOCKET_CHECK_MS;
	sv_agent_look_vault(a, NULL);
	if (a->cfg.socket_path == NULL)
		return;
	if (lstat(a->cfg.socket_path, &st) == 0 && st.st_dev == a->socket_dev && st.st_ino == a->socket_ino)
		return;
	/* Nobody can reach us any more, and the keys would stay: the runtime directory goes away when a user logs out.
	 */
	sv_log_event("the socket is gone", 0);
	a->stopping = true;
}

/* Who waits for longest with a key is served first: its wrong key makes the others wait on. */
static struct sv_conn *first_waiting(struct sv_agent *a)
{
	struct sv_conn *first = NULL;

	for (size_t i = 0; i < a->n_conns; i++)
		if (a->conns[i]->ticket != 0 && (first == NULL || a->conns[i]->ticket < first->ticket))
			first = a->conns[i];
	return first;
}

static void work_ahead(struct sv_agent *a)
{
	if (!a->indexed && sv_agent_unlocked(a))
		a->indexed = sv_vault_index_step(a->vault, SV_INDEX_SLICE_US);
}

/* A ppoll that finds a ready socket delivers no signal: where one always is, a lock or an end would wait for ever. */
static void hear_signals(const sigset_t *sigmask)
{
	static unsigned turns;
	sigset_t blocked;

	if (sigmask == NULL || ++turns % SIGNAL_TURNS != 0)
		return;
	(void)sigprocmask(SIG_SETMASK, sigmask, &blocked);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void sv_server_turn(struct sv_agent *a, int max_wait_ms, const sigset_t *sigmask)
{
	struct pollfd fds[SV_CONNS_MAX + 1];
	struct sv_conn *polled[SV_CONNS_MAX];
	static bool starved;
	size_t n = a->n_conns, start;
	struct timespec ts;
	int64_t wait;
	int r;

	read_clock(a);
	for (size_t i = 0; i < n; i++) {
		polled[i] = a->conns[i];
		fds[i] = (struct pollfd){ .fd = polled[i]->fd, .events = wanted(polled[i]) };
	}
	fds[n] = (struct pollfd){ .fd = starved || a->stopping ? -1 : a->cfg.listen_fd, .events = POLLIN };
	wait = wait_ms(a, max_wait_ms);
	if (starved)
		wait = sooner(wait, ACCEPT_PAUSE_MS);
	if (!a->indexed && sv_agent_unlocked(a))
		wait = 0;
	ts = (struct timespec){ .tv_sec = wait / 1000, .tv_nsec = (wait % 1000) * 1000000 };
	r = ppoll(fds, n + 1, wait < 0 ? NULL : &ts, sigmask);
	starved = false;
	if (r > 0)
		hear_signals(sigmask);
	if (r < 0)
		memset(fds, 0, sizeof(fds)); /* a signal: only what needs no socket is done in this turn */
	if (got_lock) {
		got_lock = 0;
		read_clock(a);
		sv_agent_lock(a, NULL, "locked: signal");
	}
	read_clock(a);
	start = n > 0 ? a->first++ % n : 0;
	for (size_t k = 0; k < n; k++) {
		size_t i = (start + k) % n;
		struct sv_conn *c = polled[i];

		if (c->ticket != 0 && fds[i].revents == 0 && c != first_waiting(a))
			continue;
		if (fds[i].revents != 0 || ready_now(c) || c->ticket != 0)
			share_of(a, c, fds[i].revents);
	}
	for (size_t i = a->n_conns; i-- > 0;)
		if (is_over(a->conns[i], a->now.mono_ms))
			drop(a, i);
	if ((fds[n].revents & POLLIN) != 0)
		starved = !accept_some(a);
	if (r == 0)
		work_ahead(a);
	look_for_socket(a);
}

/* ---- the whole life ------------------------------------------------------------------------- */

static bool owes(const struct sv_agent *a)
{
	for (size_t i = 0; i < a->n_conns; i++)
		if (sv_buf_unread(&a->conns[i]->out) > 0 || a->conns[i]->job != NULL)
			return true;
	return false;
}

/* Send what is owed; whoever owes us the rest of a request is let go. */
static void pay(struct sv_agent *a, const sigset_t *during)
{
	int64_t end = a->now.mono_ms + SV_TERM_WITHIN_MS;

	for (size_t i = a->n_conns; i-- > 0;) {
		struct sv_conn *c = a->conns[i];

		/* What a watcher has not heard yet comes to nothing beside this. */
		if (c->watching && sv_buf_unread(&c->out) == 0) {
			c->events = 1u << SV_EVENT_ENDING;
			sv_dispatch_event(a, c);
			sv_conn_send(c, &a->reply, a->now.mono_ms);
		}
		c->watching = false;
		c->closing = true;
		if (c->dead || (sv_buf_unread(&c->out) == 0 && c->job == NULL))
			drop(a, i);
	}
	while (owes(a) && a->now.mono_ms < end)
		sv_server_turn(a, (int)(end - a->now.mono_ms), during);
}

void sv_server_run(struct sv_agent *a, const sigset_t *during)
{
	struct stat st;

	a->now = a->cfg.clock(a->cfg.clock_ctx);
	if (a->cfg.socket_path != NULL && lstat(a->cfg.socket_path, &st) == 0) {
		a->socket_dev = st.st_dev;
		a->socket_ino = st.st_ino;
	}
	a->socket_look_ms = a->now.mono_ms + SV_SOCKET_CHECK_MS;
	while (!a->stopping && !got_end)
		sv_server_turn(a, -1, during);
	a->stopping = true;
	pay(a, during);
	if (a->cfg.socket_path != NULL && lstat(a->cfg.socket_path, &st) == 0 && st.st_dev == a->socket_dev &&
	    st.st_ino == a->socket_ino)
		(void)unlink(a->cfg.socket_path);
	sv_log_event("ended", 0);
}

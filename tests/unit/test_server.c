/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent/server and agent/conn: one bad client is nobody's trouble but its own.  What a connection may cost, when it is
 * closed, and what is sent before the agent ends.
 */
#include "tests/unit/agent_fixture.h"

#include "proto/endpoint.h"

#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>

#define OTHER_UID 65534

static void open_with(struct fixture *f, struct client *c, unsigned secrets)
{
	client_open(f, c);
	assert_int_equal(init(f, c, SV_TIMER_NEVER, SV_TIMER_NEVER), SV_OK);
	assert_int_equal(set(f, c, "one", "value of one"), SV_OK);
	if (secrets > 0)
		fill(f, c, "many", secrets);
}

/* Turns until the honest client has its reply. */
static unsigned turns_for_get(struct fixture *f, struct client *c)
{
	unsigned turns = 0;

	send_ref(f, c, SV_MSG_GET, "", "one", 0);
	while (!client_read(c)) {
		assert_false(c->closed);
		assert_true(turns < 100);
		turn(f);
		turns++;
	}
	assert_int_equal(client_reply(f, c, false), SV_OK);
	assert_true(body_is(f, "value of one"));
	return turns;
}

static void an_honest_client_is_served_beside_bad_ones(void **state)
{
	struct fixture *f = *state;
	struct client honest, silent, slow, garbage, vanished, deaf;
	struct request r, whole;
	unsigned seed = 7;

	open_with(f, &honest, 3000);
	client_open(f, &silent);
	client_open(f, &slow);
	client_open(f, &garbage);
	client_open(f, &vanished);
	assert_true(client_try(f, &deaf, 4096));
	/* It asks for much and reads nothing. */
	for (int i = 0; i < 20; i++) {
		begin_list(&r, SV_MSG_LIST, "", "", true);
		request_send(f, &deaf, &r);
	}
	assert_true(client_write(f, &vanished, "\x20\0\0\0\1\0\x20\0half", 12));
	turn(f);
	client_close(&vanished);
	begin_list(&whole, SV_MSG_LIST, "", "many", false);
	assert_int_equal(sv_frame_end(&whole.b, whole.mark), SV_OK);
	for (unsigned i = 0; i < 200; i++) {
		unsigned char noise[64];

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
		if (garbage.closed || !client_write(f, &garbage, noise, sizeof(noise))) {
			client_close(&garbage);
			client_open(f, &garbage);
		}
		if (i < whole.b.len)
			assert_true(client_write(f, &slow, whole.b.data + i, 1));
		assert_true(turns_for_get(f, &honest) <= 2);
	}
	/* The slow one said "many", which is no group. */
	assert_int_equal(client_reply(f, &slow, false), SV_ERR_NAME);
	/* The deaf one cost one reply, and nothing was read past what it had sent at once. */
	for (size_t i = 0; i < f->a.n_conns; i++)
		assert_true(f->a.conns[i]->out.cap <= 2 * SV_STREAM_BYTES + SV_FRAME_HEADER_BYTES + 4096);
	/* And is served like any other when it begins to read. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(client_reply(f, &deaf, false), SV_OK);
	sv_buf_clear(&whole.b);
	client_close(&honest);
	client_close(&silent);
	client_close(&slow);
	client_close(&garbage);
	client_close(&deaf);
}

static void frames_that_can_never_be_served_end_the_connection_after_a_word(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t n;
	} t[] = {
		{ "another version", "\0\0\0\0\2\0\1\0", 8 },
		{ "version 0", "\0\0\0\0\0\0\1\0", 8 },
		{ "an unknown flag", "\0\0\0\0\1\2\1\0", 8 },
		{ "a body over the limit", "\1\0\x11\0\1\0\x30\0", 8 },
		{ "a body far over the limit", "\xff\xff\xff\xff\1\0\x30\0", 8 },
		{ "an unknown type", "\0\0\0\0\1\0\x77\0", 8 },
		{ "a reply", "\0\0\0\0\1\0\0\x80", 8 },
		{ "bytes behind a body", "\1\0\0\0\1\0\1\0x", 9 },
		{ "a body too short", "\1\0\0\0\1\0\x20\0x", 9 },
		{ "parts of what has none", "\0\0\0\0\1\1\1\0", 8 },
	};
	struct fixture *f = *state;
	struct client honest;

	open_with(f, &honest, 0);
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct client c;

		client_open(f, &c);
		assert_true(client_write(f, &c, t[i].bytes, t[i].n));
		if (client_reply(f, &c, false) != SV_ERR_PROTO)
			fail_msg("%s", t[i].what);
		if (client_reply(f, &c, false) != SV_ERR_NO_AGENT)
			fail_msg("%s: goes on", t[i].what);
		client_close(&c);
		assert_true(turns_for_get(f, &honest) <= 2);
	}
	client_close(&honest);
}

static void requests_need_not_wait_for_replies(void **state)
{
	struct fixture *f = *state;
	struct sv_buf all = SV_BUF_INIT;
	struct client c;

	open_with(f, &c, 0);
	for (int i = 0; i < 3000; i++) { /* more than is read at once */
		const struct sv_msg_ref ref = { text(""), text(i % 2 == 0 ? "one" : "none"), 0 };
		size_t mark;

		assert_int_equal(sv_frame_begin(&all, SV_MSG_GET, 0, &mark), SV_OK);
		assert_int_equal(sv_msg_put_ref(&all, &ref), SV_OK);
		assert_int_equal(sv_frame_end(&all, mark), SV_OK);
	}
	assert_true(client_write(f, &c, all.data, all.len));
	for (int i = 0; i < 3000; i++)
		assert_int_equal(client_reply(f, &c, false), i % 2 == 0 ? SV_OK : SV_ERR_NOT_FOUND);
	sv_buf_clear(&all);
	client_close(&c);
}

static void a_client_that_stops_sending_is_still_answered(void **state)
{
	struct fixture *f = *state;
	struct client c;

	open_with(f, &c, 3000);
	send_ref(f, &c, SV_MSG_GET, "", "one", 0);
	send_ref(f, &c, SV_MSG_GET, "", "one", 0);
	{
		struct request r;

		begin_list(&r, SV_MSG_LIST, "", "", true);
		request_send(f, &c, &r);
	}
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	assert_int_equal(client_reply(f, &c, false), SV_ERR_NO_AGENT);
	client_close(&c);
}

/* ---- deadlines ---- */

static bool is_closed(struct fixture *f, struct client *c)
{
	for (int i = 0; i < 3; i++)
		turn(f);
	while (client_read(c))
		;
	return c->closed;
}

static void deadlines_close_connections(void **state)
{
	struct fixture *f = *state;
	struct client honest, half, quiet, deaf, staged;
	struct request r;

	open_with(f, &honest, 3000);
	client_open(f, &half);
	client_open(f, &quiet);
	client_open(f, &staged);
	assert_true(client_try(f, &deaf, 4096));
	assert_true(client_write(f, &half, "\x20\0\0\0\1\0\x20\0h", 9));
	begin_list(&r, SV_MSG_LIST, "", "", true);
	request_send(f, &deaf, &r);
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "two", "x", 1);
	assert_int_equal(request_ask(f, &staged, &r), SV_OK);
	turn(f);
	pass(f, SV_FRAME_WITHIN_MS - 1);
	assert_false(is_closed(f, &half));
	pass(f, 1);
	assert_true(is_closed(f, &half));
	assert_false(is_closed(f, &staged));
	pass(f, SV_DRAIN_WITHIN_MS - SV_FRAME_WITHIN_MS - 1);
	turn(f);
	assert_int_equal(f->a.n_conns, 4);
	pass(f, 1);
	turn(f);
	assert_int_equal(f->a.n_conns, 3); /* the deaf one */
	assert_int_equal(get(f, &honest, "one"), SV_OK);
	pass(f, SV_IDLE_CONN_MS - SV_DRAIN_WITHIN_MS - 1);
	assert_false(is_closed(f, &quiet));
	pass(f, 1);
	assert_true(is_closed(f, &quiet));
	assert_false(is_closed(f, &honest));
	while (f->now.mono_ms < 4000000 + SV_STAGED_WITHIN_MS - 2 * SV_IDLE_CONN_MS / 3) {
		pass(f, SV_IDLE_CONN_MS / 2);
		assert_int_equal(get(f, &honest, "one"), SV_OK);
	}
	assert_false(is_closed(f, &staged));
	pass(f, SV_IDLE_CONN_MS - 1);
	assert_true(is_closed(f, &staged));
	assert_int_equal(get(f, &honest, "two"), SV_ERR_NOT_FOUND);
	client_close(&honest);
	client_close(&half);
	client_close(&quiet);
	client_close(&deaf);
	client_close(&staged);
}

/* Byte by byte is no way around the limit: it counts from the first. */
static void a_slow_frame_has_one_deadline_for_all_of_it(void **state)
{
	static const char head[] = "\0\0\1\0\1\0\x20";
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	for (int i = 0; i < 5; i++) {
		(void)client_write(f, &c, &head[i], 1);
		turn(f);
		pass(f, SV_FRAME_WITHIN_MS / 5 + 1);
	}
	assert_true(is_closed(f, &c));
	client_close(&c);
}

/* ---- the table ---- */

static void a_full_table_drops_the_one_idle_longest(void **state)
{
	static struct client c[SV_CONNS_MAX + 1];
	struct fixture *f = *state;

	for (size_t i = 0; i < SV_CONNS_MAX; i++) {
		client_open(f, &c[i]);
		pass(f, 1);
	}
	for (size_t i = 0; i < SV_CONNS_MAX; i++) {
		if (i != 17)
			(void)status(f, &c[i]);
		pass(f, 1);
	}
	client_open(f, &c[SV_CONNS_MAX]);
	assert_int_equal(f->a.n_conns, SV_CONNS_MAX);
	for (size_t i = 0; i < SV_COUNT(c); i++) {
		(void)client_read(&c[i]);
		assert_int_equal(c[i].closed, i == 17);
	}
	/* Nobody is idle: the new one has to go ... */
	for (size_t i = SV_COUNT(c); i-- > 0;) {
		if (i == 17)
			continue;
		assert_true(client_write(f, &c[i], "\1", 1));
		turn(f);
		pass(f, 1);
	}
	client_close(&c[17]);
	assert_false(client_try(f, &c[17], 0));
	for (size_t i = 0; i < SV_COUNT(c); i++)
		if (i != 17)
			assert_false(is_closed(f, &c[i]));
	/* ... until half a request has waited long enough for its end: then the one that waits longest. */
	pass(f, SV_BEGUN_SAFE_MS);
	turn(f);
	client_close(&c[17]);
	client_open(f, &c[17]);
	for (size_t i = 0; i < SV_COUNT(c); i++) {
		assert_int_equal(is_closed(f, &c[i]), i == SV_CONNS_MAX);
		client_close(&c[i]);
	}
}

static void unfinished_requests_have_a_budget_together(void **state)
{
	static struct client c[60];
	struct fixture *f = *state;
	struct client honest;
	unsigned char *mib = calloc(1, 1u << 20);
	unsigned closed = 0;

	assert_non_null(mib);
	open_with(f, &honest, 0);
	for (size_t i = 0; i < SV_COUNT(c); i++) {
		client_open(f, &c[i]);
		assert_true(client_write(f, &c[i], "\1\0\x10\0\1\0\x30\0", 8)); /* 1 MiB and a byte */
		(void)client_write(f, &c[i], mib, 1u << 20);
		turn(f);
	}
	assert_true(turns_for_get(f, &honest) <= 2);
	for (size_t i = 0; i < SV_COUNT(c); i++) {
		closed += is_closed(f, &c[i]);
		client_close(&c[i]);
	}
	assert_in_range(closed, 20, 50);
	free(mib);
	client_close(&honest);
}

static void replies_that_nobody_reads_have_a_budget_together(void **state)
{
	static struct client c[60];
	struct fixture *f = *state;
	struct client honest;
	unsigned char *mib = calloc(1, SV_VALUE_MAX);
	unsigned closed = 0;

	assert_non_null(mib);
	open_with(f, &honest, 0);
	assert_int_equal(set_bytes(f, &honest, "", "big", mib, SV_VALUE_MAX), SV_OK);
	for (size_t i = 0; i < SV_COUNT(c); i++) {
		assert_true(client_try(f, &c[i], 4096));
		send_ref(f, &c[i], SV_MSG_GET, "", "big", 0);
		turn(f);
		turn(f);
		pass(f, 1);
	}
	for (size_t i = 0; i < SV_COUNT(c); i++) {
		bool whole = client_reply(f, &c[i], false) == SV_OK;

		closed += !whole;
		if (i < 5)
			assert_false(whole); /* those who let it lie for longest */
		if (i >= SV_COUNT(c) - 5)
			assert_true(whole);
		client_close(&c[i]);
	}
	assert_in_range(closed, 5, 50);
	assert_true(turns_for_get(f, &honest) <= 2);
	free(mib);
	client_close(&honest);
}

static void a_connection_of_another_user_is_refused_unheard(void **state)
{
	struct fixture *f = *state;
	struct sv_err err = SV_ERR_INIT;
	char path[100];
	int status_of_child;
	pid_t child;

	if (geteuid() != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/sock", f->dir);
	assert_int_equal(sv_endpoint_listen(path, &f->a.cfg.listen_fd, &err), SV_OK);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(chmod(f->dir, 0711), 0);
	child = fork();
	if (child == 0) {
		struct sockaddr_un to = { .sun_family = AF_UNIX };
		char byte;
		int fd;

		/* The client itself refuses; without its checks it hears nothing. */
		if (setuid(OTHER_UID) != 0 || sv_endpoint_connect(path, &fd, &err) != SV_ERR_DENIED)
			_exit(1);
		memcpy(to.sun_path, path, strlen(path));
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			_exit(2);
		_exit(read(fd, &byte, 1) == 0 ? 0 : 3);
	}
	while (waitpid(child, &status_of_child, WNOHANG) == 0)
		sv_server_turn(&f->a, 20, NULL);
	assert_int_equal(status_of_child, 0);
	assert_int_equal(f->a.refused_peers, 2);
	close(f->a.cfg.listen_fd);
	f->a.cfg.listen_fd = -1;
}

/* ---- the end ---- */

static void replies_that_are_owed_are_sent_when_the_agent_ends(void **state)
{
	struct fixture *f = *state;
	struct client honest, big, idle, half;
	struct request r;
	sigset_t mask;
	int verdict[2];
	char whole = 'n';
	pid_t child;

	open_with(f, &honest, 3000);
	client_open(f, &idle);
	client_open(f, &half);
	assert_true(client_try(f, &big, 4096));
	begin_list(&r, SV_MSG_LIST, "", "", true);
	request_send(f, &big, &r);
	assert_true(client_write(f, &half, "\x20", 1));
	turn(f);
	turn(f);
	assert_int_equal(pipe(verdict), 0);
	child = fork();
	if (child == 0) { /* reads on while the agent ends */
		unsigned frames = 0;

		for (size_t i = 0; i < f->a.n_conns; i++)
			close(f->a.conns[i]->fd);
		for (;;) {
			struct sv_frame fr;
			size_t need;

			if (sv_frame_peek(&big.in, &fr, &need) == SV_OK) {
				frames++;
				if ((fr.flags & SV_FRAME_MORE) == 0) {
					whole = frames > 1 && fr.type == SV_MSG_OK ? 'y' : 'n';
					break;
				}
				big.in.off += need;
				sv_buf_compact(&big.in);
			} else if (!client_read(&big) && big.closed) {
				break;
			}
		}
		/* By a byte and not by a status, which a memory checker would have a word in. */
		if (write(verdict[1], &whole, 1) == 1)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(sigemptyset(&mask), 0);
	f->tick_ms = 1; /* so that "at most two seconds" comes */
	f->a.stopping = true;
	sv_server_run(&f->a, &mask);
	f->tick_ms = 0;
	assert_int_equal(close(verdict[1]), 0);
	assert_int_equal(read(verdict[0], &whole, 1), 1);
	assert_int_equal(whole, 'y');
	assert_int_equal(close(verdict[0]), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(is_closed(f, &idle));
	assert_true(is_closed(f, &half));
	client_close(&honest);
	client_close(&idle);
	client_close(&half);
	client_close(&big);
}

static void watchers_hear_that_the_agent_ends(void **state)
{
	struct fixture *f = *state;
	struct client c;
	sigset_t mask;

	client_open(f, &c);
	{
		struct request r;

		(void)request_begin(&r, SV_MSG_WATCH, 0);
		request_send(f, &c, &r);
	}
	assert_int_equal(client_reply(f, &c, true), SV_OK);
	assert_int_equal(f->body.data[0], SV_EVENT_NONE);
	assert_int_equal(sigemptyset(&mask), 0);
	f->tick_ms = 1;
	f->a.stopping = true;
	sv_server_run(&f->a, &mask);
	f->tick_ms = 0;
	assert_int_equal(client_reply(f, &c, false), SV_OK); /* the last frame: without MORE */
	assert_int_equal(f->body.data[0], SV_EVENT_ENDING);
	assert_int_equal(client_reply(f, &c, false), SV_ERR_NO_AGENT);
	client_close(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		AGENT_TEST(an_honest_client_is_served_beside_bad_ones),
		AGENT_TEST(frames_that_can_never_be_served_end_the_connection_after_a_word),
		AGENT_TEST(requests_need_not_wait_for_replies),
		AGENT_TEST(a_client_that_stops_sending_is_still_answered),
		AGENT_TEST(deadlines_close_connections),
		AGENT_TEST(a_slow_frame_has_one_deadline_for_all_of_it),
		AGENT_TEST(a_full_table_drops_the_one_idle_longest),
		AGENT_TEST(unfinished_requests_have_a_budget_together),
		AGENT_TEST(replies_that_nobody_reads_have_a_budget_together),
		AGENT_TEST(a_connection_of_another_user_is_refused_unheard),
		AGENT_TEST(replies_that_are_owed_are_sent_when_the_agent_ends),
		AGENT_TEST(watchers_hear_that_the_agent_ends),
	};

	return cmocka_run_group_tests_name("server", tests, fixture_group_setup, fixture_group_teardown);
}

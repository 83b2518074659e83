/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto/client against a peer that plays a script: it sends given bytes in pieces of a given size, then waits for the
 * end or goes away.
 */
#include "proto/client.h"
#include "tests/support/sv_test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct play {
	struct sv_client c;
	struct sv_err err;
	struct sv_buf script; /* what the peer will send */
	pid_t peer;
};

static void play_init(struct play *p)
{
	*p = (struct play){ .c = SV_CLIENT_INIT };
}

static void add_frame(struct play *p, uint16_t type, uint8_t flags, const void *body, size_t n)
{
	size_t mark;

	assert_int_equal(sv_frame_begin(&p->script, type, flags, &mark), SV_OK);
	assert_int_equal(sv_buf_put(&p->script, body, n), SV_OK);
	assert_int_equal(sv_frame_end(&p->script, mark), SV_OK);
}

static void act(int fd, const struct sv_buf *script, size_t piece, bool stay)
{
	char sink[4096];

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t at = 0; at < script->len;) {
		size_t n = script->len - at < piece ? script->len - at : piece;
		ssize_t w = write(fd, script->data + at, n);

		if (w < 0)
			_exit(0);
		at += (size_t)w;
	}
	while (stay && read(fd, sink, sizeof(sink)) > 0)
		;
	_exit(0);
}

/* Start the peer.  stay: it reads until the client is gone; else it leaves behind its last byte. */
static void play_start(struct play *p, size_t piece, bool stay)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	p->peer = fork();
	if (p->peer == 0) {
		close(fds[0]);
		act(fds[1], &p->script, piece, stay);
	}
	assert_true(p->peer > 0);
	close(fds[1]);
	p->c.fd = fds[0];
}

static void play_end(struct play *p)
{
	sv_client_close(&p->c);
	assert_int_equal(waitpid(p->peer, NULL, 0), p->peer);
	sv_buf_clear(&p->script);
}

static enum sv_code call(struct play *p, struct sv_buf **body)
{
	assert_int_equal(sv_client_begin(&p->c, SV_MSG_STATUS, 0, &p->err), SV_OK);
	return sv_client_call(&p->c, body, &p->err);
}

static void a_reply_comes_back_however_it_is_cut(void **state)
{
	static const size_t pieces[] = { 1, 2, 7, 8, 9, 100, 65536 };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(pieces); i++) {
		struct sv_buf *body;
		struct play p;

		play_init(&p);
		add_frame(&p, SV_MSG_OK, 0, "the answer", 10);
		play_start(&p, pieces[i], true);
		assert_int_equal(call(&p, &body), SV_OK);
		assert_int_equal(sv_buf_unread(body), 10);
		assert_memory_equal(sv_buf_head(body), "the answer", 10);
		assert_int_equal(p.c.out.len, 0); /* the request is wiped as it is sent */
		play_end(&p);
	}
}

static void frames_of_one_reply_are_put_together(void **state)
{
	struct sv_buf *body;
	struct play p;
	unsigned char want[3000];

	(void)state;
	play_init(&p);
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = (unsigned char)(i * 31);
	for (size_t i = 0; i < sizeof(want); i += 100)
		add_frame(&p, SV_MSG_OK, i + 100 < sizeof(want) ? SV_FRAME_MORE : 0, want + i, 100);
	add_frame(&p, SV_MSG_OK, 0, "next", 4); /* of another reply */
	play_start(&p, 333, true);
	assert_int_equal(call(&p, &body), SV_OK);
	assert_int_equal(sv_buf_unread(body), sizeof(want));
	assert_memory_equal(sv_buf_head(body), want, sizeof(want));
	assert_int_equal(call(&p, &body), SV_OK);
	assert_int_equal(sv_buf_unread(body), 4);
	assert_memory_equal(sv_buf_head(body), "next", 4);
	play_end(&p);
}

static void frames_can_be_taken_one_by_one(void **state)
{
	struct sv_buf *body;
	struct play p;
	bool more = true;
	unsigned n = 0;

	(void)state;
	play_init(&p);
	for (unsigned char i = 0; i < 200; i++)
		add_frame(&p, SV_MSG_OK, i < 199 ? SV_FRAME_MORE : 0, &i, 1);
	play_start(&p, 1000, true);
	assert_int_equal(sv_client_begin(&p.c, SV_MSG_LIST, 0, &p.err), SV_OK);
	assert_int_equal(sv_client_send(&p.c, &p.err), SV_OK);
	while (more) {
		assert_int_equal(sv_client_recv(&p.c, &body, &more, &p.err), SV_OK);
		assert_int_equal(sv_buf_unread(body), 1);
		assert_int_equal(*sv_buf_head(body), n++);
	}
	assert_int_equal(n, 200);
	play_end(&p);
}

static void add_error(struct play *p, enum sv_code code, const char *msg)
{
	struct sv_err e = SV_ERR_INIT;
	struct sv_buf b = SV_BUF_INIT;

	(void)sv_err_set(&e, code, "%s", msg);
	assert_int_equal(sv_msg_put_error(&b, &e), SV_OK);
	add_frame(p, SV_MSG_ERROR, 0, b.data, b.len);
	sv_buf_clear(&b);
}

static void an_error_reply_is_its_code_and_sentence(void **state)
{
	struct sv_buf *body;
	struct play p;

	(void)state;
	play_init(&p);
	add_error(&p, SV_ERR_LOCKED, "the vault is locked");
	add_frame(&p, SV_MSG_OK, SV_FRAME_MORE, "some", 4); /* in the middle of a reply too */
	add_error(&p, SV_ERR_NOT_FOUND, "it is gone");
	add_frame(&p, SV_MSG_OK, 0, "on", 2);
	play_start(&p, 5, true);
	assert_int_equal(call(&p, &body), SV_ERR_LOCKED);
	assert_null(body);
	assert_string_equal(p.err.msg, "the vault is locked");
	assert_int_equal(call(&p, &body), SV_ERR_NOT_FOUND);
	assert_string_equal(p.err.msg, "it is gone");
	assert_int_equal(call(&p, &body), SV_OK); /* the connection goes on */
	assert_memory_equal(sv_buf_head(body), "on", 2);
	play_end(&p);
}

static void what_is_no_reply_is_refused(void **state)
{
	static const struct {
		unsigned char bytes[12];
		size_t n;
	} t[] = {
		{ { 0, 0, 0, 0, 2, 0, 0, 0x80 }, 8 },		   /* another version */
		{ { 0, 0, 0, 0, 1, 4, 0, 0x80 }, 8 },		   /* an unknown flag */
		{ { 0, 0, 0, 0, 1, 0, 1, 0 }, 8 },		   /* a request */
		{ { 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0x80 }, 8 },  /* a length that nobody can mean */
		{ { 2, 0, 0, 0, 1, 0, 1, 0x80, 3, 0 }, 10 },	   /* an error without its sentence */
		{ { 4, 0, 0, 0, 1, 0, 1, 0x80, 0, 0, 0, 0 }, 12 }, /* an error that is none */
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct sv_buf *body;
		struct play p;

		play_init(&p);
		assert_int_equal(sv_buf_put(&p.script, t[i].bytes, t[i].n), SV_OK);
		play_start(&p, 100, true);
		if (call(&p, &body) != SV_ERR_PROTO)
			fail_msg("row %zu", i);
		play_end(&p);
	}
}

static void a_peer_that_leaves_is_noticed(void **state)
{
	(void)state;
	for (size_t keep = 0; keep < 18; keep++) {
		struct sv_buf *body;
		struct play p;

		play_init(&p);
		add_frame(&p, SV_MSG_OK, 0, "the answer", 10);
		p.script.len = keep;
		play_start(&p, 100, false);
		assert_int_equal(call(&p, &body), SV_ERR_IO);
		assert_null(body);
		p.script.len = keep;
		play_end(&p);
	}
}

static void a_refusal_is_heard_though_the_agent_did_not_read_the_request(void **state)
{
	struct sv_buf *body;
	struct play p;
	unsigned char *room;

	(void)state;
	play_init(&p);
	add_error(&p, SV_ERR_PROTO, "this agent speaks another version");
	play_start(&p, 1000, false);
	assert_int_equal(sv_client_begin(&p.c, SV_MSG_WRITE, 0, &p.err), SV_OK);
	assert_int_equal(sv_buf_extend(&p.c.out, 1u << 20, &room), SV_OK); /* more than a socket holds */
	assert_int_equal(sv_client_call(&p.c, &body, &p.err), SV_ERR_PROTO);
	assert_string_equal(p.err.msg, "this agent speaks another version");
	play_end(&p);
}

static void a_request_over_the_limit_is_not_sent(void **state)
{
	struct sv_buf *body;
	struct play p;
	unsigned char *room;

	(void)state;
	play_init(&p);
	add_frame(&p, SV_MSG_OK, 0, "", 0);
	play_start(&p, 100, true);
	assert_int_equal(sv_client_begin(&p.c, SV_MSG_WRITE, 0, &p.err), SV_OK);
	assert_int_equal(sv_buf_extend(&p.c.out, SV_FRAME_BODY_MAX + 1, &room), SV_OK);
	assert_int_equal(sv_client_call(&p.c, &body, &p.err), SV_ERR_TOO_BIG);
	assert_int_equal(p.c.out.len, 0);
	assert_int_equal(call(&p, &body), SV_OK);
	play_end(&p);
}

static void a_reply_over_the_limit_is_given_up(void **state)
{
	unsigned char *big = calloc(1, SV_FRAME_BODY_MAX);
	struct sv_buf *body;
	struct play p;

	(void)state;
	assert_non_null(big);
	play_init(&p);
	for (size_t n = 0; n <= SV_REPLY_MAX; n += SV_FRAME_BODY_MAX)
		add_frame(&p, SV_MSG_OK, SV_FRAME_MORE, big, SV_FRAME_BODY_MAX);
	play_start(&p, 65536, true);
	assert_int_equal(call(&p, &body), SV_ERR_TOO_BIG);
	play_end(&p);
	free(big);
}

static void the_largest_frame_comes_through(void **state)
{
	unsigned char *big = malloc(SV_FRAME_BODY_MAX);
	struct sv_buf *body;
	struct play p;

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < SV_FRAME_BODY_MAX; i++)
		big[i] = (unsigned char)(i ^ i >> 8);
	play_init(&p);
	add_frame(&p, SV_MSG_OK, 0, big, SV_FRAME_BODY_MAX);
	play_start(&p, 100000, true);
	assert_int_equal(call(&p, &body), SV_OK);
	assert_int_equal(sv_buf_unread(body), SV_FRAME_BODY_MAX);
	assert_memory_equal(sv_buf_head(body), big, SV_FRAME_BODY_MAX);
	play_end(&p);
	free(big);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_comes_back_however_it_is_cut),
		cmocka_unit_test(frames_of_one_reply_are_put_together),
		cmocka_unit_test(frames_can_be_taken_one_by_one),
		cmocka_unit_test(an_error_reply_is_its_code_and_sentence),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(a_peer_that_leaves_is_noticed),
		cmocka_unit_test(a_refusal_is_heard_though_the_agent_did_not_read_the_request),
		cmocka_unit_test(a_request_over_the_limit_is_not_sent),
		cmocka_unit_test(a_reply_over_the_limit_is_given_up),
		cmocka_unit_test(the_largest_frame_comes_through),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}

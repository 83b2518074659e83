/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent in this process, over a vault in a scratch directory, with clocks that stand still until a test moves them;
 * and clients on socketpairs that turn the agent's loop while they wait.  Slot keys are given directly, so no test pays
 * for Argon2.
 */
#ifndef AGENT_FIXTURE_H
#define AGENT_FIXTURE_H

#include "tests/support/sv_test.h"

#include "agent/conn.h"
#include "agent/server.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define QUIET_TURNS 40 /* turns without a byte after which nothing more will come */

static const unsigned char good_key[SV_SLOT_KEY_BYTES] UNUSED = "the right key of all these tests";
static const unsigned char bad_key[SV_SLOT_KEY_BYTES] UNUSED = "another key, that opens nothing";

struct fixture {
	char dir[64], vault[96], state[96];
	struct sv_agent a;
	struct sv_time now;
	int64_t tick_ms;    /* by which each look moves the clock on */
	struct sv_err err;  /* of the last reply */
	struct sv_buf body; /* of the last reply, its frames put together */
	unsigned frames;
};

struct client {
	int fd;
	struct sv_buf in;
	bool closed;
};

static inline struct sv_text text(const char *s)
{
	return (struct sv_text){ s, strlen(s) };
}

static struct sv_time fixture_clock(void *ctx)
{
	struct fixture *f = ctx;

	f->now.boot_ms += f->tick_ms;
	f->now.mono_ms += f->tick_ms;
	return f->now;
}

static int64_t fixture_wall(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

/* Time goes by. */
static UNUSED void pass(struct fixture *f, int64_t ms)
{
	f->now.boot_ms += ms;
	f->now.mono_ms += ms;
}

static void agent_start(struct fixture *f)
{
	const struct sv_agent_config cfg = {
		.vault_path = f->vault,
		.state_dir = f->state,
		.listen_fd = -1,
		.clock = fixture_clock,
		.clock_ctx = f,
		.wall = fixture_wall,
	};

	assert_int_equal(sv_agent_init(&f->a, &cfg, &f->err), SV_OK);
}

static int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/sv-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->vault, sizeof(f->vault), "%s/vault.db", f->dir);
	(void)snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	f->now = (struct sv_time){ 5000000, 4000000 };
	agent_start(f);
	*state = f;
	return 0;
}

static int fixture_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	sv_agent_clear(&f->a);
	sv_buf_clear(&f->body);
	(void)nftw(f->dir, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static int fixture_group_setup(void **state)
{
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	return sv_secmem_init(SV_ARENA_BYTES, false, &err) == SV_OK ? 0 : -1;
}

/* Every block of secret memory must have been given back. */
static int fixture_group_teardown(void **state)
{
	(void)state;
	return sv_secmem_release() == 0 ? 0 : -1;
}

static UNUSED void turn(struct fixture *f)
{
	sv_server_turn(&f->a, 0, NULL);
}

/* send_bytes: what the agent's end of the socket holds unsent; 0: as it comes. */
static UNUSED bool client_try(struct fixture *f, struct client *c, int send_bytes)
{
	int fds[2];

	*c = (struct client){ .fd = -1 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	if (send_bytes > 0)
		assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes)), 0);
	c->fd = fds[1];
	return sv_server_adopt(&f->a, fds[0]);
}

static UNUSED void client_open(struct fixture *f, struct client *c)
{
	assert_true(client_try(f, c, 0));
}

static UNUSED void client_close(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	sv_buf_clear(&c->in);
}

/* Send bytes; the agent turns when the socket is full.  false: the agent closed the connection. */
static UNUSED bool client_write(struct fixture *f, struct client *c, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (int quiet = 0; n > 0 && quiet < QUIET_TURNS;) {
		ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL);

		if (w > 0) {
			p += w;
			n -= (size_t)w;
			quiet = 0;
			continue;
		}
		if (errno != EAGAIN)
			return false;
		turn(f);
		quiet++;
	}
	return n == 0;
}

/* What has come; true: something did. */
static UNUSED bool client_read(struct client *c)
{
	unsigned char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

	if (n > 0) {
		c->in.max = (size_t)64 << 20;
		assert_int_equal(sv_buf_put(&c->in, bytes, (size_t)n), SV_OK);
		sv_wipe(bytes, (size_t)n);
		return true;
	}
	if (n == 0 || errno == ECONNRESET)
		c->closed = true;
	return false;
}

/*
 * The next reply, to f->body; the agent turns meanwhile.  SV_ERR_NO_AGENT: the connection is closed; SV_ERR_BUSY:
 * nothing comes. one: a single frame is enough.
 */
static UNUSED enum sv_code client_reply(struct fixture *f, struct client *c, bool one)
{
	sv_buf_clear(&f->body);
	f->body.max = (size_t)64 << 20;
	f->frames = 0;
	for (int quiet = 0; quiet < QUIET_TURNS;) {
		struct sv_frame fr;
		size_t need;
		enum sv_code rc = sv_frame_peek(&c->in, &fr, &need);

		assert_int_not_equal(rc, SV_ERR_PROTO);
		if (rc == SV_ERR_TRUNCATED) {
			if (client_read(c)) {
				quiet = 0;
				continue;
			}
			if (c->closed)
				return SV_ERR_NO_AGENT;
			turn(f);
			quiet++;
			continue;
		}
		f->frames++;
		assert_int_equal(sv_buf_put(&f->body, sv_buf_head(&c->in) + SV_FRAME_HEADER_BYTES, fr.body_len), SV_OK);
		c->in.off += need;
		sv_buf_compact(&c->in);
		if (fr.type == SV_MSG_ERROR) {
			f->body.off = f->body.len - fr.body_len;
			assert_int_equal(sv_msg_get_error(&f->body, &f->err), SV_OK);
			return f->err.code;
		}
		assert_int_equal(fr.type, SV_MSG_OK);
		if (one || (fr.flags & SV_FRAME_MORE) == 0)
			return SV_OK;
	}
	return SV_ERR_BUSY;
}

/* ---- requests ---- */

struct request {
	struct sv_buf b;
	size_t mark;
};

static UNUSED struct sv_buf *request_begin(struct request *r, uint16_t type, uint8_t flags)
{
	*r = (struct request){ .b = SV_BUF_INIT };
	assert_int_equal(sv_frame_begin(&r->b, type, flags, &r->mark), SV_OK);
	return &r->b;
}

/* Finish and send it. */
static UNUSED void request_send(struct fixture *f, struct client *c, struct request *r)
{
	assert_int_equal(sv_frame_end(&r->b, r->mark), SV_OK);
	(void)client_write(f, c, r->b.data, r->b.len);
	sv_buf_clear(&r->b);
}

static UNUSED enum sv_code request_ask(struct fixture *f, struct client *c, struct request *r)
{
	request_send(f, c, r);
	return client_reply(f, c, false);
}

/* A request with a body of given bytes. */
static UNUSED enum sv_code ask(struct fixture *f, struct client *c, uint16_t type, const void *body, size_t n)
{
	struct request r;

	assert_int_equal(sv_buf_put(request_begin(&r, type, 0), body, n), SV_OK);
	return request_ask(f, c, &r);
}

static UNUSED void send_ref(struct fixture *f, struct client *c, uint16_t type, const char *env, const char *name,
			    uint64_t version)
{
	const struct sv_msg_ref ref = { text(env), text(name), version };
	struct request r;

	assert_int_equal(sv_msg_put_ref(request_begin(&r, type, 0), &ref), SV_OK);
	request_send(f, c, &r);
}

static UNUSED enum sv_code get(struct fixture *f, struct client *c, const char *name)
{
	send_ref(f, c, SV_MSG_GET, "", name, 0);
	return client_reply(f, c, false);
}

static UNUSED bool body_is(const struct fixture *f, const char *want)
{
	return sv_buf_unread(&f->body) == strlen(want) && memcmp(sv_buf_head(&f->body), want, strlen(want)) == 0;
}

static UNUSED void begin_list(struct request *r, uint16_t type, const char *env, const char *group, bool with_meta)
{
	const struct sv_msg_list m = { text(env), text(group), with_meta };

	assert_int_equal(sv_msg_put_list(request_begin(r, type, 0), &m), SV_OK);
}

static UNUSED void put_op(struct sv_buf *b, const char *env, const char *name, const void *value, size_t n)
{
	const struct sv_msg_op op = {
		.op = SV_OP_PUT,
		.env = text(env),
		.name = text(name),
		.mode = SV_PUT_SET,
		.has_value = true,
		.value = value,
		.value_len = n,
	};

	assert_int_equal(sv_msg_put_op(b, &op), SV_OK);
}

static UNUSED struct sv_buf *begin_write(struct request *r, uint8_t flags, uint8_t verb)
{
	assert_int_equal(sv_buf_put_u8(request_begin(r, SV_MSG_WRITE, flags), verb), SV_OK);
	return &r->b;
}

static UNUSED enum sv_code set_bytes(struct fixture *f, struct client *c, const char *env, const char *name,
				     const void *value, size_t n)
{
	struct request r;

	put_op(begin_write(&r, 0, SV_VERB_SET), env, name, value, n);
	return request_ask(f, c, &r);
}

static UNUSED enum sv_code set(struct fixture *f, struct client *c, const char *name, const char *value)
{
	return set_bytes(f, c, "", name, value, strlen(value));
}

static UNUSED enum sv_code init(struct fixture *f, struct client *c, uint32_t idle_s, uint32_t total_s)
{
	const struct sv_msg_init m = {
		.slots = { .slot = { { .kind = SV_SLOT_PASSPHRASE,
				       .kdf = { .alg = SV_KDF_ARGON2ID13, .ops = 3, .mem = (uint64_t)64 << 20 },
				       .key = good_key } },
			   .n = 1 },
		.timers = { idle_s, total_s },
	};
	struct request r;

	assert_int_equal(sv_msg_put_init(request_begin(&r, SV_MSG_INIT, 0), &m), SV_OK);
	return request_ask(f, c, &r);
}

static UNUSED void send_unlock(struct fixture *f, struct client *c, const unsigned char *key, uint32_t idle_s,
			       uint32_t total_s)
{
	const struct sv_msg_unlock m = { .slot = 0, .key = key, .timers = { idle_s, total_s } };
	struct request r;

	assert_int_equal(sv_msg_put_unlock(request_begin(&r, SV_MSG_UNLOCK, 0), &m), SV_OK);
	request_send(f, c, &r);
}

static UNUSED enum sv_code unlock(struct fixture *f, struct client *c, const unsigned char *key)
{
	send_unlock(f, c, key, 0, 0);
	return client_reply(f, c, false);
}

static UNUSED enum sv_code lock(struct fixture *f, struct client *c)
{
	return ask(f, c, SV_MSG_LOCK, "", 0);
}

static UNUSED struct sv_msg_status status(struct fixture *f, struct client *c)
{
	struct sv_msg_status s;

	assert_int_equal(ask(f, c, SV_MSG_STATUS, "", 0), SV_OK);
	assert_int_equal(sv_msg_get_status(&f->body, &s), SV_OK);
	assert_int_equal(sv_buf_unread(&f->body), 0);
	return s;
}

/* n secrets PREFIX-000000 ... in one change of as many frames as it takes. */
static UNUSED void fill(struct fixture *f, struct client *c, const char *prefix, unsigned n)
{
	for (unsigned i = 0; i < n;) {
		unsigned end = i + 1000 < n ? i + 1000 : n;
		struct request r;

		begin_write(&r, end < n ? SV_FRAME_MORE : 0, SV_VERB_IMPORT);
		for (; i < end; i++) {
			char name[64];

			(void)snprintf(name, sizeof(name), "%s-%06u", prefix, i);
			put_op(&r.b, "", name, name, strlen(name));
		}
		assert_int_equal(request_ask(f, c, &r), SV_OK);
	}
}

#define AGENT_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session: what a locked agent answers, what locks and what keeps it open, keys and the wait behind a wrong one,
 * what a lock leaves of connections, and that it leaves no secret in this process.
 */
#include "tests/unit/agent_fixture.h"

#include <fcntl.h>

static enum sv_code list(struct fixture *f, struct client *c)
{
	struct request r;

	begin_list(&r, SV_MSG_LIST, "", "", false);
	return request_ask(f, c, &r);
}

static uint8_t state_of(struct fixture *f, struct client *c)
{
	return status(f, c).state;
}

static void what_needs_the_vault_says_which_it_lacks(void **state)
{
	static const uint16_t types[] = {
		SV_MSG_REKEY,	      SV_MSG_VERIFY,	 SV_MSG_BACKUP,	     SV_MSG_GET,       SV_MSG_INFO,
		SV_MSG_LIST,	      SV_MSG_RESOLVE,	 SV_MSG_HISTORY,     SV_MSG_COMPARE,   SV_MSG_INFOS,
		SV_MSG_READ,	      SV_MSG_WRITE,	 SV_MSG_UNDO,	     SV_MSG_ENVS,      SV_MSG_ENV_DIFF,
		SV_MSG_OBJECT_PUT,    SV_MSG_OBJECT_GET, SV_MSG_OBJECT_LIST, SV_MSG_DRAFT_KEY, SV_MSG_DRAFT_OPEN,
		SV_MSG_OBJECT_REMOVE,
	};
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	assert_int_equal(state_of(f, &c), SV_STATE_NONE);
	assert_int_equal(ask(f, &c, SV_MSG_SLOTS, "", 0), SV_ERR_NO_VAULT);
	for (size_t i = 0; i < SV_COUNT(types); i++)
		assert_int_equal(ask(f, &c, types[i], "", 0), SV_ERR_NO_VAULT);
	assert_int_equal(unlock(f, &c, good_key), SV_ERR_NO_VAULT);
	assert_int_equal(init(f, &c, 0, 0), SV_OK);
	assert_int_equal(state_of(f, &c), SV_STATE_UNLOCKED);
	assert_int_equal(init(f, &c, 0, 0), SV_ERR_EXISTS);
	assert_int_equal(lock(f, &c), SV_OK);
	assert_int_equal(lock(f, &c), SV_OK);
	assert_int_equal(state_of(f, &c), SV_STATE_LOCKED);
	for (size_t i = 0; i < SV_COUNT(types); i++)
		assert_int_equal(ask(f, &c, types[i], "", 0), SV_ERR_LOCKED);
	assert_int_equal(ask(f, &c, SV_MSG_SLOTS, "", 0), SV_OK);
	assert_int_equal(unlock(f, &c, good_key), SV_OK);
	assert_int_equal(state_of(f, &c), SV_STATE_UNLOCKED);
	client_close(&c);
}

static void whatever_means_to_lock_locks(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} t[] = {
		{ "\0\0\0\0\1\0\5\0", 8 },	   /* as it should be */
		{ "\4\0\0\0\1\0\5\0what", 12 },	   /* with a body */
		{ "\0\0\0\0\1\1\5\0", 8 },	   /* in parts */
		{ "\0\0\0\0\1\x80\5\0", 8 },	   /* with a flag that nobody knows */
		{ "\0\0\0\0\7\0\5\0", 8 },	   /* of another version */
		{ "\xff\xff\xff\xff\1\0\5\0", 8 }, /* far too long */
	};
	struct fixture *f = *state;
	struct client c, other;

	client_open(f, &other);
	assert_int_equal(init(f, &other, 0, 0), SV_OK);
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		client_open(f, &c);
		assert_int_equal(unlock(f, &other, good_key), SV_OK);
		assert_true(client_write(f, &c, t[i].bytes, t[i].n));
		turn(f);
		turn(f);
		if (sv_agent_unlocked(&f->a))
			fail_msg("row %zu", i);
		client_close(&c);
	}
	client_close(&other);
}

/* ---- timers ---- */

static void looking_keeps_no_session_open_and_working_does(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	assert_int_equal(init(f, &c, 100, 1000), SV_OK);
	assert_int_equal(set(f, &c, "a", "b"), SV_OK);
	pass(f, 40000);
	assert_int_equal(status(f, &c).idle_left_s, 60);
	assert_int_equal(list(f, &c), SV_OK);
	assert_int_equal(ask(f, &c, SV_MSG_ENVS, "", 0), SV_OK);
	assert_int_equal(get(f, &c, "none"), SV_ERR_NOT_FOUND); /* nor does what fails */
	pass(f, 30000);
	assert_int_equal(status(f, &c).idle_left_s, 30);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	assert_int_equal(status(f, &c).idle_left_s, 100);
	assert_int_equal(status(f, &c).total_left_s, 930);
	client_close(&c);
}

static void a_session_ends_by_the_clock_also_when_no_timer_ran(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	assert_int_equal(init(f, &c, 50, 120), SV_OK);
	assert_int_equal(set(f, &c, "a", "b"), SV_OK);
	pass(f, 49999);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	/* The request lies in the socket when its time is over: the agent looks at the clock first. */
	send_ref(f, &c, SV_MSG_GET, "", "a", 0);
	pass(f, 50000);
	assert_int_equal(client_reply(f, &c, false), SV_ERR_LOCKED);
	send_unlock(f, &c, good_key, 50, 120);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	for (int i = 0; i < 3; i++) {
		pass(f, 39999);
		assert_int_equal(get(f, &c, "a"), SV_OK);
	}
	pass(f, 3); /* used all the time, and total time is over */
	assert_int_equal(get(f, &c, "a"), SV_ERR_LOCKED);
	/* and without any request */
	send_unlock(f, &c, good_key, 50, 120);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	client_close(&c);
	pass(f, 50000);
	turn(f);
	assert_false(sv_agent_unlocked(&f->a));
}

static void a_suspend_locks(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	assert_int_equal(init(f, &c, SV_TIMER_NEVER, SV_TIMER_NEVER), SV_OK);
	assert_int_equal(status(f, &c).total_left_s, SV_TIMER_NEVER);
	pass(f, 30000);
	assert_int_equal(state_of(f, &c), SV_STATE_UNLOCKED);
	f->now.boot_ms += SV_IDLE_SLEPT_MS + 1;
	turn(f);
	assert_int_equal(state_of(f, &c), SV_STATE_LOCKED);
	client_close(&c);
}

/* ---- keys ---- */

static void a_wrong_key_makes_the_next_wait_and_nobody_else(void **state)
{
	struct fixture *f = *state;
	struct client honest, guess, second, gone;

	client_open(f, &honest);
	client_open(f, &guess);
	client_open(f, &second);
	client_open(f, &gone);
	assert_int_equal(init(f, &honest, 0, 0), SV_OK);
	assert_int_equal(set(f, &honest, "a", "b"), SV_OK);
	assert_int_equal(unlock(f, &guess, bad_key), SV_ERR_PASSPHRASE);
	assert_true(sv_agent_unlocked(&f->a)); /* a wrong key locks nothing */
	send_unlock(f, &gone, bad_key, 0, 0);
	turn(f);
	send_unlock(f, &guess, bad_key, 0, 0);
	turn(f);
	send_unlock(f, &second, good_key, 0, 0);
	turn(f);
	assert_int_equal(client_reply(f, &guess, false), SV_ERR_BUSY); /* no answer yet */
	assert_int_equal(get(f, &honest, "a"), SV_OK);
	assert_int_equal(status(f, &honest).failed_unlocks, 1);
	client_close(&gone); /* nobody waits for that one: it is not tried */
	turn(f);
	pass(f, SV_IDLE_STEP_MS - 1);
	assert_int_equal(client_reply(f, &guess, false), SV_ERR_BUSY);
	pass(f, 1);
	assert_int_equal(client_reply(f, &guess, false), SV_ERR_PASSPHRASE); /* first come, first tried */
	assert_int_equal(client_reply(f, &second, false), SV_ERR_BUSY);
	assert_int_equal(status(f, &honest).failed_unlocks, 2);
	pass(f, 2 * SV_IDLE_STEP_MS);
	assert_int_equal(client_reply(f, &second, false), SV_OK);
	assert_int_equal(status(f, &honest).failed_unlocks, 0);
	assert_int_equal(unlock(f, &second, good_key), SV_OK);
	client_close(&honest);
	client_close(&guess);
	client_close(&second);
}

static void a_key_that_waits_is_dropped_by_a_lock(void **state)
{
	struct fixture *f = *state;
	struct client c, other;

	client_open(f, &c);
	client_open(f, &other);
	assert_int_equal(init(f, &c, 0, 0), SV_OK);
	assert_int_equal(unlock(f, &c, bad_key), SV_ERR_PASSPHRASE);
	send_unlock(f, &c, good_key, 0, 0);
	turn(f);
	assert_int_equal(lock(f, &other), SV_OK);
	pass(f, SV_IDLE_STEP_MS);
	assert_int_equal(client_reply(f, &c, false), SV_ERR_NO_AGENT);
	assert_false(sv_agent_unlocked(&f->a)); /* who locks later than somebody unlocks has locked */
	assert_int_equal(unlock(f, &other, good_key), SV_OK);
	client_close(&c);
	client_close(&other);
}

/* ---- what a lock leaves ---- */

static void a_lock_closes_who_is_in_the_middle_and_spares_who_is_not(void **state)
{
	struct fixture *f = *state;
	struct client locker, quiet, half, reading;
	struct request r;

	client_open(f, &locker);
	client_open(f, &quiet);
	client_open(f, &half);
	assert_true(client_try(f, &reading, 4096));
	assert_int_equal(init(f, &locker, 0, 0), SV_OK);
	fill(f, &locker, "many", 3000);
	assert_int_equal(get(f, &quiet, "many-000001"), SV_OK);
	assert_true(client_write(f, &half, "\x30\0\0\0\1\0\x30\0partial", 15));
	begin_list(&r, SV_MSG_LIST, "", "", true);
	request_send(f, &reading, &r);
	turn(f);
	turn(f);
	assert_int_equal(lock(f, &locker), SV_OK);
	assert_int_equal(client_reply(f, &half, false), SV_ERR_NO_AGENT);
	assert_int_equal(client_reply(f, &reading, false), SV_ERR_NO_AGENT);
	assert_int_equal(get(f, &quiet, "many-000001"), SV_ERR_LOCKED);
	assert_int_equal(get(f, &locker, "many-000001"), SV_ERR_LOCKED);
	client_close(&locker);
	client_close(&quiet);
	client_close(&half);
	client_close(&reading);
}

static enum sv_code part(struct fixture *f, struct client *c, const char *name, bool last)
{
	struct request r;

	put_op(begin_write(&r, last ? 0 : SV_FRAME_MORE, SV_VERB_SET), "", name, "v", 1);
	return request_ask(f, c, &r);
}

static void a_change_that_a_lock_cut_in_two_is_refused_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct client c, other;

	client_open(f, &c);
	client_open(f, &other);
	assert_int_equal(init(f, &other, 0, 0), SV_OK);
	/* locked and unlocked between two parts */
	assert_int_equal(part(f, &c, "a1", false), SV_OK);
	assert_int_equal(lock(f, &other), SV_OK);
	assert_int_equal(unlock(f, &other, good_key), SV_OK);
	assert_int_equal(part(f, &c, "a2", false), SV_ERR_LOCKED);
	assert_int_equal(part(f, &c, "a3", true), SV_ERR_LOCKED);
	assert_int_equal(part(f, &c, "good", true), SV_OK);
	/* the last part comes while it is locked: the next change is another one */
	assert_int_equal(part(f, &c, "b1", false), SV_OK);
	assert_int_equal(lock(f, &other), SV_OK);
	assert_int_equal(part(f, &c, "b2", true), SV_ERR_LOCKED);
	assert_int_equal(unlock(f, &other, good_key), SV_OK);
	assert_int_equal(part(f, &c, "good2", true), SV_OK);
	/* the first part comes while it is locked: what follows is no whole change */
	assert_int_equal(lock(f, &other), SV_OK);
	assert_int_equal(part(f, &c, "c1", false), SV_ERR_LOCKED);
	assert_int_equal(unlock(f, &other, good_key), SV_OK);
	assert_int_equal(part(f, &c, "c2", true), SV_ERR_LOCKED);
	assert_int_equal(part(f, &c, "good3", true), SV_OK);
	assert_int_equal(get(f, &c, "good"), SV_OK);
	assert_int_equal(status(f, &c).secrets, 3);
	client_close(&c);
	client_close(&other);
}

static void a_loaded_file_is_dropped_and_another_may_come(void **state)
{
	struct fixture *f = *state;
	struct client c, other;
	struct sv_buf file = SV_BUF_INIT;
	struct request r;

	client_open(f, &c);
	client_open(f, &other);
	assert_int_equal(init(f, &other, 0, 0), SV_OK);
	assert_int_equal(ask(f, &other, SV_MSG_BACKUP, "", 0), SV_OK);
	file = f->body;
	f->body = (struct sv_buf)SV_BUF_INIT;
	assert_true(file.len <= SV_FRAME_BODY_MAX);
	assert_int_equal(ask(f, &c, SV_MSG_LOAD, file.data, file.len), SV_OK);
	assert_int_equal(lock(f, &other), SV_OK);
	assert_int_equal(ask(f, &c, SV_MSG_LOAD, file.data, file.len),
			 SV_OK); /* the first was complete: this is another */
	/* but of one that was cut in two the rest is refused */
	assert_int_equal(sv_buf_put(request_begin(&r, SV_MSG_LOAD, SV_FRAME_MORE), file.data, 100), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(lock(f, &other), SV_OK);
	assert_int_equal(ask(f, &c, SV_MSG_LOAD, file.data + 100, file.len - 100), SV_ERR_FAIL);
	assert_int_equal(ask(f, &c, SV_MSG_LOAD, file.data, file.len), SV_OK);
	sv_buf_clear(&file);
	client_close(&c);
	client_close(&other);
}

static void watchers_are_told(void **state)
{
	static const uint8_t want[] = { SV_EVENT_CHANGED, SV_EVENT_LOCKED, SV_EVENT_UNLOCKED };
	struct fixture *f = *state;
	struct client c, w, deaf;

	client_open(f, &c);
	client_open(f, &w);
	client_open(f, &deaf);
	assert_int_equal(init(f, &c, 0, 0), SV_OK);
	for (int i = 0; i < 2; i++) {
		struct client *k = i == 0 ? &w : &deaf;
		struct request r;

		(void)request_begin(&r, SV_MSG_WATCH, 0);
		request_send(f, k, &r);
		assert_int_equal(client_reply(f, k, true), SV_OK);
		assert_int_equal(f->body.data[0], SV_EVENT_NONE);
	}
	assert_int_equal(client_reply(f, &w, true), SV_ERR_BUSY);
	for (size_t i = 0; i < SV_COUNT(want); i++) {
		assert_int_equal(i == 0 ? set(f, &c, "a", "b") : i == 1 ? lock(f, &c) : unlock(f, &c, good_key), SV_OK);
		assert_int_equal(client_reply(f, &w, true), SV_OK);
		assert_int_equal(f->body.data[0], want[i]);
		assert_int_equal(client_reply(f, &w, true), SV_ERR_BUSY);
	}
	assert_int_equal(set(f, &c, "a", "b"), SV_OK); /* the same once more: nothing changed, nothing is told */
	assert_int_equal(client_reply(f, &w, true), SV_ERR_BUSY);
	pass(f, 10 * SV_IDLE_CONN_MS); /* silent for as long as it likes */
	turn(f);
	assert_int_equal(ask(f, &w, SV_MSG_STATUS, "", 0), SV_ERR_PROTO);
	assert_int_equal(client_reply(f, &w, false), SV_ERR_NO_AGENT);
	client_close(&c);
	client_close(&w);
	client_close(&deaf);
}

static void there_are_only_so_many_watchers(void **state)
{
	static struct client w[SV_WATCHERS_MAX + 1];
	struct fixture *f = *state;

	for (size_t i = 0; i < SV_COUNT(w); i++) {
		struct request r;

		client_open(f, &w[i]);
		(void)request_begin(&r, SV_MSG_WATCH, 0);
		request_send(f, &w[i], &r);
		assert_int_equal(client_reply(f, &w[i], true), i < SV_WATCHERS_MAX ? SV_OK : SV_ERR_BUSY);
	}
	assert_int_equal(f->err.code, SV_ERR_BUSY);
	for (size_t i = 0; i < SV_COUNT(w); i++)
		client_close(&w[i]);
}

/* ---- no secret stays ---- */

#define CANARY_BYTES 24
static const unsigned char veil = 0x55;
static unsigned char veiled[CANARY_BYTES]; /* the canary, but for the veil */

static bool holds(const unsigned char *p, size_t n)
{
	for (size_t i = 0; p != NULL && i + CANARY_BYTES <= n; i++) {
		size_t k = 0;

		while (k < CANARY_BYTES && (unsigned char)(p[i + k] ^ veil) == veiled[k])
			k++;
		if (k == CANARY_BYTES)
			return true;
	}
	return false;
}

#if !defined(__SANITIZE_ADDRESS__)
/* Everything of this process that can be written, but for the piece that is being looked at. */
static bool process_holds(void)
{
	static unsigned char piece[1 << 16];
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long long from, to;
	char line[512], mode[8];
	bool found = false;

	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%llx-%llx %7s", &from, &to, mode) != 3 || mode[1] != 'w')
			continue;
		for (unsigned long long at = from; at < to; at += sizeof(piece) - CANARY_BYTES) {
			size_t want = to - at < sizeof(piece) ? (size_t)(to - at) : sizeof(piece);
			ssize_t n;

			sv_wipe(piece, sizeof(piece));
			n = pread(mem, piece, want, (off_t)at);
			found |= n > 0 && holds(piece, (size_t)n);
		}
	}
	sv_wipe(piece, sizeof(piece));
	(void)fclose(maps);
	close(mem);
	return found;
}
#endif

static void after_a_lock_no_secret_is_left(void **state)
{
	struct fixture *f = *state;
	struct client c, half, reading, batch;
	struct sv_secmem_stats before, after;
	unsigned char *canary;
	struct request r;

	sv_secmem_stats(&before);
	canary = sv_secmem_alloc(CANARY_BYTES);
	assert_non_null(canary);
	for (size_t i = 0; i < CANARY_BYTES; i++) {
		canary[i] = (unsigned char)('A' + (i * 7 + (size_t)getpid()) % 26);
		veiled[i] = canary[i] ^ veil;
	}
	client_open(f, &c);
	client_open(f, &half);
	client_open(f, &batch);
	assert_true(client_try(f, &reading, 4096));
	assert_int_equal(init(f, &c, 0, 0), SV_OK);
	assert_int_equal(set_bytes(f, &c, "", "canary", canary, CANARY_BYTES), SV_OK);
	assert_int_equal(get(f, &c, "canary"), SV_OK);
	assert_true(holds(f->body.data, f->body.len));
	{ /* a reply that is not taken: many copies of it wait here */
		unsigned char *big = malloc(SV_VALUE_MAX);

		assert_non_null(big);
		for (size_t i = 0; i < SV_VALUE_MAX; i++)
			big[i] = canary[i % CANARY_BYTES];
		assert_int_equal(set_bytes(f, &c, "", "big", big, SV_VALUE_MAX), SV_OK);
		sv_wipe(big, SV_VALUE_MAX);
		free(big);
	}
	send_ref(f, &reading, SV_MSG_GET, "", "big", 0);
	turn(f);
	turn(f);
	/* half a request, and a staged one */
	put_op(begin_write(&r, 0, SV_VERB_SET), "", "half", canary, CANARY_BYTES);
	assert_int_equal(sv_frame_end(&r.b, 0), SV_OK);
	assert_true(client_write(f, &half, r.b.data, r.b.len - 1));
	sv_buf_clear(&r.b);
	turn(f);
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "staged", canary, CANARY_BYTES);
	assert_int_equal(request_ask(f, &batch, &r), SV_OK);
	assert_int_equal(lock(f, &c), SV_OK);
	sv_secmem_free(canary);
	sv_buf_clear(&f->body);
	assert_false(holds(f->a.scratch, SV_SCRATCH_BYTES));
	assert_false(holds(f->a.reply.data, f->a.reply.cap));
	for (size_t i = 0; i < f->a.n_conns; i++) {
		assert_false(holds(f->a.conns[i]->in.data, f->a.conns[i]->in.cap));
		assert_false(holds(f->a.conns[i]->out.data, f->a.conns[i]->out.cap));
	}
	client_close(&c);
	client_close(&half);
	client_close(&reading);
	client_close(&batch);
	turn(f);
	turn(f);
	sv_buf_clear(&f->a.reply);
	sv_secmem_stats(&after);
	assert_int_equal(after.used_bytes, before.used_bytes); /* nothing but what it had before there was a vault */
	sv_stack_scrub();
#if !defined(__SANITIZE_ADDRESS__)
	assert_false(process_holds());
#endif
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		AGENT_TEST(what_needs_the_vault_says_which_it_lacks),
		AGENT_TEST(whatever_means_to_lock_locks),
		AGENT_TEST(looking_keeps_no_session_open_and_working_does),
		AGENT_TEST(a_session_ends_by_the_clock_also_when_no_timer_ran),
		AGENT_TEST(a_suspend_locks),
		AGENT_TEST(a_wrong_key_makes_the_next_wait_and_nobody_else),
		AGENT_TEST(a_key_that_waits_is_dropped_by_a_lock),
		AGENT_TEST(a_lock_closes_who_is_in_the_middle_and_spares_who_is_not),
		AGENT_TEST(a_change_that_a_lock_cut_in_two_is_refused_to_its_end),
		AGENT_TEST(a_loaded_file_is_dropped_and_another_may_come),
		AGENT_TEST(watchers_are_told),
		AGENT_TEST(there_are_only_so_many_watchers),
		AGENT_TEST(after_a_lock_no_secret_is_left),
	};

	return cmocka_run_group_tests_name("session", tests, fixture_group_setup, fixture_group_teardown);
}

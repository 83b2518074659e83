/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests themselves, over a socket: values and listings of every size, selections, changes in parts, files,
 * objects.
 */
#include "tests/unit/agent_fixture.h"

#include <dirent.h>

static void open_vault(struct fixture *f, struct client *c)
{
	client_open(f, c);
	assert_int_equal(init(f, c, 0, 0), SV_OK);
}

/* ---- reading ---- */

static void values_of_every_size_come_back_exactly(void **state)
{
	static const size_t sizes[] = { 0, 1, 255, 4095, 4096, 4097, 65536, 100000, SV_VALUE_MAX - 1, SV_VALUE_MAX };
	unsigned char *value = malloc(SV_VALUE_MAX);
	struct fixture *f = *state;
	struct client c;

	assert_non_null(value);
	for (size_t i = 0; i < SV_VALUE_MAX; i++)
		value[i] = (unsigned char)(i * 131 ^ i >> 8);
	open_vault(f, &c);
	for (size_t i = 0; i < SV_COUNT(sizes); i++) {
		assert_int_equal(set_bytes(f, &c, "", "v", value, sizes[i]), SV_OK);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(get(f, &c, "v"), SV_OK);
			assert_int_equal(f->frames, 1);
			assert_int_equal(f->body.len, sizes[i]);
			if (sizes[i] > 0)
				assert_memory_equal(f->body.data, value, sizes[i]);
		}
	}
	/* old versions too; and each one given out is counted */
	send_ref(f, &c, SV_MSG_GET, "", "v", 2);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	assert_int_equal(f->body.len, 1);
	assert_int_equal(status(f, &c).released, 2 * SV_COUNT(sizes) + 1);
	assert_int_equal(get(f, &c, "none"), SV_ERR_NOT_FOUND);
	assert_int_equal(get(f, &c, "../bad"), SV_ERR_NAME);
	free(value);
	client_close(&c);
}

static unsigned count_entries(struct fixture *f, bool with_meta, const char *prefix)
{
	struct sv_msg_entry e;
	unsigned n = 0;

	while (sv_buf_unread(&f->body) > 0) {
		char want[64];

		assert_int_equal(sv_msg_get_entry(&f->body, &e, with_meta), SV_OK);
		(void)snprintf(want, sizeof(want), "%s-%06u", prefix, n++);
		assert_int_equal(e.name.n, strlen(want));
		assert_memory_equal(e.name.p, want, e.name.n);
		if (with_meta)
			assert_int_equal(e.value_len, strlen(want));
	}
	return n;
}

static void long_listings_come_in_frames_as_they_are_taken(void **state)
{
	struct fixture *f = *state;
	struct client c, slow;
	struct request r;

	open_vault(f, &c);
	fill(f, &c, "many", 3000);
	begin_list(&r, SV_MSG_LIST, "", "", false);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(count_entries(f, false, "many"), 3000);
	/* with back-pressure: only as much waits here as one frame is long */
	assert_true(client_try(f, &slow, 4096));
	begin_list(&r, SV_MSG_LIST, "", "", true);
	request_send(f, &slow, &r);
	for (int i = 0; i < 20; i++)
		turn(f);
	assert_true(f->a.conns[1]->out.cap <= 2 * SV_STREAM_BYTES + 4096);
	assert_int_equal(get(f, &c, "many-000007"), SV_OK);
	assert_int_equal(client_reply(f, &slow, false), SV_OK);
	assert_true(f->frames > 1);
	assert_int_equal(count_entries(f, true, "many"), 3000);
	begin_list(&r, SV_MSG_LIST, "", "none/", true);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(f->body.len, 0);
	begin_list(&r, SV_MSG_LIST, "nowhere", "", true);
	assert_int_equal(request_ask(f, &c, &r), SV_ERR_NOT_FOUND);
	client_close(&c);
	client_close(&slow);
}

static void read_gives_metadata_and_values_in_frames(void **state)
{
	unsigned char *big = calloc(1, SV_VALUE_MAX);
	struct fixture *f = *state;
	unsigned long long total = 0;
	struct client c;
	struct request r;
	unsigned n = 0;

	assert_non_null(big);
	open_vault(f, &c);
	fill(f, &c, "many", 300);
	for (int i = 0; i < 3; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "big/%d", i);
		assert_int_equal(set_bytes(f, &c, "", name, big, SV_VALUE_MAX), SV_OK);
	}
	begin_list(&r, SV_MSG_READ, "", "", true);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_true(f->frames >= 4);
	while (sv_buf_unread(&f->body) > 0) {
		const unsigned char *bytes;
		struct sv_msg_info m;
		size_t len, at;
		uint32_t info_len;

		assert_int_equal(sv_buf_get_u32(&f->body, &info_len), SV_OK);
		at = f->body.off;
		assert_int_equal(sv_msg_get_info(&f->body, &m), SV_OK);
		assert_int_equal(f->body.off - at, info_len);
		assert_int_equal(sv_buf_peek_str32(&f->body, &bytes, &len, SV_VALUE_MAX), SV_OK);
		assert_int_equal(len, m.value_len);
		if (len == m.name.n)
			assert_memory_equal(bytes, m.name.p, len);
		total += len;
		n++;
	}
	assert_int_equal(n, 303);
	assert_int_equal(total, 3 * SV_VALUE_MAX + 300 * strlen("many-000000"));
	begin_list(&r, SV_MSG_INFOS, "", "big/", true);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_true(f->body.len > 0 && f->body.len < 3 * 512);
	assert_int_equal(status(f, &c).released, 303);
	free(big);
	client_close(&c);
}

static void versions_are_told_and_compared(void **state)
{
	const struct sv_msg_ref one = { text(""), text("a"), 1 }, two = { text(""), text("a"), 0 };
	struct fixture *f = *state;
	struct sv_msg_info m;
	struct client c;
	struct request r;
	uint32_t n;

	open_vault(f, &c);
	assert_int_equal(set(f, &c, "a", "first"), SV_OK);
	assert_int_equal(set(f, &c, "a", "second"), SV_OK);
	send_ref(f, &c, SV_MSG_INFO, "", "a", 0);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	assert_int_equal(sv_msg_get_info(&f->body, &m), SV_OK);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.value_len, 6);
	send_ref(f, &c, SV_MSG_HISTORY, "", "a", 0);
	assert_int_equal(client_reply(f, &c, false), SV_OK);
	for (unsigned v = 2; v > 0; v--) {
		assert_int_equal(sv_buf_get_u32(&f->body, &n), SV_OK);
		assert_int_equal(sv_msg_get_info(&f->body, &m), SV_OK);
		assert_int_equal(m.version, v);
	}
	assert_int_equal(sv_buf_unread(&f->body), 0);
	for (int same = 0; same < 2; same++) {
		assert_int_equal(sv_msg_put_ref(request_begin(&r, SV_MSG_COMPARE, 0), same ? &two : &one), SV_OK);
		assert_int_equal(sv_msg_put_ref(&r.b, &two), SV_OK);
		assert_int_equal(request_ask(f, &c, &r), SV_OK);
		assert_int_equal(f->body.len, 2);
		assert_int_equal(f->body.data[0], same);
		assert_int_equal(f->body.data[1], 1);
	}
	assert_int_equal(ask(f, &c, SV_MSG_VERIFY, "", 0), SV_OK);
	assert_int_equal(f->body.len, 24);
	client_close(&c);
}

/* ---- RESOLVE ---- */

struct selector {
	uint8_t kind;
	const char *arg, *var;
};

static enum sv_code resolve(struct fixture *f, struct client *c, uint8_t flags, const struct selector *s, size_t n)
{
	const struct sv_msg_resolve m = { text(""), flags, (uint16_t)n };
	struct request r;

	assert_int_equal(sv_msg_put_resolve(request_begin(&r, SV_MSG_RESOLVE, 0), &m), SV_OK);
	for (size_t i = 0; i < n; i++) {
		const struct sv_msg_selector one = { s[i].kind, text(s[i].arg), text(s[i].var) };

		assert_int_equal(sv_msg_put_selector(&r.b, &one), SV_OK);
	}
	return request_ask(f, c, &r);
}

/* The reply as "VAR=value(name) ..." in its order. */
static const char *pairs(struct fixture *f, bool names_only)
{
	static char out[1024];
	struct sv_msg_pair m;
	uint32_t count;
	size_t at = 0;

	out[0] = '\0';
	assert_int_equal(sv_buf_get_u32(&f->body, &count), SV_OK);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(sv_msg_get_pair(&f->body, &m, names_only), SV_OK);
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s(%s)", i > 0 ? " " : "", m.pair, m.name.p);
		assert_true(at < sizeof(out));
	}
	assert_int_equal(sv_buf_unread(&f->body), 0);
	return out;
}

static void selections_give_variables(void **state)
{
	static const struct {
		struct selector s[2];
		size_t n;
		const char *want;
	} t[] = {
		{ { { SV_SELECT_NAME, "db/user", "" } }, 1, "USER=me(db/user)" },
		{ { { SV_SELECT_NAME, "db/user", "PGUSER" } }, 1, "PGUSER=me(db/user)" },
		{ { { SV_SELECT_NAME, "db/user", "" }, { SV_SELECT_NAME, "db/user", "PGUSER" } },
		  2,
		  "USER=me(db/user) PGUSER=me(db/user)" },
		{ { { SV_SELECT_GROUP, "db/", "" } }, 1, "PASS=secret(db/pass) USER=me(db/user)" },
		{ { { SV_SELECT_ALL, "", "" } }, 1, "PASS=secret(db/pass) USER=me(db/user) NPM_TOKEN=t(npm_token)" },
		{ { { SV_SELECT_VAR_PREFIX, "NPM_", "" } }, 1, "NPM_TOKEN=t(npm_token)" },
		{ { { SV_SELECT_VAR, "PASS", "" } }, 1, "PASS=secret(db/pass)" },
		{ { { SV_SELECT_GROUP, "db/", "" }, { SV_SELECT_ALL, "", "" } },
		  2,
		  "PASS=secret(db/pass) USER=me(db/user) NPM_TOKEN=t(npm_token)" },
	};
	static const struct selector missing[] = { { SV_SELECT_NAME, "gone", "" }, { SV_SELECT_GROUP, "db/", "" } };
	static const struct selector nothing[] = { { SV_SELECT_GROUP, "gone/", "" }, { SV_SELECT_VAR, "GONE", "" } };
	struct fixture *f = *state;
	struct client c;

	open_vault(f, &c);
	assert_int_equal(set(f, &c, "db/user", "me"), SV_OK);
	assert_int_equal(set(f, &c, "db/pass", "secret"), SV_OK);
	assert_int_equal(set(f, &c, "npm_token", "t"), SV_OK);
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		assert_int_equal(resolve(f, &c, 0, t[i].s, t[i].n), SV_OK);
		assert_string_equal(pairs(f, false), t[i].want);
	}
	assert_int_equal(resolve(f, &c, SV_RESOLVE_NAMES_ONLY, t[3].s, 1), SV_OK);
	assert_string_equal(pairs(f, true), "PASS=(db/pass) USER=(db/user)");
	assert_int_equal(resolve(f, &c, 0, missing, 2), SV_ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.msg, "gone"));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(resolve(f, &c, 0, nothing + i, 1), SV_ERR_NOT_FOUND);
	assert_int_equal(resolve(f, &c, SV_RESOLVE_LENIENT, missing, 2), SV_OK);
	assert_string_equal(pairs(f, false), "PASS=secret(db/pass) USER=me(db/user)");
	assert_int_equal(resolve(f, &c, SV_RESOLVE_LENIENT, nothing, 2), SV_OK);
	assert_string_equal(pairs(f, false), "");
	assert_int_equal(resolve(f, &c, 0, missing, 0), SV_ERR_PROTO);
	client_close(&c);
}

static void what_no_variable_can_hold_is_refused_by_name(void **state)
{
	static const struct selector all = { SV_SELECT_ALL, "", "" };
	static unsigned char big[SV_VAR_PAIR_MAX];
	static const struct {
		const char *name;
		const void *value;
		size_t n;
		enum sv_code rc;
	} t[] = {
		{ "x/empty", "", 0, SV_ERR_FAIL },
		{ "x/nul", "a\0b", 3, SV_ERR_FAIL },
		{ "x/big", big, SV_VAR_PAIR_MAX - 3, SV_ERR_TOO_BIG }, /* "BIG=" is four bytes */
		{ "x/big", big, SV_VAR_PAIR_MAX - 4, SV_OK },
		{ "x/mine", "v", 1, SV_OK },
	};
	struct fixture *f = *state;
	struct client c;

	memset(big, 'b', sizeof(big));
	open_vault(f, &c);
	for (size_t i = 0; i < SV_COUNT(t); i++) {
		struct selector s = { SV_SELECT_NAME, t[i].name, "" };

		assert_int_equal(set_bytes(f, &c, "", t[i].name, t[i].value, t[i].n), SV_OK);
		assert_int_equal(resolve(f, &c, 0, &s, 1), t[i].rc);
		if (t[i].rc != SV_OK)
			assert_non_null(strstr(f->err.msg, t[i].name));
		assert_int_equal(resolve(f, &c, SV_RESOLVE_NAMES_ONLY, &s, 1), SV_OK);
	}
	assert_int_equal(set(f, &c, "y/mine", "w"), SV_OK); /* two secrets, one variable */
	assert_int_equal(resolve(f, &c, SV_RESOLVE_NAMES_ONLY, &all, 1), SV_ERR_CONFLICT);
	assert_non_null(strstr(f->err.msg, "x/mine"));
	assert_non_null(strstr(f->err.msg, "y/mine"));
	assert_int_equal(resolve(f, &c, SV_RESOLVE_NAMES_ONLY | SV_RESOLVE_LENIENT, &all, 1), SV_OK);
	assert_string_equal(pairs(f, true), "BIG=(x/big) EMPTY=(x/empty) MINE=(x/mine) NUL=(x/nul) MINE=(y/mine)");
	client_close(&c);
}

static void large_selections_come_in_frames_and_end_at_a_limit(void **state)
{
	static const struct selector all = { SV_SELECT_ALL, "", "" };
	static unsigned char big[100000];
	struct fixture *f = *state;
	struct sv_msg_pair m;
	struct client c;
	uint32_t count;

	memset(big, 'b', sizeof(big));
	open_vault(f, &c);
	for (int i = 0; i < 170; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%03d", i);
		assert_int_equal(set_bytes(f, &c, "", name, big, sizeof(big)), SV_OK);
		if (i == 20) {
			assert_int_equal(resolve(f, &c, 0, &all, 1), SV_OK);
			assert_true(f->frames > 3);
			assert_int_equal(sv_buf_get_u32(&f->body, &count), SV_OK);
			assert_int_equal(count, 21);
			while (count-- > 0)
				assert_int_equal(sv_msg_get_pair(&f->body, &m, false), SV_OK);
			assert_int_equal(sv_buf_unread(&f->body), 0);
		}
	}
	assert_int_equal(resolve(f, &c, 0, &all, 1), SV_ERR_TOO_BIG); /* 17 MB */
	client_close(&c);
}

/* ---- WRITE ---- */

static void a_change_in_parts_is_one_change_or_none(void **state)
{
	struct fixture *f = *state;
	struct sv_msg_commit m;
	struct client c, other;
	struct request r;

	open_vault(f, &c);
	client_open(f, &other);
	for (int i = 0; i < 3; i++) {
		put_op(begin_write(&r, i < 2 ? SV_FRAME_MORE : 0, SV_VERB_IMPORT), "",
		       i == 0	? "a"
		       : i == 1 ? "b"
				: "c",
		       "v", 1);
		assert_int_equal(request_ask(f, &c, &r), SV_OK);
		if (i < 2) {
			assert_int_equal(f->body.len, 0);
			assert_int_equal(get(f, &other, "a"), SV_ERR_NOT_FOUND); /* not before all is there */
		}
	}
	assert_int_equal(sv_msg_get_commit(&f->body, &m), SV_OK);
	assert_int_equal(m.added, 3);
	assert_int_equal(get(f, &other, "a"), SV_OK);
	/* a part that is refused takes the others with it, those before and those behind */
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "d", "v", 1);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "=bad", "v", 1);
	assert_int_equal(request_ask(f, &c, &r), SV_ERR_NAME);
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "e", "v", 1);
	assert_int_equal(request_ask(f, &c, &r), SV_ERR_FAIL);
	put_op(begin_write(&r, 0, SV_VERB_SET), "", "f", "v", 1);
	assert_int_equal(request_ask(f, &c, &r), SV_ERR_FAIL);
	assert_int_equal(status(f, &c).secrets, 3);
	assert_int_equal(set(f, &c, "g", "v"), SV_OK);
	/* and one that is not finished is nothing */
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "h", "v", 1);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	client_close(&c);
	turn(f);
	turn(f);
	assert_int_equal(status(f, &other).secrets, 4);
	/* the verb belongs to all of it */
	put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", "i", "v", 1);
	assert_int_equal(request_ask(f, &other, &r), SV_OK);
	put_op(begin_write(&r, 0, SV_VERB_ADD), "", "j", "v", 1);
	assert_int_equal(request_ask(f, &other, &r), SV_ERR_PROTO);
	client_close(&other);
}

static void staged_changes_have_a_budget(void **state)
{
	unsigned char *big = calloc(1, SV_VALUE_MAX);
	struct fixture *f = *state;
	enum sv_code rc = SV_OK;
	struct client c, other;
	struct request r;
	unsigned n = 0;

	assert_non_null(big);
	open_vault(f, &c);
	client_open(f, &other);
	while (rc == SV_OK && n < 200) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%u", n++);
		put_op(begin_write(&r, SV_FRAME_MORE, SV_VERB_SET), "", name, big, SV_VALUE_MAX);
		rc = request_ask(f, &c, &r);
	}
	assert_int_equal(rc, SV_ERR_TOO_BIG);
	assert_in_range(n, 100, 129);
	assert_int_equal(set_bytes(f, &other, "", "fits", big, SV_VALUE_MAX), SV_OK); /* the budget is free again */
	assert_int_equal(status(f, &other).secrets, 1);
	free(big);
	client_close(&c);
	client_close(&other);
}

static void groups_move_and_an_undo_takes_them_back(void **state)
{
	struct sv_msg_op op = { .op = SV_OP_MOVE, .name = text("a/"), .to_name = text("b/") };
	struct fixture *f = *state;
	struct sv_msg_commit m;
	struct client c;
	struct request r;

	open_vault(f, &c);
	assert_int_equal(set(f, &c, "a/x", "1"), SV_OK);
	assert_int_equal(set(f, &c, "a/y/z", "2"), SV_OK);
	assert_int_equal(sv_msg_put_op(begin_write(&r, 0, SV_VERB_MV), &op), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(get(f, &c, "b/y/z"), SV_OK);
	assert_int_equal(get(f, &c, "a/x"), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_msg_put_op(begin_write(&r, 0, SV_VERB_MV), &op), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_ERR_NOT_FOUND);
	for (int dry = 1; dry >= 0; dry--) {
		unsigned infos = 0;
		uint32_t n;

		assert_int_equal(ask(f, &c, SV_MSG_UNDO, dry ? "\1" : "\0", 1), SV_OK);
		assert_int_equal(sv_msg_get_commit(&f->body, &m), SV_OK);
		while (sv_buf_unread(&f->body) > 0) {
			struct sv_msg_info i;

			assert_int_equal(sv_buf_get_u32(&f->body, &n), SV_OK);
			assert_int_equal(sv_msg_get_info(&f->body, &i), SV_OK);
			infos++;
		}
		assert_true(infos >= 2);
		assert_int_equal(get(f, &c, "a/x"), dry ? SV_ERR_NOT_FOUND : SV_OK);
	}
	client_close(&c);
}

/* ---- files ---- */

static unsigned files_named(const struct fixture *f, const char *part)
{
	DIR *d = opendir(f->dir);
	unsigned n = 0;

	assert_non_null(d);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		n += strstr(e->d_name, part) != NULL;
	closedir(d);
	return n;
}

static enum sv_code adopt(struct fixture *f, struct client *c, const unsigned char *key)
{
	struct request r;

	assert_int_equal(sv_buf_put_u8(request_begin(&r, SV_MSG_ADOPT, 0), 0), SV_OK);
	assert_int_equal(sv_buf_put(&r.b, key, SV_SLOT_KEY_BYTES), SV_OK);
	return request_ask(f, c, &r);
}

static void a_backup_comes_back(void **state)
{
	struct sv_buf file = SV_BUF_INIT;
	struct fixture *f = *state;
	struct sv_slot_info slots[SV_SLOTS_MAX];
	struct sv_text aside;
	struct client c;
	size_t n_slots;

	open_vault(f, &c);
	fill(f, &c, "many", 500);
	assert_int_equal(set(f, &c, "a", "as it was"), SV_OK);
	assert_int_equal(ask(f, &c, SV_MSG_BACKUP, "", 0), SV_OK);
	assert_true(f->frames > 4);
	file = f->body;
	f->body = (struct sv_buf)SV_BUF_INIT;
	assert_int_equal(set(f, &c, "a", "later"), SV_OK);
	assert_int_equal(adopt(f, &c, good_key), SV_ERR_USAGE); /* nothing is loaded */
	for (size_t at = 0; at < file.len;) {
		size_t n = file.len - at < 100000 ? file.len - at : 100000;
		struct request r;

		assert_int_equal(sv_buf_put(request_begin(&r, SV_MSG_LOAD, at + n < file.len ? SV_FRAME_MORE : 0),
					    file.data + at, n),
				 SV_OK);
		assert_int_equal(request_ask(f, &c, &r), SV_OK);
		at += n;
	}
	assert_int_equal(sv_msg_get_slots(&f->body, slots, &n_slots), SV_OK);
	assert_int_equal(n_slots, 1);
	assert_true(files_named(f, ".load-") > 0);
	assert_int_equal(adopt(f, &c, bad_key), SV_ERR_PASSPHRASE);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	assert_true(body_is(f, "later"));
	pass(f, SV_IDLE_STEP_MS);
	assert_int_equal(adopt(f, &c, good_key), SV_OK); /* the file waited for it */
	assert_int_equal(sv_msg_get_text(&f->body, &aside, 4095), SV_OK);
	assert_true(aside.n > strlen(f->vault) && memcmp(aside.p, f->vault, strlen(f->vault)) == 0);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	assert_true(body_is(f, "as it was"));
	assert_int_equal(status(f, &c).secrets, 501);
	assert_int_equal(files_named(f, ".load-"), 0);
	assert_true(files_named(f, ".before-") > 0);
	assert_int_equal(lock(f, &c), SV_OK);
	assert_int_equal(unlock(f, &c, good_key), SV_OK); /* the witness went along */
	/* what is no vault is refused, and nothing stays of it */
	assert_int_equal(ask(f, &c, SV_MSG_LOAD, "no vault", 8), SV_ERR_NOT_A_VAULT);
	file.data[file.len / 2] ^= 1;
	if (file.len <= SV_FRAME_BODY_MAX && ask(f, &c, SV_MSG_LOAD, file.data, file.len) == SV_OK)
		assert_int_not_equal(adopt(f, &c, good_key), SV_OK);
	client_close(&c);
	turn(f);
	turn(f);
	assert_int_equal(files_named(f, ".load-"), 0); /* a connection takes its file along */
	client_open(f, &c);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	sv_buf_clear(&file);
	client_close(&c);
}

static void only_so_many_files_are_loaded_at_a_time(void **state)
{
	static struct client c[SV_LOADS_MAX + 1];
	struct fixture *f = *state;
	struct request r;

	for (size_t i = 0; i < SV_COUNT(c); i++) {
		client_open(f, &c[i]);
		assert_int_equal(sv_buf_put(request_begin(&r, SV_MSG_LOAD, SV_FRAME_MORE), "part", 4), SV_OK);
		assert_int_equal(request_ask(f, &c[i], &r), i < SV_LOADS_MAX ? SV_OK : SV_ERR_BUSY);
	}
	assert_int_equal(ask(f, &c[SV_LOADS_MAX], SV_MSG_LOAD, "rest", 4), SV_ERR_FAIL); /* of what was refused */
	client_close(&c[0]);
	turn(f);
	turn(f);
	assert_int_equal(ask(f, &c[SV_LOADS_MAX], SV_MSG_LOAD, "no vault", 8), SV_ERR_NOT_A_VAULT);
	for (size_t i = 1; i < SV_COUNT(c); i++)
		client_close(&c[i]);
}

/* ---- objects ---- */

static enum sv_code object(struct fixture *f, struct client *c, uint16_t type, uint8_t kind, const char *key,
			   const char *value)
{
	struct request r;

	assert_int_equal(sv_buf_put_u8(request_begin(&r, type, 0), kind), SV_OK);
	if (key != NULL)
		assert_int_equal(sv_msg_put_text(&r.b, text(key)), SV_OK);
	if (value != NULL)
		assert_int_equal(sv_buf_put_str32(&r.b, value, strlen(value)), SV_OK);
	return request_ask(f, c, &r);
}

static void drafts_and_consents_are_kept_and_nothing_else_is_given_out(void **state)
{
	struct fixture *f = *state;
	struct sv_text key;
	struct client c;
	int64_t when;
	uint32_t len;

	open_vault(f, &c);
	for (uint8_t kind = SV_OBJECT_CONSENT; kind <= SV_OBJECT_DRAFT; kind++) {
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_PUT, kind, "/p", "words"), SV_OK);
		assert_int_equal(f->body.len, 0);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_GET, kind, "/p", NULL), SV_OK);
		assert_true(body_is(f, "words"));
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_LIST, kind, NULL, NULL), SV_OK);
		assert_int_equal(sv_msg_get_text(&f->body, &key, 255), SV_OK);
		assert_int_equal(sv_buf_get_u64(&f->body, (uint64_t *)&when), SV_OK);
		assert_int_equal(sv_buf_get_u32(&f->body, &len), SV_OK);
		assert_int_equal(len, 5);
		assert_int_equal(when, 1700000000);
		assert_int_equal(sv_buf_unread(&f->body), 0);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_REMOVE, kind, "/p", NULL), SV_OK);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_GET, kind, "/p", NULL), SV_ERR_NOT_FOUND);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_REMOVE, kind, "/p", NULL), SV_ERR_NOT_FOUND);
	}
	for (int kind = 0; kind < 256; kind++) {
		if (kind == SV_OBJECT_CONSENT || kind == SV_OBJECT_DRAFT)
			continue;
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_PUT, (uint8_t)kind, "k", "v"), SV_ERR_DENIED);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_GET, (uint8_t)kind, "k", NULL), SV_ERR_DENIED);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_LIST, (uint8_t)kind, NULL, NULL), SV_ERR_DENIED);
		assert_int_equal(object(f, &c, SV_MSG_OBJECT_REMOVE, (uint8_t)kind, "k", NULL), SV_ERR_DENIED);
	}
	assert_int_equal(ask(f, &c, SV_MSG_DRAFT_KEY, "", 0), SV_OK);
	assert_int_equal(f->body.len, 32);
	assert_int_equal(ask(f, &c, SV_MSG_DRAFT_OPEN, "\4\0\0\0abcd", 8), SV_ERR_INTEGRITY);
	assert_int_equal(object(f, &c, SV_MSG_OBJECT_PUT, SV_OBJECT_DRAFT, "", "v"), SV_ERR_PROTO);
	client_close(&c);
}

static void environments_are_listed_and_compared(void **state)
{
	struct sv_msg_op op = { .op = SV_OP_ENV_CREATE, .env = text("dev") };
	static const char want[] = "\3\1\0a"
				   "\4\1\0b"
				   "\2\1\0c";
	struct fixture *f = *state;
	struct client c;
	struct request r;

	open_vault(f, &c);
	assert_int_equal(set(f, &c, "a", "same"), SV_OK);
	assert_int_equal(set(f, &c, "b", "one"), SV_OK);
	assert_int_equal(sv_msg_put_op(begin_write(&r, 0, SV_VERB_ENV), &op), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(set_bytes(f, &c, "dev", "b", "two", 3), SV_OK);
	assert_int_equal(set_bytes(f, &c, "dev", "c", "x", 1), SV_OK);
	assert_int_equal(ask(f, &c, SV_MSG_ENVS, "", 0), SV_OK);
	assert_int_equal(f->body.len, 2 + 7 + 5 + 2 + 3 + 5);
	assert_int_equal(sv_msg_put_text(request_begin(&r, SV_MSG_ENV_DIFF, 0), text("default")), SV_OK);
	assert_int_equal(sv_msg_put_text(&r.b, text("dev")), SV_OK);
	assert_int_equal(sv_msg_put_text(&r.b, text("")), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(f->body.len, sizeof(want) - 1);
	assert_memory_equal(f->body.data, want, sizeof(want) - 1);
	client_close(&c);
}

static void a_rekey_changes_the_key_that_opens(void **state)
{
	struct sv_msg_rekey m = {
		.proof_slot = 0,
		.proof = bad_key,
		.slots = { .slot = { { .kind = SV_SLOT_PASSPHRASE,
				       .kdf = { .alg = SV_KDF_ARGON2ID13, .ops = 3, .mem = (uint64_t)64 << 20 },
				       .key = bad_key } },
			   .n = 1 },
	};
	struct fixture *f = *state;
	struct client c;
	struct request r;

	open_vault(f, &c);
	assert_int_equal(set(f, &c, "a", "b"), SV_OK);
	assert_int_equal(sv_msg_put_rekey(request_begin(&r, SV_MSG_REKEY, 0), &m), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_ERR_PASSPHRASE);
	pass(f, SV_IDLE_STEP_MS);
	m.proof = good_key;
	assert_int_equal(sv_msg_put_rekey(request_begin(&r, SV_MSG_REKEY, 0), &m), SV_OK);
	assert_int_equal(request_ask(f, &c, &r), SV_OK);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	assert_int_equal(lock(f, &c), SV_OK);
	assert_int_equal(unlock(f, &c, good_key), SV_ERR_PASSPHRASE);
	pass(f, SV_IDLE_STEP_MS);
	assert_int_equal(unlock(f, &c, bad_key), SV_OK);
	assert_int_equal(get(f, &c, "a"), SV_OK);
	client_close(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		AGENT_TEST(values_of_every_size_come_back_exactly),
		AGENT_TEST(long_listings_come_in_frames_as_they_are_taken),
		AGENT_TEST(read_gives_metadata_and_values_in_frames),
		AGENT_TEST(versions_are_told_and_compared),
		AGENT_TEST(selections_give_variables),
		AGENT_TEST(what_no_variable_can_hold_is_refused_by_name),
		AGENT_TEST(large_selections_come_in_frames_and_end_at_a_limit),
		AGENT_TEST(a_change_in_parts_is_one_change_or_none),
		AGENT_TEST(staged_changes_have_a_budget),
		AGENT_TEST(groups_move_and_an_undo_takes_them_back),
		AGENT_TEST(a_backup_comes_back),
		AGENT_TEST(only_so_many_files_are_loaded_at_a_time),
		AGENT_TEST(drafts_and_consents_are_kept_and_nothing_else_is_given_out),
		AGENT_TEST(environments_are_listed_and_compared),
		AGENT_TEST(a_rekey_changes_the_key_that_opens),
	};

	return cmocka_run_group_tests_name("requests", tests, fixture_group_setup, fixture_group_teardown);
}

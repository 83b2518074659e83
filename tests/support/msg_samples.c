/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples.  Every optional part is there at least once, so that each byte of a layout is met.
 */
#include "tests/support/msg_samples.h"

#include <string.h>

#define TEXT(s)                    \
	{                          \
		(s), sizeof(s) - 1 \
	}

static const unsigned char key_a[SV_SLOT_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const unsigned char key_b[SV_SLOT_KEY_BYTES] = "fedcba9876543210fedcba987654321";

#define KDF                                                                              \
	{                                                                                \
		.alg = SV_KDF_ARGON2ID13, .ops = 3, .mem = (uint64_t)64 << 20, .salt = { \
			1,                                                               \
			2,                                                               \
			3,                                                               \
			4,                                                               \
			5,                                                               \
			6,                                                               \
			7,                                                               \
			8,                                                               \
			9,                                                               \
			10                                                               \
		}                                                                        \
	}

#define META                                                                                                          \
	{                                                                                                             \
		.var = TEXT("TOKEN"), .desc = TEXT("what it is for"), .owner = TEXT("me"),                            \
		.url = TEXT("https://example.com/"), .type = TEXT("api-key"), .tags = { TEXT("one"), TEXT("two") },   \
		.n_tags = 2, .scopes = { TEXT("read") }, .n_scopes = 1, .expires_s = 1800000000, .rotate_s = 7776000, \
	}

#define SLOTS                                                                       \
	{                                                                           \
		.slot = { { .kind = SV_SLOT_PASSPHRASE, .kdf = KDF, .key = key_a }, \
			  { .kind = SV_SLOT_RECOVERY, .kdf = KDF, .key = key_b } }, \
		.n = 2                                                              \
	}

/* A pair of functions for one message that is a plain struct with one put and one get. */
#define PLAIN(kind, type, ...)                                                  \
	static enum sv_code make_##kind(struct sv_buf *b)                       \
	{                                                                       \
		static const struct type m = { __VA_ARGS__ };                   \
		return sv_msg_put_##kind(b, &m);                                \
	}                                                                       \
	static enum sv_code again_##kind(struct sv_buf *in, struct sv_buf *out) \
	{                                                                       \
		struct type m;                                                  \
		enum sv_code rc = sv_msg_get_##kind(in, &m);                    \
		if (rc == SV_OK && sv_msg_put_##kind(out, &m) != SV_OK)         \
			return SV_ERR_FAIL;                                     \
		return rc;                                                      \
	}

PLAIN(init, sv_msg_init, .slots = SLOTS, .timers = { 900, SV_TIMER_NEVER })
PLAIN(unlock, sv_msg_unlock, .slot = 7, .key = key_a, .timers = { 1, 2 }, .accept_rollback = true)
PLAIN(rekey, sv_msg_rekey, .proof_slot = 1, .proof = key_b, .slots = SLOTS)
PLAIN(ref, sv_msg_ref, .env = TEXT("dev"), .name = TEXT("group/name"), .version = UINT64_MAX)
PLAIN(list, sv_msg_list, .env = TEXT("dev"), .group = TEXT("group/"), .with_meta = true)
PLAIN(resolve, sv_msg_resolve, .env = TEXT("dev"), .flags = SV_RESOLVE_NAMES_ONLY | SV_RESOLVE_LENIENT,
      .n = SV_SELECTORS_MAX)
PLAIN(status, sv_msg_status, .state = SV_STATE_UNLOCKED, .flags = 0x7f, .pid = 12345, .version = TEXT("0.1.0"),
      .vault_path = TEXT("/home/me/.local/share/sv/vault.db"), .idle_left_s = 1, .total_left_s = 2, .idle_s = 3,
      .total_s = 4, .seq = 5, .changed_s = -6, .secrets = 7, .released = 8, .refused_peers = 9, .failed_unlocks = 10)
PLAIN(info, sv_msg_info, .env = TEXT("default"), .name = TEXT("group/name"), .meta = META, .version = 3, .txn = 4,
      .verb = SV_VERB_SET, .gone = true, .inherited = true, .created_s = 5, .changed_s = 6, .used_s = 7,
      .value_len = (uint32_t)SV_VALUE_MAX)
PLAIN(commit, sv_msg_commit, .txn = 1, .added = 2, .changed = 3, .removed = 4, .unchanged = 5)
PLAIN(meta, sv_meta, .var = TEXT("TOKEN"), .n_tags = 0, .expires_s = -1)

static enum sv_code again_selector(struct sv_buf *in, struct sv_buf *out)
{
	struct sv_msg_selector m;
	enum sv_code rc = sv_msg_get_selector(in, &m);

	if (rc == SV_OK && sv_msg_put_selector(out, &m) != SV_OK)
		return SV_ERR_FAIL;
	return rc;
}

static enum sv_code make_selector_name(struct sv_buf *b)
{
	static const struct sv_msg_selector m = { SV_SELECT_NAME, TEXT("group/name"), TEXT("VAR") };

	return sv_msg_put_selector(b, &m);
}

static enum sv_code make_selector_group(struct sv_buf *b)
{
	static const struct sv_msg_selector m = { SV_SELECT_GROUP, TEXT("group/"), { "", 0 } };

	return sv_msg_put_selector(b, &m);
}

static enum sv_code make_selector_all(struct sv_buf *b)
{
	static const struct sv_msg_selector m = { SV_SELECT_ALL, { "", 0 }, { "", 0 } };

	return sv_msg_put_selector(b, &m);
}

static enum sv_code again_op(struct sv_buf *in, struct sv_buf *out)
{
	struct sv_msg_op m;
	enum sv_code rc = sv_msg_get_op(in, &m);

	if (rc == SV_OK && sv_msg_put_op(out, &m) != SV_OK)
		return SV_ERR_FAIL;
	return rc;
}

static enum sv_code make_op_put(struct sv_buf *b)
{
	static const struct sv_msg_op m = {
		.op = SV_OP_PUT,
		.env = TEXT("dev"),
		.name = TEXT("group/name"),
		.version = 9,
		.force = true,
		.mode = SV_PUT_UPDATE,
		.has_value = true,
		.value = (const unsigned char *)"a value\0with NUL",
		.value_len = 16,
		.meta_fields = SV_MF_ALL,
		.meta = META,
	};

	return sv_msg_put_op(b, &m);
}

static enum sv_code make_op_move(struct sv_buf *b)
{
	static const struct sv_msg_op m = { .op = SV_OP_MOVE,
					    .env = TEXT("a"),
					    .name = TEXT("x/"),
					    .to_env = TEXT("b"),
					    .to_name = TEXT("y/"),
					    .force = true };

	return sv_msg_put_op(b, &m);
}

static enum sv_code make_slots(struct sv_buf *b)
{
	static const struct sv_slot_info s[] = { { .id = 0, .kind = 1, .kdf = KDF },
						 { .id = 7, .kind = 99, .kdf = KDF } };

	return sv_msg_put_slots(b, s, 2);
}

static enum sv_code again_slots(struct sv_buf *in, struct sv_buf *out)
{
	struct sv_slot_info s[SV_SLOTS_MAX];
	size_t n;
	enum sv_code rc = sv_msg_get_slots(in, s, &n);

	if (rc == SV_OK && sv_msg_put_slots(out, s, n) != SV_OK)
		return SV_ERR_FAIL;
	return rc;
}

static const struct sv_msg_entry entry = { true, TEXT("group/name"), TEXT("NAME"), 1234, 99 };

static enum sv_code make_entry(struct sv_buf *b)
{
	return sv_msg_put_entry(b, &entry, false);
}

static enum sv_code make_entry_meta(struct sv_buf *b)
{
	return sv_msg_put_entry(b, &entry, true);
}

static enum sv_code again_entry_of(struct sv_buf *in, struct sv_buf *out, bool with_meta)
{
	struct sv_msg_entry m;
	enum sv_code rc = sv_msg_get_entry(in, &m, with_meta);

	if (rc == SV_OK && sv_msg_put_entry(out, &m, with_meta) != SV_OK)
		return SV_ERR_FAIL;
	return rc;
}

static enum sv_code again_entry(struct sv_buf *in, struct sv_buf *out)
{
	return again_entry_of(in, out, false);
}

static enum sv_code again_entry_meta(struct sv_buf *in, struct sv_buf *out)
{
	return again_entry_of(in, out, true);
}

static enum sv_code put_pair(struct sv_buf *b, const struct sv_msg_pair *m, bool names_only)
{
	enum sv_code rc = sv_msg_put_pair_head(b, m->inherited, m->var, m->name, m->value_len);

	if (rc == SV_OK && !names_only)
		rc = sv_buf_put(b, m->pair + m->var.n + 1, m->value_len);
	return rc == SV_OK ? sv_buf_put_u8(b, 0) : rc;
}

static char pair_text[] = "NAME=the value";
static const struct sv_msg_pair pair = {
	.inherited = true, .var = TEXT("NAME"), .name = TEXT("group/name"), .pair = pair_text, .value_len = 9
};

static enum sv_code make_pair(struct sv_buf *b)
{
	return put_pair(b, &pair, false);
}

static enum sv_code make_pair_name(struct sv_buf *b)
{
	return put_pair(b, &pair, true);
}

static enum sv_code again_pair_of(struct sv_buf *in, struct sv_buf *out, bool names_only)
{
	struct sv_msg_pair m;
	enum sv_code rc = sv_msg_get_pair(in, &m, names_only);

	if (rc == SV_OK && put_pair(out, &m, names_only) != SV_OK)
		return SV_ERR_FAIL;
	return rc;
}

static enum sv_code again_pair(struct sv_buf *in, struct sv_buf *out)
{
	return again_pair_of(in, out, false);
}

static enum sv_code again_pair_name(struct sv_buf *in, struct sv_buf *out)
{
	return again_pair_of(in, out, true);
}

static enum sv_code make_error(struct sv_buf *b)
{
	static const struct sv_err e = { SV_ERR_ROLLBACK, 0,
					 "the vault file is older than what this machine has seen" };

	return sv_msg_put_error(b, &e);
}

static enum sv_code again_error(struct sv_buf *in, struct sv_buf *out)
{
	struct sv_err e = SV_ERR_INIT;
	enum sv_code rc = sv_msg_get_error(in, &e);

	if (rc == SV_OK && sv_msg_put_error(out, &e) != SV_OK)
		return SV_ERR_FAIL;
	return rc;
}

#define ROW(kind)                                \
	{                                        \
#kind, make_##kind, again_##kind \
	}
const struct msg_sample msg_samples[] = {
	ROW(init),
	ROW(unlock),
	ROW(rekey),
	ROW(ref),
	ROW(list),
	ROW(resolve),
	{ "selector of a name", make_selector_name, again_selector },
	{ "selector of a group", make_selector_group, again_selector },
	{ "selector of all", make_selector_all, again_selector },
	{ "put", make_op_put, again_op },
	{ "move", make_op_move, again_op },
	ROW(meta),
	ROW(slots),
	ROW(status),
	ROW(info),
	ROW(entry),
	ROW(entry_meta),
	ROW(pair),
	ROW(pair_name),
	ROW(commit),
	ROW(error),
};
const size_t msg_samples_n = sizeof(msg_samples) / sizeof(msg_samples[0]);

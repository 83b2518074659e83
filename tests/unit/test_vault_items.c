/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets, versions, environments, listings.
 */
#include "tests/unit/vault_fixture.h"

#include <sodium.h>

static void put_has_three_modes(void **s)
{
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(fix_try(&f, SV_PUT_UPDATE, "default", "a", "1"), SV_ERR_NOT_FOUND);
	assert_int_equal(fix_try(&f, SV_PUT_ADD, "default", "a", "1"), SV_OK);
	assert_int_equal(f.commit.added, 1);
	assert_int_equal(fix_try(&f, SV_PUT_ADD, "default", "a", "2"), SV_ERR_EXISTS);
	assert_int_equal(fix_try(&f, SV_PUT_UPDATE, "default", "a", "2"), SV_OK);
	assert_int_equal(f.commit.changed, 1);
	assert_int_equal(fix_try(&f, SV_PUT_SET, "default", "a", "2"), SV_OK);
	assert_int_equal(f.commit.unchanged, 1);
	assert_int_equal(f.commit.txn, 0);
	assert_string_equal(fix_get(&f, "default", "a"), "2");
	assert_int_equal(fix_try(&f, SV_PUT_SET, "nowhere", "a", "2"), SV_ERR_NOT_FOUND);
	fix_end(&f);
}

static void names_that_are_not_legal_are_refused(void **s)
{
	static const char *const bad[] = { "",     "..",  "a//b",     "/a",   "a/",  "-a",
					   "a\nb", "a=b", "a\x1b[2J", "\xff", "a@1", " a" };
	char longest[300];
	struct fix f;

	(void)s;
	fix_new(&f);
	for (size_t i = 0; i < SV_COUNT(bad); i++)
		assert_int_equal(fix_try(&f, SV_PUT_SET, "default", bad[i], "x"), SV_ERR_NAME);
	memset(longest, 'n', sizeof(longest));
	longest[256] = '\0';
	assert_int_equal(fix_try(&f, SV_PUT_SET, "default", longest, "x"), SV_ERR_NAME);
	longest[255] = '\0';
	assert_int_equal(fix_try(&f, SV_PUT_SET, "default", longest, "x"), SV_OK);
	assert_string_equal(fix_get(&f, "default", longest), "x");
	fix_sound(&f);
	fix_end(&f);
}

static void values_of_all_sizes_come_back(void **s)
{
	static const size_t sizes[] = { 0,           1,     251,   252,    253,    4092,
					4093,        65532, 65533, 131068, 131069, SV_VALUE_MAX - 1,
					SV_VALUE_MAX };
	static unsigned char value[SV_VALUE_MAX + 1], out[SV_VALUE_MAX];
	struct sv_put p = {
		.env = text("default"), .name = text("v"), .mode = SV_PUT_SET, .has_value = true, .value = value
	};
	struct sv_secret *got;
	struct sv_tx *tx;
	struct fix f;
	size_t n;

	(void)s;
	fix_new(&f);
	randombytes_buf(value, sizeof(value));
	value[0] = 0;
	for (size_t i = 0; i < SV_COUNT(sizes); i++) {
		p.value_len = sizes[i];
		assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &tx, &f.err), SV_OK);
		assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
		assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
		assert_int_equal(sv_vault_get_into(f.v, p.env, p.name, out, sizeof(out), &n, &f.err), SV_OK);
		assert_int_equal(n, sizes[i]);
		assert_memory_equal(out, value, n);
		if (n > 0)
			assert_int_equal(sv_vault_get_into(f.v, p.env, p.name, out, n - 1, &n, &f.err), SV_ERR_TOO_BIG);
		assert_int_equal(n, sizes[i]);
	}
	p.value_len = SV_VALUE_MAX + 1;
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_ERR_TOO_BIG);
	sv_tx_abort(&tx);
	fix_reopen(&f);
	assert_int_equal(sv_vault_get(f.v, p.env, p.name, 0, NULL, &got, &f.err), SV_OK);
	assert_int_equal(sv_secret_len(got), SV_VALUE_MAX);
	assert_memory_equal(sv_secret_cpeek(got), value, SV_VALUE_MAX);
	sv_secret_free(&got);
	fix_sound(&f);
	fix_end(&f);
}

static void metadata_is_kept_merged_and_deleted(void **s)
{
	struct sv_put p = { .env = text("default"),
			    .name = text("m"),
			    .mode = SV_PUT_ADD,
			    .has_value = true,
			    .value = (const unsigned char *)"v",
			    .value_len = 1,
			    .meta_fields = SV_MF_ALL };
	struct sv_info i;
	struct sv_tx *tx;
	struct fix f;

	(void)s;
	fix_new(&f);
	p.meta = (struct sv_meta){ .var = text("VAR"),
				   .desc = text("d"),
				   .url = text("https://x"),
				   .n_tags = 2,
				   .n_scopes = 1,
				   .expires_s = 5,
				   .rotate_s = 6 };
	p.meta.tags[0] = text("t1");
	p.meta.tags[1] = text("t2");
	p.meta.scopes[0] = text("s");
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_ADD, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
	f.now += 10;
	p.mode = SV_PUT_UPDATE;
	p.has_value = false;
	p.meta = (struct sv_meta){ .desc = text("other") };
	p.meta_fields = SV_MF_DESC | SV_MF_TAGS;
	p.if_version = 7;
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_META, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_ERR_CONFLICT);
	p.if_version = 1;
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
	assert_int_equal(sv_vault_get(f.v, text("default"), text("m"), 0, &i, NULL, &f.err), SV_OK);
	assert_int_equal(i.version, 2);
	assert_int_equal(i.verb, SV_VERB_META);
	assert_int_equal(i.created_s, 1700000000);
	assert_int_equal(i.changed_s, 1700000010);
	assert_int_equal(i.meta.n_tags, 0);
	assert_int_equal(i.meta.n_scopes, 1);
	assert_memory_equal(i.meta.desc.p, "other", 5);
	assert_memory_equal(i.meta.var.p, "VAR", 3);
	assert_int_equal(i.meta.rotate_s, 6);
	assert_int_equal(i.value_len, 1);
	assert_memory_equal(i.env.p, "default", 7);
	sv_info_clear(&i);
	p.meta.var = text("1bad");
	p.meta_fields = SV_MF_VAR;
	p.if_version = 0;
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_META, &tx, &f.err), SV_OK);
	assert_int_not_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	sv_tx_abort(&tx);
	fix_end(&f);
}

static enum sv_code count_info(void *ctx, const struct sv_info *i)
{
	(void)i;
	++*(unsigned *)ctx;
	return SV_OK;
}

static void ten_versions_are_kept(void **s)
{
	unsigned n = 0;
	char value[16];
	struct fix f;

	(void)s;
	fix_new(&f);
	for (int i = 1; i <= 25; i++) {
		(void)snprintf(value, sizeof(value), "v%d", i);
		fix_set(&f, "default", "a", value);
	}
	assert_int_equal(sv_vault_history(f.v, text("default"), text("a"), count_info, &n, &f.err), SV_OK);
	assert_int_equal(n, SV_VERSIONS_KEPT);
	assert_string_equal(fix_get_version(&f, "default", "a", 16), "v16");
	assert_string_equal(fix_get_version(&f, "default", "a", 15), "(none)");
	assert_non_null(strstr(f.err.msg, "16 to 25"));
	fix_sound(&f);
	fix_reopen(&f);
	assert_string_equal(fix_get_version(&f, "default", "a", 16), "v16");
	fix_end(&f);
}

static void a_deleted_secret_is_kept_for_its_time(void **s)
{
	struct sv_vault_facts facts;
	unsigned n = 0;
	struct fix f;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	assert_int_equal(fix_rm(&f, "default", "a"), SV_OK);
	assert_int_equal(f.commit.removed, 1);
	assert_string_equal(fix_get(&f, "default", "a"), "(none)");
	assert_string_equal(fix_get_version(&f, "default", "a", 1), "1");
	assert_int_equal(fix_rm(&f, "default", "a"), SV_ERR_NOT_FOUND);
	f.now += SV_GONE_KEPT_S;
	fix_set(&f, "default", "b", "1");
	assert_int_equal(sv_vault_history(f.v, text("default"), text("a"), count_info, &n, &f.err), SV_OK);
	f.now += 8 * 86400;
	fix_set(&f, "default", "b", "2");
	assert_int_equal(sv_vault_history(f.v, text("default"), text("a"), count_info, &n, &f.err), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_OK);
	assert_int_equal(facts.rows, 3);
	assert_int_equal(facts.secrets, 1);
	fix_sound(&f);
	fix_end(&f);
}

static enum sv_code restore(struct fix *f, const char *name, uint64_t version)
{
	struct sv_tx *tx;
	enum sv_code rc;

	assert_int_equal(sv_tx_begin(f->v, SV_VERB_RESTORE, &tx, &f->err), SV_OK);
	if ((rc = sv_tx_restore(tx, text("default"), text(name), version, &f->err)) == SV_OK)
		return sv_tx_commit(&tx, &f->commit, &f->err);
	sv_tx_abort(&tx);
	return rc;
}

static void restore_brings_back_versions_and_deleted_secrets(void **s)
{
	struct fix f;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	fix_set(&f, "default", "a", "2");
	assert_int_equal(restore(&f, "a", 0), SV_ERR_USAGE);
	assert_int_equal(restore(&f, "a", 9), SV_ERR_NOT_FOUND);
	assert_int_equal(restore(&f, "a", 1), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	assert_int_equal(restore(&f, "a", 1), SV_OK);
	assert_int_equal(f.commit.unchanged, 1);
	assert_int_equal(fix_rm(&f, "default", "a"), SV_OK);
	assert_int_equal(restore(&f, "a", 4), SV_ERR_USAGE);
	assert_int_equal(restore(&f, "a", 0), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	assert_int_equal(restore(&f, "b", 0), SV_ERR_NOT_FOUND);
	/* adding under the name of a deletion goes on with its history */
	assert_int_equal(fix_rm(&f, "default", "a"), SV_OK);
	fix_set(&f, "default", "a", "again");
	assert_string_equal(fix_get_version(&f, "default", "a", 2), "2");
	fix_sound(&f);
	fix_end(&f);
}

static enum sv_code move(struct fix *f, const char *env, const char *from, const char *to_env, const char *to,
			 bool replace, bool copy)
{
	struct sv_tx *tx;
	enum sv_code rc;

	assert_int_equal(sv_tx_begin(f->v, copy ? SV_VERB_CP : SV_VERB_MV, &tx, &f->err), SV_OK);
	rc = (copy ? sv_tx_copy : sv_tx_move)(tx, text(env), text(from), text(to_env), text(to), replace, &f->err);
	if (rc == SV_OK)
		return sv_tx_commit(&tx, &f->commit, &f->err);
	sv_tx_abort(&tx);
	return rc;
}

static enum sv_code env_do(struct fix *f, int what, const char *a, const char *b, bool flag)
{
	struct sv_tx *tx;
	enum sv_code rc;

	assert_int_equal(sv_tx_begin(f->v, SV_VERB_ENV, &tx, &f->err), SV_OK);
	rc = what == 0   ? sv_tx_env_create(tx, text(a), flag, &f->err)
	     : what == 1 ? sv_tx_env_rename(tx, text(a), text(b), &f->err)
			 : sv_tx_env_remove(tx, text(a), flag, &f->err);
	if (rc == SV_OK)
		return sv_tx_commit(&tx, &f->commit, &f->err);
	sv_tx_abort(&tx);
	return rc;
}

static void move_and_copy(void **s)
{
	struct sv_info i;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(env_do(&f, 0, "dev", NULL, false), SV_OK);
	fix_set(&f, "default", "a", "1");
	fix_set(&f, "default", "b", "2");
	assert_int_equal(move(&f, "default", "a", "default", "b", false, false), SV_ERR_EXISTS);
	assert_int_equal(move(&f, "default", "a", "default", "a", true, false), SV_ERR_USAGE);
	assert_int_equal(move(&f, "default", "x", "default", "y", false, false), SV_ERR_NOT_FOUND);
	assert_int_equal(move(&f, "default", "a", "dev", "c", false, false), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "(none)");
	assert_string_equal(fix_get(&f, "dev", "c"), "1");
	assert_string_equal(fix_get(&f, "default", "c"), "(none)");
	assert_int_equal(sv_vault_get(f.v, text("dev"), text("c"), 0, &i, NULL, &f.err), SV_OK);
	assert_int_equal(i.version, 2);
	sv_info_clear(&i);
	assert_int_equal(move(&f, "dev", "c", "default", "b", true, false), SV_OK);
	assert_string_equal(fix_get(&f, "default", "b"), "1");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "b"), "2");
	assert_string_equal(fix_get(&f, "dev", "c"), "1");
	assert_int_equal(move(&f, "default", "b", "dev", "d", false, true), SV_OK);
	assert_string_equal(fix_get(&f, "dev", "d"), "2");
	assert_int_equal(move(&f, "default", "b", "dev", "c", false, true), SV_ERR_EXISTS);
	assert_int_equal(move(&f, "default", "b", "dev", "c", true, true), SV_OK);
	assert_string_equal(fix_get_version(&f, "dev", "c", 1), "1");
	assert_string_equal(fix_get(&f, "dev", "c"), "2");
	fix_sound(&f);
	fix_end(&f);
}

static enum sv_code collect(void *ctx, const struct sv_entry *e)
{
	char *out = ctx;

	(void)snprintf(out + strlen(out), 512 - strlen(out), "%.*s%s:%.*s ", (int)e->name.n, e->name.p,
		       e->inherited ? "^" : "", (int)e->var.n, e->var.p);
	return SV_OK;
}

static const char *listed(struct fix *f, const char *env, const char *group, const char *after)
{
	static char out[512];

	out[0] = '\0';
	if (sv_vault_list(f->v, text(env), text(group), text(after), collect, out, &f->err) != SV_OK)
		return sv_code_word(f->err.code);
	return out;
}

static enum sv_code one_only(void *ctx, const struct sv_entry *e)
{
	++*(unsigned *)ctx;
	(void)e;
	return SV_ERR_BUSY;
}

static void listings_are_merged_sorted_and_paged(void **s)
{
	unsigned n = 0;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(env_do(&f, 0, "dev", NULL, false), SV_OK);
	assert_int_equal(env_do(&f, 0, "alone", NULL, true), SV_OK);
	fix_set(&f, "default", "b/x", "1");
	fix_set(&f, "default", "a", "1");
	assert_string_equal(listed(&f, "default", "", ""), "a:A b/x:X ");
	fix_set(&f, "default", "b/y-z", "1"); /* with the index built */
	fix_set(&f, "default", "bb", "1");
	fix_set(&f, "dev", "b/x", "2");
	fix_set(&f, "dev", "c", "2");
	assert_string_equal(listed(&f, "default", "", ""), "a:A b/x:X b/y-z:Y_Z bb:BB ");
	assert_string_equal(listed(&f, "dev", "", ""), "a^:A b/x:X b/y-z^:Y_Z bb^:BB c:C ");
	assert_string_equal(listed(&f, "dev", "b/", ""), "b/x:X b/y-z^:Y_Z ");
	assert_string_equal(listed(&f, "dev", "b/", "b/x"), "b/y-z^:Y_Z ");
	assert_string_equal(listed(&f, "dev", "", "b/y-z"), "bb^:BB c:C ");
	assert_string_equal(listed(&f, "dev", "zz/", ""), "");
	assert_string_equal(listed(&f, "alone", "", ""), "");
	assert_string_equal(listed(&f, "nope", "", ""), "not-found");
	assert_int_equal(sv_vault_list(f.v, text("dev"), text(""), text(""), one_only, &n, &f.err), SV_OK);
	assert_int_equal(n, 1);
	assert_int_equal(fix_rm(&f, "dev", "b/x"), SV_OK);
	assert_string_equal(listed(&f, "dev", "b/", ""), "b/x^:X b/y-z^:Y_Z ");
	assert_int_equal(move(&f, "default", "a", "default", "zz", false, false), SV_OK);
	assert_string_equal(listed(&f, "default", "", "b/y-z"), "bb:BB zz:ZZ ");
	fix_reopen(&f);
	while (!sv_vault_index_step(f.v, 1))
		;
	assert_string_equal(listed(&f, "dev", "", ""), "b/x^:X b/y-z^:Y_Z bb^:BB c:C zz^:ZZ ");
	fix_end(&f);
}

static void an_index_half_built_stays_true(void **s)
{
	char name[32];
	struct fix f;
	unsigned n = 0;

	(void)s;
	fix_new(&f);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "n%02d", i);
		fix_set(&f, "default", name, "1");
	}
	fix_reopen(&f);
	for (int i = 0; i < 60; i++) {
		(void)sv_vault_index_step(f.v, 1);
		(void)snprintf(name, sizeof(name), "n%02d", i);
		if (i % 3 == 0)
			assert_int_equal(fix_rm(&f, "default", name), SV_OK);
		else if (i % 3 == 1)
			fix_set(&f, "default", name, "2");
		(void)snprintf(name, sizeof(name), "m%02d", i);
		fix_set(&f, "default", name, "1");
	}
	assert_int_equal(sv_vault_list(f.v, text("default"), text(""), text(""), one_only, &n, &f.err), SV_OK);
	for (n = 0; n < 200; n++) {
		const char *l;
		char after[32];

		(void)snprintf(after, sizeof(after), "%c%02d", n < 100 ? 'm' : 'n', (int)(n % 100));
		l = listed(&f, "default", "", after);
		(void)l;
	}
	fix_sound(&f);
	fix_end(&f);
}

static enum sv_code collect_env(void *ctx, const struct sv_env_info *e)
{
	char *out = ctx;

	(void)snprintf(out + strlen(out), 512 - strlen(out), "%.*s%s=%u ", (int)e->name.n, e->name.p,
		       e->standalone ? "!" : "", e->secrets);
	return SV_OK;
}

static const char *envs(struct fix *f)
{
	static char out[512];

	out[0] = '\0';
	assert_int_equal(sv_vault_env_list(f->v, collect_env, out, &f->err), SV_OK);
	return out;
}

static void environments_layer_over_default(void **s)
{
	struct sv_info i;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(env_do(&f, 0, "dev", NULL, false), SV_OK);
	assert_int_equal(env_do(&f, 0, "dev", NULL, false), SV_ERR_EXISTS);
	assert_int_equal(env_do(&f, 0, "not legal", NULL, false), SV_ERR_NAME);
	assert_int_equal(env_do(&f, 0, "prod", NULL, true), SV_OK);
	fix_set(&f, "default", "a", "1");
	assert_string_equal(fix_get(&f, "dev", "a"), "1");
	assert_string_equal(fix_get(&f, "prod", "a"), "(none)");
	assert_string_equal(fix_get(&f, "none", "a"), "(none)");
	assert_int_equal(sv_vault_get(f.v, text("dev"), text("a"), 0, &i, NULL, &f.err), SV_OK);
	assert_true(i.inherited);
	assert_memory_equal(i.env.p, "default", 7);
	sv_info_clear(&i);
	fix_set(&f, "dev", "a", "2");
	assert_string_equal(fix_get(&f, "dev", "a"), "2");
	assert_string_equal(envs(&f), "default=1 dev=1 prod!=0 ");
	assert_int_equal(env_do(&f, 1, "default", "x", false), SV_ERR_USAGE);
	assert_int_equal(env_do(&f, 1, "dev", "prod", false), SV_ERR_EXISTS);
	assert_int_equal(env_do(&f, 1, "dev", "test", false), SV_OK);
	assert_string_equal(fix_get(&f, "test", "a"), "2");
	assert_string_equal(fix_get(&f, "dev", "a"), "(none)");
	assert_string_equal(envs(&f), "default=1 prod!=0 test=1 ");
	assert_int_equal(env_do(&f, 2, "test", NULL, false), SV_ERR_CONFLICT);
	assert_int_equal(env_do(&f, 2, "default", NULL, true), SV_ERR_USAGE);
	assert_int_equal(env_do(&f, 2, "test", NULL, true), SV_OK);
	assert_string_equal(envs(&f), "default=1 prod!=0 ");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "test", "a"), "2");
	assert_string_equal(envs(&f), "default=1 prod!=0 test=1 ");
	fix_reopen(&f);
	assert_string_equal(envs(&f), "default=1 prod!=0 test=1 ");
	fix_sound(&f);
	fix_end(&f);
}

static void a_transaction_sees_itself(void **s)
{
	struct sv_put p = { .env = text("e"),
			    .name = text("a"),
			    .mode = SV_PUT_ADD,
			    .has_value = true,
			    .value = (const unsigned char *)"1",
			    .value_len = 1 };
	struct sv_tx *tx;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_IMPORT, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_tx_env_create(tx, text("e"), false, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_ERR_EXISTS);
	assert_int_equal(sv_tx_move(tx, text("e"), text("a"), text("e"), text("b"), false, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_env_rename(tx, text("e"), text("ee"), &f.err), SV_OK);
	assert_int_equal(sv_tx_remove(tx, text("e"), text("a"), 0, &f.err), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_tx_remove(tx, text("ee"), text("a"), 0, &f.err), SV_OK);
	assert_int_equal(sv_tx_env_remove(tx, text("ee"), false, &f.err), SV_ERR_CONFLICT);
	assert_true(sv_tx_bytes(tx) > 0);
	assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
	assert_null(tx);
	assert_int_equal(f.commit.added, 1);
	assert_string_equal(fix_get(&f, "ee", "b"), "1");
	assert_string_equal(fix_get(&f, "ee", "a"), "(none)");
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_IMPORT, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
	assert_int_equal(f.commit.txn, 0);
	fix_sound(&f);
	fix_end(&f);
}

static void of_two_transactions_the_second_conflicts_only_on_the_same_thing(void **s)
{
	struct sv_put p = { .env = text("default"),
			    .name = text("a"),
			    .mode = SV_PUT_SET,
			    .has_value = true,
			    .value = (const unsigned char *)"x",
			    .value_len = 1 };
	struct sv_tx *one, *two, *three;
	struct sv_info i;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &one, &f.err), SV_OK);
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &two, &f.err), SV_OK);
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &three, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(one, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(two, &p, &f.err), SV_OK);
	p.name = text("b");
	assert_int_equal(sv_tx_put(three, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&one, &f.commit, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&two, &f.commit, &f.err), SV_ERR_CONFLICT);
	assert_int_equal(sv_tx_commit(&three, &f.commit, &f.err), SV_OK);
	assert_int_equal(f.commit.txn, 3);
	/* sealed for commit 2, written by commit 3 */
	assert_int_equal(sv_vault_get(f.v, text("default"), text("b"), 0, &i, NULL, &f.err), SV_OK);
	assert_int_equal(i.txn, 3);
	sv_info_clear(&i);
	fix_sound(&f);
	fix_end(&f);
}

static enum sv_code count_names(void *ctx, const struct sv_entry *e)
{
	(void)e;
	(*(int *)ctx)++;
	return SV_OK;
}

/* Which of the two comes first in a change depends on their random ids, hence the rounds. */
static void names_that_are_exchanged_stay_listed(void **s)
{
	struct fix f;

	(void)s;
	fix_new(&f);
	for (int i = 0; i < 16; i++) {
		char x[16], y[16];
		struct sv_tx *tx;
		int n = 0;

		(void)snprintf(x, sizeof(x), "x%d", i);
		(void)snprintf(y, sizeof(y), "y%d", i);
		assert_int_equal(fix_try(&f, SV_PUT_ADD, "default", x, "1"), SV_OK);
		assert_int_equal(fix_try(&f, SV_PUT_ADD, "default", y, "2"), SV_OK);
		assert_int_equal(sv_vault_list(f.v, text("default"), text(""), text(""), count_names, &n, &f.err),
				 SV_OK);
		assert_int_equal(n, 2 * i + 2);
		assert_int_equal(sv_tx_begin(f.v, SV_VERB_MV, &tx, &f.err), SV_OK);
		assert_int_equal(sv_tx_move(tx, text("default"), text(x), text("default"), text(y), true, &f.err),
				 SV_OK);
		assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
		assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
		n = 0;
		assert_int_equal(sv_vault_list(f.v, text("default"), text(""), text(""), count_names, &n, &f.err),
				 SV_OK);
		assert_int_equal(n, 2 * i + 2);
		assert_string_equal(fix_get(&f, "default", x), "1");
		assert_string_equal(fix_get(&f, "default", y), "2");
	}
	fix_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_has_three_modes),
		cmocka_unit_test(names_that_are_not_legal_are_refused),
		cmocka_unit_test(values_of_all_sizes_come_back),
		cmocka_unit_test(metadata_is_kept_merged_and_deleted),
		cmocka_unit_test(ten_versions_are_kept),
		cmocka_unit_test(a_deleted_secret_is_kept_for_its_time),
		cmocka_unit_test(restore_brings_back_versions_and_deleted_secrets),
		cmocka_unit_test(move_and_copy),
		cmocka_unit_test(listings_are_merged_sorted_and_paged),
		cmocka_unit_test(an_index_half_built_stays_true),
		cmocka_unit_test(environments_layer_over_default),
		cmocka_unit_test(names_that_are_exchanged_stay_listed),
		cmocka_unit_test(a_transaction_sees_itself),
		cmocka_unit_test(of_two_transactions_the_second_conflicts_only_on_the_same_thing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

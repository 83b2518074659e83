/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undo, and what is kept beside secrets: objects, drafts, times of use.
 */
#include "tests/unit/vault_fixture.h"

#include <sodium.h>

static void undo_walks_back(void **s)
{
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, NULL, &f.err), SV_ERR_NOT_FOUND);
	fix_set(&f, "default", "a", "1");
	fix_set(&f, "default", "a", "2");
	fix_set(&f, "default", "b", "3");
	assert_int_equal(fix_rm(&f, "default", "a"), SV_OK);
	assert_int_equal(sv_vault_object_put(f.v, SV_OBJECT_CONSENT, text("k"), (const unsigned char *)"x", 1, &f.err),
			 SV_OK);
	assert_int_equal(sv_vault_undo(f.v, true, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_int_equal(f.commit.added, 1);
	assert_string_equal(fix_get(&f, "default", "a"), "(none)");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "2");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "b"), "(none)");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "1");
	/* a new change after undos is what the next undo takes back */
	fix_set(&f, "default", "c", "4");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "c"), "(none)");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_OK);
	assert_string_equal(fix_get(&f, "default", "a"), "(none)");
	assert_int_equal(sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err), SV_ERR_NOT_FOUND);
	fix_sound(&f);
	fix_end(&f);
}

static void undo_refuses_when_versions_are_gone(void **s)
{
	struct sv_put p = { .env = text("default"),
			    .name = text("a"),
			    .mode = SV_PUT_ADD,
			    .has_value = true,
			    .value = (const unsigned char *)"x",
			    .value_len = 1 };
	struct sv_tx *tx;
	char value[16];
	struct fix f;
	int undone = 0;

	(void)s;
	fix_new(&f);
	/* one change of two secrets, of which the other one keeps its version of it */
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_IMPORT, &tx, &f.err), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	p.name = text("b");
	assert_int_equal(sv_tx_put(tx, &p, &f.err), SV_OK);
	assert_int_equal(sv_tx_commit(&tx, &f.commit, &f.err), SV_OK);
	for (int i = 0; i < 15; i++) {
		(void)snprintf(value, sizeof(value), "%d", i);
		fix_set(&f, "default", "a", value);
	}
	while (sv_vault_undo(f.v, false, NULL, NULL, &f.commit, &f.err) == SV_OK)
		undone++;
	assert_int_equal(f.err.code, SV_ERR_CONFLICT);
	assert_true(undone >= 4);
	(void)snprintf(value, sizeof(value), "%d", 14 - undone);
	assert_string_equal(fix_get(&f, "default", "a"), value);
	assert_string_equal(fix_get(&f, "default", "b"), "x");
	fix_sound(&f);
	fix_end(&f);
}

static enum sv_code collect_key(void *ctx, struct sv_text key, int64_t changed, uint32_t len)
{
	char *out = ctx;

	assert_int_equal(changed, 1700000000);
	(void)snprintf(out + strlen(out), 512 - strlen(out), "%.*s=%u ", (int)key.n, key.p, len);
	return SV_OK;
}

static void objects_have_no_versions(void **s)
{
	struct sv_vault_facts before, after;
	struct sv_secret *got;
	char out[512] = "";
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(sv_vault_object_get(f.v, SV_OBJECT_DRAFT, text("k"), &got, &f.err), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_vault_object_put(f.v, SV_OBJECT_DRAFT, text("k"), (const unsigned char *)"1", 1, &f.err),
			 SV_OK);
	assert_int_equal(sv_vault_facts(f.v, &before, &f.err), SV_OK);
	assert_int_equal(sv_vault_object_put(f.v, SV_OBJECT_DRAFT, text("k"), (const unsigned char *)"22", 2, &f.err),
			 SV_OK);
	assert_int_equal(
		sv_vault_object_put(f.v, SV_OBJECT_CONSENT, text("k"), (const unsigned char *)"333", 3, &f.err), SV_OK);
	assert_int_equal(sv_vault_facts(f.v, &after, &f.err), SV_OK);
	assert_int_equal(after.rows, before.rows + 1);
	assert_int_equal(after.secrets, 0);
	fix_reopen(&f);
	assert_int_equal(sv_vault_object_get(f.v, SV_OBJECT_DRAFT, text("k"), &got, &f.err), SV_OK);
	assert_int_equal(sv_secret_len(got), 2);
	sv_secret_free(&got);
	assert_int_equal(sv_vault_object_put(f.v, SV_OBJECT_DRAFT, text("j"), NULL, 0, &f.err), SV_ERR_NOT_FOUND);
	assert_int_equal(sv_vault_object_put(f.v, SV_OBJECT_DRAFT, text("j"), (const unsigned char *)"", 0, &f.err),
			 SV_OK);
	assert_int_equal(sv_vault_object_list(f.v, SV_OBJECT_DRAFT, collect_key, out, &f.err), SV_OK);
	assert_string_equal(out, "j=0 k=2 ");
	assert_int_equal(sv_vault_object_put(f.v, SV_OBJECT_DRAFT, text("k"), NULL, 0, &f.err), SV_OK);
	out[0] = '\0';
	assert_int_equal(sv_vault_object_list(f.v, SV_OBJECT_DRAFT, collect_key, out, &f.err), SV_OK);
	assert_string_equal(out, "j=0 ");
	fix_sound(&f);
	fix_end(&f);
}

static void drafts_can_be_sealed_while_locked(void **s)
{
	unsigned char pk[32], again[32], box[5 + crypto_box_SEALBYTES];
	struct sv_secret *got;
	struct fix f;

	(void)s;
	fix_new(&f);
	assert_int_equal(sv_vault_draft_key(f.v, pk, &f.err), SV_OK);
	sv_vault_lock(f.v);
	assert_int_equal(crypto_box_seal(box, (const unsigned char *)"draft", 5, pk), 0);
	assert_int_equal(sv_vault_draft_open(f.v, box, sizeof(box), &got, &f.err), SV_ERR_LOCKED);
	fix_reopen(&f);
	assert_int_equal(sv_vault_draft_key(f.v, again, &f.err), SV_OK);
	assert_memory_equal(pk, again, sizeof(pk));
	assert_int_equal(sv_vault_draft_open(f.v, box, sizeof(box), &got, &f.err), SV_OK);
	assert_int_equal(sv_secret_len(got), 5);
	assert_memory_equal(sv_secret_cpeek(got), "draft", 5);
	sv_secret_free(&got);
	box[40] ^= 1;
	assert_int_equal(sv_vault_draft_open(f.v, box, sizeof(box), &got, &f.err), SV_ERR_INTEGRITY);
	assert_int_equal(sv_vault_draft_open(f.v, box, 3, &got, &f.err), SV_ERR_INTEGRITY);
	fix_end(&f);
}

static void uses_are_remembered_across_lock(void **s)
{
	struct sv_vault_facts facts;
	struct sv_info i;
	struct fix f;

	(void)s;
	fix_new(&f);
	fix_set(&f, "default", "a", "1");
	fix_set(&f, "default", "b", "1");
	f.now += 5;
	sv_vault_touch(f.v, text("default"), text("a"));
	sv_vault_touch(f.v, text("default"), text("nothing"));
	fix_reopen(&f);
	fix_set(&f, "default", "a", "2"); /* a new version was used as well */
	assert_int_equal(sv_vault_get(f.v, text("default"), text("a"), 0, &i, NULL, &f.err), SV_OK);
	assert_int_equal(i.used_s, f.now);
	sv_info_clear(&i);
	assert_int_equal(sv_vault_get(f.v, text("default"), text("b"), 0, &i, NULL, &f.err), SV_OK);
	assert_int_equal(i.used_s, 0);
	sv_info_clear(&i);
	/* locking wrote it, which is no change of a secret */
	f.now += 100;
	sv_vault_touch(f.v, text("default"), text("b"));
	fix_reopen(&f);
	assert_int_equal(sv_vault_facts(f.v, &facts, &f.err), SV_OK);
	assert_int_equal(facts.changed_s, f.now - 100);
	fix_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undo_walks_back),
		cmocka_unit_test(undo_refuses_when_versions_are_gone),
		cmocka_unit_test(objects_have_no_versions),
		cmocka_unit_test(drafts_can_be_sealed_while_locked),
		cmocka_unit_test(uses_are_remembered_across_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library against the known answers of tests/vectors, which a second implementation checks as well.
 */
#include "tests/unit/vault_fixture.h"

#include "vault/kdf.h"
#include "vault/record.h"
#include "vault/rows.h"
#include "vault/state.h"

#define PASS "correct horse battery staple"

static struct {
	char name[32];
	unsigned char p[1024];
	size_t n;
} known[64];
static size_t n_known;

static int load(void **s)
{
	FILE *f = fopen(SV_SRC "/tests/vectors/vectors.txt", "r");
	static char line[4096];

	(void)s;
	if (f == NULL || sodium_init() < 0)
		return 1;
	while (fgets(line, sizeof(line), f) != NULL) {
		char *hex = strchr(line, ' ');

		if (line[0] == '#' || hex == NULL || n_known == SV_COUNT(known))
			continue;
		*hex++ = '\0';
		(void)snprintf(known[n_known].name, sizeof(known[0].name), "%.31s", line);
		if (sodium_hex2bin(known[n_known].p, sizeof(known[0].p), hex, strlen(hex), "\n", &known[n_known].n,
				   NULL) != 0)
			return 1;
		n_known++;
	}
	fclose(f);
	return n_known == 0;
}

static const unsigned char *get(const char *name, size_t *n)
{
	for (size_t i = 0; i < n_known; i++)
		if (strcmp(known[i].name, name) == 0) {
			if (n != NULL)
				*n = known[i].n;
			return known[i].p;
		}
	fail_msg("no vector %s", name);
	return NULL;
}

static struct sv_keys keys;

static struct sv_scope scope(void)
{
	struct sv_scope s = { .suite = SV_SUITE, .epoch = 3, .keys = &keys };

	memcpy(s.vault_id, get("vault_id", NULL), 16);
	sv_keys_derive(get("vmk", NULL), &keys);
	return s;
}

static void keys_and_tags(void **s)
{
	struct sv_kdf k = { .alg = SV_KDF_ARGON2ID13, .ops = 1, .mem = SV_KDF_READ_MEM_MIN };
	struct sv_scope sc = scope();
	struct sv_secret *pk;
	unsigned char tag[32];
	struct sv_text name;

	(void)s;
	memcpy(k.salt, get("salt", NULL), 16);
	assert_int_equal(sv_kdf_derive(&k, (const unsigned char *)PASS, strlen(PASS), &pk, NULL), SV_OK);
	assert_memory_equal(sv_secret_cpeek(pk), get("pk", NULL), 32);
	sv_secret_free(&pk);
	assert_memory_equal(keys.mac, get("kmac", NULL), 32);
	assert_memory_equal(keys.rec, get("krec", NULL), 32);
	assert_memory_equal(keys.name, get("knam", NULL), 32);
	assert_memory_equal(keys.wit, get("kwit", NULL), 32);
	assert_memory_equal(keys.draft, get("kdrf", NULL), 32);
	name.p = (const char *)get("name", &name.n);
	sv_crypt_tag(&sc, SV_KIND_SECRET, SV_LIVE, get("env_id", NULL), name, tag);
	assert_memory_equal(tag, get("tag", NULL), 32);
}

static void rows_root_slot_and_state(void **s)
{
	struct sv_scope sc = scope();
	struct sv_row_ref ref = { get("rec_id", NULL), 7, get("tag", NULL) };
	struct sv_rows rows = { .free = SV_ROW_NONE };
	struct sv_state_row row = { .suite = 1, .epoch = 3, .seq = 9, .nrec = 1 };
	size_t meta_n, val_n, n;
	const unsigned char *meta = get("meta", &meta_n), *val = get("val", &val_n), *b = get("slot", &n);
	unsigned char plain[1024], hash[32], vmk[32];
	struct sv_record r;
	struct sv_head head;
	struct sv_slot slot = { .id = b[0], .kind = b[1], .alg = b[2], .ops = sv_rd64(b + 3), .mem = sv_rd64(b + 11) };
	uint32_t h = sv_rows_new(&rows);

	(void)s;
	assert_int_equal(sv_crypt_open(&sc, SV_ROLE_META, ref, meta, meta_n, plain), SV_OK);
	assert_memory_equal(plain, get("meta_plain", NULL), meta_n - SV_SEAL_EXTRA);
	assert_int_equal(sv_record_decode(plain, meta_n - SV_SEAL_EXTRA, &r, NULL), SV_OK);
	assert_int_equal(r.meta.n_tags, 2);
	assert_int_equal(sv_crypt_open(&sc, SV_ROLE_VALUE, ref, val, val_n, plain), SV_OK);
	assert_memory_equal(plain, get("val_plain", NULL), val_n - SV_SEAL_EXTRA);
	assert_int_equal(sv_crypt_open(&sc, SV_ROLE_META, ref, val, val_n, plain), SV_ERR_INTEGRITY);
	sv_crypt_leaf(&sc, ref, meta, meta_n, val, val_n, hash);
	assert_memory_equal(hash, get("leaf", NULL), 32);
	memcpy(sv_rows_at(&rows, h)->id, ref.id, 16);
	memcpy(sv_rows_at(&rows, h)->leaf, hash, 32);
	sv_rows_at(&rows, h)->rev = 7;
	assert_true(sv_rows_append(&rows, h));
	sv_rows_root(&rows, &sc, row.root);
	assert_memory_equal(row.root, get("root", NULL), 32);
	assert_memory_equal(rows.branch[0], get("branch_00", NULL), 32);
	sv_rows_clear(&rows);

	assert_int_equal(n, SV_SLOT_BYTES);
	memcpy(slot.salt, b + 19, 16);
	memcpy(slot.cmt, b + 35, 32);
	memcpy(slot.nonce, b + 67, 24);
	memcpy(slot.wrapped, b + 91, 48);
	assert_int_equal(sv_slot_unwrap(&sc, &slot, get("pk", NULL), vmk), SV_OK);
	assert_memory_equal(vmk, get("vmk", NULL), 32);
	slot.ops++;
	assert_int_equal(sv_slot_unwrap(&sc, &slot, get("pk", NULL), vmk), SV_ERR_INTEGRITY);
	slot.ops--;

	b = get("head", &n);
	assert_true(n <= sizeof(row.head));
	row.head_n = n;
	memcpy(row.head, b, n);
	assert_int_equal(sv_state_open_head(&sc, &row, &head, NULL), SV_OK);
	assert_int_equal(head.secrets, 1);
	sv_state_mac(&sc, &row, &slot, 1, hash);
	assert_memory_equal(hash, get("mac", NULL), 32);
}

/* A vault of the first release opens for ever. */
static void the_golden_vault_opens(void **s)
{
	struct sv_slot_info slots[SV_SLOTS_MAX];
	struct sv_verify_report report;
	struct sv_secret *pk;
	unsigned char *p;
	struct fix f;
	size_t n;

	(void)s;
	fix_dir(&f);
	assert_non_null(p = fix_read(SV_SRC "/tests/vectors/golden.db", &n));
	fix_write(f.path, p, n);
	free(p);
	assert_int_equal(sv_vault_open(&f.cfg, &f.v, &f.err), SV_OK);
	assert_int_equal(sv_vault_slots(f.v, slots, &n, &f.err), SV_OK);
	assert_int_equal(n, 1);
	assert_int_equal(sv_kdf_derive(&slots[0].kdf, (const unsigned char *)PASS, strlen(PASS), &pk, NULL), SV_OK);
	assert_int_equal(sv_vault_unlock(f.v, 0, sv_secret_cpeek(pk), false, &f.err), SV_OK);
	sv_secret_free(&pk);
	assert_string_equal(fix_get(&f, "default", "npm/read-token"), "npm_0123456789");
	assert_string_equal(fix_get_version(&f, "default", "npm/read-token", 1), "old");
	assert_string_equal(fix_get(&f, "dev", "npm/read-token"), "dev\n");
	assert_string_equal(fix_get(&f, "dev", "empty"), "");
	assert_string_equal(fix_get(&f, "alone", "empty"), "(none)");
	assert_string_equal(fix_get(&f, "default", "gone"), "(none)");
	assert_string_equal(fix_get_version(&f, "default", "gone", 1), "x");
	assert_int_equal(sv_vault_verify(f.v, &report, &f.err), SV_OK);
	assert_int_equal(report.rows, 12);
	fix_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_tags),
		cmocka_unit_test(rows_root_slot_and_state),
		cmocka_unit_test(the_golden_vault_opens),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}

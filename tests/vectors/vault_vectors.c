/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the known answers of vault/FORMAT.md: vault_vectors DIRECTORY makes vectors.txt ("name hex" lines), golden.db
 * and golden.json (what is in it).  Run by hand when a format is added; the files of a released format never change.
 */
#include "vault/kdf.h"
#include "vault/rows.h"
#include "vault/state.h"
#include "vault/vault.h"
#include "vault/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASS "correct horse battery staple"
#define T(s) ((struct sv_text){ s, sizeof(s) - 1 })

static struct sv_err err;
static FILE *out;

static void must(enum sv_code rc, const char *what)
{
	if (rc == SV_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, err.msg);
	exit(1);
}

static void line(const char *name, const void *p, size_t n)
{
	fprintf(out, "%s ", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", ((const unsigned char *)p)[i]);
	fputc('\n', out);
}

static void count_up(unsigned char *p, size_t n, unsigned from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(from + i);
}

static struct sv_slot_new slot_of(struct sv_kdf *kdf, struct sv_secret **pk)
{
	*kdf = (struct sv_kdf){ .alg = SV_KDF_ARGON2ID13, .ops = 1, .mem = SV_KDF_READ_MEM_MIN };
	count_up(kdf->salt, SV_SALT_BYTES, 0x40);
	must(sv_kdf_derive(kdf, (const unsigned char *)PASS, sizeof(PASS) - 1, pk, &err), "kdf");
	return (struct sv_slot_new){ .kind = SV_SLOT_PASSPHRASE, .kdf = *kdf, .key = sv_secret_cpeek(*pk) };
}

static void vectors(const char *dir)
{
	static const char *const tags[] = { "a", "bb" };
	struct sv_scope s = { .suite = SV_SUITE, .epoch = 3 };
	struct sv_record r = {
		.kind = SV_KIND_SECRET,
		.verb = SV_VERB_SET,
		.name = T("npm/read-token"),
		.txn = 9,
		.origin = 7,
		.created_s = 1700000000,
		.changed_s = 1700000001,
		.value_len = 5,
		.meta = { .var = T("NPM_TOKEN"), .desc = T("reads packages"), .n_tags = 2, .expires_s = 1800000000 }
	};
	unsigned char vmk[32], id[16], tag[32], hash[32], blob[4096], bytes[SV_SLOT_BYTES];
	struct sv_state_row row = { .suite = SV_SUITE, .epoch = 3, .seq = 9, .nrec = 1 };
	struct sv_buf b = SV_BUF_LOCKED(SV_RECORD_BYTES_MAX);
	struct sv_rows rows = { .free = SV_ROW_NONE };
	struct sv_head head = { .created_s = 1700000000, .changed_s = 1700000001, .secrets = 1 };
	struct sv_secret *pk;
	struct sv_slot slot;
	struct sv_keys keys;
	struct sv_kdf kdf;
	struct sv_slot_new sn = slot_of(&kdf, &pk);
	size_t meta_n, val_n;
	char path[4200];
	uint32_t h;

	(void)snprintf(path, sizeof(path), "%s/vectors.txt", dir);
	if ((out = fopen(path, "w")) == NULL)
		exit(1);
	fprintf(out, "# Known answers of format 1, suite 1; made by vault_vectors.  passphrase \"%s\", 1 pass, 8 MiB\n",
		PASS);
	for (unsigned i = 0; i < 2; i++)
		r.meta.tags[i] = (struct sv_text){ tags[i], strlen(tags[i]) };
	line("salt", kdf.salt, SV_SALT_BYTES);
	line("pk", sv_secret_cpeek(pk), 32);
	count_up(vmk, 32, 0);
	count_up(s.vault_id, 16, 0xa0);
	count_up(id, 16, 0x10);
	count_up(r.env_id, 16, 0xe0);
	sv_keys_derive(vmk, &keys);
	s.keys = &keys;
	line("vmk", vmk, 32);
	line("vault_id", s.vault_id, 16);
	line("kmac", keys.mac, 32);
	line("krec", keys.rec, 32);
	line("knam", keys.name, 32);
	line("kwit", keys.wit, 32);
	line("kdrf", keys.draft, 32);
	line("env_id", r.env_id, 16);
	line("name", r.name.p, r.name.n);
	sv_crypt_tag(&s, r.kind, SV_LIVE, r.env_id, r.name, tag);
	line("tag", tag, 32);
	line("rec_id", id, 16);
	must(sv_record_encode(&r, &b, &err), "record");
	line("meta_plain", b.data, b.len);
	sv_crypt_seal(&s, SV_ROLE_META, (struct sv_row_ref){ id, 7, tag }, b.data, b.len, blob);
	meta_n = b.len + SV_SEAL_EXTRA;
	must(sv_pad_put(&b, "hello", 5), "value");
	line("val_plain", b.data, b.len);
	sv_crypt_seal(&s, SV_ROLE_VALUE, (struct sv_row_ref){ id, 7, tag }, b.data, b.len, blob + meta_n);
	val_n = b.len + SV_SEAL_EXTRA;
	line("meta", blob, meta_n);
	line("val", blob + meta_n, val_n);
	h = sv_rows_new(&rows);
	memcpy(sv_rows_at(&rows, h)->id, id, 16);
	sv_rows_at(&rows, h)->rev = 7;
	sv_crypt_leaf(&s, (struct sv_row_ref){ id, 7, tag }, blob, meta_n, blob + meta_n, val_n,
		      sv_rows_at(&rows, h)->leaf);
	line("leaf", sv_rows_at(&rows, h)->leaf, 32);
	if (!sv_rows_append(&rows, h))
		exit(1);
	sv_rows_root(&rows, &s, row.root);
	line("branch_00", rows.branch[0], 32);
	line("branch_10", rows.branch[0x10], 32);
	line("root", row.root, 32);
	sv_slot_wrap(&s, 0, &sn, vmk, &slot);
	sv_slot_bytes(&slot, bytes);
	line("slot", bytes, sizeof(bytes));
	must(sv_state_seal_head(&s, &head, &row, &err), "head");
	line("head", row.head, row.head_n);
	memcpy(row.vault_id, s.vault_id, 16);
	sv_state_mac(&s, &row, &slot, 1, hash);
	line("mac", hash, 32);
	{
		struct sv_witness w = { .seq = 9 };
		unsigned char file[1024];
		FILE *f;

		memcpy(w.mac, hash, 32);
		must(sv_witness_write(dir, &s, &w, true, &err), "witness");
		(void)snprintf(path, sizeof(path), "%s/a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", dir);
		if ((f = fopen(path, "r")) == NULL || fread(file, 1, sizeof(file), f) != sizeof(file))
			exit(1);
		fclose(f);
		(void)unlink(path);
		line("witness_place_1", file + 512, 104);
	}
	sv_rows_clear(&rows);
	sv_buf_clear(&b);
	sv_secret_free(&pk);
	fclose(out);
}

static void put(struct sv_vault *v, struct sv_text env, struct sv_text name, const unsigned char *value, size_t n,
		bool last)
{
	struct sv_put p = { .env = env,
			    .name = name,
			    .mode = SV_PUT_SET,
			    .has_value = true,
			    .value = value,
			    .value_len = n,
			    .meta = { .desc = T("a test value") },
			    .meta_fields = SV_MF_DESC };
	struct sv_commit c;
	struct sv_tx *tx;

	must(sv_tx_begin(v, SV_VERB_SET, &tx, &err), "begin");
	must(sv_tx_put(tx, &p, &err), "put");
	must(sv_tx_commit(&tx, &c, &err), "commit");
	if (!last)
		return;
	fprintf(out, "%s\n {\"env\": \"%.*s\", \"name\": \"%.*s\", \"value_hex\": \"", ftell(out) > 2 ? "," : "",
		(int)env.n, env.p, (int)name.n, name.p);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", value[i]);
	fprintf(out, "\"}");
}

static int64_t clock_2024(void *ctx)
{
	return 1704067200 + (*(int64_t *)ctx)++;
}

static void golden(const char *dir)
{
	static unsigned char big[5000];
	char path[4200], state[4200];
	int64_t ticks = 0;
	struct sv_vault_config cfg = { .path = path, .state_dir = state, .clock = clock_2024, .clock_ctx = &ticks };
	struct sv_secret *pk;
	struct sv_kdf kdf;
	struct sv_slot_new sn = slot_of(&kdf, &pk);
	struct sv_vault *v;
	struct sv_commit c;
	struct sv_tx *tx;

	(void)snprintf(path, sizeof(path), "%s/golden.json", dir);
	if ((out = fopen(path, "w")) == NULL)
		exit(1);
	fprintf(out, "[");
	(void)snprintf(path, sizeof(path), "%s/golden.db", dir);
	(void)snprintf(state, sizeof(state), "%s/state", dir);
	(void)unlink(path);
	must(sv_vault_create(&cfg, &sn, 1, &v, &err), "create");
	count_up(big, sizeof(big), 0);
	must(sv_tx_begin(v, SV_VERB_ENV, &tx, &err), "begin");
	must(sv_tx_env_create(tx, T("dev"), false, &err), "env");
	must(sv_tx_env_create(tx, T("alone"), true, &err), "env");
	must(sv_tx_commit(&tx, &c, &err), "commit");
	put(v, T("default"), T("npm/read-token"), (const unsigned char *)"old", 3, false);
	put(v, T("default"), T("npm/read-token"), (const unsigned char *)"npm_0123456789", 14, true);
	put(v, T("default"), T("empty"), big, 0, true);
	put(v, T("default"), T("big/\xc3\xa4"), big, sizeof(big), true);
	put(v, T("dev"), T("npm/read-token"), (const unsigned char *)"dev\n", 4, true);
	put(v, T("alone"), T("only"), (const unsigned char *)"\0\1\2", 3, true);
	put(v, T("default"), T("gone"), (const unsigned char *)"x", 1, false);
	must(sv_tx_begin(v, SV_VERB_RM, &tx, &err), "begin");
	must(sv_tx_remove(tx, T("default"), T("gone"), 0, &err), "rm");
	must(sv_tx_commit(&tx, &c, &err), "commit");
	must(sv_vault_object_put(v, SV_OBJECT_CONSENT, T("/some/where"), (const unsigned char *)"yes", 3, &err),
	     "object");
	sv_vault_close(&v);
	sv_secret_free(&pk);
	fprintf(out, "\n]\n");
	fclose(out);
}

int main(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] != '/') {
		fprintf(stderr, "usage: vault_vectors /ABSOLUTE/DIRECTORY\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	vectors(argv[1]);
	golden(argv[1]);
	return 0;
}

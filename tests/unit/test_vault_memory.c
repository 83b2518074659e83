/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look through the whole memory of the process: no name and no value stands outside locked memory, and none anywhere
 * after lock. What is looked for is kept disguised, so that the test does not find itself.
 */
#include "tests/unit/vault_fixture.h"

#include <stdlib.h>

#include <sodium.h>

#define DISGUISE 0x5a
#define WORD     16

struct words {
	unsigned char name[WORD + 1], value[WORD + 1], desc[WORD + 1];
};

static unsigned char disguised[3][WORD];
static struct words *w; /* locked */

static void make_words(void)
{
	assert_non_null(w = sv_secmem_alloc(sizeof(*w)));
	for (int i = 0; i < 3; i++) {
		unsigned char *to = i == 0 ? w->name : i == 1 ? w->value : w->desc;

		for (int k = 0; k < WORD; k++) {
			to[k] = (unsigned char)('a' + randombytes_uniform(26));
			disguised[i][k] = (unsigned char)(to[k] ^ DISGUISE);
		}
	}
}

/* Any eight bytes in a row of a word. */
static unsigned count_in(const unsigned char *p, size_t n)
{
	unsigned hits = 0;

	for (int i = 0; i < 3; i++)
		for (int k = 0; k + 8 <= WORD; k += 4) {
			const unsigned char *x = disguised[i] + k;

			for (size_t at = 0; at + 8 <= n; at++) {
				int m = 0;

				while (m < 8 && (p[at + (size_t)m] ^ DISGUISE) == x[m])
					m++;
				hits += m == 8;
			}
		}
	return hits;
}

/* Hits in all readable memory; locked mappings are left out unless all is set. */
static unsigned scan(bool all)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from = 0, to = 0;
	static unsigned char *buf;
	char line[512], perm[8] = "";
	unsigned hits = 0;
	const size_t chunk = 1 << 20;

	assert_non_null(maps);
	assert_true(mem >= 0);
	if (buf == NULL)
		assert_non_null(buf = malloc(chunk));
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long a, b;

		if (sscanf(line, "%lx-%lx %7s", &a, &b, perm) == 3) {
			from = a;
			to = b;
			continue;
		}
		if (strncmp(line, "VmFlags:", 8) != 0 || perm[0] != 'r' || perm[1] != 'w' ||
		    to - from > ((unsigned long)256 << 20))
			continue;
		/* the arena is known by a block in it as well, where the flag does not show */
		if (!all && (strstr(line, " lo") != NULL || (from <= (unsigned long)w && (unsigned long)w < to)))
			continue;
		for (unsigned long at = from; at < to; at += chunk - 8) {
			size_t want = to - at < chunk ? to - at : chunk;
			ssize_t n;

			if ((unsigned long)buf < at + want && at < (unsigned long)buf + chunk)
				continue; /* the looking glass itself */
			if ((n = pread(mem, buf, want, (off_t)at)) <= 0)
				break; /* memfd_secret memory is not to be read this way */
			hits += count_in(buf, (size_t)n);
		}
		sodium_memzero(buf, chunk);
	}
	fclose(maps);
	close(mem);
	return hits;
}

static enum sv_code ignore_entry(void *ctx, const struct sv_entry *e)
{
	(void)ctx;
	(void)e;
	return SV_OK;
}

static enum sv_code ignore_info(void *ctx, const struct sv_info *i)
{
	(void)ctx;
	(void)i;
	return SV_OK;
}

static void names_and_values_stay_in_locked_memory(void **s)
{
	struct sv_text env = text("default"), none = { "", 0 }, name;
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key);
	struct sv_secmem_stats stats;
	struct sv_put p = {
		.env = env, .mode = SV_PUT_SET, .has_value = true, .value_len = WORD, .meta_fields = SV_MF_DESC
	};
	struct sv_verify_report report;
	unsigned char *out, *planted;
	struct sv_secret *got;
	struct sv_info info;
	struct sv_tx *tx;
	struct fix f;
	size_t n;

	if (getenv("SV_UNDER_VALGRIND") != NULL)
		skip(); /* it keeps copies of its own */
	(void)s;
#ifdef __SANITIZE_ADDRESS__
	print_message("AddressSanitizer keeps copies of what passes through registers, and makes mlock do nothing\n");
	skip();
#endif
	assert_true(sodium_init() >= 0);
	assert_int_equal(sv_secmem_init(1 << 20, false, NULL), SV_OK);
	sv_secmem_stats(&stats);
	make_words();
	/* the search finds what is there */
	assert_non_null(planted = malloc(64));
	memset(planted, 0, 64);
	memcpy(planted + 7, w->value, WORD);
	if (scan(false) == 0)
		fail_msg("the search does not find a planted word");
	sodium_memzero(planted, 64);
	free(planted);
	sv_stack_scrub(); /* the copy went through a register, and may have been saved with it */
	assert_int_equal(scan(false), 0);
	if (stats.unlocked) {
		print_message("no locked memory here\n");
		skip();
	}

	fix_new(&f);
	name = p.name = (struct sv_text){ (char *)w->name, WORD };
	p.value = w->value;
	p.meta.desc = (struct sv_text){ (char *)w->desc, WORD };
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &tx, NULL), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, NULL), SV_OK);
	assert_int_equal(scan(false), 0); /* staged */
	assert_int_equal(sv_tx_commit(&tx, NULL, NULL), SV_OK);
	assert_int_equal(scan(false), 0);
	assert_non_null(out = sv_secmem_alloc(256));
	assert_int_equal(sv_vault_get_into(f.v, env, name, out, 256, &n, NULL), SV_OK);
	assert_int_equal(n, WORD);
	sv_secmem_free(out);
	assert_int_equal(scan(false), 0);
	assert_int_equal(sv_vault_get(f.v, env, name, 0, &info, &got, NULL), SV_OK);
	sv_info_clear(&info);
	sv_secret_free(&got);
	assert_int_equal(sv_vault_list(f.v, env, none, none, ignore_entry, NULL, NULL), SV_OK);
	assert_int_equal(sv_vault_history(f.v, env, name, ignore_info, NULL, NULL), SV_OK);
	assert_int_equal(sv_vault_verify(f.v, &report, NULL), SV_OK);
	assert_int_equal(scan(false), 0);
	p.value_len--;
	assert_int_equal(sv_tx_begin(f.v, SV_VERB_SET, &tx, NULL), SV_OK);
	assert_int_equal(sv_tx_put(tx, &p, NULL), SV_OK); /* with the index built */
	assert_int_equal(sv_tx_commit(&tx, NULL, NULL), SV_OK);
	assert_int_equal(sv_vault_undo(f.v, false, ignore_info, NULL, NULL, NULL), SV_OK);
	assert_int_equal(sv_vault_rekey(f.v, 0, fix_key, &slot, 1, NULL), SV_OK);
	assert_int_equal(scan(false), 0);
	/* refused, with nothing left behind */
	assert_int_equal(sv_vault_unlock(f.v, 0, fix_key2, false, NULL), SV_ERR_PASSPHRASE);
	assert_int_equal(scan(false), 0);

	sv_vault_lock(f.v);
	sv_secmem_free(w);
	assert_int_equal(scan(true), 0);
	fix_end(&f);
	assert_int_equal(sv_secmem_release(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_stay_in_locked_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

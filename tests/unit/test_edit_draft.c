/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts as bytes and as sealed files.
 */
#include "cli/edit/drafts.h"
#include "tests/unit/edit_random.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CANARY "Kanarienvogel im Entwurf"

static void make(struct sv_buf *out)
{
	struct sv_tree base = SV_TREE_INIT;
	struct sv_draft d = { .format = SV_DOC_JSON, .full = true, .made_s = 12345 };

	random_tree(3, 50, true, &base);
	strcpy(d.env, "dev");
	strcpy(d.scope, "mysql/");
	memcpy(d.mark_key, random_key, sizeof(d.mark_key));
	assert_int_equal(sv_draft_put_head(out, &d, &base, NULL), SV_OK);
	assert_int_equal(sv_draft_put_text(out, (const unsigned char *)CANARY, strlen(CANARY), NULL), SV_OK);
	sv_tree_clear(&base);
}

static void a_draft_comes_back_as_it_was(void **state)
{
	struct sv_draft d = { .text = SV_BUF_INIT };
	struct sv_tree base = SV_TREE_INIT;
	struct sv_buf b = SV_BUF_INIT;

	(void)state;
	make(&b);
	random_tree(3, 50, true, &base);
	assert_int_equal(sv_draft_get(&b, &d, NULL), SV_OK);
	assert_int_equal(d.format, SV_DOC_JSON);
	assert_true(d.full);
	assert_true(d.made_s == 12345);
	assert_string_equal(d.env, "dev");
	assert_string_equal(d.scope, "mysql/");
	assert_int_equal(d.text.len, strlen(CANARY));
	assert_memory_equal(d.text.data, CANARY, d.text.len);
	assert_int_equal(d.base.n, base.n);
	for (size_t i = 0; i < base.n; i++) {
		assert_memory_equal(d.base.items[i].mark, base.items[i].mark, SV_MARK_BYTES);
		assert_memory_equal(d.base.items[i].meta_mark, base.items[i].meta_mark, SV_MARK_BYTES);
	}
	sv_draft_clear(&d);
	sv_tree_clear(&base);
	sv_buf_clear(&b);
}

static void a_cut_draft_is_refused(void **state)
{
	struct sv_buf whole = SV_BUF_INIT;

	(void)state;
	make(&whole);
	for (size_t n = 0; n < whole.len; n += n < 200 ? 1 : 37) {
		struct sv_draft d = { .text = SV_BUF_INIT };
		struct sv_buf b = SV_BUF_INIT;

		assert_int_equal(sv_buf_put(&b, whole.data, n), SV_OK);
		assert_int_not_equal(sv_draft_get(&b, &d, NULL), SV_OK);
		sv_draft_clear(&d);
		sv_buf_clear(&b);
	}
	sv_buf_clear(&whole);
}

static void a_draft_file_is_private_and_sealed(void **state)
{
	unsigned char pk[32], sk[32], key[32], bytes[65536], plain[65536];
	char dir[] = "/tmp/svd.XXXXXX", path[600] = "", state_dir[64];
	unsigned long long n = 0;
	struct sv_buf b = SV_BUF_INIT;
	const struct dirent *e;
	struct stat st;
	ssize_t got;
	DIR *d;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(state_dir, sizeof(state_dir), "%s/state/sv", dir);
	assert_int_equal(crypto_box_keypair(pk, sk), 0);
	make(&b);
	assert_int_equal(sv_draft_save_file(state_dir, "/v/vault.db", pk, &b, NULL), SV_OK);
	d = opendir(state_dir);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)snprintf(path, sizeof(path), "%s/%s", state_dir, e->d_name);
	(void)closedir(d);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fd = open(path, O_RDONLY);
	got = read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	assert_int_equal(got, (ssize_t)b.len + 8 + 80 + 24 + 16);
	assert_null(memmem(bytes, (size_t)got, "Kanari", 6));
	/* The format that drafts.h states, by hand. */
	assert_memory_equal(bytes, "SVDRAFT1", 8);
	assert_int_equal(crypto_box_seal_open(key, bytes + 8, 80, pk, sk), 0);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &n, NULL, bytes + 112, (size_t)got - 112,
								    bytes, 88, bytes + 88, key),
			 0);
	assert_int_equal(n, b.len);
	assert_memory_equal(plain, b.data, b.len);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(state_dir), 0);
	*strrchr(state_dir, '/') = '\0';
	assert_int_equal(rmdir(state_dir), 0);
	assert_int_equal(rmdir(dir), 0);
	sv_buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_draft_comes_back_as_it_was),
		cmocka_unit_test(a_cut_draft_is_refused),
		cmocka_unit_test(a_draft_file_is_private_and_sealed),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

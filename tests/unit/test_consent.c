/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consent: directories are told apart, sets grow, bytes are read exactly.
 */
#include "tests/support/sv_test.h"

#include "cli/project/consent.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void next_tick(void)
{
	struct timespec before;
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &before), 0);
	do
		assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

static void a_directory_made_anew_is_another(void **state)
{
	char dir[] = "/tmp/svc.XXXXXX";
	struct sv_consent_dir first;
	struct sv_consent_dir again;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true((fd = open(dir, O_RDONLY | O_DIRECTORY)) >= 0);
	assert_int_equal(sv_consent_identify(fd, dir, &first, NULL), SV_OK);
	assert_int_equal(sv_consent_identify(fd, dir, &again, NULL), SV_OK);
	assert_true(sv_consent_same_dir(&first, &again));
	again.path = "/elsewhere";
	assert_false(sv_consent_same_dir(&first, &again));
	(void)close(fd);
	assert_int_equal(rmdir(dir), 0);
	next_tick(); /* file systems stamp with the coarse clock */
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true((fd = open(dir, O_RDONLY | O_DIRECTORY)) >= 0);
	assert_int_equal(sv_consent_identify(fd, dir, &again, NULL), SV_OK);
	if (first.birth_s != 0) /* without a time of birth a reused inode looks the same */
		assert_false(sv_consent_same_dir(&first, &again));
	(void)close(fd);
	assert_int_equal(rmdir(dir), 0);
}

static void items_are_kept_once_and_read_back(void **state)
{
	const struct sv_consent_item items[] = {
		{ "A", "default", "a/b" }, { "A", "rc", "a/b" }, { "B", "default", "a/b" }, { "A", "default", "a/b" }
	};
	struct sv_consent c = { .dir = { 1, 2, 3, 4, "/some/where" } };
	struct sv_consent back;
	struct sv_arena a = SV_ARENA_INIT;
	struct sv_buf b = SV_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(sv_consent_add(&a, &c, &items[i], NULL), SV_OK);
	assert_int_equal(c.n, 3);
	assert_true(sv_consent_has(&c, &items[1]));
	assert_false(sv_consent_has(&c, &(struct sv_consent_item){ "B", "rc", "a/b" }));
	assert_int_equal(sv_consent_encode(&c, &b), SV_OK);
	for (size_t n = 0; n < b.len; n++) { /* every truncation is refused */
		struct sv_buf part = SV_BUF_INIT;

		assert_int_equal(sv_buf_put(&part, b.data, n), SV_OK);
		assert_int_equal(sv_consent_decode(&a, &part, &back), SV_ERR_PROTO);
		sv_buf_clear(&part);
	}
	assert_int_equal(sv_consent_decode(&a, &b, &back), SV_OK);
	assert_true(sv_consent_same_dir(&c.dir, &back.dir));
	assert_int_equal(back.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(sv_consent_has(&back, &items[i]));
	sv_buf_clear(&b);
	sv_arena_clear(&a);
}

static void keys_differ_by_path(void **state)
{
	char one[SV_CONSENT_KEY_BYTES];
	char two[SV_CONSENT_KEY_BYTES];

	(void)state;
	sv_consent_key("/a", one);
	sv_consent_key("/b", two);
	assert_int_equal(strlen(one), SV_CONSENT_KEY_BYTES - 1);
	assert_string_not_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_made_anew_is_another),
		cmocka_unit_test(items_are_kept_once_and_read_back),
		cmocka_unit_test(keys_differ_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* vault/base/secmem, secret: blocks are zeroed, apart, wiped when freed, and found locked. */
#include "tests/support/sv_test.h"
#include "vault/base/secret.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void blocks_are_zeroed_and_apart(void **state)
{
	unsigned char *p[200];
	size_t n[200];

	(void)state;
	assert_int_equal(sv_secmem_init(1 << 20, false, NULL), SV_OK);
	srand(1);
	memset(p, 0, sizeof(p));
	for (int round = 0; round < 20000; round++) {
		size_t i = (size_t)rand() % 200;

		if (p[i] != NULL) {
			for (size_t j = 0; j < n[i]; j++)
				assert_int_equal(p[i][j], (unsigned char)i);
			sv_secmem_free(p[i]);
			p[i] = NULL;
			continue;
		}
		n[i] = (size_t)rand() % (rand() % 50 == 0 ? 300000 : 3000);
		p[i] = sv_secmem_alloc(n[i]);
		assert_non_null(p[i]);
		assert_true(sv_secmem_size(p[i]) >= n[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		for (size_t j = 0; j < n[i]; j++)
			assert_int_equal(p[i][j], 0);
		memset(p[i], (int)i, n[i]);
	}
	for (size_t i = 0; i < 200; i++)
		sv_secmem_free(p[i]);
	assert_int_equal(sv_secmem_release(), 0);
}

static void everything_comes_back_after_freeing(void **state)
{
	void *p[64];
	void *whole;

	(void)state;
	assert_int_equal(sv_secmem_init(1 << 20, false, NULL), SV_OK);
	for (int round = 0; round < 50; round++) {
		struct sv_secmem_stats s;

		for (size_t i = 0; i < SV_COUNT(p); i++)
			assert_non_null(p[i] = sv_secmem_alloc(1000 * (i % 7 + 1)));
		for (size_t i = 0; i < SV_COUNT(p); i += 2)
			sv_secmem_free(p[i]);
		for (size_t i = 1; i < SV_COUNT(p); i += 2)
			sv_secmem_free(p[i]);
		sv_secmem_stats(&s);
		assert_int_equal(s.used_bytes, 0);
	}
	whole = sv_secmem_alloc((1 << 20) / 4);
	assert_non_null(whole);
	sv_secmem_free(whole);
	assert_int_equal(sv_secmem_release(), 0);
}

static void release_counts_what_was_forgotten(void **state)
{
	(void)state;
	assert_int_equal(sv_secmem_init(65536, false, NULL), SV_OK);
	assert_int_equal(sv_secmem_init(65536, false, NULL), SV_ERR_FAIL);
	assert_non_null(sv_secmem_alloc(10));
	assert_int_equal(sv_secmem_release(), 1);
}

static int child_status(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		/* cmocka catches these to go on with the next test; here they have to end the child. */
		(void)signal(SIGABRT, SIG_DFL);
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGBUS, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(99);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void free_twice(void)
{
	void *p = sv_secmem_alloc(100);

	sv_secmem_free(p);
	sv_secmem_free(p);
}

static void run_past_a_mapping(void)
{
	volatile unsigned char *p = sv_secmem_alloc(1 << 16);

	p[sv_secmem_size((const void *)p)] = 1;
}

static void misuse_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(sv_secmem_init(65536, false, NULL), SV_OK);
	assert_true(child_status(free_twice) != 0);
	assert_true(child_status(run_past_a_mapping) != 0);
	assert_int_equal(sv_secmem_release(), 0);
}

static void no_lock(void)
{
	struct rlimit none = { 0, 0 };
	struct sv_secmem_stats s;
	struct sv_err err = SV_ERR_INIT;

	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
		_exit(3);
	if (sv_secmem_init(65536, true, &err) != SV_ERR_NOMEM || strstr(err.msg, "lock") == NULL)
		_exit(1);
	if (sv_secmem_init(65536, false, &err) != SV_OK)
		_exit(2);
	sv_secmem_stats(&s);
	_exit(s.unlocked && s.lock_failed > 0 && !s.secretmem ? 0 : 4);
}

static void memory_that_cannot_be_locked_is_reported(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	skip(); /* its mlock() does nothing and says that it did */
#endif
	assert_int_equal(child_status(no_lock), 0);
}

static void secrets_know_their_length_and_compare(void **state)
{
	struct sv_secret *a = sv_secret_from("hunter2", 7);
	struct sv_secret *b = sv_secret_from("hunter2xyz", 10);

	(void)state;
	assert_int_equal(sv_secret_len(a), 7);
	assert_false(sv_secret_equal(a, b));
	sv_secret_cut(b, 7);
	assert_true(sv_secret_equal(a, b));
	assert_int_equal(sv_secret_peek(b)[7], 0);
	sv_secret_free(&a);
	assert_null(a);
	sv_secret_free(&a);
	sv_secret_free(&b);
	assert_true(sv_equal_ct("abc", "abc", 3));
	assert_false(sv_equal_ct("abc", "abd", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_zeroed_and_apart),
		cmocka_unit_test(everything_comes_back_after_freeing),
		cmocka_unit_test(release_counts_what_was_forgotten),
		cmocka_unit_test(misuse_ends_the_process),
		cmocka_unit_test(memory_that_cannot_be_locked_is_reported),
		cmocka_unit_test(secrets_know_their_length_and_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming another program: the search in the child's PATH, scripts, and the statuses of a shell.
 */
#include "tests/support/sv_test.h"

#include "cli/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/sv-test-spawn-XXXXXX";
static char path_var[64];
static char path_both[96];

static void file(const char *name, const char *text, mode_t mode)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path_var, sizeof(path_var), "PATH=%s", dir);
	(void)snprintf(path_both, sizeof(path_both), "PATH=/nonexistent:%s:/bin", dir);
	file("seven", "#!/bin/sh\nexit 7\n", 0755);
	file("plain", "exit 9\n", 0755);
	file("locked", "#!/bin/sh\nexit 1\n", 0644);
	file("noshell", "#!/nonexistent/interpreter\n", 0755);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "seven", "plain", "locked", "noshell" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < SV_COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

/* The exit status of a child that becomes argv; for failures of ours the status that sv_spawn_exec gives, plus 1000. */
static int run(const char *const *argv, const char *const *envp)
{
	int status = 0;
	int ends[2];
	int ours = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		struct sv_err err = SV_ERR_INIT;

		if (sv_spawn_exec((char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp, &ours, &err) ==
			    SV_OK ||
		    write(ends[1], &ours, sizeof(ours)) < 0)
			_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	if (read(ends[0], &ours, sizeof(ours)) != sizeof(ours))
		ours = 0;
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return ours != 0 ? 1000 + ours : WEXITSTATUS(status);
}

static void programs_are_found_in_the_path_of_the_child(void **state)
{
	const char *const env[] = { path_var, NULL };
	const char *const both[] = { "A=1", path_both, NULL };
	const char *const none[] = { NULL };

	(void)state;
	assert_int_equal(run((const char *const[]){ "seven", NULL }, env), 7);
	assert_int_equal(run((const char *const[]){ "seven", NULL }, both), 7);
	assert_int_equal(run((const char *const[]){ "seven", NULL }, none), 1127);
	assert_int_equal(run((const char *const[]){ "true", NULL }, none), 0);
}

static void a_slash_means_no_search(void **state)
{
	const char *const env[] = { path_var, NULL };
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/seven", dir);
	assert_int_equal(run((const char *const[]){ path, NULL }, env), 7);
	assert_int_equal(run((const char *const[]){ "./seven", NULL }, env), 1127);
}

static void a_script_without_an_interpreter_line_goes_to_the_shell(void **state)
{
	const char *const env[] = { path_both, NULL };

	(void)state;
	assert_int_equal(run((const char *const[]){ "plain", "x", NULL }, env), 9);
}

static void what_is_missing_is_127_and_what_cannot_run_126(void **state)
{
	const char *const env[] = { path_var, NULL };

	if (getenv("SV_UNDER_VALGRIND") != NULL)
		skip(); /* its execve(2) fails in another way */
	(void)state;
	assert_int_equal(run((const char *const[]){ "nothing-here", NULL }, env), 1127);
	assert_int_equal(run((const char *const[]){ "", NULL }, env), 1127);
	assert_int_equal(run((const char *const[]){ "locked", NULL }, env), 1126);
	assert_int_equal(run((const char *const[]){ "/", NULL }, env), 1126);
	assert_int_equal(run((const char *const[]){ "/etc/passwd/x", NULL }, env), 1127);
	assert_int_equal(run((const char *const[]){ "noshell", NULL }, env), 1127);
}

static void an_environment_that_is_too_large_is_our_failure(void **state)
{
	enum { SIZE = 120000, N = 80 };
	static char big[N][SIZE];
	const char *env[N + 1];

	if (getenv("SV_UNDER_VALGRIND") != NULL)
		skip(); /* its execve(2) fails in another way */
	(void)state;
	for (size_t i = 0; i < N; i++) {
		memset(big[i], 'x', SIZE - 1);
		memcpy(big[i], "BIG=", 4);
		env[i] = big[i];
	}
	env[N] = NULL;
	assert_int_equal(run((const char *const[]){ "/bin/true", NULL }, env), 1125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_found_in_the_path_of_the_child),
		cmocka_unit_test(a_slash_means_no_search),
		cmocka_unit_test(a_script_without_an_interpreter_line_goes_to_the_shell),
		cmocka_unit_test(what_is_missing_is_127_and_what_cannot_run_126),
		cmocka_unit_test(an_environment_that_is_too_large_is_our_failure),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

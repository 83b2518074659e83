/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions on a terminal, asked by a child on a pseudo-terminal of its own.
 *
 * The parent plays the person: it waits until the question stands there, which the program writes after echo is off,
 * types, and looks at what came back and at the terminal's modes afterwards.  The child tells its result over a pipe.
 */
#include "tests/support/sv_test.h"

#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define QUESTION "Secret: "
#define WAIT_MS  10000

struct person {
	int master, slave, result;
	pid_t pid;
	char screen[65536];
	size_t seen;
};

struct told {
	enum sv_code rc;
	size_t len;
	uint32_t sum;
};

static uint32_t sum_of(const unsigned char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static void child(const char *slave_path, int result, size_t max)
{
	struct told t = { SV_OK, 0, 0 };
	struct sv_secret *s = NULL;
	int tty;

	(void)setsid();
	tty = open(slave_path, O_RDWR);
	if (tty < 0)
		_exit(9);
	(void)ioctl(tty, TIOCSCTTY, 0);
	t.rc = sv_prompt_secret(QUESTION, max, &s, NULL);
	if (t.rc == SV_OK) {
		t.len = sv_secret_len(s);
		t.sum = sum_of(sv_secret_cpeek(s), t.len);
	}
	sv_secret_free(&s);
	if (write(result, &t, sizeof(t)) != sizeof(t))
		_exit(9);
	_exit(0);
}

static void begin(struct person *p, size_t max)
{
	const char *slave_path;
	int ends[2];

	memset(p, 0, sizeof(*p));
	p->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(p->master >= 0);
	assert_int_equal(grantpt(p->master), 0);
	assert_int_equal(unlockpt(p->master), 0);
	slave_path = ptsname(p->master);
	assert_non_null(slave_path);
	p->slave = open(slave_path, O_RDWR | O_NOCTTY);
	assert_true(p->slave >= 0);
	assert_int_equal(pipe(ends), 0);
	p->pid = fork();
	if (p->pid == 0) {
		(void)close(p->master);
		child(slave_path, ends[1], max);
	}
	(void)close(ends[1]);
	p->result = ends[0];
}

static bool echo_on(const struct person *p)
{
	struct termios t;

	assert_int_equal(tcgetattr(p->slave, &t), 0);
	return (t.c_lflag & ECHO) != 0 && (t.c_lflag & ICANON) != 0;
}

/* Read the screen until text stands there behind what was seen before. */
static void wait_for(struct person *p, const char *text)
{
	size_t start = p->seen;

	while (strstr(p->screen + start, text) == NULL) {
		struct pollfd pfd = { p->master, POLLIN, 0 };
		ssize_t n;

		assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
		n = read(p->master, p->screen + p->seen, sizeof(p->screen) - 1 - p->seen);
		assert_true(n > 0);
		p->seen += (size_t)n;
	}
}

static void type(struct person *p, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t w = write(p->master, text, n < 2048 ? n : 2048);

		assert_true(w > 0);
		text += w;
		n -= (size_t)w;
	}
}

static int finish(struct person *p, struct told *t)
{
	int status = 0;

	memset(t, 0, sizeof(*t));
	if (read(p->result, t, sizeof(*t)) != sizeof(*t))
		t->rc = SV_ERR_TRUNCATED;
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	return status;
}

static void end(struct person *p)
{
	(void)close(p->master);
	(void)close(p->slave);
	(void)close(p->result);
}

static void answer(const char *typed, size_t n, const char *wanted, size_t wanted_n)
{
	struct person p;
	struct told t;

	begin(&p, 64);
	wait_for(&p, QUESTION);
	assert_false(echo_on(&p));
	type(&p, typed, n);
	assert_int_equal(finish(&p, &t), 0);
	assert_int_equal(t.rc, SV_OK);
	assert_int_equal(t.len, wanted_n);
	assert_int_equal(t.sum, sum_of((const unsigned char *)wanted, wanted_n));
	assert_true(echo_on(&p));
	wait_for(&p, "\n");
	assert_string_equal(p.screen, QUESTION "\r\n");
	end(&p);
}

static void an_answer_is_taken_and_not_shown(void **state)
{
	(void)state;
	answer("hunter2\n", 8, "hunter2", 7);
	answer("two words\r", 10, "two words", 9);
	answer("tab\there\n", 9, "tab\there", 8);
}

static void keys_that_correct_work(void **state)
{
	(void)state;
	answer("hunnter\b\b\b\bter2\n", 16, "hunter2", 7);
	answer("wrong\025right\n", 12, "right", 5);
	answer("gr\xc3\xbc\177u\n", 7, "gru", 3);
	answer("\177\177ok\n", 5, "ok", 2);
}

static void a_long_paste_is_not_cut(void **state)
{
	enum { N = 100000 };
	char *text = malloc(N + 1);
	struct person p;
	struct told t;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < N; i++)
		text[i] = (char)('a' + i % 26);
	text[N] = '\n';
	begin(&p, N);
	wait_for(&p, QUESTION);
	type(&p, text, N + 1);
	assert_int_equal(finish(&p, &t), 0);
	assert_int_equal(t.rc, SV_OK);
	assert_int_equal(t.len, N);
	assert_int_equal(t.sum, sum_of((const unsigned char *)text, N));
	end(&p);
	free(text);
}

static void an_answer_past_the_limit_is_refused_whole(void **state)
{
	struct person p;
	struct told t;

	(void)state;
	begin(&p, 8);
	wait_for(&p, QUESTION);
	type(&p, "123456789\n", 10);
	assert_int_equal(finish(&p, &t), 0);
	assert_int_equal(t.rc, SV_ERR_TOO_BIG);
	assert_true(echo_on(&p));
	end(&p);
}

static void an_empty_answer_and_end_of_input_are_refused(void **state)
{
	static const char keys[] = { '\n', 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(keys); i++) {
		struct person p;
		struct told t;

		begin(&p, 8);
		wait_for(&p, QUESTION);
		type(&p, &keys[i], 1);
		assert_int_equal(finish(&p, &t), 0);
		assert_int_equal(t.rc, SV_ERR_USAGE);
		assert_true(echo_on(&p));
		end(&p);
	}
}

static void signals_end_the_program_and_the_echo_is_back(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(signals); i++) {
		struct person p;
		struct told t;
		int status;

		begin(&p, 64);
		wait_for(&p, QUESTION);
		type(&p, "half", 4);
		assert_int_equal(kill(p.pid, signals[i]), 0);
		status = finish(&p, &t);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		assert_true(echo_on(&p));
		end(&p);
	}
}

static void the_interrupt_key_is_a_signal(void **state)
{
	struct person p;
	struct told t;
	int status;

	(void)state;
	begin(&p, 64);
	wait_for(&p, QUESTION);
	type(&p, "half\003", 5);
	status = finish(&p, &t);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_true(echo_on(&p));
	end(&p);
}

static void stopped_and_continued_it_asks_again(void **state)
{
	struct person p;
	struct told t;
	int status = 0;

	(void)state;
	begin(&p, 64);
	wait_for(&p, QUESTION);
	type(&p, "half", 4);
	/* SIGTSTP does nothing to an orphaned process group (POSIX); SIGSTOP stops it, and SIGCONT must ask anew. */
	assert_int_equal(kill(p.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(p.pid, &status, WUNTRACED), p.pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(kill(p.pid, SIGCONT), 0);
	wait_for(&p, QUESTION);
	assert_false(echo_on(&p));
	type(&p, "whole\n", 6);
	assert_int_equal(finish(&p, &t), 0);
	assert_int_equal(t.rc, SV_OK);
	assert_int_equal(t.len, 5);
	assert_true(echo_on(&p));
	end(&p);
}

static void what_follows_the_answer_does_not_reach_the_shell(void **state)
{
	struct person p;
	struct told t;
	int waiting = -1;

	(void)state;
	begin(&p, 64);
	wait_for(&p, QUESTION);
	type(&p, "first\nrm -rf everything\n", 24);
	assert_int_equal(finish(&p, &t), 0);
	assert_int_equal(t.rc, SV_OK);
	assert_int_equal(t.len, 5);
	assert_int_equal(ioctl(p.slave, FIONREAD, &waiting), 0);
	assert_int_equal(waiting, 0);
	end(&p);
}

static void without_a_terminal_it_says_so(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0) {
		struct sv_secret *s = NULL;

		(void)setsid();
		_exit(!sv_prompt_possible() && sv_prompt_secret(QUESTION, 8, &s, NULL) == SV_ERR_IO ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_taken_and_not_shown),
		cmocka_unit_test(keys_that_correct_work),
		cmocka_unit_test(a_long_paste_is_not_cut),
		cmocka_unit_test(an_answer_past_the_limit_is_refused_whole),
		cmocka_unit_test(an_empty_answer_and_end_of_input_are_refused),
		cmocka_unit_test(signals_end_the_program_and_the_echo_is_back),
		cmocka_unit_test(the_interrupt_key_is_a_signal),
		cmocka_unit_test(stopped_and_continued_it_asks_again),
		cmocka_unit_test(what_follows_the_answer_does_not_reach_the_shell),
		cmocka_unit_test(without_a_terminal_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

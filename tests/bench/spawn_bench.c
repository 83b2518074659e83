/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start several commands over and over, interleaved in changing order, and tell the median wall time and the largest
 *resident size of each.
 *
 *	spawn_bench RUNS LABEL [VAR=VALUE ...] PROGRAM [ARG ...] [';' LABEL ...]
 *	spawn_bench --nothing
 *
 * Variables before a program are added to its environment.  Standard input and output are /dev/null.  Output, one line
 *per command: LABEL, median and tenth percentile in microseconds, the largest ru_maxrss in KiB, how many runs failed.
 *
 * Linux carries the peak of the memory that execve(2) replaces into ru_maxrss, so the figure is at least this program's
 *own size, and that of `sv exec -- PROGRAM` is the larger one of sv and PROGRAM.  This program is therefore linked
 *statically and small, and is its own smallest PROGRAM: --nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define COMMANDS_MAX 64

struct command {
	const char *label;
	char **argv;
	char **envp;
	double *us;
	long rss_kib;
	unsigned failed;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL) {
		fputs("spawn_bench: no memory\n", stderr);
		exit(1);
	}
	return p;
}

/* The environment with the n assignments at `set` in place of what they replace. */
static char **environment_with(char **set, size_t n)
{
	size_t have = 0;
	size_t out = 0;
	char **envp;

	while (environ[have] != NULL)
		have++;
	envp = must_alloc(have + n + 1, sizeof(*envp));
	for (size_t i = 0; i < have; i++) {
		size_t j;

		for (j = 0; j < n; j++) {
			size_t name = strcspn(set[j], "=") + 1;

			if (strncmp(environ[i], set[j], name) == 0)
				break;
		}
		if (j == n)
			envp[out++] = environ[i];
	}
	for (size_t j = 0; j < n; j++)
		envp[out++] = set[j];
	return envp;
}

/* Read one command that starts at argv[0]; returns how many elements it has, its ';' included. */
static int command_parse(struct command *c, int argc, char **argv, size_t runs)
{
	int end = 0;
	int first = 1;

	while (end < argc && strcmp(argv[end], ";") != 0)
		end++;
	while (first < end && strchr(argv[first], '=') != NULL && argv[first][0] != '/')
		first++;
	if (first >= end) {
		fputs("spawn_bench: a command is LABEL [VAR=VALUE ...] PROGRAM ...\n", stderr);
		exit(2);
	}
	c->label = argv[0];
	c->argv = argv + first;
	c->envp = environment_with(argv + 1, (size_t)first - 1);
	c->us = must_alloc(runs, sizeof(*c->us));
	if (end < argc)
		argv[end++] = NULL;
	return end;
}

static double run_once(struct command *c, const posix_spawn_file_actions_t *actions)
{
	struct rusage usage;
	double start = now_us();
	double took;
	pid_t pid;
	int status;

	if ((errno = posix_spawnp(&pid, c->argv[0], actions, NULL, c->argv, c->envp)) != 0) {
		perror(c->argv[0]);
		exit(1);
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR) {
			perror("wait4");
			exit(1);
		}
	took = now_us() - start;
	if (usage.ru_maxrss > c->rss_kib)
		c->rss_kib = usage.ru_maxrss;
	if (status != 0)
		c->failed++;
	return took;
}

/* A new order each round: what a command finds in the caches depends on the one before it.  The sequence is always the
 * same. */
static void shuffle(size_t *order, size_t n)
{
	static uint32_t state = 1;

	for (size_t i = n; i > 1; i--) {
		size_t j, swap;

		state = state * 1664525u +
			1013904223u; /* Numerical Recipes' generator; its upper bits are good enough here */
		j = (state >> 8) % i;
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
}

int main(int argc, char **argv)
{
	struct command commands[COMMANDS_MAX] = { 0 };
	posix_spawn_file_actions_t actions;
	size_t order[COMMANDS_MAX];
	size_t n = 0;
	size_t runs;
	unsigned failed = 0;

	if (argc == 2 && strcmp(argv[1], "--nothing") == 0)
		return 0;
	if (argc < 4 || (runs = strtoul(argv[1], NULL, 10)) == 0) {
		fputs("usage: spawn_bench RUNS LABEL [VAR=VALUE ...] PROGRAM [ARG ...] [';' LABEL ...]\n", stderr);
		return 2;
	}
	for (int at = 2; at < argc && n < COMMANDS_MAX; n++)
		at += command_parse(&commands[n], argc - at, argv + at, runs);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);

	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = 0; i < n; i++) { /* a first run warms caches and is not counted */
		run_once(&commands[i], &actions);
		commands[i].failed = 0;
	}
	for (size_t r = 0; r < runs; r++) {
		shuffle(order, n);
		for (size_t i = 0; i < n; i++)
			commands[order[i]].us[r] = run_once(&commands[order[i]], &actions);
	}
	for (size_t i = 0; i < n; i++) {
		struct command *c = &commands[i];

		qsort(c->us, runs, sizeof(*c->us), by_value);
		printf("%s %.1f %.1f %ld %u\n", c->label, c->us[runs / 2], c->us[runs / 10], c->rss_kib, c->failed);
		failed += c->failed;
	}
	return failed != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a second that a running, unlocked agent answers: over one connection, and to 64 clients at once.
 *
 *	agent_bench SOCKET NAME [SECONDS [CLIENTS]]
 *
 * Every client is a process with a connection of its own that sends a GET, waits for the value, and sends the next.
 * What is counted is whole answers.  The two measurements take turns and the median round of each is told, since the
 * machine may be busy with something else for a while.
 */
#include "proto/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS      5
#define CLIENTS_MAX 120 /* the agent holds 128 connections */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reads until the time is over; how many were answered. */
static unsigned long read_until(struct sv_client *c, const char *name, double end, struct sv_err *err)
{
	const struct sv_msg_ref ref = { .name = { name, strlen(name) } };
	unsigned long n = 0;
	struct sv_buf *value;

	for (;;) {
		if (sv_client_begin(c, SV_MSG_GET, 0, err) != SV_OK || sv_msg_put_ref(&c->out, &ref) != SV_OK ||
		    sv_client_call(c, &value, err) != SV_OK)
			return 0;
		n++;
		if (n % 16 == 0 && now_s() >= end)
			return n;
	}
}

/* One client: connect, wait until all are there, read, tell the count. */
static int client(const char *socket_path, const char *name, double seconds, int start, int result)
{
	struct sv_client c = SV_CLIENT_INIT;
	struct sv_err err = SV_ERR_INIT;
	unsigned long n;
	char go;

	if (sv_client_connect(&c, socket_path, &err) != SV_OK || read(start, &go, 1) != 0)
		return 1;
	n = read_until(&c, name, now_s() + seconds, &err);
	if (n == 0)
		fprintf(stderr, "agent_bench: %s\n", err.msg);
	sv_client_close(&c);
	return n > 0 && write(result, &n, sizeof(n)) == sizeof(n) ? 0 : 1;
}

/* Answers a second to `clients` processes at once; 0: one of them failed. */
static double measure(const char *socket_path, const char *name, double seconds, int clients)
{
	int start[2], result[2], failed = 0, status;
	unsigned long sum = 0, n;
	pid_t pids[CLIENTS_MAX];

	if (pipe(start) != 0 || pipe(result) != 0)
		return 0;
	for (int i = 0; i < clients; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(start[1]);
			_exit(client(socket_path, name, seconds, start[0], result[1]));
		}
		failed += pids[i] < 0;
	}
	close(start[0]);
	close(start[1]); /* the end of file is the start */
	close(result[1]);
	while (read(result[0], &n, sizeof(n)) == sizeof(n))
		sum += n;
	close(result[0]);
	for (int i = 0; i < clients; i++)
		if (pids[i] > 0 && (waitpid(pids[i], &status, 0) < 0 || status != 0))
			failed++;
	return failed == 0 ? (double)sum / seconds : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	double seconds = argc > 3 ? strtod(argv[3], NULL) : 1.0, one[ROUNDS], many[ROUNDS];
	int clients = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 64;

	if (argc < 3 || argc > 5 || seconds <= 0 || clients < 1 || clients > CLIENTS_MAX) {
		fprintf(stderr, "usage: agent_bench SOCKET NAME [SECONDS [CLIENTS]]\n");
		return 2;
	}
	for (int i = 0; i < ROUNDS; i++) {
		one[i] = measure(argv[1], argv[2], seconds, 1);
		many[i] = measure(argv[1], argv[2], seconds, clients);
		if (one[i] <= 0 || many[i] <= 0)
			return 1;
	}
	qsort(one, ROUNDS, sizeof(one[0]), by_value);
	qsort(many, ROUNDS, sizeof(many[0]), by_value);
	printf("one connection: %.0f reads/s\n", one[ROUNDS / 2]);
	printf("%d clients at once: %.0f reads/s together, ratio %.2f\n", clients, many[ROUNDS / 2],
	       many[ROUNDS / 2] / one[ROUNDS / 2]);
	return 0;
}

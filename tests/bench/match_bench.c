/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speed of the matching engine and the stream filter, in one run beside plain reading, memmem(3) and grep -F.
 *
 *	match_bench [MiB [DIRECTORY]]
 *
 * Inputs are written to DIRECTORY (default /tmp) and read from the page cache.  Each figure is the best of several
 * passes, in GB/s (10^9). "file" is file to /dev/null by read, filter and write; "mem" is the engine alone over a
 * block in memory.
 */
#include "cli/match/filter.h"
#include "vault/base/secmem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CHUNK        ((size_t)256 << 10)
#define PASSES       4
#define SECRET_BYTES 40

static uint64_t seed = 0x5eed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

struct bag {
	char (*values)[SECRET_BYTES + 1];
	size_t n;
	struct sv_match_set *set;
	double compile_ms;
};

static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static void make_bag(struct bag *b, size_t n, unsigned forms, bool printable, size_t min_len)
{
	double best = 1e9;

	seed = 0x5eed;
	b->n = n;
	b->values = calloc(n, sizeof(*b->values));
	if (b->values == NULL)
		die("calloc");
	for (size_t i = 0; i < n; i++) {
		size_t len = min_len + (min_len < SECRET_BYTES ? rnd() % (SECRET_BYTES - min_len) : 0);

		for (size_t k = 0; k < len; k++)
			b->values[i][k] = (char)(printable ? 33 + rnd() % 94 : (unsigned)alnum[rnd() % 62]);
	}
	for (int pass = 0; pass < PASSES; pass++) {
		double t = now();
		struct sv_patterns *ps = sv_patterns_new(forms);

		sv_match_set_free(b->set);
		for (size_t i = 0; i < n; i++) {
			if (ps == NULL ||
			    sv_patterns_add(ps, "N", 1, b->values[i], strlen(b->values[i]), NULL) != SV_OK)
				die("patterns");
		}
		if (sv_match_compile(ps, &b->set, NULL) != SV_OK)
			die("compile");
		sv_patterns_free(ps);
		t = (now() - t) * 1e3;
		best = t < best ? t : best;
	}
	b->compile_ms = best;
}

static void drop_bag(struct bag *b)
{
	sv_match_set_free(b->set);
	free(b->values);
	*b = (struct bag){ 0 };
}

static size_t put_log_line(char *out, size_t room)
{
	static const char *const words[] = { "connection",
					     "accepted",
					     "from",
					     "request",
					     "GET",
					     "/api/v1/items",
					     "status=200",
					     "user",
					     "session",
					     "cache",
					     "miss",
					     "upstream",
					     "timeout",
					     "retry",
					     "worker",
					     "finished",
					     "in",
					     "ms",
					     "https://example.org/",
					     "authorization",
					     "token",
					     "bytes" };
	int n = snprintf(out, room, "2031-04-%02u %02u:%02u:%02u.%03u INFO [worker-%u] ", (unsigned)(rnd() % 30 + 1),
			 (unsigned)(rnd() % 24), (unsigned)(rnd() % 60), (unsigned)(rnd() % 60),
			 (unsigned)(rnd() % 1000), (unsigned)(rnd() % 16));

	for (unsigned k = 0, words_n = 4 + (unsigned)(rnd() % 8); k < words_n; k++)
		n += snprintf(out + n, room - (size_t)n, "%s ", words[rnd() % (sizeof(words) / sizeof(words[0]))]);
	n += snprintf(out + n, room - (size_t)n, "id=%016llx\n", (unsigned long long)rnd());
	return (size_t)n;
}

static void fill_log(unsigned char *p, size_t n, const struct bag *b)
{
	char line[512];

	(void)b;
	for (size_t at = 0; at < n;) {
		size_t k = put_log_line(line, sizeof(line));

		k = k < n - at ? k : n - at;
		memcpy(p + at, line, k);
		at += k;
	}
}

static void fill_colour(unsigned char *p, size_t n, const struct bag *b)
{
	char line[512];

	(void)b;
	for (size_t at = 0; at < n;) {
		size_t k = put_log_line(line, sizeof(line) - 20);

		memmove(line + 24, line + 19, k - 19);
		memcpy(line + 19, "\033[32m", 5);
		k += 5;
		k += (size_t)snprintf(line + k - 1, 8, "\033[0m\n") - 1;
		k = k < n - at ? k : n - at;
		memcpy(p + at, line, k);
		at += k;
	}
}

/* C-like source: identifiers, punctuation, indentation. */
static void fill_source(unsigned char *p, size_t n, const struct bag *b)
{
	static const char *const bits[] = { "static ", "int ", "return ",  "struct ", "if (", ") {\n",   "}\n",
					    "\t",      "\t\t", "buffer->", "len",     " = ",  ";\n",     "size_t ",
					    "memcpy(", ", ",   "NULL",     " != ",    "i++",  "config_", "handle_",
					    "0x",      "1024", "/* ",      " */\n",   "for (" };

	(void)b;
	for (size_t at = 0; at < n;) {
		const char *s = bits[rnd() % (sizeof(bits) / sizeof(bits[0]))];
		size_t k = strlen(s);

		k = k < n - at ? k : n - at;
		memcpy(p + at, s, k);
		at += k;
	}
}

static void fill_random(unsigned char *p, size_t n, const struct bag *b)
{
	(void)b;
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)rnd();
}

/* The worst for the filters: all of it is prefixes of values, each cut before its last byte. */
static void fill_prefixes(unsigned char *p, size_t n, const struct bag *b)
{
	for (size_t at = 0; at < n;) {
		const char *v = b->values[rnd() % b->n];
		size_t k = strlen(v) - 1;

		k = k < n - at ? k : n - at;
		memcpy(p + at, v, k);
		at += k;
	}
}

static enum sv_code found(void *ctx, const struct sv_find *f)
{
	(void)f;
	++*(uint64_t *)ctx;
	return SV_OK;
}

static double mem_speed(const struct bag *b, unsigned flags, const unsigned char *p, size_t n, uint64_t *finds)
{
	struct sv_match *m = sv_match_new(b->set, flags);
	double best = 0;

	for (int pass = 0; pass < PASSES; pass++) {
		double t = now();

		*finds = 0;
		sv_match_reset(m);
		if (sv_match_scan(m, p, n, true, found, finds, NULL) != SV_OK)
			die("scan");
		t = (double)n / (now() - t) / 1e9;
		best = t > best ? t : best;
	}
	sv_match_free(m);
	return best;
}

static enum sv_code write_all(void *ctx, const struct iovec *pieces, int n, struct sv_err *err)
{
	(void)err;
	return writev(*(int *)ctx, pieces, n) > 0 ? SV_OK : SV_ERR_IO;
}

/* set NULL: plain read and write. */
static double file_speed(const struct sv_match_set *set, const char *path, size_t size)
{
	unsigned char *buf = malloc(CHUNK);
	double best = 0;

	for (int pass = 0; pass < PASSES; pass++) {
		int in = open(path, O_RDONLY | O_CLOEXEC), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
		struct sv_filter *f = set != NULL ? sv_filter_new(set, SV_MATCH_SEQUENCES, write_all, &out) : NULL;
		double t = now();
		ssize_t n;

		while ((n = read(in, buf, CHUNK)) > 0) {
			if (f != NULL ? sv_filter_put(f, buf, (size_t)n, 0, NULL) != SV_OK
				      : write(out, buf, (size_t)n) != n)
				die("put");
		}
		if (f != NULL && sv_filter_finish(f, NULL) != SV_OK)
			die("finish");
		t = (double)size / (now() - t) / 1e9;
		best = t > best ? t : best;
		sv_filter_free(f);
		(void)close(in);
		(void)close(out);
	}
	free(buf);
	return best;
}

static double memmem_speed(const struct bag *b, const unsigned char *p, size_t n)
{
	double t = now();
	volatile size_t hits = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (memmem(p, n, b->values[i], strlen(b->values[i])) != NULL)
			hits++;
	}
	return (double)n / (now() - t) / 1e9;
}

static double grep_speed(const struct bag *b, const char *dir, const char *path, size_t size)
{
	char list[512], cmd[1200];
	double t;
	FILE *f;

	(void)snprintf(list, sizeof(list), "%s/match_bench.%ld.list", dir, (long)getpid());
	f = fopen(list, "w");
	if (f == NULL)
		die(list);
	for (size_t i = 0; i < b->n; i++)
		(void)fprintf(f, "%s\n", b->values[i]);
	(void)fclose(f);
	(void)snprintf(cmd, sizeof(cmd), "LC_ALL=C grep -a -c -F -f '%s' '%s' >/dev/null", list, path);
	t = now();
	if (system(cmd) < 0)
		die("grep");
	t = (double)size / (now() - t) / 1e9;
	(void)unlink(list);
	return t;
}

static const struct {
	const char *name;
	void (*fill)(unsigned char *, size_t, const struct bag *);
} inputs[] = { { "log", fill_log },
	       { "source", fill_source },
	       { "colour", fill_colour },
	       { "random", fill_random },
	       { "prefixes", fill_prefixes } };

static const struct {
	const char *name;
	size_t n;
	unsigned forms;
	bool printable;
	size_t min_len;
} cases[] = {
	{ "10 raw", 10, SV_FORMS_RAW, false, SECRET_BYTES },
	{ "100 raw", 100, SV_FORMS_RAW, false, SECRET_BYTES },
	{ "1000 raw", 1000, SV_FORMS_RAW, false, SECRET_BYTES },
	{ "10 all", 10, SV_FORMS_ALL, false, SECRET_BYTES },
	{ "100 all", 100, SV_FORMS_ALL, false, SECRET_BYTES },
	{ "1000 all", 1000, SV_FORMS_ALL, false, SECRET_BYTES },
	{ "10 all, printable", 10, SV_FORMS_ALL, true, SECRET_BYTES },
	{ "100 all, printable", 100, SV_FORMS_ALL, true, SECRET_BYTES },
	{ "1000 all, printable", 1000, SV_FORMS_ALL, true, SECRET_BYTES },
	{ "10 all, 8 to 40 bytes", 10, SV_FORMS_ALL, false, 8 },
	{ "100 all, 8 to 40 bytes", 100, SV_FORMS_ALL, false, 8 },
	{ "1000 all, 8 to 40 bytes", 1000, SV_FORMS_ALL, false, 8 },
	{ "10 all, 4 to 40 bytes", 10, SV_FORMS_ALL, false, 4 },
	{ "100 all, 4 to 40 bytes", 100, SV_FORMS_ALL, false, 4 },
};

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) << 20;
	const char *dir = argc > 2 ? argv[2] : "/tmp";
	unsigned char *p = malloc(size);
	char path[512];
	struct rusage ru;

	if (p == NULL)
		die("malloc");
	(void)snprintf(path, sizeof(path), "%s/match_bench.%ld.data", dir, (long)getpid());
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		bool special = inputs[i].fill == fill_prefixes;
		FILE *f;

		printf("%s, %zu MiB\n%-26s %8s %8s %8s %8s %9s %9s %8s %8s\n", inputs[i].name, size >> 20, "set",
		       "patterns", "KiB", "compile", "finds", "mem", "file", "memmem", "grep -F");
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			struct bag b = { 0 };
			struct sv_match_stats st;
			uint64_t finds;
			double mem, file;

			make_bag(&b, cases[k].n, cases[k].forms, cases[k].printable, cases[k].min_len);
			if (k == 0 || special) {
				inputs[i].fill(p, size, &b);
				f = fopen(path, "w");
				if (f == NULL || fwrite(p, 1, size, f) != size || fclose(f) != 0)
					die(path);
			}
			if (k == 0)
				printf("%-26s %8s %8s %8s %8s %9s %9.2f\n", "plain read and write", "", "", "", "", "",
				       file_speed(NULL, path, size));
			mem = mem_speed(&b, inputs[i].fill == fill_colour ? SV_MATCH_SEQUENCES : 0, p, size, &finds);
			file = file_speed(b.set, path, size);
			sv_match_set_stats(b.set, &st);
			printf("%-26s %8zu %8zu %6.1fms %8llu %9.2f %9.2f", cases[k].name, st.patterns, st.bytes >> 10,
			       b.compile_ms, (unsigned long long)finds, mem, file);
			if (!special && cases[k].forms == SV_FORMS_RAW && cases[k].n <= 100)
				printf(" %8.2f", memmem_speed(&b, p, size));
			else
				printf(" %8s", "");
			if (!special && cases[k].forms == SV_FORMS_RAW)
				printf(" %8.2f", grep_speed(&b, dir, path, size));
			printf("\n");
			(void)fflush(stdout);
			drop_bag(&b);
		}
	}
	(void)unlink(path);
	free(p);
	(void)getrusage(RUSAGE_SELF, &ru);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.[ch]: what comes out, byte for byte, whatever the splits; what is held, and until when; and that nothing
 * comes after a failure.
 */
#include "tests/support/sv_test.h"

#include "cli/match/filter.h"
#include "tests/support/match_oracle.h"
#include "vault/base/secmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static size_t below(size_t n)
{
	return (size_t)(oracle_random(&seed) % n);
}

static unsigned long from_env(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s != NULL ? strtoul(s, NULL, 10) : otherwise;
}

struct sink {
	unsigned char *p;
	size_t n, cap;
	size_t fail_after; /* calls that work; SIZE_MAX: all */
	size_t calls;
};

static enum sv_code take(void *ctx, const struct iovec *pieces, int n, struct sv_err *err)
{
	struct sink *s = ctx;

	assert_true(n > 0 && n <= SV_FILTER_PIECES);
	if (s->calls++ >= s->fail_after)
		return sv_err_set(err, SV_ERR_IO, "the sink is full");
	for (int i = 0; i < n; i++) {
		assert_true(pieces[i].iov_len > 0);
		if (pieces[i].iov_len > s->cap - s->n) {
			s->cap = 2 * (s->cap + pieces[i].iov_len);
			s->p = realloc(s->p, s->cap);
			assert_non_null(s->p);
		}
		memcpy(s->p + s->n, pieces[i].iov_base, pieces[i].iov_len);
		s->n += pieces[i].iov_len;
	}
	return SV_OK;
}

struct bench {
	struct sv_patterns *ps;
	struct sv_match_set *set;
	struct sv_filter *f;
	struct sink sink;
};

static void open_bench(struct bench *b, const char *const *values, unsigned flags)
{
	*b = (struct bench){ .ps = sv_patterns_new(SV_FORMS_ALL), .sink = { .fail_after = SIZE_MAX } };
	assert_non_null(b->ps);
	for (size_t i = 0; values[i] != NULL; i++) {
		char name[24];

		(void)snprintf(name, sizeof(name), "S%zu", i);
		assert_int_equal(sv_patterns_add(b->ps, name, strlen(name), values[i], strlen(values[i]), NULL), SV_OK);
	}
	assert_int_equal(sv_match_compile(b->ps, &b->set, NULL), SV_OK);
	b->f = sv_filter_new(b->set, flags, take, &b->sink);
	assert_non_null(b->f);
}

static void close_bench(struct bench *b)
{
	sv_filter_free(b->f);
	sv_match_set_free(b->set);
	sv_patterns_free(b->ps);
	free(b->sink.p);
}

static void put(struct bench *b, const char *text)
{
	assert_int_equal(sv_filter_put(b->f, text, strlen(text), 0, NULL), SV_OK);
}

static void assert_out(struct bench *b, const char *want)
{
	if (b->sink.n != strlen(want) || memcmp(b->sink.p, want, b->sink.n) != 0)
		fail_msg("out: %.*s\nnot: %s", (int)b->sink.n, (const char *)b->sink.p, want);
}

static void values_become_tokens(void **state)
{
	static const char *const values[] = { "hunter2secret", "hunter2secretlonger",
					      "1234",          "sec<ret>&more",
					      "sixsix",        NULL };
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "plain\n", "plain\n" },
		{ "a hunter2secret b", "a [sv:S0] b" },
		{ "hunter2secrethunter2secret", "[sv:S0][sv:S0]" },
		{ "hunter2secretlonger", "[sv:S1]" },
		{ "hunter2secretlonge", "[sv:S0]longe" },
		{ "pin 1234, not 12345 or a1234", "pin [sv:S2], not 12345 or a1234" },
		{ "1234", "[sv:S2]" },
		{ "sec&lt;ret&gt;&amp;more", "[sv:S3]" },
		{ "Basic dXNlcjpodW50ZXIyc2VjcmV0Cg==", "Basic dXNlcjp[sv:S0]Cg==" },
		{ "sixsixsixsix", "[sv:S4]" },
		{ "sixsix-sixsix", "[sv:S4]-[sv:S4]" },
		{ "hunter2secre", "hunter2secre" },
		{ "\033[1mhunter2\033[0msecret\033[m!", "\033[1m[sv:S0]\033[0m\033[m!" },
		{ "h\033[1mu\033[1mnter2secre\033[1mt", "[sv:S0]\033[1m\033[1m\033[1m" },
		{ "\033]0;hunter2secret\007x", "\033]0;[sv:S0]\007x" },
		{ "\0331234", "\033[sv:S2]" }, /* ESC 1 is a sequence, and 1234 stands there all the same */
		{ "\033[31m1234\033[0m", "\033[31m[sv:S2]\033[0m" },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		for (unsigned bytewise = 0; bytewise < 2; bytewise++) {
			struct bench b;

			open_bench(&b, values, SV_MATCH_SEQUENCES);
			if (bytewise != 0) {
				for (const char *c = table[i].in; *c != '\0'; c++)
					assert_int_equal(sv_filter_put(b.f, c, 1, 0, NULL), SV_OK);
			} else {
				put(&b, table[i].in);
			}
			assert_int_equal(sv_filter_finish(b.f, NULL), SV_OK);
			assert_out(&b, table[i].out);
			close_bench(&b);
		}
	}
}

static void overlapping_values_are_one_token(void **state)
{
	static const char *const values[] = { "abcdefgh", "efghijkl", "aaaaaa", NULL };
	struct bench b;

	(void)state;
	open_bench(&b, values, 0);
	put(&b, "<abcdefghijkl> <");
	for (size_t i = 0; i < 100000; i++)
		put(&b, "a");
	assert_true(sv_filter_held(b.f) <= 8);
	put(&b, ">");
	assert_int_equal(sv_filter_finish(b.f, NULL), SV_OK);
	assert_out(&b, "<[sv:S0]> <[sv:S2]>");
	assert_int_equal(sv_filter_count(b.f, 0), 1);
	assert_int_equal(sv_filter_count(b.f, 1), 1);
	assert_int_equal(sv_filter_count(b.f, 2), 1);
	assert_int_equal(sv_filter_total(b.f), 2);
	close_bench(&b);
}

static void a_short_prefix_is_let_go_when_idle_and_a_long_one_is_not(void **state)
{
	static const char *const values[] = { "SECRET-0123456789", "tinier", NULL };
	struct bench b;

	(void)state;
	open_bench(&b, values, SV_MATCH_SEQUENCES);
	assert_int_equal(sv_filter_put(b.f, "Password: SEC", 13, 1000, NULL), SV_OK);
	assert_out(&b, "Password: ");
	assert_int_equal(sv_filter_wait_ms(b.f, 1000), SV_FILTER_IDLE_MS);
	assert_int_equal(sv_filter_idle(b.f, 1000 + SV_FILTER_IDLE_MS - 1, NULL), SV_OK);
	assert_out(&b, "Password: ");
	assert_int_equal(sv_filter_wait_ms(b.f, 1040), 0);
	assert_int_equal(sv_filter_idle(b.f, 1040, NULL), SV_OK);
	assert_out(&b, "Password: SEC");
	assert_int_equal(sv_filter_wait_ms(b.f, 1040), -1);
	/* the rest of the value comes after all: it is masked, once */
	assert_int_equal(sv_filter_put(b.f, "RET-01234", 9, 2000, NULL), SV_OK);
	assert_int_equal(sv_filter_wait_ms(b.f, 9000), -1);
	assert_int_equal(sv_filter_put(b.f, "56789 ti", 8, 9000, NULL), SV_OK);
	assert_out(&b, "Password: SEC[sv:S0] ");
	/* two of six bytes are more than a quarter */
	assert_int_equal(sv_filter_wait_ms(b.f, 9900), -1);
	assert_int_equal(sv_filter_put(b.f, "\033[1mt", 5, 10000, NULL), SV_OK);
	assert_out(&b, "Password: SEC[sv:S0] ti\033[1m");
	assert_int_equal(sv_filter_wait_ms(b.f, 10030), 0);
	assert_int_equal(sv_filter_finish(b.f, NULL), SV_OK);
	assert_out(&b, "Password: SEC[sv:S0] ti\033[1mt");
	close_bench(&b);
}

static void nothing_comes_out_after_a_failure(void **state)
{
	static const char *const values[] = { "SECRET-0123456789", NULL };
	struct sv_err err = SV_ERR_INIT;

	(void)state;
	for (size_t calls = 0; calls < 4; calls++) {
		char text[2048] = { 0 };
		struct bench b;
		size_t n;

		open_bench(&b, values, SV_MATCH_SEQUENCES);
		b.sink.fail_after = calls;
		/* more pieces than one call takes */
		for (size_t i = 0; i < 66; i++)
			strcat(text, "one SECRET-0123456789 two ");
		strcat(text, "SEC");
		assert_int_equal(sv_filter_put(b.f, "one ", 4, 0, &err), calls == 0 ? SV_ERR_IO : SV_OK);
		assert_int_equal(sv_filter_put(b.f, text, strlen(text), 0, &err), SV_ERR_IO);
		assert_string_equal(err.msg, "the sink is full");
		n = b.sink.n;
		b.sink.fail_after = SIZE_MAX;
		assert_int_equal(sv_filter_put(b.f, "more", 4, 0, &err), SV_ERR_IO);
		assert_int_equal(sv_filter_idle(b.f, 99, &err), SV_ERR_IO);
		assert_int_equal(sv_filter_finish(b.f, &err), SV_ERR_IO);
		assert_int_equal(b.sink.n, n);
		close_bench(&b);
	}
}

static void bytes_that_are_no_text_pass(void **state)
{
	static const char *const values[] = { "hunter2secret", "1234", NULL };
	unsigned char all[4096];
	struct bench b;

	(void)state;
	open_bench(&b, values, SV_MATCH_SEQUENCES);
	seed = 3;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = i < 256 ? (unsigned char)i : (unsigned char)below(256);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(sv_filter_put(b.f, all, sizeof(all), 0, NULL), SV_OK);
	assert_int_equal(sv_filter_finish(b.f, NULL), SV_OK);
	assert_int_equal(b.sink.n, 200 * sizeof(all));
	for (size_t i = 0; i < 200; i++)
		assert_memory_equal(b.sink.p + i * sizeof(all), all, sizeof(all));
	close_bench(&b);
}

/* No 8 bytes of a value that stood whole in the input may be in the output. */
static void assert_no_piece(const struct sink *s, const unsigned char *v, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i++)
		assert_null(memmem(s->p, s->n, v + i, 8));
}

static void random_streams_are_masked_and_nothing_else_changes(void **state)
{
	static const char noise[] = "log line: value= \n\t{}[]0123abcdef\"'";
	unsigned long rounds = from_env("SV_MATCH_ROUNDS", 20000);
	unsigned char *t = malloc(4096);
	struct sv_match_set *set = NULL;
	struct sv_patterns *ps = NULL;
	unsigned char values[4][80];
	size_t lens[4];

	(void)state;
	assert_non_null(t);
	seed = from_env("SV_MATCH_SEED", 11);
	for (unsigned long round = 0; round < rounds; round++) {
		struct sink sink = { .fail_after = SIZE_MAX };
		struct oracle o = { 0 };
		struct sv_filter *f;
		unsigned char *want;
		size_t n = 0, want_len;

		if (round % 25 == 0) {
			sv_match_set_free(set);
			sv_patterns_free(ps);
			ps = sv_patterns_new(SV_FORMS_ALL);
			assert_non_null(ps);
			for (size_t i = 0; i < 4; i++) {
				char name[4] = { 'S', (char)('0' + i) };

				lens[i] = 12 + below(60);
				for (size_t k = 0; k < lens[i]; k++)
					values[i][k] =
						(unsigned char)(round % 50 == 0 ? 33 + below(94) : 1 + below(255));
				/*
				 * without the bytes that begin a sequence, which may not be found when another one is
				 * put inside
				 */
				for (size_t k = 0; k < lens[i]; k++)
					values[i][k] = values[i][k] < 0x20 ? (unsigned char)'#' : values[i][k];
				assert_int_equal(sv_patterns_add(ps, name, 2, values[i], lens[i], NULL), SV_OK);
			}
			assert_int_equal(sv_match_compile(ps, &set, NULL), SV_OK);
		}
		while (n < 900) {
			size_t v = below(4);

			for (size_t k = below(30); k > 0; k--)
				t[n++] = (unsigned char)noise[below(sizeof(noise) - 1)];
			if (below(3) == 0) {
				size_t p = below(sv_patterns_count(ps));

				memcpy(t + n, sv_patterns_at(ps, p)->p, sv_patterns_at(ps, p)->len);
				n += sv_patterns_at(ps, p)->len;
			}
			for (size_t k = 0, coloured = below(2); k < lens[v]; k++) {
				t[n++] = values[v][k];
				if (coloured != 0 && below(9) == 0) {
					memcpy(t + n, "\033[1;3m", 6);
					n += 6;
				}
			}
		}
		f = sv_filter_new(set, SV_MATCH_SEQUENCES, take, &sink);
		assert_non_null(f);
		for (size_t at = 0, k; at < n; at += k) {
			k = 1 + below(round % 3 == 0 ? 4 : 400);
			k = k < n - at ? k : n - at;
			assert_int_equal(sv_filter_put(f, t + at, k, 0, NULL), SV_OK);
		}
		assert_int_equal(sv_filter_finish(f, NULL), SV_OK);
		oracle_find(&o, ps, t, n, true);
		want = oracle_mask(&o, ps, t, n, &want_len);
		assert_int_equal(sink.n, want_len);
		assert_memory_equal(sink.p, want, want_len);
		for (size_t i = 0; i < 4; i++)
			assert_no_piece(&sink, values[i], lens[i]);
		free(want);
		oracle_clear(&o);
		sv_filter_free(f);
		free(sink.p);
	}
	sv_match_set_free(set);
	sv_patterns_free(ps);
	free(t);
}

static void memory_stays_bounded_over_a_long_stream(void **state)
{
	static const char *const values[] = { "SECRET-0123456789", "1234", NULL };
	struct sv_secmem_stats before, after;
	struct bench b;

	(void)state;
	open_bench(&b, values, SV_MATCH_SEQUENCES);
	put(&b, "SECRET-0123456789 1234 SECRET-01234567 \033[1m");
	sv_secmem_stats(&before);
	for (size_t i = 0; i < 20000; i++) {
		put(&b, "SECRET-012345\033[1m6789 1234 SECRET-01234567 \033[1m SECR");
		b.sink.n = 0;
	}
	/* sequences without end inside a prefix do not pile up either */
	put(&b, " SECRET-0");
	for (size_t i = 0; i < 20000; i++)
		put(&b, "\033[1m");
	assert_true(sv_filter_held(b.f) <= SV_MATCH_SKIP_MAX + 64);
	sv_secmem_stats(&after);
	assert_true(after.used_bytes <= before.used_bytes + 4 * SV_MATCH_SKIP_MAX);
	close_bench(&b);
}

static int with_arena(void **state)
{
	(void)state;
	return sv_secmem_init((size_t)16 << 20, false, NULL) == SV_OK ? 0 : -1;
}

static int without_arena(void **state)
{
	(void)state;
	return (int)sv_secmem_release(); /* blocks that were not freed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_tokens),
		cmocka_unit_test(overlapping_values_are_one_token),
		cmocka_unit_test(a_short_prefix_is_let_go_when_idle_and_a_long_one_is_not),
		cmocka_unit_test(nothing_comes_out_after_a_failure),
		cmocka_unit_test(bytes_that_are_no_text_pass),
		cmocka_unit_test(random_streams_are_masked_and_nothing_else_changes),
		cmocka_unit_test(memory_stays_bounded_over_a_long_stream),
	};

	return cmocka_run_group_tests(tests, with_arena, without_arena);
}

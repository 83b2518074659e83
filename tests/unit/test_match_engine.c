/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.[ch] against the slow matcher: random values, texts and splits, and the cases that chance does not meet.
 */
#include "tests/support/sv_test.h"

#include "cli/match/engine.h"
#include "tests/support/match_oracle.h"
#include "vault/base/secmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   1600
#define VALUES_MAX 6

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

struct scene {
	struct sv_patterns *ps;
	struct sv_match_set *set;
	size_t n;
};

static void add_value(struct scene *sc, const void *p, size_t n)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "S%zu", sc->n++);
	assert_int_equal(sv_patterns_add(sc->ps, name, strlen(name), p, n, NULL), SV_OK);
}

static void open_scene(struct scene *sc, unsigned forms)
{
	*sc = (struct scene){ .ps = sv_patterns_new(forms) };
	assert_non_null(sc->ps);
}

static void compile_scene(struct scene *sc)
{
	assert_int_equal(sv_match_compile(sc->ps, &sc->set, NULL), SV_OK);
}

static void close_scene(struct scene *sc)
{
	sv_match_set_free(sc->set);
	sv_patterns_free(sc->ps);
}

static size_t make_value(unsigned char *v, size_t max)
{
	static const char *const alphabets[] = { "ab", "aab_ ",
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
						 "abc/\\\"'<>& $\n\n!%+{}" };
	size_t n = below(4) == 0 ? 1 + below(6) : 1 + below(max), kind = below(5);

	for (size_t i = 0; i < n; i++)
		v[i] = kind == 4 ? (unsigned char)below(256)
				 : (unsigned char)alphabets[kind][below(strlen(alphabets[kind]))];
	return n;
}

static void random_scene(struct scene *sc)
{
	unsigned char v[VALUES_MAX][128];
	size_t len[VALUES_MAX], count = 1 + below(VALUES_MAX), max = below(3) == 0 ? 12 : 60;

	open_scene(sc, below(4) == 0 ? SV_FORMS_RAW : SV_FORMS_ALL);
	for (size_t i = 0; i < count; i++) {
		len[i] = make_value(v[i], max);
		if (i > 0 && below(3) == 0) {
			/* begins with, or is, another one */
			size_t k = below(i);

			len[k] = len[k] > 60 ? 60 : len[k];
			memmove(v[i] + len[k], v[i], len[i]);
			memcpy(v[i], v[k], len[k]);
			len[i] = below(4) == 0 ? len[k] : len[i] + len[k];
		}
		add_value(sc, v[i], len[i]);
	}
	compile_scene(sc);
}

static size_t put_sequence(unsigned char *p)
{
	static const char *const kinds[] = {
		"\033[31m",        "\033[0m",   "\033[m\033[K", "\033[38;5;12m", "\033]8;;http://a\007",
		"\033]0;ab\033\\", "\033(B",    "\017",         "\016",          "\0337",
		"\033[?25l",       "\033[\001", "\033\033[1m",  "\033[1\033[2m", "\033P1ab\033[1m"
	};
	const char *s = kinds[below(SV_COUNT(kinds))];

	memcpy(p, s, strlen(s));
	return strlen(s);
}

/* Pieces of patterns, whole or cut, now and then with sequences inside, between noise. */
static size_t make_text(const struct scene *sc, unsigned char *t, bool sequences)
{
	size_t want = below(TEXT_MAX - 700), n = 0;

	while (n < want) {
		const struct sv_pattern *pat =
			sv_patterns_count(sc->ps) > 0 ? sv_patterns_at(sc->ps, below(sv_patterns_count(sc->ps))) : NULL;
		size_t from, to, density = sequences ? below(3) : 0;

		switch (below(pat != NULL ? 4 : 1)) {
		case 0:
			for (size_t k = below(40); k > 0; k--)
				t[n++] = below(8) == 0 ? (unsigned char)below(256)
						       : (unsigned char)"ab \nxyz01_"[below(10)];
			break;
		case 1:
			from = below(4) == 0 ? below(pat->len) : 0;
			to = below(4) == 0 ? from + below(pat->len - from + 1) : pat->len;
			for (size_t i = from; i < to && n < TEXT_MAX - 80; i++) {
				t[n++] = pat->p[i];
				if (density > 0 && below(density == 1 ? 20 : 3) == 0)
					n += put_sequence(t + n);
			}
			break;
		case 2:
			t[n++] = ' ';
			for (size_t i = 0; i < pat->len && n < TEXT_MAX - 80; i++)
				t[n++] = pat->p[i];
			t[n++] = ' ';
			break;
		default:
			if (sequences)
				n += put_sequence(t + n);
			break;
		}
	}
	return n;
}

struct got {
	struct sv_find v[TEXT_MAX];
	size_t n;
};

static enum sv_code note(void *ctx, const struct sv_find *f)
{
	struct got *g = ctx;

	assert_true(g->n < SV_COUNT(g->v));
	g->v[g->n++] = *f;
	return SV_OK;
}

static void check(const struct scene *sc, const unsigned char *t, size_t n, bool sequences, bool split)
{
	static struct got got;
	struct sv_match *m = sv_match_new(sc->set, sequences ? SV_MATCH_SEQUENCES : 0);
	struct oracle o = { 0 };
	size_t at = 0;

	assert_non_null(m);
	got.n = 0;
	while (split && at < n) {
		size_t k = 1 + (below(2) == 0 ? below(4) : below(n - at)), most = n - at;

		k = k < most ? k : most;
		assert_int_equal(sv_match_scan(m, t + at, k, false, note, &got, NULL), SV_OK);
		at += k;
		assert_true(sv_match_settled(m) <= at && sv_match_harmless(m) >= sv_match_settled(m));
	}
	assert_int_equal(sv_match_scan(m, t + at, n - at, true, note, &got, NULL), SV_OK);
	assert_null(sv_match_first(m));
	oracle_find(&o, sc->ps, t, n, sequences);
	for (size_t i = 0; i < (got.n > o.n ? got.n : o.n); i++) {
		struct sv_find f = i < got.n ? got.v[i] : (struct sv_find){ 0 };
		struct oracle_range r = i < o.n ? o.v[i] : (struct oracle_range){ 0 };

		if (f.start != r.start || f.end != r.end || (!r.cont && f.who[0].secret != r.secret) ||
		    f.cont != r.cont) {
			print_message(
				"sequences %d, split %d, find %zu: %zu..%zu S%u cont %d, not %zu..%zu S%u cont %d\n",
				sequences, split, i, (size_t)f.start, (size_t)f.end, f.who[0].secret, f.cont, r.start,
				r.end, r.secret, r.cont);
			fail();
		}
	}
	oracle_clear(&o);
	sv_match_free(m);
}

static void random_texts_give_what_the_slow_matcher_gives(void **state)
{
	unsigned long rounds = from_env("SV_MATCH_ROUNDS", 20000);
	unsigned char *t = malloc(TEXT_MAX);
	struct scene sc = { 0 };

	(void)state;
	assert_non_null(t);
	seed = from_env("SV_MATCH_SEED", 1);
	for (unsigned long i = 0; i < rounds; i++) {
		bool sequences = below(2) == 0;
		size_t n;

		if (i % 20 == 0) {
			close_scene(&sc);
			random_scene(&sc);
		}
		n = make_text(&sc, t, sequences);
		check(&sc, t, n, sequences, i % 2 == 0);
	}
	close_scene(&sc);
	free(t);
}

static void finds_are_the_same_at_every_split_point(void **state)
{
	static const char text[] = "x \033[31mhun\033[1mter2\033[0msecret\033[m hunter2secretlong hunter2secretlonger "
				   "abc (abc) abcd aHVudGVyMnNlY3JldA==";
	struct scene sc;

	(void)state;
	open_scene(&sc, SV_FORMS_ALL);
	add_value(&sc, "hunter2secret", 13);
	add_value(&sc, "hunter2secretlonger", 19);
	add_value(&sc, "abc", 3);
	compile_scene(&sc);
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct got *g = calloc(1, sizeof(*g));
		struct sv_match *m = sv_match_new(sc.set, SV_MATCH_SEQUENCES);
		struct oracle o = { 0 };

		assert_non_null(g);
		assert_non_null(m);
		assert_int_equal(sv_match_scan(m, text, cut, false, note, g, NULL), SV_OK);
		assert_int_equal(sv_match_scan(m, text + cut, sizeof(text) - 1 - (cut < sizeof(text) ? cut : 0), true,
					       note, g, NULL),
				 SV_OK);
		oracle_find(&o, sc.ps, (const unsigned char *)text, sizeof(text) - 1, true);
		assert_int_equal(g->n, o.n);
		for (size_t i = 0; i < o.n; i++)
			assert_true(g->v[i].start == o.v[i].start && g->v[i].end == o.v[i].end &&
				    g->v[i].who[0].secret == o.v[i].secret);
		oracle_clear(&o);
		sv_match_free(m);
		free(g);
		if (cut + 1 == sizeof(text) - 1)
			break;
	}
	close_scene(&sc);
}

/* Longer than what the automaton holds, so that the second matcher decides. */
static void long_values_are_found_whole(void **state)
{
	const size_t value_len = 3 * SV_MATCH_HEAD, text_len = 12 * SV_MATCH_HEAD;
	unsigned char *v = malloc(value_len), *t = malloc(text_len);

	(void)state;
	assert_true(v != NULL && t != NULL);
	for (unsigned kind = 0; kind < 8; kind++) {
		struct scene sc;
		size_t n = 0, period = kind == 0   ? 1
				       : kind == 1 ? 2
				       : kind == 2 ? 5000
				       : kind == 3 ? SV_MATCH_HEAD
						   : value_len;

		seed = kind + 100;
		for (size_t i = 0; i < value_len; i++)
			v[i] = i < period ? (unsigned char)('a' + below(kind % 2 == 0 ? 26 : 2)) : v[i - period];
		open_scene(&sc, SV_FORMS_RAW);
		add_value(&sc, v, value_len);
		add_value(&sc, v, value_len - 1);
		add_value(&sc, v + 10, 30);
		compile_scene(&sc);
		while (n < text_len - 8) {
			/* a part from the front, often cut and begun again */
			size_t k = below(3) == 0 ? value_len : below(value_len), room = text_len - n;

			k = k < room ? k : room;
			memcpy(t + n, v, k);
			n += k;
			if (below(2) == 0 && n < text_len)
				t[n++] = 'Z';
		}
		{
			struct got *g = calloc(1, sizeof(*g));
			struct sv_match *m = sv_match_new(sc.set, kind % 2 == 0 ? 0 : SV_MATCH_SEQUENCES);
			struct oracle o = { 0 };

			assert_true(g != NULL && m != NULL);
			for (size_t at = 0, k; at < n; at += k) {
				k = 1 + below(3000);
				k = k < n - at ? k : n - at;
				assert_int_equal(sv_match_scan(m, t + at, k, at + k == n, note, g, NULL), SV_OK);
			}
			oracle_find(&o, sc.ps, t, n, false);
			assert_int_equal(g->n, o.n);
			for (size_t i = 0; i < o.n; i++)
				assert_true(g->v[i].start == o.v[i].start && g->v[i].end == o.v[i].end &&
					    g->v[i].who[0].secret == o.v[i].secret);
			oracle_clear(&o);
			sv_match_free(m);
			free(g);
		}
		close_scene(&sc);
	}
	free(v);
	free(t);
}

static void a_value_with_a_sequence_at_every_byte_is_found(void **state)
{
	char value[301], text[301 * 8] = { 0 };
	struct got *g = calloc(1, sizeof(*g));
	struct sv_match *m;
	struct scene sc;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		value[i] = (char)('!' + i * 7 % 90);
	open_scene(&sc, SV_FORMS_RAW);
	add_value(&sc, value, 300);
	add_value(&sc, value, 100);
	compile_scene(&sc);
	for (size_t i = 0; i < 300; i++)
		(void)snprintf(text + 5 * i, 6, "%c\033[1m", value[i]);
	m = sv_match_new(sc.set, SV_MATCH_SEQUENCES);
	assert_true(g != NULL && m != NULL);
	/* one of them in pieces, the other as a whole */
	assert_int_equal(sv_match_scan(m, text, 5 * 100 - 4, true, note, g, NULL), SV_OK);
	assert_int_equal(g->n, 100);
	assert_true(!g->v[0].cont && g->v[1].cont && g->v[99].cont);
	g->n = 0;
	sv_match_reset(m);
	assert_int_equal(sv_match_scan(m, text, strlen(text), true, note, g, NULL), SV_OK);
	assert_int_equal(g->n, 1);
	assert_int_equal(g->v[0].start, 0);
	assert_int_equal(g->v[0].end, 5 * 300 - 4);
	assert_int_equal(g->v[0].who[0].secret, 0);
	sv_match_free(m);
	close_scene(&sc);
	free(g);
}

static void two_secrets_of_one_value_are_both_named(void **state)
{
	struct got *g = calloc(1, sizeof(*g));
	struct sv_match *m;
	struct scene sc;

	(void)state;
	open_scene(&sc, SV_FORMS_ALL);
	for (size_t i = 0; i < 3; i++)
		add_value(&sc, "one value for three", 19);
	compile_scene(&sc);
	m = sv_match_new(sc.set, 0);
	assert_true(g != NULL && m != NULL);
	assert_int_equal(sv_match_scan(m, "<one value for three>", 21, true, note, g, NULL), SV_OK);
	assert_int_equal(g->n, 1);
	assert_int_equal(g->v[0].n_who, 3);
	assert_int_equal(g->v[0].who[0].secret, 0);
	assert_int_equal(g->v[0].who[0].form, SV_FORM_RAW);
	sv_match_free(m);
	close_scene(&sc);
	free(g);
}

static void a_set_of_nothing_finds_nothing(void **state)
{
	struct got *g = calloc(1, sizeof(*g));
	struct sv_match *m;
	struct scene sc;

	(void)state;
	open_scene(&sc, SV_FORMS_ALL);
	add_value(&sc, "\n\n", 2);
	compile_scene(&sc);
	m = sv_match_new(sc.set, SV_MATCH_SEQUENCES);
	assert_true(g != NULL && m != NULL);
	assert_int_equal(sv_match_scan(m, "some\n\n\033[1mtext", 14, false, note, g, NULL), SV_OK);
	assert_int_equal(sv_match_settled(m), 14);
	assert_int_equal(sv_match_scan(m, "", 0, true, note, g, NULL), SV_OK);
	assert_int_equal(g->n, 0);
	sv_match_free(m);
	close_scene(&sc);
	free(g);
}

static void only_what_may_become_a_find_is_not_settled(void **state)
{
	static const struct {
		const char *text;
		size_t open, kept; /* bytes at the end that are not settled, and that may not be let go */
	} table[] = {
		{ "plain text ", 0, 0 },
		{ "text ending in S", 1, 0 },
		{ "text ending in SE", 2, 0 },
		{ "text ending in SEC", 3, 0 },
		{ "text ending in SECR", 4, 4 },
		{ "SECRET-0123456789-0123456789", 28, 28 },
		{ "SECRET-0123456789-0123456789!", 0, 0 },
		{ "sh", 2, 2 }, /* a quarter of "shorty" is 1.5 */
		{ "s", 1, 0 },
		{ "SE\033[1m", 6, 0 },
		{ "SECR\033[1m", 8, 8 },
		{ "plain\033[1", 0, 0 },
	};
	struct scene sc;

	(void)state;
	open_scene(&sc, SV_FORMS_RAW);
	add_value(&sc, "SECRET-0123456789-0123456789-", 29);
	add_value(&sc, "shorty", 6);
	compile_scene(&sc);
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		struct sv_match *m = sv_match_new(sc.set, SV_MATCH_SEQUENCES);
		size_t n = strlen(table[i].text);

		assert_non_null(m);
		assert_int_equal(sv_match_feed(m, table[i].text, n, NULL), n);
		assert_int_equal(n - sv_match_settled(m), table[i].open);
		assert_int_equal(n - sv_match_harmless(m), table[i].kept);
		sv_match_free(m);
	}
	close_scene(&sc);
}

static void a_stream_can_start_again(void **state)
{
	struct got *g = calloc(1, sizeof(*g));
	struct sv_match *m;
	struct scene sc;

	(void)state;
	open_scene(&sc, SV_FORMS_RAW);
	add_value(&sc, "abcdefgh", 8);
	compile_scene(&sc);
	m = sv_match_new(sc.set, 0);
	assert_true(g != NULL && m != NULL);
	assert_int_equal(sv_match_scan(m, "abcd", 4, false, note, g, NULL), SV_OK);
	sv_match_reset(m);
	assert_int_equal(sv_match_scan(m, "efgh abcdefgh", 13, true, note, g, NULL), SV_OK);
	assert_int_equal(g->n, 1);
	assert_int_equal(g->v[0].start, 5);
	assert_int_equal(sv_match_feed(m, "x", 1, NULL), -1); /* ended */
	sv_match_free(m);
	close_scene(&sc);
	free(g);
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
		cmocka_unit_test(random_texts_give_what_the_slow_matcher_gives),
		cmocka_unit_test(finds_are_the_same_at_every_split_point),
		cmocka_unit_test(long_values_are_found_whole),
		cmocka_unit_test(a_value_with_a_sequence_at_every_byte_is_found),
		cmocka_unit_test(two_secrets_of_one_value_are_both_named),
		cmocka_unit_test(a_set_of_nothing_finds_nothing),
		cmocka_unit_test(only_what_may_become_a_find_is_not_settled),
		cmocka_unit_test(a_stream_can_start_again),
	};

	return cmocka_run_group_tests(tests, with_arena, without_arena);
}

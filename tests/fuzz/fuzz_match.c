/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the matching engine and the stream filter: what comes out must be what the slow matcher says,
 * however the text is cut.
 *
 * Input: flags and number of values (1 byte), then for each value its length (1 byte) and bytes, then a seed for the
 * splits (1 byte), then the text.  Built with libFuzzer, or alone as a program that replays the files it is given.
 */
#include "cli/match/filter.h"
#include "tests/support/match_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 7
#define TEXT_MAX   4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
	unsigned char *p;
	size_t n, cap;
};

static enum sv_code take(void *ctx, const struct iovec *pieces, int n, struct sv_err *err)
{
	struct sink *s = ctx;

	for (int i = 0; i < n; i++) {
		if (pieces[i].iov_len > s->cap - s->n)
			return sv_err_set(err, SV_ERR_TOO_BIG, "more came out than can be");
		memcpy(s->p + s->n, pieces[i].iov_base, pieces[i].iov_len);
		s->n += pieces[i].iov_len;
	}
	return SV_OK;
}

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void run(const struct sv_patterns *ps, const uint8_t *text, size_t n, unsigned flags, uint64_t seed)
{
	struct sv_match_set *set;
	struct oracle o = { 0 };
	unsigned char *want;
	size_t want_len;

	need(sv_match_compile(ps, &set, NULL) == SV_OK);
	oracle_find(&o, ps, text, n, (flags & SV_MATCH_SEQUENCES) != 0);
	want = oracle_mask(&o, ps, text, n, &want_len);
	for (unsigned pass = 0; pass < 2; pass++) {
		struct sink s = { .cap = want_len + TEXT_MAX };
		struct sv_filter *f = sv_filter_new(set, flags, take, &s);

		s.p = malloc(s.cap);
		need(f != NULL && s.p != NULL);
		for (size_t at = 0, k; at < n; at += k) {
			k = pass == 0 ? n : 1 + (size_t)(oracle_random(&seed) % 9);
			k = k < n - at ? k : n - at;
			need(sv_filter_put(f, text + at, k, 0, NULL) == SV_OK);
		}
		need(sv_filter_finish(f, NULL) == SV_OK);
		need(s.n == want_len && memcmp(s.p, want, want_len) == 0);
		sv_filter_free(f);
		free(s.p);
	}
	free(want);
	oracle_clear(&o);
	sv_match_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv_patterns *ps;
	size_t at = 1;
	unsigned flags, values;

	if (size < 2)
		return 0;
	flags = (data[0] & 1) != 0 ? SV_MATCH_SEQUENCES : 0;
	values = data[0] >> 1 & VALUES_MAX;
	ps = sv_patterns_new((data[0] & 0x10) != 0 ? SV_FORMS_RAW : SV_FORMS_ALL);
	need(ps != NULL);
	for (unsigned i = 0; i < values && at < size; i++) {
		size_t n = data[at++];
		char name[2] = { 'S', (char)('0' + i) };

		n = n < size - at ? n : size - at;
		need(sv_patterns_add(ps, name, 2, data + at, n, NULL) == SV_OK);
		at += n;
	}
	if (at < size) {
		uint64_t seed = data[at++];

		run(ps, data + at, size - at < TEXT_MAX ? size - at : TEXT_MAX, flags, seed);
	}
	sv_patterns_free(ps);
	return 0;
}

#ifndef SV_LIBFUZZER
int main(int argc, char **argv)
{
	static unsigned char data[1 << 16];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		n = fread(data, 1, sizeof(data), f);
		(void)fclose(f);
		(void)LLVMFuzzerTestOneInput(data, n);
	}
	return 0;
}
#endif

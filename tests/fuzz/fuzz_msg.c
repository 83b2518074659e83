/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message bodies: the first byte chooses a decoder, the rest is its input.  What a decoder accepts it must be able to
 * say again, in bytes that it accepts too and that then no longer change; what it does not accept is SV_ERR_PROTO.
 *
 * Without libFuzzer it replays the files that it is given and then mutations of one good body of every message, from a
 * fixed seed.
 */
#include "proto/msg.h"
#include "tests/support/msg_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv_buf in, once = SV_BUF_INIT, twice = SV_BUF_INIT;
	const struct msg_sample *m;
	unsigned char *alone;
	enum sv_code rc;

	if (size < 1)
		return 0;
	m = &msg_samples[data[0] % msg_samples_n];
	/* A block of exactly this size, which a struct sv_buf would round up: a sanitizer sees a read behind its end.
	 */
	need((alone = malloc(size > 1 ? size - 1 : 1)) != NULL);
	memcpy(alone, data + 1, size - 1);
	in = (struct sv_buf){ .data = alone, .len = size - 1, .cap = size - 1, .max = size - 1 };
	rc = m->again(&in, &once);
	need(rc == SV_OK || rc == SV_ERR_PROTO);
	need(in.off <= in.len);
	if (rc == SV_OK) {
		struct sv_buf look = once;

		need(m->again(&look, &twice) == SV_OK && sv_buf_unread(&look) == 0);
		need(once.len == twice.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
	}
	free(alone);
	sv_buf_clear(&once);
	sv_buf_clear(&twice);
	return 0;
}

#ifndef SV_LIBFUZZER
#define ROUNDS 4000

static unsigned char data[1 << 20];

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Flip bits, set bytes to extremes, cut, double a part. */
static size_t mutate(size_t n, uint32_t *seed)
{
	for (uint32_t k = 1 + next(seed) % 4; k > 0 && n > 1; k--) {
		size_t at = 1 + next(seed) % (n - 1);

		switch (next(seed) % 5) {
		case 0: data[at] ^= (unsigned char)(1u << next(seed) % 8); break;
		case 1: data[at] = 0xff; break;
		case 2: data[at] = 0; break;
		case 3: n = at; break;
		default:
			if (n - at < sizeof(data) - n) {
				memmove(data + n, data + at, n - at);
				n += n - at;
			}
		}
	}
	return n;
}

static void mutations_of(size_t index, uint32_t *seed)
{
	struct sv_buf good = SV_BUF_INIT;

	need(msg_samples[index].make(&good) == SV_OK && good.len < sizeof(data) / 4);
	for (int i = 0; i < ROUNDS; i++) {
		data[0] = (unsigned char)index;
		memcpy(data + 1, good.data, good.len);
		(void)LLVMFuzzerTestOneInput(data, i == 0 ? good.len + 1 : mutate(good.len + 1, seed));
	}
	sv_buf_clear(&good);
}

int main(int argc, char **argv)
{
	uint32_t seed = 20240229;

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");

		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		size_t n = fread(data, 1, sizeof(data), f);
		(void)fclose(f);
		(void)LLVMFuzzerTestOneInput(data, n);
	}
	for (size_t i = 0; i < msg_samples_n; i++)
		mutations_of(i, &seed);
	return 0;
}
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing: what a reader finds does not depend on how the bytes came.  The input is a stream of frames and garbage; it
 * is read once whole and once in pieces, and both must meet the same frames and the same refusal.
 *
 * Without libFuzzer it replays the files that it is given and then streams of its own making, from a fixed seed.
 */
#include "proto/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int ok)
{
	if (!ok)
		abort();
}

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

struct found {
	size_t frames, bytes;
	uint32_t sum;
	enum sv_code end; /* SV_ERR_TRUNCATED: more could come; SV_ERR_PROTO: refused */
};

/* Take the frames that are whole; f->end is what stopped it. */
static void take(struct sv_buf *b, struct found *f)
{
	struct sv_frame head;
	size_t want;

	while ((f->end = sv_frame_peek(b, &head, &want)) == SV_OK) {
		const unsigned char *p;

		need(want == SV_FRAME_HEADER_BYTES + head.body_len && want <= sv_buf_unread(b));
		need(head.version == SV_PROTO_VERSION && head.body_len <= SV_FRAME_BODY_MAX);
		need(sv_buf_peek(b, &p, want) == SV_OK);
		for (size_t i = 0; i < want; i++)
			f->sum = f->sum * 31 + p[i];
		f->frames++;
		f->bytes += want;
	}
	if (f->end == SV_ERR_TRUNCATED)
		need(want > sv_buf_unread(b) && want <= SV_FRAME_HEADER_BYTES + SV_FRAME_BODY_MAX);
	else
		need(f->end == SV_ERR_PROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv_buf whole = SV_BUF_INIT, pieces = SV_BUF_INIT;
	struct found a = { 0 }, b = { .end = SV_ERR_TRUNCATED };
	uint32_t seed = (uint32_t)size * 2654435761u | 1;

	need(sv_buf_put(&whole, data, size) == SV_OK);
	take(&whole, &a);
	if (size == 0)
		take(&pieces, &b);
	for (size_t at = 0; at < size && b.end == SV_ERR_TRUNCATED;) {
		size_t n = 1 + next(&seed) % 13;

		n = n < size - at ? n : size - at;
		sv_buf_compact(&pieces);
		need(sv_buf_put(&pieces, data + at, n) == SV_OK);
		take(&pieces, &b);
		at += n;
	}
	need(a.frames == b.frames && a.bytes == b.bytes && a.sum == b.sum && a.end == b.end);
	sv_buf_clear(&whole);
	sv_buf_clear(&pieces);
	return 0;
}

#ifndef SV_LIBFUZZER
#define STREAMS 20000

static unsigned char data[1 << 16];

/* Some frames as they are written, then a flipped bit and a cut now and then. */
static size_t make_stream(uint32_t *seed)
{
	struct sv_buf b = SV_BUF_INIT;
	size_t n, mark;

	for (uint32_t k = next(seed) % 5; k > 0; k--) {
		unsigned char *p;

		need(sv_frame_begin(&b, (uint16_t)next(seed), next(seed) % 2 != 0 ? SV_FRAME_MORE : 0, &mark) == SV_OK);
		need(sv_buf_extend(&b, next(seed) % 300, &p) == SV_OK);
		need(sv_frame_end(&b, mark) == SV_OK);
	}
	n = b.len;
	if (n > 0)
		memcpy(data, b.data, n);
	sv_buf_clear(&b);
	if (n > 0 && next(seed) % 3 == 0)
		data[next(seed) % n] ^= (unsigned char)(1u << next(seed) % 8);
	return n > 0 && next(seed) % 3 == 0 ? next(seed) % n : n;
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
	for (int i = 0; i < STREAMS; i++)
		(void)LLVMFuzzerTestOneInput(data, make_stream(&seed));
	return 0;
}
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream filter: bytes in, the same bytes out with `[sv:NAME]` where a value stood.
 *
 *	f = sv_filter_new(set, SV_MATCH_SEQUENCES, write_out, ctx);	one per stream, so two for stdout and stderr
 *	n = read(fd, buf, sizeof(buf));
 *	sv_filter_put(f, buf, n, now_ms, err);		calls write_out() with what may leave
 *	poll(..., sv_filter_wait_ms(f, now_ms));	-1, or until when a held prompt is due
 *	sv_filter_idle(f, now_ms, err);			after the poll: lets it go
 *	sv_filter_finish(f, err);			end of the stream: what is still held was no value
 *
 * What it promises
 *
 * No byte of a value leaves, in any form of patterns.h, however the stream is cut; the output does not depend on how
 * it is cut.  Each stretch of overlapping finds becomes one token with the name of its leftmost and there longest find.
 *
 * Nothing else changes: bytes that are no text, NUL and broken UTF-8 pass as they are.  Terminal escape sequences
 * inside a value that was found through them stay, behind the token, so that colours end where they ended.
 *
 * Only bytes that may still become a find are held back, at most the longest pattern and SV_MATCH_SKIP_MAX; in
 * sv_secmem.  After SV_FILTER_IDLE_MS without input a held prefix under 4 bytes, and under a quarter of every value it
 * may become, is let go (a prompt appears); should the rest of that value come after all, the rest is masked.  A
 * longer one stays until it is decided.
 *
 * When anything fails (memory, or write_out() said no) nothing more comes out: every later call returns the error.
 *
 * write_out() gets up to SV_FILTER_PIECES pieces, ready for writev(2), and must take all or fail; to slow the stream
 * down, the caller stops calling sv_filter_put().  Clean stretches are where the caller put them, so a chunk without a
 * find costs one call and no copy.  The pieces are valid during the call only.  Between two pipes, chunks of 128 KiB
 * and larger pipes (F_SETPIPE_SZ, 256 KiB) are about as fast as cat(1) in that place; with pipes of 64 KiB the
 * switches between the processes cost a third more.
 */
#ifndef SV_CLI_MATCH_FILTER_H
#define SV_CLI_MATCH_FILTER_H

#include "cli/match/engine.h"

#include <sys/uio.h>

#define SV_FILTER_IDLE_MS 30
#define SV_FILTER_PIECES  64

struct sv_filter;

typedef enum sv_code sv_filter_write_fn(void *ctx, const struct iovec *pieces, int n, struct sv_err *err);

/* flags as in sv_match_new(); the set is borrowed.  NULL without memory. */
struct sv_filter *sv_filter_new(const struct sv_match_set *set, unsigned flags, sv_filter_write_fn *write_out,
				void *ctx);
/* Wipe and free what is held without writing it; NULL is allowed. */
void sv_filter_free(struct sv_filter *f);

/* Take all of p[0..n).  now_ms is any clock that does not go back.  SV_ERR_NOMEM, or what write_out() returned. */
enum sv_code sv_filter_put(struct sv_filter *f, const void *p, size_t n, uint64_t now_ms, struct sv_err *err) SV_CHECK;
/* Milliseconds until sv_filter_idle() has something to let go (0: now), or -1 when it has not. */
int sv_filter_wait_ms(const struct sv_filter *f, uint64_t now_ms);
enum sv_code sv_filter_idle(struct sv_filter *f, uint64_t now_ms, struct sv_err *err) SV_CHECK;
enum sv_code sv_filter_finish(struct sv_filter *f, struct sv_err *err) SV_CHECK;

size_t sv_filter_held(const struct sv_filter *f); /* bytes held back now */
/* How many tokens so far had this secret in them, and how many tokens there were. */
uint64_t sv_filter_count(const struct sv_filter *f, size_t secret);
uint64_t sv_filter_total(const struct sv_filter *f);

#endif

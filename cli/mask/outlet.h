/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where masked bytes go: a descriptor that takes all or fails, as sv_filter_write_fn wants it.
 *
 * A blocking outlet waits.  One that does not block keeps what the reader has no room for and says so, and its owner
 * stops feeding the filter until it is gone; so that one slow reader holds up neither the other stream nor signals.
 * Not to block is a property of the open file, which others share: a pipe or terminal is therefore opened once more
 * through /proc/self/fd, and where that is not possible the outlet blocks.
 */
#ifndef SV_CLI_MASK_OUTLET_H
#define SV_CLI_MASK_OUTLET_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <sys/uio.h>

struct sv_outlet {
	int fd;
	bool own;      /* fd is ours to close */
	bool nonblock; /* keep rather than wait */
	unsigned char *kept;
	size_t off, len, cap; /* of kept: off .. len is not written yet */
};

#define SV_OUTLET_INIT(f) \
	{                 \
		.fd = (f) \
	}

/* Stop waiting, where the system allows it. */
void sv_outlet_unblock(struct sv_outlet *o);
/* Close what is ours and wipe what is kept; nothing is written. */
void sv_outlet_clear(struct sv_outlet *o);

/* A sv_filter_write_fn; ctx is the outlet.  SV_ERR_IO with errno, SV_ERR_NOMEM. */
enum sv_code sv_outlet_write(void *ctx, const struct iovec *pieces, int n, struct sv_err *err) SV_CHECK;
/* Write what is kept as far as it goes, or with wait all of it. */
enum sv_code sv_outlet_flush(struct sv_outlet *o, bool wait, struct sv_err *err) SV_CHECK;

static inline bool sv_outlet_full(const struct sv_outlet *o)
{
	return o->len > o->off;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read, filter, and let a held prompt go in time.
 */
#include "cli/mask/pump.h"

#include "vault/base/secmem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

uint64_t sv_pump_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void sv_pump_widen(int fd)
{
#ifdef F_SETPIPE_SZ
	int size = fcntl(fd, F_GETPIPE_SZ);

	if (size > 0 && size < SV_PUMP_PIPE)
		(void)fcntl(fd, F_SETPIPE_SZ, SV_PUMP_PIPE);
#else
	(void)fd;
#endif
}

/* Until there is input; before that, what is held is let go when it is due. */
static enum sv_code wait_for_input(int in, struct sv_filter *f, struct sv_err *err)
{
	struct pollfd p = { .fd = in, .events = POLLIN };

	for (;;) {
		int ms = sv_filter_wait_ms(f, sv_pump_now_ms());
		struct timespec t = { .tv_nsec = ms * 1000000L };
		int ready = ppoll(&p, 1, ms < 0 ? NULL : &t, NULL);
		enum sv_code rc;

		if (ready > 0)
			return SV_OK;
		if (ready < 0 && errno != EINTR)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot wait for input");
		if ((rc = sv_filter_idle(f, sv_pump_now_ms(), err)) != SV_OK)
			return rc;
	}
}

enum sv_code sv_pump(int in, struct sv_filter *f, struct sv_err *err)
{
	unsigned char *chunk = sv_secmem_alloc(SV_PUMP_CHUNK);
	enum sv_code rc = SV_OK;

	if (chunk == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory to read with");
	while (rc == SV_OK) {
		uint64_t now = sv_pump_now_ms();
		ssize_t n;

		if (sv_filter_wait_ms(f, now) >= 0 && (rc = wait_for_input(in, f, err)) != SV_OK)
			break;
		n = read(in, chunk, SV_PUMP_CHUNK);
		if (n > 0)
			rc = sv_filter_put(f, chunk, (size_t)n, sv_pump_now_ms(), err);
		else if (n == 0)
			break;
		else if (errno == EAGAIN)
			rc = wait_for_input(in, f, err);
		else if (errno != EINTR)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read the input");
	}
	if (rc == SV_OK)
		rc = sv_filter_finish(f, err);
	sv_secmem_free(chunk);
	return rc;
}

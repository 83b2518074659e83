/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writev(2) to the end, or as far as the reader has room.
 */
#include "cli/mask/outlet.h"

#include "cli/match/filter.h"
#include "vault/base/secmem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void sv_outlet_unblock(struct sv_outlet *o)
{
	char path[48];
	struct stat st;
	int fd;

	if (fstat(o->fd, &st) != 0 || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	o->fd = fd;
	o->own = true;
	o->nonblock = true;
}

void sv_outlet_clear(struct sv_outlet *o)
{
	if (o->own)
		(void)close(o->fd);
	sv_wipe(o->kept, o->cap);
	free(o->kept);
	*o = (struct sv_outlet)SV_OUTLET_INIT(-1);
}

static enum sv_code failed(struct sv_err *err)
{
	return sv_err_sys(err, SV_ERR_IO, errno, "cannot write the masked output");
}

static void wait_for_room(const struct sv_outlet *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	(void)poll(&p, 1, -1);
}

static enum sv_code keep(struct sv_outlet *o, const struct iovec *v, int n, struct sv_err *err)
{
	size_t more = 0;

	for (int i = 0; i < n; i++)
		more += v[i].iov_len;
	if (o->off == o->len)
		o->off = o->len = 0;
	if (more > o->cap - o->len) {
		size_t cap = 2 * (o->len + more);
		unsigned char *p = malloc(cap);

		if (p == NULL)
			return sv_err_set(err, SV_ERR_NOMEM, "no memory for output that nobody reads");
		if (o->len > 0)
			memcpy(p, o->kept, o->len);
		sv_wipe(o->kept, o->cap);
		free(o->kept);
		o->kept = p;
		o->cap = cap;
	}
	for (int i = 0; i < n; i++) {
		memcpy(o->kept + o->len, v[i].iov_base, v[i].iov_len);
		o->len += v[i].iov_len;
	}
	return SV_OK;
}

enum sv_code sv_outlet_write(void *ctx, const struct iovec *pieces, int n, struct sv_err *err)
{
	struct sv_outlet *o = ctx;
	struct iovec left[SV_FILTER_PIECES];
	struct iovec *v = left;

	memcpy(left, pieces, (size_t)n * sizeof(*left));
	while (n > 0 && !sv_outlet_full(o)) {
		ssize_t wrote = writev(o->fd, v, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0 && errno == EAGAIN) {
			if (o->nonblock)
				break;
			wait_for_room(o);
			continue;
		}
		if (wrote < 0)
			return failed(err);
		while (n > 0 && (size_t)wrote >= v->iov_len) {
			wrote -= (ssize_t)v->iov_len;
			v++;
			n--;
		}
		if (n > 0) {
			v->iov_base = (unsigned char *)v->iov_base + wrote;
			v->iov_len -= (size_t)wrote;
		}
	}
	return n > 0 ? keep(o, v, n, err) : SV_OK;
}

enum sv_code sv_outlet_flush(struct sv_outlet *o, bool wait, struct sv_err *err)
{
	while (sv_outlet_full(o)) {
		ssize_t wrote = write(o->fd, o->kept + o->off, o->len - o->off);

		if (wrote >= 0)
			o->off += (size_t)wrote;
		else if (errno == EAGAIN && !wait)
			return SV_OK;
		else if (errno == EAGAIN)
			wait_for_room(o);
		else if (errno != EINTR)
			return failed(err);
	}
	return SV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that must be wiped, with their length, in one block of locked memory.
 */
#include "vault/base/secret.h"

#include <stdlib.h>
#include <string.h>

struct sv_secret {
	size_t len;
	unsigned char bytes[];
};

struct sv_secret *sv_secret_new(size_t n)
{
	struct sv_secret *s;

	if (n > SIZE_MAX - sizeof(*s))
		return NULL;
	s = sv_secmem_alloc(sizeof(*s) + n);
	if (s != NULL)
		s->len = n;
	return s;
}

struct sv_secret *sv_secret_from(const void *p, size_t n)
{
	struct sv_secret *s = sv_secret_new(n);

	if (s != NULL && n > 0)
		memcpy(s->bytes, p, n);
	return s;
}

void sv_secret_free(struct sv_secret **s)
{
	if (s == NULL || *s == NULL)
		return;
	sv_secmem_free(*s);
	*s = NULL;
}

unsigned char *sv_secret_peek(struct sv_secret *s)
{
	return s->bytes;
}

const unsigned char *sv_secret_cpeek(const struct sv_secret *s)
{
	return s->bytes;
}

size_t sv_secret_len(const struct sv_secret *s)
{
	return s->len;
}

void sv_secret_cut(struct sv_secret *s, size_t n)
{
	if (n > s->len)
		abort();
	sv_wipe(s->bytes + n, s->len - n);
	s->len = n;
}

bool sv_secret_equal(const struct sv_secret *a, const struct sv_secret *b)
{
	return a->len == b->len && sv_equal_ct(a->bytes, b->bytes, a->len);
}

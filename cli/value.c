/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading values and passphrases.
 */
#include "cli/value.h"

#include "cli/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

/* All bytes of fd, at most limit + 1, which the caller takes for too many. */
static enum sv_code read_all(int fd, size_t limit, struct sv_buf *b, struct sv_err *err)
{
	for (;;) {
		size_t want = limit + 1 - b->len < CHUNK ? limit + 1 - b->len : CHUNK;
		unsigned char *p;
		ssize_t n;

		if (want == 0)
			return SV_OK;
		if (sv_buf_extend(b, want, &p) != SV_OK)
			return sv_err_set(err, SV_ERR_NOMEM, "no memory for the value");
		n = read(fd, p, want);
		b->len -= want - (n > 0 ? (size_t)n : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sv_err_sys(err, errno == EBADF ? SV_ERR_USAGE : SV_ERR_IO, errno,
					  "cannot read the value from descriptor %d", fd);
		if (n == 0)
			return SV_OK;
	}
}

static enum sv_code from_fd(int fd, bool raw, struct sv_secret **out, struct sv_err *err)
{
	size_t limit = SV_VALUE_MAX + (raw ? 0 : 1);
	struct sv_buf b = SV_BUF_LOCKED(limit + 1);
	enum sv_code rc = read_all(fd, limit, &b, err);

	if (rc == SV_OK && !raw && b.len > 0 && b.data[b.len - 1] == '\n')
		b.len--;
	if (rc == SV_OK && b.len > SV_VALUE_MAX)
		rc = sv_err_set(err, SV_ERR_TOO_BIG, "the value is longer than %zu bytes (1 MiB); nothing was stored",
				SV_VALUE_MAX);
	if (rc == SV_OK && (*out = sv_secret_from(b.len > 0 ? b.data : (const unsigned char *)"", b.len)) == NULL)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the value");
	sv_buf_clear(&b);
	return rc;
}

enum sv_code sv_value_read(struct sv_cli *cli, struct sv_text name, int fd, bool raw, struct sv_secret **out,
			   struct sv_err *err)
{
	char text[SV_NAME_MAX * 4 + 32];
	char escaped[SV_NAME_MAX * 4];

	*out = NULL;
	if (fd >= 0)
		return from_fd(fd, raw, out, err);
	if (isatty(STDIN_FILENO) != 1)
		return from_fd(STDIN_FILENO, raw, out, err);
	if (cli->opt.no_prompt) {
		sv_hint(cli, "give the value on standard input or with --fd N");
		return sv_err_set(err, SV_ERR_USAGE, "there is no value: --no-prompt forbids to ask for it");
	}
	(void)sv_escape(name.p, name.n, escaped, sizeof(escaped));
	(void)snprintf(text, sizeof(text), "Value of %s (hidden): ", escaped);
	return sv_prompt_secret(text, SV_VALUE_MAX, out, err);
}

enum sv_code sv_value_line(int fd, const char *what, size_t max, struct sv_secret **out, struct sv_err *err)
{
	struct sv_secret *s = sv_secret_new(max + 1);
	enum sv_code rc = SV_OK;
	size_t len = 0;
	char c = 0;

	*out = NULL;
	if (s == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for %s", what);
	while (len <= max) {
		ssize_t n = read(fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = sv_err_sys(err, errno == EBADF ? SV_ERR_USAGE : SV_ERR_IO, errno,
					"cannot read %s from descriptor %d", what, fd);
		if (n <= 0 || c == '\n')
			break;
		sv_secret_peek(s)[len++] = (unsigned char)c;
	}
	sv_wipe(&c, 1);
	if (rc == SV_OK && len > max)
		rc = sv_err_set(err, SV_ERR_USAGE, "%s is longer than %zu bytes", what, max);
	if (rc == SV_OK && len == 0)
		rc = sv_err_set(err, SV_ERR_USAGE, "%s on descriptor %d is empty", what, fd);
	if (rc == SV_OK) {
		sv_secret_cut(s, len);
		*out = s;
		s = NULL;
	}
	sv_secret_free(&s);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as a code and a sentence.  Formats into the caller's fixed buffer; never allocates, so it can report that
 * memory is out.
 */
#include "vault/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Drop a half UTF-8 character that a cut left at the end. */
static void trim_partial(char *s)
{
	size_t n = strlen(s);
	size_t back = 0;

	while (back < n && back < 3 && ((unsigned char)s[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == n)
		return;
	unsigned char lead = (unsigned char)s[n - 1 - back];
	size_t want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (want > back)
		s[n - 1 - back] = '\0';
}

static void __attribute__((format(printf, 2, 0))) format_into(char *out, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, SV_ERR_MSG_BYTES, fmt, ap);

	if (n < 0)
		out[0] = '\0';
	else if ((size_t)n >= SV_ERR_MSG_BYTES)
		trim_partial(out);
}

enum sv_code sv_err_set(struct sv_err *err, enum sv_code code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	err->code = code;
	err->sys_errno = 0;
	va_start(ap, fmt);
	format_into(err->msg, fmt, ap);
	va_end(ap);
	return code;
}

enum sv_code sv_err_sys(struct sv_err *err, enum sv_code code, int errno_value, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	if (err == NULL)
		return code;
	err->code = code;
	err->sys_errno = errno_value;
	va_start(ap, fmt);
	format_into(err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	(void)snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(errno_value));
	trim_partial(err->msg);
	return code;
}

void sv_err_prefix(struct sv_err *err, const char *fmt, ...)
{
	char old[SV_ERR_MSG_BYTES];
	va_list ap;
	size_t n;

	if (err == NULL)
		return;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	format_into(err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	(void)snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", old);
	trim_partial(err->msg);
}

const char *sv_code_word(enum sv_code code)
{
	switch (code) {
	case SV_OK: return "ok";
	case SV_ERR_FAIL: return "failed";
	case SV_ERR_USAGE: return "usage";
	case SV_ERR_LOCKED: return "locked";
	case SV_ERR_NOT_FOUND: return "not-found";
	case SV_ERR_NO_VAULT: return "no-vault";
	case SV_ERR_DENIED: return "denied";
	case SV_ERR_EXISTS: return "exists";
	case SV_ERR_CONFLICT: return "conflict";
	case SV_ERR_NAME: return "name";
	case SV_ERR_TOO_BIG: return "too-big";
	case SV_ERR_NOMEM: return "no-memory";
	case SV_ERR_IO: return "io";
	case SV_ERR_PASSPHRASE: return "passphrase";
	case SV_ERR_BUSY: return "busy";
	case SV_ERR_PROTO: return "protocol";
	case SV_ERR_TRUNCATED: return "truncated";
	case SV_ERR_NO_AGENT: return "no-agent";
	case SV_ERR_NOT_A_VAULT: return "not-a-vault";
	case SV_ERR_UNSUPPORTED: return "unsupported";
	case SV_ERR_LIMITS: return "limits";
	case SV_ERR_INTEGRITY: return "integrity";
	case SV_ERR_ROLLBACK: return "rollback";
	case SV_ERR_FORK: return "fork";
	}
	return "failed";
}

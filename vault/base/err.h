/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a code for programs, a sentence for people.
 *
 * Every function that can fail returns enum sv_code and takes the caller's struct sv_err, which may be NULL.  The
 * function that finds the cause writes the sentence; callers may prefix what they were doing.  Messages name things,
 * never values, and quote names only after sv_name_check() accepted them (whoever prints them escapes them for the
 * terminal all the same).
 *
 * The numbers travel on the wire (proto/PROTOCOL.md) and never change meaning.
 */
#ifndef SV_BASE_ERR_H
#define SV_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define SV_ERR_MSG_BYTES 512 /* longest message, NUL included; longer ones are cut at a character border */

enum sv_code {
	SV_OK = 0,
	SV_ERR_FAIL = 1,        /* anything without a code of its own */
	SV_ERR_USAGE = 2,       /* the caller asked for something that cannot be meant */
	SV_ERR_LOCKED = 3,      /* the vault is locked */
	SV_ERR_NOT_FOUND = 4,   /* no such secret, version, environment */
	SV_ERR_NO_VAULT = 5,    /* there is no vault file */
	SV_ERR_DENIED = 6,      /* not allowed: owner, mode, peer, consent */
	SV_ERR_EXISTS = 7,      /* there is one already */
	SV_ERR_CONFLICT = 8,    /* somebody else changed it meanwhile, or two things want one name */
	SV_ERR_NAME = 9,        /* not a legal name */
	SV_ERR_TOO_BIG = 10,    /* over a documented limit */
	SV_ERR_NOMEM = 11,      /* memory, or locked memory, not to be had */
	SV_ERR_IO = 12,         /* the system refused; errno kept */
	SV_ERR_PASSPHRASE = 13, /* no slot opens with this key */
	SV_ERR_BUSY = 14,       /* a limit on connections or requests; try again */
	SV_ERR_PROTO = 15,      /* a message that does not parse, or of another protocol version */
	SV_ERR_TRUNCATED = 16,  /* a decoder met the end too early */
	SV_ERR_NO_AGENT = 17,   /* nobody listens on the socket */
	/* refusals of the vault file, in order of precedence (vault/FORMAT.md) */
	SV_ERR_NOT_A_VAULT = 32, /* not a vault at all, cut short, or a link, device, foreign file */
	SV_ERR_UNSUPPORTED = 33, /* a newer format or suite */
	SV_ERR_LIMITS = 34,      /* over a format constant */
	SV_ERR_INTEGRITY = 35,   /* altered: a seal, leaf, root or schema does not hold */
	SV_ERR_ROLLBACK = 36,    /* older than what this machine has seen */
	SV_ERR_FORK = 37,        /* the same age as what this machine has seen, and not the same */
};

struct sv_err {
	enum sv_code code;
	int sys_errno; /* 0 when the system had no part in it */
	char msg[SV_ERR_MSG_BYTES];
};

#define SV_ERR_INIT       \
	{                 \
		SV_OK, 0, \
		{         \
			0 \
		}         \
	}

#define SV_CHECK        __attribute__((warn_unused_result))
#define SV_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Set code and sentence; returns code, so that `return sv_err_set(...)` is one line.  err may be NULL. */
enum sv_code sv_err_set(struct sv_err *err, enum sv_code code, const char *fmt, ...) SV_PRINTF(3, 4);

/* The same with ": strerror(errno_value)" at the end and errno kept. */
enum sv_code sv_err_sys(struct sv_err *err, enum sv_code code, int errno_value, const char *fmt, ...) SV_PRINTF(4, 5);

/* Put "what: " in front of the sentence that is there. */
void sv_err_prefix(struct sv_err *err, const char *fmt, ...) SV_PRINTF(2, 3);

/* The stable lower-case word for a code ("locked", "not-found", "integrity"), for --json and logs; never NULL. */
const char *sv_code_word(enum sv_code code);

#endif

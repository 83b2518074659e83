/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options from rows: one table per command says how its options are parsed and how they are explained.
 *
 * `--name value` and `--name=value` are the same; a one-letter option takes its value as `-s value` or `-svalue`; `--`
 * ends the options.  Names are never abbreviated, so that a new option cannot change what an old script means.  What a
 * person typed behind an option is never quoted in an error: it may be a value that does not belong there.
 */
#ifndef SV_CLI_OPTS_H
#define SV_CLI_OPTS_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum sv_opt_kind {
	SV_OPT_FLAG,   /* bool */
	SV_OPT_TEXT,   /* const char *, borrowed from argv */
	SV_OPT_LIST,   /* struct sv_opt_list */
	SV_OPT_FD,     /* int, 0 .. 1048575; -1 when absent is the default to set beforehand */
	SV_OPT_NUMBER, /* uint64_t, 1 .. 10^15 */
	SV_OPT_MAYBE,  /* struct sv_opt_maybe: a value only by `=` */
};

struct sv_opt_list {
	const char **v;
	size_t n, max;
};
struct sv_opt_maybe {
	bool set;
	const char *text;
};

struct sv_opt {
	const char *name; /* without the dashes; NULL ends a table */
	char letter;      /* 0: none */
	uint8_t kind;
	uint16_t offset; /* into the struct of the table */
	const char *arg; /* what the value is called in the help; NULL for a flag */
	const char *help;
};

#define SV_OPT_END                        \
	{                                 \
		NULL, 0, 0, 0, NULL, NULL \
	}

struct sv_opts_set {
	const struct sv_opt *rows; /* may be NULL */
	void *into;
	const struct sv_opt *globals; /* may be NULL */
	void *globals_into;
	bool stop_at_arg; /* the first argument ends the options (a command to run follows) */
};

/*
 * Parse argv[0..argc).  *args (room for argc + 1 pointers, when stop_at_arg is not set) receives the arguments that are
 * no options and a NULL, *n_args their number.  With stop_at_arg, args may be NULL and *n_args is the number of
 * arguments left, which are argv[argc - *n_args] and on. SV_ERR_USAGE with a sentence.
 */
enum sv_code sv_opts_parse(const struct sv_opts_set *set, int argc, char **argv, char **args, int *n_args,
			   struct sv_err *err) SV_CHECK;

/* Decimal digits only, no sign, at most max.  false otherwise. */
bool sv_number_parse(const char *text, uint64_t max, uint64_t *out);

#endif

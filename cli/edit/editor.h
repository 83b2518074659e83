/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about editors: how $VISUAL is split into words, what keeps each from leaving copies elsewhere, what it
 * leaves in the private directory when it is killed, and which hand the file to another process.
 */
#ifndef SV_CLI_EDIT_EDITOR_H
#define SV_CLI_EDIT_EDITOR_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define SV_EDITOR_WORDS_MAX 48
#define SV_EDITOR_BYTES     8192

struct sv_editor {
	const char *argv[SV_EDITOR_WORDS_MAX + 1]; /* NULL-terminated; into store or fixed texts */
	size_t argc;
	char program[256];    /* the last part of its name, links followed */
	bool hand_off;        /* it hands the file to a process that is already running */
	bool waits;           /* and was told to wait for it */
	const char *wait_arg; /* what tells it to */
	const char *rc;       /* text of a file that is put into the private directory as SV_EDITOR_RC_NAME, or NULL */
	char env[2][512];     /* settings for its environment, "" when unused */
	char own_dir[512];    /* of its own, which it must find, because it may not make it: "" when there is none */
	char *rc_store;
	char store[SV_EDITOR_BYTES];
	size_t used;
};

#define SV_EDITOR_RC_NAME ".sv-editor-rc"

/*
 * Split like a shell does: blanks, '...', "...", backslashes; nothing is expanded.  SV_ERR_USAGE for a quote that is
 * never closed or too many words.
 */
enum sv_code sv_editor_split(const char *text, struct sv_editor *e, struct sv_err *err) SV_CHECK;
/*
 * $VISUAL, else $EDITOR, else the first of vim, vi, nano that is installed.  SV_ERR_NOT_FOUND (it does not exist),
 * SV_ERR_USAGE.
 */
enum sv_code sv_editor_choose(struct sv_editor *e, struct sv_err *err) SV_CHECK;
/*
 * Complete the words for a file in dir: options against leftovers, the line to start at (0: none), `--` where it is
 * understood, the path.  path and dir are borrowed.
 */
enum sv_code sv_editor_finish(struct sv_editor *e, const char *dir, const char *path, size_t line,
			      struct sv_err *err) SV_CHECK;
void sv_editor_clear(struct sv_editor *e);

/* Is this the name of a copy that an editor keeps of a file called `file`? */
bool sv_editor_is_copy(const char *name, const char *file);

#endif

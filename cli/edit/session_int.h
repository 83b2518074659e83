/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two ends of an editor session say to each other: a byte, a length, and that many bytes.
 */
#ifndef SV_CLI_EDIT_SESSION_INT_H
#define SV_CLI_EDIT_SESSION_INT_H

#include "cli/edit/session.h"

enum sv_edit_word {
	SV_EDIT_READY = 'R',  /* helper: level, may_swap, directory; with the descriptor.  A sentence follows when it
				 fell back */
	SV_EDIT_FAILED = 'F', /* helper: u16 code, sentence */
	SV_EDIT_ARM = 'A',    /* sv: public key, state directory, vault path, head of the draft */
	SV_EDIT_RUN = 'E',    /* sv: words, settings, text of the settings file */
	SV_EDIT_END = 'X',    /* helper: struct sv_edit_end as four u32 */
	SV_EDIT_STOP = 'K',   /* sv: u32 signal: end the editor */
	SV_EDIT_DONE = 'D',   /* sv: nothing more */
	SV_EDIT_ENOUGH = 'W', /* sv: do not wait for background processes */
};

struct sv_edit_helper_args {
	int sock;
	enum sv_place_level level;
	bool insecure;
	const char *runtime_dir; /* the private directory of the socket */
	const char *mount_point;
	const char *file;
};

/* The helper's whole life. */
void sv_edit_helper(const struct sv_edit_helper_args *a) __attribute__((noreturn));

/* A failure may be passed over: the other end will be missed when it is waited for. */
enum sv_code sv_edit_send(int sock, enum sv_edit_word word, const struct sv_buf *body, int fd, struct sv_err *err);
/* Blocks.  *fd: a descriptor that came with it, or -1; fd may be NULL.  SV_ERR_TRUNCATED: the other end is gone. */
enum sv_code sv_edit_receive(int sock, enum sv_edit_word *word, struct sv_buf *body, int *fd,
			     struct sv_err *err) SV_CHECK;
/* The text from the directory, see sv_edit_session_get(). */
enum sv_code sv_edit_read_file(int dir, const char *file, bool copies, struct sv_buf *out, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One editor session: a helper process that lives in the private namespace, starts the editor there and waits for it,
 *while `sv` keeps the text, the agent and the person.
 *
 *	sv ---- socket ---- helper ---- editor
 *	 \__ descriptor of the private directory (sent by the helper)
 *
 * The helper is made first, when no secret has been read.  `sv` writes and reads the file through the descriptor, so
 *the file can be read back even when helper and editor are gone.  When `sv` goes away, however it goes, the helper sees
 *the socket close: it ends the editor, seals the text as a draft with the public key it was given, and goes too.  When
 *all are killed the file system goes with them.  Signals of the terminal reach the editor, which is in the same process
 *group; the two others ignore the interrupts that are meant for it and stop with it.
 */
#ifndef SV_CLI_EDIT_SESSION_H
#define SV_CLI_EDIT_SESSION_H

#include "cli/edit/drafts.h"
#include "cli/edit/editor.h"
#include "cli/edit/sandbox.h"

struct sv_edit_session {
	int sock;
	int helper; /* process id */
	struct sv_private where;
	char file[32]; /* name in the directory */
};

struct sv_edit_end {
	bool exited; /* status is an exit status, else a signal */
	int status;
	int start_errno;     /* the editor could not be started */
	int caught;          /* a signal that ends sv: SIGHUP, SIGTERM */
	unsigned background; /* processes that the editor left running */
	bool lost_helper;
};

/*
 * Start the helper.  level: the best place to try; SV_PLACE_SHARED skips the namespace; insecure allows the worst.
 * *fell_back: why it is not the best one ("" when it is).
 */
enum sv_code sv_edit_session_open(struct sv_edit_session *s, enum sv_place_level level, bool insecure, const char *file,
				  char fell_back[256], struct sv_err *err) SV_CHECK;
/* What the helper needs to keep a draft on its own. */
enum sv_code sv_edit_session_arm(struct sv_edit_session *s, const unsigned char pk[SV_DRAFT_PK_BYTES],
				 const struct sv_buf *head, struct sv_err *err) SV_CHECK;
/* Write the file. */
enum sv_code sv_edit_session_put(struct sv_edit_session *s, const unsigned char *p, size_t n,
				 struct sv_err *err) SV_CHECK;
/*
 * Read it back.  copies: an editor's own copy of it is taken instead when that is newer.  SV_ERR_NOT_FOUND: it is gone.
 * SV_ERR_TOO_BIG.
 */
enum sv_code sv_edit_session_get(struct sv_edit_session *s, bool copies, struct sv_buf *out,
				 struct sv_err *err) SV_CHECK;
/* Run the editor to its end. */
enum sv_code sv_edit_session_run(struct sv_edit_session *s, const struct sv_editor *e, struct sv_edit_end *end,
				 struct sv_err *err) SV_CHECK;
/* End the helper, remove the file. */
void sv_edit_session_close(struct sv_edit_session *s);

#endif

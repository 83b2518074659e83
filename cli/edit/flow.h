/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What edit, import and export have in common between a text and the vault: checks, merge, summary, question, one
 * transaction.
 */
#ifndef SV_CLI_EDIT_FLOW_H
#define SV_CLI_EDIT_FLOW_H

#include "cli/edit/drafts.h"
#include "cli/edit/remote.h"

struct sv_edit {
	struct sv_cli *cli;
	struct sv_text scope;
	struct sv_doc_style style;
	bool yes, dry_run;
	unsigned char mark_key[SV_MARK_KEY_BYTES];
	struct sv_tree base;    /* what the text was made from */
	struct sv_tree present; /* what the vault holds; empty and unused while `fresh` */
	bool fresh;             /* base is what the vault holds, as far as we know */
	unsigned char pk[SV_DRAFT_PK_BYTES];
	char header[1600];
};

enum sv_edit_verdict {
	SV_EDIT_SAVED,       /* or there was nothing to do */
	SV_EDIT_BAD_TEXT,    /* where and err say what; the text is to be mended */
	SV_EDIT_CONFLICTS,   /* out holds the text to settle them in */
	SV_EDIT_REFUSED,     /* the person said no */
	SV_EDIT_FAILED_SAVE, /* err says why; the text is to be kept */
};

/* Connect and unlock (asking if need be), then read the scope into base. */
enum sv_code sv_edit_connect(struct sv_cli *cli, struct sv_err *err) SV_CHECK;
enum sv_code sv_edit_load(struct sv_edit *e, struct sv_err *err) SV_CHECK;
void sv_edit_clear(struct sv_edit *e);
/* The comment header for the person. */
void sv_edit_header(struct sv_edit *e, bool inherits);
/*
 * From a text to the vault: read, check, merge, tell, ask, write.  conflicted receives the text when the verdict is
 * SV_EDIT_CONFLICTS (base is then what the vault holds).  said: how it ended was already told.
 */
enum sv_edit_verdict sv_edit_apply(struct sv_edit *e, const unsigned char *text, size_t len, struct sv_place *at,
				   struct sv_buf *conflicted, struct sv_err *err);
/* Keep the text as a draft and say so.  SV_ERR_...: it could not be kept. */
enum sv_code sv_edit_keep(struct sv_edit *e, const unsigned char *text, size_t len, struct sv_err *err) SV_CHECK;
/* A mask where a value belongs: the output of `show` came back.  SV_ERR_USAGE with the place. */
enum sv_code sv_edit_check_masks(const struct sv_tree *present, const struct sv_tree *doc, struct sv_place *at,
				 struct sv_err *err) SV_CHECK;

#endif

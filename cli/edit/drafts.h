/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts: the text of an edit that did not come to its end, never in the clear.
 *
 * A draft knows what it was an edit of (environment, scope, format) and what the vault was then, as marks, so that it
 *can be merged later.  It is kept as an object in the vault; when that cannot be reached, or the draft is too big for
 *an object, as a file in the state directory, sealed to the vault's public draft key, so that no passphrase is needed
 *to keep it:
 *
 *	"SVDRAFT1" | crypto_box_seal(key, 80 bytes) | nonce (24) | XChaCha20-Poly1305 under key of the draft, magic and
 *box as AD
 */
#ifndef SV_CLI_EDIT_DRAFTS_H
#define SV_CLI_EDIT_DRAFTS_H

#include "cli/cmd.h"
#include "cli/edit/doc.h"

#define SV_DRAFT_PK_BYTES 32
#define SV_DRAFT_ID_BYTES 64

struct sv_draft {
	enum sv_doc_format format;
	bool full;
	int64_t made_s;
	char env[SV_ENV_NAME_MAX + 1];
	char scope[SV_NAME_MAX + 2];
	unsigned char mark_key[SV_MARK_KEY_BYTES];
	struct sv_tree base;        /* names, versions and marks; no values */
	struct sv_buf text;         /* locked */
	char id[SV_DRAFT_ID_BYTES]; /* object key or file name */
	bool in_file;
};

void sv_draft_clear(struct sv_draft *d);
/* Everything of the draft but its text, from a marked tree; to out (locked). */
enum sv_code sv_draft_put_head(struct sv_buf *out, const struct sv_draft *d, const struct sv_tree *base,
			       struct sv_err *err) SV_CHECK;
/* And its text behind it. */
enum sv_code sv_draft_put_text(struct sv_buf *out, const unsigned char *p, size_t n, struct sv_err *err) SV_CHECK;
/* Both back.  SV_ERR_INTEGRITY when it is not one. */
enum sv_code sv_draft_get(struct sv_buf *in, struct sv_draft *d, struct sv_err *err) SV_CHECK;

enum sv_code sv_draft_public_key(struct sv_cli *cli, unsigned char pk[SV_DRAFT_PK_BYTES], struct sv_err *err) SV_CHECK;
/*
 * Write a draft (head and text) as a file below state_dir, which is made when missing; vault_path tells the drafts of
 * two vaults apart.  Needs no agent.
 */
enum sv_code sv_draft_save_file(const char *state_dir, const char *vault_path,
				const unsigned char pk[SV_DRAFT_PK_BYTES], const struct sv_buf *plain,
				struct sv_err *err) SV_CHECK;
/* Into the vault if that works, else as a file. */
enum sv_code sv_draft_save(struct sv_cli *cli, const unsigned char pk[SV_DRAFT_PK_BYTES], const struct sv_buf *plain,
			   bool *in_file, struct sv_err *err) SV_CHECK;
/*
 * The newest draft of this environment (env NULL: any) and scope (NULL: any).  SV_ERR_NOT_FOUND when there is none; d
 * is then as after sv_draft_clear().  The vault is unlocked.  unreadable (may be NULL): files that do not open.
 */
enum sv_code sv_draft_find(struct sv_cli *cli, const char *env, const char *scope, struct sv_draft *d,
			   size_t *unreadable, struct sv_err *err) SV_CHECK;
enum sv_code sv_draft_remove(struct sv_cli *cli, const struct sv_draft *d, struct sv_err *err) SV_CHECK;

#endif

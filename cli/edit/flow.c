/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a text into the vault.
 */
#include "cli/edit/flow.h"

#include "cli/auth.h"
#include "cli/change.h"
#include "cli/edit/summary.h"
#include "cli/prompt.h"
#include "cli/say.h"
#include "cli/session.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 5 /* of reading the vault again because it changed while we wrote */

enum sv_code sv_edit_connect(struct sv_cli *cli, struct sv_err *err)
{
	const struct sv_cmd needs = { .name = cli->cmd->name, .flags = SV_CMD_AGENT | SV_CMD_UNLOCKED };
	const struct sv_cmd *cmd = cli->cmd;
	enum sv_code rc;

	if (sodium_init() < 0)
		return sv_err_set(err, SV_ERR_FAIL, "libsodium does not start");
	cli->cmd = &needs;
	rc = sv_session_prepare(cli, err);
	cli->cmd = cmd;
	return rc;
}

enum sv_code sv_edit_load(struct sv_edit *e, struct sv_err *err)
{
	enum sv_code rc;

	randombytes_buf(e->mark_key, sizeof(e->mark_key));
	if ((rc = sv_remote_read(e->cli, e->scope, &e->base, err)) != SV_OK)
		return rc;
	sv_tree_mark(&e->base, e->mark_key);
	e->fresh = true;
	return SV_OK;
}

void sv_edit_clear(struct sv_edit *e)
{
	sv_tree_clear(&e->base);
	sv_tree_clear(&e->present);
	sv_wipe(e->mark_key, sizeof(e->mark_key));
}

void sv_edit_header(struct sv_edit *e, bool inherits)
{
	char env[SV_ENV_NAME_MAX + 1], scope[2 * SV_NAME_MAX + 2];
	const char *what = e->scope.n == 0 ? "" : sv_scope_is_name(e->scope) ? ", the secret " : ", the group ";

	(void)snprintf(env, sizeof(env), "%.*s", (int)e->cli->env.n, e->cli->env.p);
	(void)sv_escape(e->scope.p, e->scope.n, scope, sizeof(scope));
	(void)snprintf(e->header, sizeof(e->header),
		       "# Secrets of the environment %s%s%s.\n"
		       "# They are saved when you leave the editor; this text is on no disk.\n"
		       "#   change: edit the value       rename: move or rename the key\n"
		       "#   delete: drop the key         add: write a new key\n"
		       "%s%s%s"
		       "# Leave everything as it is to change nothing.\n\n",
		       env, what, scope,
		       e->style.format == SV_DOC_ENV
			       ? "# NAME=value; quote a value with blanks, quotes or a dollar in it.\n"
			       : "# Values are text, as typed (0755, yes, null).  Names nest at their slashes.\n",
		       e->style.full ? "# Each secret is a mapping: its text under `value`, beside it var, desc,\n"
				       "# owner, url, type, expires, rotate, tags and scopes.\n"
				     : "",
		       inherits ? "# Commented keys are inherited from default: take the \"# \" away and change the\n"
				  "# value to set it here.\n"
				: "");
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

enum sv_code sv_edit_check_masks(const struct sv_tree *present, const struct sv_tree *doc, struct sv_place *at,
				 struct sv_err *err)
{
	for (size_t i = 0; i < doc->n; i++) {
		const struct sv_item *it = &doc->items[i], *was;

		if (it->value_len != sizeof(SV_DOC_MASK) - 1 || memcmp(it->value, SV_DOC_MASK, it->value_len) != 0)
			continue;
		was = sv_tree_find(present, it->name);
		if (was != NULL && memcmp(was->mark, it->mark, SV_MARK_BYTES) == 0)
			continue;
		*at = it->place;
		return sv_err_set(err, SV_ERR_USAGE, "a masked value; this text comes from sv show, which hides them");
	}
	return SV_OK;
}

static enum sv_code check_conflict_lines(const unsigned char *text, size_t len, struct sv_place *at, struct sv_err *err)
{
	static const char mark[] = "#:sv: conflict";
	const unsigned char *p = text, *end = text + len;

	for (size_t line = 1; p < end; line++) {
		const unsigned char *eol = memchr(p, '\n', (size_t)(end - p));

		if ((size_t)(end - p) >= sizeof(mark) - 1 && memcmp(p, mark, sizeof(mark) - 1) == 0) {
			*at = (struct sv_place){ line, 1 };
			return sv_err_set(err, SV_ERR_CONFLICT,
					  "this conflict is not settled; when it is, delete the line");
		}
		p = eol == NULL ? end : eol + 1;
	}
	return SV_OK;
}

/* ---- telling and asking ------------------------------------------------------------------------------------------ */

static void tell(struct sv_edit *e, const struct sv_diff *d)
{
	struct sv_out o = SV_OUT_INIT(STDERR_FILENO);
	struct sv_err ignored;

	if (e->cli->opt.json) {
		if (e->dry_run)
			sv_summary_json(&e->cli->out, d, true);
		return;
	}
	if (e->cli->opt.quiet && !e->dry_run)
		return;
	if (e->dry_run)
		o.fd = STDOUT_FILENO;
	sv_summary_text(&o, d, sv_say_color(e->cli, o.fd));
	if (sv_out_flush(&o, &ignored) != SV_OK)
		o.rc = SV_OK;
	sv_out_clear(&o);
}

static enum sv_code ask(struct sv_edit *e, const struct sv_diff *d, bool empty, bool *yes, struct sv_err *err)
{
	char question[200];

	*yes = true;
	if (e->yes || e->dry_run || !(sv_summary_drastic(d) || (empty && d->removed > 0)))
		return SV_OK;
	*yes = false;
	if (!sv_auth_can_ask(e->cli)) {
		sv_hint(e->cli, "with --yes it is done all the same");
		return sv_err_set(err, SV_ERR_DENIED, "this removes %zu of %zu secrets; nothing was changed",
				  d->removed, d->removed + d->kept);
	}
	(void)snprintf(question, sizeof(question), "%sThis removes %zu of %zu secrets.  Save it? [y/N] ",
		       empty ? "The text is empty.  " : "", d->removed, d->removed + d->kept);
	return sv_prompt_yes(question, yes, err);
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

static enum sv_code read_again(struct sv_edit *e, struct sv_err *err)
{
	enum sv_code rc;

	sv_tree_clear(&e->present);
	if ((rc = sv_remote_read(e->cli, e->scope, &e->present, err)) != SV_OK)
		return rc;
	sv_tree_mark(&e->present, e->mark_key);
	e->fresh = false;
	return SV_OK;
}

/* JSON has no comments in it, but may have lines in front. */
static enum sv_code json_conflicts(const struct sv_tree *t, struct sv_buf *out)
{
	enum sv_code rc = SV_OK;

	for (size_t i = 0; rc == SV_OK && i < t->n; i++) {
		char name[4 * SV_NAME_MAX + 1], line[4 * SV_NAME_MAX + 160];
		const struct sv_item *it = &t->items[i];

		if (!it->conflict)
			continue;
		(void)sv_escape(it->name.p, it->name.n, name, sizeof(name));
		(void)snprintf(line, sizeof(line),
			       "#:sv: conflict: %s changed here and in the vault; below stands yours%s.  Delete this "
			       "line to keep that\n",
			       name, it->ghost ? ", deleted" : "");
		rc = sv_buf_put(out, line, strlen(line));
	}
	return rc;
}

static enum sv_code conflict_text(struct sv_edit *e, struct sv_tree *merged, struct sv_buf *out, struct sv_err *err)
{
	bool inherits = false;
	enum sv_code rc = SV_OK;

	for (size_t i = 0; rc == SV_OK && i < e->present.n; i++) {
		const struct sv_item *it = &e->present.items[i];

		inherits = inherits || it->inherited;
		if (it->inherited && sv_tree_find(merged, it->name) == NULL)
			rc = sv_tree_copy(merged, it, NULL, err);
		if (rc == SV_OK && it->inherited)
			sv_tree_sort(merged);
	}
	sv_buf_reset(out);
	if (rc == SV_OK && e->style.format == SV_DOC_JSON)
		rc = json_conflicts(merged, out);
	sv_edit_header(e, inherits);
	e->style.header = e->header;
	return rc == SV_OK ? sv_doc_write(&e->style, merged, out, err) : rc;
}

/* The vault as it is now becomes what the text is compared with. */
static void rebase(struct sv_edit *e)
{
	sv_tree_clear(&e->base);
	e->base = e->present;
	e->present = (struct sv_tree)SV_TREE_INIT;
	e->fresh = true;
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

static bool stale(enum sv_code rc)
{
	return rc == SV_ERR_CONFLICT || rc == SV_ERR_EXISTS || rc == SV_ERR_NOT_FOUND;
}

static void say_saved(struct sv_edit *e, const struct sv_msg_commit *m)
{
	if (e->cli->opt.json)
		sv_change_json(e->cli, m);
	else if (m->txn == 0)
		sv_say(e->cli, "nothing changed");
	else
		sv_say(e->cli, "saved; sv undo takes all of it back");
}

/* Write doc against what the vault held when it was last read.  *again: it holds something else by now. */
static enum sv_edit_verdict save(struct sv_edit *e, const struct sv_tree *doc, bool empty, bool first, bool *again,
				 struct sv_err *err)
{
	const struct sv_tree *vault = e->fresh ? &e->base : &e->present;
	struct sv_diff d = SV_DIFF_INIT;
	struct sv_msg_commit done = { 0 };
	enum sv_edit_verdict v = SV_EDIT_FAILED_SAVE;
	bool yes = false;
	enum sv_code rc;

	*again = false;
	if (sv_diff_make(vault, doc, &d, err) != SV_OK)
		return v;
	if (first && (d.n > 0 || e->dry_run))
		tell(e, &d);
	if (d.n == 0 || e->dry_run) {
		if (!e->dry_run)
			say_saved(e, &done);
		v = SV_EDIT_SAVED;
		goto out;
	}
	if (ask(e, &d, empty, &yes, err) != SV_OK)
		goto out;
	if (!yes) {
		v = SV_EDIT_REFUSED;
		goto out;
	}
	rc = sv_remote_write(e->cli, &d, SV_VERB_EDIT, &done, err);
	if (rc == SV_OK) {
		say_saved(e, &done);
		v = SV_EDIT_SAVED;
	} else {
		*again = stale(rc);
	}
out:
	sv_diff_clear(&d);
	return v;
}

enum sv_edit_verdict sv_edit_apply(struct sv_edit *e, const unsigned char *text, size_t len, struct sv_place *at,
				   struct sv_buf *conflicted, struct sv_err *err)
{
	struct sv_tree doc = SV_TREE_INIT, merged = SV_TREE_INIT;
	struct sv_doc_place where = { 0 };
	enum sv_edit_verdict v = SV_EDIT_BAD_TEXT;
	size_t conflicts = 0;
	bool again = false;

	*at = (struct sv_place){ 0, 0 };
	if (check_conflict_lines(text, len, at, err) != SV_OK)
		return v;
	if (sv_doc_read(&e->style, text, len, &doc, &where, err) != SV_OK) {
		*at = where.at;
		goto out;
	}
	sv_tree_mark(&doc, e->mark_key);
	if (sv_edit_check_masks(e->fresh ? &e->base : &e->present, &doc, at, err) != SV_OK)
		goto out;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		struct sv_tree *what = &doc;

		sv_merge_drop_inherited(e->fresh ? &e->base : &e->present, &doc);
		if (!e->fresh) {
			sv_tree_clear(&merged);
			v = SV_EDIT_FAILED_SAVE;
			if (sv_merge(&e->base, &e->present, &doc, &merged, &conflicts, err) != SV_OK)
				goto out;
			if (conflicts > 0) {
				if (conflict_text(e, &merged, conflicted, err) == SV_OK) {
					v = SV_EDIT_CONFLICTS;
					rebase(e);
				}
				(void)sv_err_set(err, SV_ERR_CONFLICT, "%zu %s changed here and in the vault",
						 conflicts, conflicts == 1 ? "secret was" : "secrets were");
				goto out;
			}
			what = &merged;
		}
		v = save(e, what, doc.n == 0, round == 0, &again, err);
		if (!again)
			goto out;
		if (round == 0)
			sv_say(e->cli, "the vault changed meanwhile; merging");
		if (read_again(e, err) != SV_OK)
			goto out;
	}
out:
	sv_tree_clear(&merged);
	sv_tree_clear(&doc);
	return v;
}

/* ---- drafts ------------------------------------------------------------------------------------------------------ */

enum sv_code sv_edit_keep(struct sv_edit *e, const unsigned char *text, size_t len, struct sv_err *err)
{
	struct sv_buf plain = SV_BUF_LOCKED(SV_DOC_BYTES_MAX * 5);
	struct sv_draft d = { .format = e->style.format, .full = e->style.full, .made_s = (int64_t)time(NULL) };
	bool in_file = false;
	enum sv_code rc;

	(void)snprintf(d.env, sizeof(d.env), "%.*s", (int)e->cli->env.n, e->cli->env.p);
	(void)snprintf(d.scope, sizeof(d.scope), "%.*s", (int)e->scope.n, e->scope.p);
	memcpy(d.mark_key, e->mark_key, sizeof(d.mark_key));
	rc = sv_draft_put_head(&plain, &d, &e->base, err);
	if (rc == SV_OK)
		rc = sv_draft_put_text(&plain, text, len, err);
	if (rc == SV_OK)
		rc = sv_draft_save(e->cli, e->pk, &plain, &in_file, err);
	if (rc == SV_OK)
		sv_say(e->cli,
		       "the text is kept as a sealed draft%s; sv edit --resume goes on with it, --discard-draft drops "
		       "it",
		       in_file ? " beside the vault" : " in the vault");
	sv_buf_clear(&plain);
	sv_wipe(&d, sizeof(d));
	return rc;
}

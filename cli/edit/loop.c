/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The editor loop.
 *
 *	open -> [error: the same text with the message as a comment] -> open ...
 *	     -> [conflict: both sides in one text] -> open ...
 *	     -> saved | unchanged | draft | thrown away
 */
#include "cli/edit/loop.h"

#include "cli/auth.h"
#include "cli/edit/session.h"
#include "cli/prompt.h"
#include "cli/say.h"
#include "cli/units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ERROR_MARK "#:sv: error: "

struct loop {
	struct sv_edit *e;
	struct sv_edit_session s;
	struct sv_editor editor;
	struct sv_buf given;              /* what the editor was given, without the comment of an error */
	struct sv_buf got;                /* what it left, without it */
	struct sv_buf next;               /* scratch: what it is given next */
	struct sv_draft draft;            /* the one that is gone on with; id "" when there is none */
	char note[SV_ERR_MSG_BYTES + 64]; /* the comment of the error, "" when there is none */
	struct sv_place at;               /* where it goes */
	bool pending;                     /* an error or a conflict: leaving the text as it is does not settle it */
	char file[32];
};

enum answer { ANSWER_EDIT, ANSWER_KEEP, ANSWER_DROP };

/* One letter of `letters` from the terminal; the first one when there is nobody to ask, or for an empty answer. */
static char ask_letter(const struct sv_cli *cli, const char *question, const char *letters, char nobody)
{
	char c = '\0', rest;
	int fd;

	if (!sv_auth_can_ask(cli) || (fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		return nobody;
	for (;;) {
		if (sv_write_all(fd, question, strlen(question), NULL) != SV_OK || read(fd, &c, 1) != 1) {
			c = nobody;
			break;
		}
		rest = c;
		while (rest != '\n' && read(fd, &rest, 1) == 1)
			;
		if (c == '\n')
			c = letters[0];
		if (strchr(letters, c) != NULL)
			break;
	}
	(void)close(fd);
	return c;
}

/* ---- the comment of an error ---------------------------------------------------------------------------------------
 */

/* text with the note as a line of its own in front of the line it is about. */
static enum sv_code with_note(struct loop *l, const struct sv_buf *text, struct sv_buf *out)
{
	const unsigned char *p = text->data, *end = p + text->len;
	enum sv_code rc;

	sv_buf_reset(out);
	if (l->note[0] == '\0')
		return sv_buf_put(out, text->data, text->len);
	for (size_t line = 1; line < l->at.line && p < end; line++) {
		const unsigned char *eol = memchr(p, '\n', (size_t)(end - p));

		p = eol == NULL ? end : eol + 1;
	}
	rc = sv_buf_put(out, text->data, (size_t)(p - text->data));
	if (rc == SV_OK && p > text->data && p[-1] != '\n')
		rc = sv_buf_put(out, "\n", 1);
	if (rc == SV_OK)
		rc = sv_buf_put(out, l->note, strlen(l->note));
	return rc == SV_OK ? sv_buf_put(out, p, (size_t)(end - p)) : rc;
}

/* text without the note. */
static enum sv_code without_note(struct loop *l, const struct sv_buf *text, struct sv_buf *out)
{
	const unsigned char *p = text->data, *end = p + text->len;
	size_t n = strlen(l->note);
	enum sv_code rc = SV_OK;

	sv_buf_reset(out);
	while (rc == SV_OK && p < end) {
		const unsigned char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = eol == NULL ? (size_t)(end - p) : (size_t)(eol + 1 - p);

		if (n == 0 || len != n || memcmp(p, l->note, n) != 0)
			rc = sv_buf_put(out, p, len);
		p += len;
	}
	return rc;
}

static void make_note(struct loop *l, const struct sv_err *err)
{
	char safe[SV_ERR_MSG_BYTES];

	(void)sv_escape(err->msg, strlen(err->msg), safe, sizeof(safe));
	if (l->at.line == 0)
		(void)snprintf(l->note, sizeof(l->note), ERROR_MARK "%s\n", safe);
	else
		(void)snprintf(l->note, sizeof(l->note), ERROR_MARK "next line, column %zu: %s\n", l->at.column, safe);
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static enum sv_code choose_place(struct loop *l, const struct sv_edit_choice *c, struct sv_err *err)
{
	struct sv_cli *cli = l->e->cli;
	char fell_back[256];
	enum sv_place_level level = SV_PLACE_PRIVATE;
	enum sv_code rc;

	if (l->editor.hand_off && !c->hand_off) {
		sv_hint(cli, "take a terminal editor: VISUAL=vim sv edit; or sv edit --hand-off, if its backups and "
			     "local history are off");
		return sv_err_set(err, SV_ERR_DENIED,
				  "%s hands the file to a program that is already running, which cannot see this "
				  "session's memory",
				  l->editor.program);
	}
	if (l->editor.hand_off && !l->editor.waits)
		return sv_err_set(err, SV_ERR_USAGE, "%s returns at once; let it wait: %s %s", l->editor.program,
				  l->editor.program, l->editor.wait_arg != NULL ? l->editor.wait_arg : "(it cannot)");
	if (c->hand_off)
		level = SV_PLACE_SHARED;
#ifdef SV_TESTING
	if (getenv("SV_TEST_EDIT_LEVEL") != NULL)
		level = (enum sv_place_level)atoi(getenv("SV_TEST_EDIT_LEVEL"));
#endif
	(void)snprintf(l->file, sizeof(l->file), "secrets.%s", sv_doc_format_word(l->e->style.format));
	rc = sv_edit_session_open(&l->s, level, c->insecure, l->file, fell_back, err);
	if (rc != SV_OK) {
		if (rc == SV_ERR_DENIED)
			sv_hint(cli,
				"--insecure-tmpdir writes the text to a temporary directory, which may be on a disk");
		return rc;
	}
	if (l->s.where.level == SV_PLACE_INSECURE)
		sv_say_warning(cli, "the text is in %s for the time of the edit, perhaps on a disk", l->s.where.dir);
	else if (l->s.where.level == SV_PLACE_SHARED && c->hand_off)
		sv_say_warning(
			cli,
			"all your programs can read the text while it is edited, and %s may keep copies of its own "
			"(VS Code: set files.hotExit to off and workbench.localHistory.enabled to false)",
			l->editor.program);
	else if (l->s.where.level == SV_PLACE_SHARED)
		sv_say_warning(cli,
			       "no private mount here (%s); all your programs can read the text while it is edited",
			       fell_back);
	return SV_OK;
}

static void say_age(char *out, size_t size, int64_t made_s)
{
	char age[SV_DURATION_BYTES];
	int64_t now = (int64_t)time(NULL);

	sv_duration_format(now > made_s ? now - made_s : 1, age);
	(void)snprintf(out, size, "%s ago", age);
}

/* Is there a draft to go on with?  *take: yes, it is in l->draft. */
static enum sv_code look_for_draft(struct loop *l, const struct sv_edit_choice *c, bool *take, struct sv_err *err)
{
	struct sv_cli *cli = l->e->cli;
	char env[SV_ENV_NAME_MAX + 1] = { 0 }, scope[SV_NAME_MAX + 2] = { 0 }, age[64], question[200];
	size_t unreadable = 0;
	char answer;
	enum sv_code rc;

	*take = false;
	memcpy(env, cli->env.p, cli->env.n);
	memcpy(scope, l->e->scope.p, l->e->scope.n);
	rc = sv_draft_find(cli, env, c->resume && !c->scope_given ? NULL : scope, &l->draft, &unreadable, err);
	if (unreadable > 0)
		sv_say_warning(cli, "%zu %s of this vault cannot be read", unreadable,
			       unreadable == 1 ? "draft" : "drafts");
	if (rc == SV_ERR_NOT_FOUND && !c->resume)
		return SV_OK;
	if (rc != SV_OK)
		return rc;
	*take = c->resume;
	if (c->resume)
		return SV_OK;
	say_age(age, sizeof(age), l->draft.made_s);
	(void)snprintf(question, sizeof(question),
		       "There is a draft of this edit from %s.  r: go on with it, d: drop it, n: start anew and keep "
		       "it [r/d/n] ",
		       age);
	answer = ask_letter(cli, question, "rdn", 'n');
	*take = answer == 'r';
	if (answer == 'd')
		rc = sv_draft_remove(cli, &l->draft, err);
	if (answer != 'r')
		sv_draft_clear(&l->draft);
	return rc;
}

/* The draft's view of things becomes ours. */
static enum sv_code take_draft(struct loop *l, struct sv_err *err)
{
	struct sv_edit *e = l->e;
	enum sv_code rc;

	e->style.format = l->draft.format;
	e->style.full = l->draft.full;
	e->scope = sv_text_of(l->draft.scope);
	memcpy(e->mark_key, l->draft.mark_key, sizeof(e->mark_key));
	sv_tree_clear(&e->base);
	e->base = l->draft.base;
	l->draft.base = (struct sv_tree)SV_TREE_INIT;
	if ((rc = sv_remote_read(e->cli, e->scope, &e->present, err)) != SV_OK)
		return rc;
	sv_tree_mark(&e->present, e->mark_key);
	e->fresh = false;
	rc = sv_buf_put(&l->given, l->draft.text.data, l->draft.text.len);
	l->pending = true; /* what stands there is not what is in the vault */
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the text");
}

static enum sv_code first_text(struct loop *l, struct sv_err *err)
{
	struct sv_edit *e = l->e;
	bool inherits = false;
	enum sv_code rc = sv_edit_load(e, err);

	if (rc != SV_OK)
		return rc;
	for (size_t i = 0; i < e->base.n && !inherits; i++)
		inherits = e->base.items[i].inherited;
	sv_edit_header(e, inherits);
	e->style.header = e->header;
	rc = sv_doc_write(&e->style, &e->base, &l->given, err);
	if (rc == SV_OK && l->given.len > SV_DOC_BYTES_MAX) {
		sv_hint(e->cli, "edit a group: sv edit GROUP/");
		rc = sv_err_set(err, SV_ERR_TOO_BIG, "all of it is more than %zu MiB of text", SV_DOC_BYTES_MAX >> 20);
	}
	return rc;
}

/* What the helper needs to keep a draft by itself. */
static enum sv_code arm(struct loop *l, struct sv_err *err)
{
	struct sv_buf head = SV_BUF_LOCKED(SV_DOC_BYTES_MAX * 2);
	struct sv_draft d = { .format = l->e->style.format, .full = l->e->style.full, .made_s = (int64_t)time(NULL) };
	enum sv_code rc;

	memcpy(d.env, l->e->cli->env.p, l->e->cli->env.n);
	memcpy(d.scope, l->e->scope.p, l->e->scope.n);
	memcpy(d.mark_key, l->e->mark_key, sizeof(d.mark_key));
	rc = sv_draft_put_head(&head, &d, &l->e->base, err);
	if (rc == SV_OK)
		rc = sv_edit_session_arm(&l->s, l->e->pk, &head, err);
	sv_buf_clear(&head);
	sv_wipe(&d, sizeof(d));
	return rc;
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static enum sv_code keep(struct loop *l, struct sv_err *err)
{
	enum sv_code rc = sv_edit_keep(l->e, l->got.data, l->got.len, err);
	struct sv_err ignored;

	/* The new draft holds everything of the one that was gone on with. */
	if (rc == SV_OK && l->draft.id[0] != '\0' && sv_draft_remove(l->e->cli, &l->draft, &ignored) == SV_OK)
		l->draft.id[0] = '\0';
	return rc;
}

/* Keep it and fail with the error that is in err; *err says also when even that failed. */
static enum sv_code keep_and_fail(struct loop *l, struct sv_err *err)
{
	struct sv_err other = SV_ERR_INIT;

	if (keep(l, &other) != SV_OK)
		sv_say_warning(l->e->cli, "the text could not be kept: %s", other.msg);
	return err->code != SV_OK ? err->code : SV_ERR_FAIL;
}

static void drop_draft(struct loop *l)
{
	struct sv_err ignored;

	if (l->draft.id[0] != '\0' && sv_draft_remove(l->e->cli, &l->draft, &ignored) == SV_OK)
		l->draft.id[0] = '\0';
}

static bool same(const struct sv_buf *a, const struct sv_buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* We were told to end. */
static void end_by_signal(struct loop *l, int sig)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_edit_session *s = &l->s;

	if (sv_edit_session_get(s, true, &l->next, &err) == SV_OK && without_note(l, &l->next, &l->got) == SV_OK &&
	    (!same(&l->got, &l->given) || l->pending))
		(void)keep_and_fail(l, &err);
	sv_edit_session_close(s);
	sv_edit_clear(l->e);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

/* ---- one round --------------------------------------------------------------------------------------------------- */

static enum sv_code run_editor(struct loop *l, struct sv_edit_end *end, struct sv_err *err)
{
	struct sv_editor editor = l->editor;
	char path[SV_PATH_BYTES + 40];
	size_t line = l->note[0] != '\0' ? (l->at.line > 0 ? l->at.line : 1) : 0;
	enum sv_code rc;

	/* The words of the choice lie in the store of the copy. */
	for (size_t i = 0; i < editor.argc; i++)
		if (editor.argv[i] >= l->editor.store && editor.argv[i] < l->editor.store + sizeof(l->editor.store))
			editor.argv[i] = editor.store + (editor.argv[i] - l->editor.store);
	editor.rc_store = NULL;
	(void)snprintf(path, sizeof(path), "%s/%s", l->s.where.dir, l->file);
	if ((rc = with_note(l, &l->given, &l->next)) != SV_OK)
		return sv_err_set(err, rc, "no memory for the text");
	if ((rc = sv_edit_session_put(&l->s, l->next.data, l->next.len, err)) == SV_OK &&
	    (rc = sv_editor_finish(&editor, l->s.where.dir, path, line, err)) == SV_OK)
		rc = sv_edit_session_run(&l->s, &editor, end, err);
	sv_editor_clear(&editor);
	if (rc == SV_OK && end->start_errno != 0)
		rc = sv_err_sys(err, SV_ERR_FAIL, end->start_errno, "the editor does not start");
	return rc;
}

/* The editor did not end as it should.  SV_OK: it did. */
static enum sv_code judge_end(struct loop *l, const struct sv_edit_end *end, struct sv_err *err)
{
	bool changed = !same(&l->got, &l->given);

	if (end->exited && end->status == 0)
		return SV_OK;
	if (end->lost_helper)
		(void)sv_err_set(err, SV_ERR_FAIL, "the editor's helper process was killed; nothing was changed");
	else if (!end->exited)
		(void)sv_err_set(err, SV_ERR_FAIL, "the editor was ended by signal %d; nothing was changed",
				 end->status);
	else
		(void)sv_err_set(err, SV_ERR_FAIL, "the editor ended with status %d; nothing was changed", end->status);
	return changed || l->pending ? keep_and_fail(l, err) : err->code;
}

/* The person left an error or a conflict as it was. */
static enum answer ask_what_now(struct loop *l, const char *what)
{
	char question[160];

	(void)snprintf(question, sizeof(question),
		       "%s.  e: edit again, k: keep the text as a draft and leave, x: throw it away [e/k/x] ", what);
	switch (ask_letter(l->e->cli, question, "ekx", 'k')) {
	case 'e': return ANSWER_EDIT;
	case 'x': return ANSWER_DROP;
	default: return ANSWER_KEEP;
	}
}

/* Give what was typed again. */
static enum sv_code again(struct loop *l, struct sv_err *err)
{
	enum sv_code rc;

	sv_buf_reset(&l->given);
	rc = sv_buf_put(&l->given, l->got.data, l->got.len);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the text");
}

static enum sv_code act_on(struct loop *l, enum answer a, bool *done, struct sv_err *err)
{
	switch (a) {
	case ANSWER_EDIT: *done = false; return SV_OK;
	case ANSWER_DROP:
		sv_say(l->e->cli, "nothing was changed");
		drop_draft(l);
		return SV_OK;
	case ANSWER_KEEP:
	default:
		if (err->code == SV_OK)
			(void)sv_err_set(err, SV_ERR_FAIL, "nothing was changed");
		return keep_and_fail(l, err);
	}
}

static bool mendable(enum sv_code rc)
{
	return rc == SV_ERR_EXISTS || rc == SV_ERR_NAME || rc == SV_ERR_TOO_BIG || rc == SV_ERR_USAGE ||
	       rc == SV_ERR_NOT_FOUND;
}

/* What the editor left goes to the vault.  *done false: once more. */
static enum sv_code take_text(struct loop *l, bool *done, struct sv_err *err)
{
	struct sv_buf conflicted = SV_BUF_LOCKED(4 * SV_DOC_BYTES_MAX);
	enum sv_edit_verdict v;
	char safe[SV_ERR_MSG_BYTES];
	enum sv_code rc = SV_OK;

	l->note[0] = '\0';
	v = sv_edit_apply(l->e, l->got.data, l->got.len, &l->at, &conflicted, err);
	if (v == SV_EDIT_FAILED_SAVE && mendable(err->code))
		v = SV_EDIT_BAD_TEXT;
	*done = v != SV_EDIT_BAD_TEXT && v != SV_EDIT_CONFLICTS;
	(void)sv_escape(err->msg, strlen(err->msg), safe, sizeof(safe));
	switch (v) {
	case SV_EDIT_SAVED:
		if (!l->e->dry_run)
			drop_draft(l);
		break;
	case SV_EDIT_REFUSED:
		if ((rc = again(l, err)) != SV_OK)
			break;
		l->pending = true;
		rc = act_on(l, ask_what_now(l, "Not saved"), done, err);
		break;
	case SV_EDIT_BAD_TEXT:
		make_note(l, err);
		l->pending = true;
		if (!sv_auth_can_ask(l->e->cli)) {
			*done = true;
			sv_doc_err_place(err, "the text", l->at);
			rc = keep_and_fail(l, err);
			break;
		}
		if (l->at.line > 0)
			sv_say(l->e->cli, "line %zu, column %zu: %s", l->at.line, l->at.column, safe);
		else
			sv_say(l->e->cli, "%s", safe);
		rc = again(l, err);
		break;
	case SV_EDIT_CONFLICTS:
		l->pending = true;
		if (!sv_auth_can_ask(l->e->cli)) {
			*done = true;
			rc = keep_and_fail(l, err);
			break;
		}
		sv_say(l->e->cli, "%s; settle it in the editor", safe);
		sv_buf_reset(&l->given);
		rc = sv_buf_put(&l->given, conflicted.data, conflicted.len);
		if (rc == SV_OK)
			rc = arm(l, err);
		break;
	case SV_EDIT_FAILED_SAVE:
	default: rc = keep_and_fail(l, err); break;
	}
	sv_buf_clear(&conflicted);
	return rc;
}

static enum sv_code one_round(struct loop *l, bool *done, struct sv_err *err)
{
	struct sv_edit_end end;
	char what[64] = "Nothing was changed";
	enum sv_code rc = run_editor(l, &end, err);

	*done = true;
	if (rc != SV_OK)
		return rc;
	if (end.caught != 0) {
		end_by_signal(l, end.caught);
		return sv_err_set(err, SV_ERR_FAIL, "ended by signal %d", end.caught);
	}
	rc = sv_edit_session_get(&l->s, end.lost_helper || !end.exited, &l->next, err);
	if (rc == SV_OK)
		rc = without_note(l, &l->next, &l->got);
	if (rc != SV_OK) {
		if (l->pending && again(l, err) == SV_OK)
			return keep_and_fail(l, err);
		sv_hint(l->e->cli, "nothing was changed");
		return rc;
	}
	if ((rc = judge_end(l, &end, err)) != SV_OK)
		return rc;
	if (!same(&l->got, &l->given) || (l->pending && l->note[0] == '\0' && l->draft.id[0] != '\0'))
		return take_text(l, done, err);
	if (!l->pending) {
		sv_say(l->e->cli, "nothing changed");
		return SV_OK;
	}
	if (l->at.line > 0)
		(void)snprintf(what, sizeof(what), "The error on line %zu is still there", l->at.line);
	return act_on(l, ask_what_now(l, what), done, err);
}

enum sv_code sv_edit_loop(struct sv_edit *e, const struct sv_edit_choice *choice, struct sv_err *err)
{
	static struct loop loop;
	struct loop *l = &loop;
	bool take = false, done = false;
	enum sv_code rc;

	*l = (struct loop){ .e = e,
			    .s = { .sock = -1, .helper = -1, .where = { .fd = -1 } },
			    .given = SV_BUF_LOCKED(4 * SV_DOC_BYTES_MAX),
			    .got = SV_BUF_LOCKED(4 * SV_DOC_BYTES_MAX),
			    .next = SV_BUF_LOCKED(4 * SV_DOC_BYTES_MAX) };
	if ((rc = sv_editor_choose(&l->editor, err)) != SV_OK || (rc = choose_place(l, choice, err)) != SV_OK)
		goto out;
	if ((rc = sv_edit_connect(e->cli, err)) != SV_OK || (rc = sv_draft_public_key(e->cli, e->pk, err)) != SV_OK ||
	    (rc = look_for_draft(l, choice, &take, err)) != SV_OK ||
	    (rc = take ? take_draft(l, err) : first_text(l, err)) != SV_OK || (rc = arm(l, err)) != SV_OK)
		goto out;
	while (rc == SV_OK && !done) {
		*err = (struct sv_err)SV_ERR_INIT;
		rc = one_round(l, &done, err);
	}
out:
	sv_edit_session_close(&l->s);
	sv_editor_clear(&l->editor);
	sv_draft_clear(&l->draft);
	sv_buf_clear(&l->given);
	sv_buf_clear(&l->got);
	sv_buf_clear(&l->next);
	return rc;
}

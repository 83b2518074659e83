/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv edit: secrets as text in the person's editor, or from standard input.
 */
#include "cli/edit/loop.h"

#include "cli/ref.h"
#include "cli/say.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *format;
	bool full, yes, dry_run, resume, discard, insecure, hand_off;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "full", 0, SV_OPT_FLAG, A(full), NULL, "with metadata: each secret is a mapping of value, var, desc, ..." },
	{ "format", 0, SV_OPT_TEXT, A(format), "FORMAT", "yaml (the default), env or json" },
	{ "yes", 'y', SV_OPT_FLAG, A(yes), NULL, "save without a question, even when it removes more than it keeps" },
	{ "dry-run", 'n', SV_OPT_FLAG, A(dry_run), NULL, "tell what would be changed, and change nothing" },
	{ "resume", 0, SV_OPT_FLAG, A(resume), NULL, "go on with the draft of an edit that did not come to its end" },
	{ "discard-draft", 0, SV_OPT_FLAG, A(discard), NULL, "drop drafts" },
	{ "hand-off", 0, SV_OPT_FLAG, A(hand_off), NULL,
	  "for editors that hand the file to a running program: a directory that all your programs see" },
	{ "insecure-tmpdir", 0, SV_OPT_FLAG, A(insecure), NULL,
	  "where nothing is in memory: write the text to a temporary directory, perhaps to a disk" },
	SV_OPT_END
};

static enum sv_code scope_of(int argc, char **argv, struct sv_text *scope, struct sv_err *err)
{
	*scope = (struct sv_text){ "", 0 };
	return argc == 0 || argv[0][0] == '\0' ? SV_OK : sv_ref_name(argv[0], true, scope, err);
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_text scope;
	enum sv_doc_format format;

	(void)cli;
	if (args.format != NULL && !sv_doc_format_parse(args.format, &format))
		return sv_err_set(err, SV_ERR_USAGE, "--format is yaml, env or json");
	if (args.format != NULL && args.full && format == SV_DOC_ENV)
		return sv_err_set(err, SV_ERR_USAGE, "--full has no place in --format env; take yaml or json");
	if (args.resume && args.discard)
		return sv_err_set(err, SV_ERR_USAGE, "--resume or --discard-draft, not both");
	return scope_of(argc, argv, &scope, err);
}

static enum sv_code discard(struct sv_cli *cli, const char *scope, struct sv_err *err)
{
	struct sv_draft d = { .text = SV_BUF_INIT };
	char env[SV_ENV_NAME_MAX + 1] = { 0 };
	size_t n = 0;
	enum sv_code rc = sv_edit_connect(cli, err);

	memcpy(env, cli->env.p, cli->env.n);
	while (rc == SV_OK) {
		rc = sv_draft_find(cli, env, scope, &d, NULL, err);
		if (rc == SV_OK)
			rc = sv_draft_remove(cli, &d, err);
		n += rc == SV_OK;
	}
	sv_draft_clear(&d);
	if (rc != SV_ERR_NOT_FOUND || n == 0)
		return rc;
	sv_say(cli, "%zu %s dropped", n, n == 1 ? "draft" : "drafts");
	return SV_OK;
}

/* New content from standard input, with the same checks. */
static enum sv_code from_stdin(struct sv_edit *e, struct sv_err *err)
{
	struct sv_buf text = SV_BUF_LOCKED(2 * SV_DOC_BYTES_MAX), conflicted = SV_BUF_LOCKED(0);
	struct sv_place at;
	unsigned char *room;
	ssize_t n = 1;
	enum sv_code rc = sv_edit_connect(e->cli, err);

	while (rc == SV_OK && n != 0 && text.len <= SV_DOC_BYTES_MAX) {
		if ((rc = sv_buf_extend(&text, 65536, &room)) != SV_OK) {
			rc = sv_err_set(err, rc, "no memory for the text");
			break;
		}
		n = read(STDIN_FILENO, room, 65536);
		text.len -= 65536 - (size_t)(n > 0 ? n : 0);
		if (n < 0 && errno != EINTR)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read standard input");
	}
	if (rc == SV_OK)
		rc = sv_edit_load(e, err);
	if (rc == SV_OK) {
		enum sv_edit_verdict v = sv_edit_apply(e, text.data, text.len, &at, &conflicted, err);

		if (v == SV_EDIT_REFUSED)
			rc = sv_err_set(err, SV_ERR_DENIED, "nothing was changed");
		else if (v != SV_EDIT_SAVED)
			rc = err->code != SV_OK ? err->code : SV_ERR_FAIL;
		if (v == SV_EDIT_BAD_TEXT)
			sv_doc_err_place(err, "standard input", at);
	}
	sv_buf_clear(&text);
	sv_buf_clear(&conflicted);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_edit e = { .cli = cli, .yes = args.yes, .dry_run = args.dry_run };
	const struct sv_edit_choice choice = {
		.resume = args.resume, .insecure = args.insecure, .hand_off = args.hand_off, .scope_given = argc > 0
	};
	enum sv_code rc;

	if ((rc = scope_of(argc, argv, &e.scope, err)) != SV_OK)
		return rc;
	if (args.discard)
		return discard(cli, argc > 0 ? argv[0] : NULL, err);
	if (args.format != NULL && !sv_doc_format_parse(args.format, &e.style.format))
		return SV_ERR_USAGE;
	e.style.full = args.full;
	e.style.now_s = (int64_t)time(NULL);
	if (isatty(STDIN_FILENO) == 1)
		rc = sv_edit_loop(&e, &choice, err);
	else
		rc = from_stdin(&e, err);
	sv_edit_clear(&e);
	return rc;
}

const struct sv_cmd sv_cmd_edit = {
	.name = "edit",
	.fn = run,
	.check = check,
	.args_min = 0,
	.args_max = 1,
	.synopsis = "[-e ENV] [--full] [--format FORMAT] [--dry-run] [NAME|GROUP/]",
	.help = "change secrets as text in your editor; the text is on no disk",
	.opts = opts,
	.args = &args,
	.more = "The editor is $VISUAL, else $EDITOR.  The text lives in memory that only the editor sees; its swap "
		"files, "
		"backups and\n"
		"history are switched off, and it may write nowhere else.  Move a key to rename, drop it to delete.  "
		"All changes "
		"are one\n"
		"step for sv undo.  A text with an error is opened again; one that could not be saved is kept as a "
		"sealed draft.\n"
		"With standard input from a file or a pipe, that is the new text.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv import: secrets from a YAML, NAME=value or JSON file into the vault, in one transaction, and what to do with the
 * file then.
 */
#include "cli/edit/flow.h"
#include "cli/edit/original.h"
#include "cli/edit/summary.h"

#include "cli/auth.h"
#include "cli/change.h"
#include "cli/prompt.h"
#include "cli/ref.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *format, *into;
	bool full, overwrite, skip, dry_run, shred, keep;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "format", 'f', SV_OPT_TEXT, A(format), "FORMAT", "yaml, env or json; otherwise by the name of the file" },
	{ "full", 0, SV_OPT_FLAG, A(full), NULL,
	  "each secret is a mapping of value and metadata, as export --full writes it" },
	{ "into", 0, SV_OPT_TEXT, A(into), "GROUP/", "put everything below this group" },
	{ "overwrite", 0, SV_OPT_FLAG, A(overwrite), NULL, "what is there with another value gets a new version" },
	{ "skip", 0, SV_OPT_FLAG, A(skip), NULL, "what is there with another value stays as it is" },
	{ "dry-run", 'n', SV_OPT_FLAG, A(dry_run), NULL, "tell what would be done, and change nothing" },
	{ "shred", 0, SV_OPT_FLAG, A(shred), NULL, "overwrite and delete the file afterwards, without a question" },
	{ "keep", 0, SV_OPT_FLAG, A(keep), NULL, "leave the file where it is, without a question" },
	SV_OPT_END
};

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static enum sv_code choose_format(const char *path, enum sv_doc_format *out, struct sv_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (args.format != NULL)
		return sv_doc_format_parse(args.format, out)
			       ? SV_OK
			       : sv_err_set(err, SV_ERR_USAGE, "--format is yaml, env or json");
	if (ends_in(name, ".json"))
		*out = SV_DOC_JSON;
	else if (ends_in(name, ".env") || strncmp(name, ".env", 4) == 0)
		*out = SV_DOC_ENV;
	else if (ends_in(name, ".yaml") || ends_in(name, ".yml") || strcmp(path, "-") == 0)
		*out = SV_DOC_YAML;
	else
		return sv_err_set(err, SV_ERR_USAGE,
				  "the name of the file does not tell its format; say --format yaml, env or json");
	return SV_OK;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum sv_doc_format format;
	enum sv_code rc = choose_format(argv[0], &format, err);

	(void)cli;
	(void)argc;
	if (rc != SV_OK)
		return rc;
	if (args.overwrite && args.skip)
		return sv_err_set(err, SV_ERR_USAGE, "--overwrite or --skip, not both");
	if (args.shred && args.keep)
		return sv_err_set(err, SV_ERR_USAGE, "--shred or --keep, not both");
	if (args.full && format == SV_DOC_ENV)
		return sv_err_set(err, SV_ERR_USAGE, "--full has no place in --format env");
	if (args.into != NULL &&
	    (args.into[0] == '\0' || (rc = sv_group_check(args.into, strlen(args.into), err)) != SV_OK))
		return rc != SV_OK ? rc : sv_err_set(err, SV_ERR_USAGE, "--into names a group: GROUP/");
	return SV_OK;
}

static enum sv_code read_file(const char *path, struct sv_buf *out, struct sv_err *err)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	unsigned char *at;
	ssize_t n = 1;
	enum sv_code rc = SV_OK;

	if (fd < 0)
		return sv_err_sys(err, errno == ENOENT ? SV_ERR_NOT_FOUND : SV_ERR_IO, errno, "cannot read the file");
	if (fd != STDIN_FILENO && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = sv_err_set(err, SV_ERR_USAGE, "this is a directory");
	while (rc == SV_OK && n != 0 && out->len <= SV_DOC_BYTES_MAX) {
		if ((rc = sv_buf_extend(out, 65536, &at)) != SV_OK) {
			rc = sv_err_set(err, rc, "no memory for the file");
			break;
		}
		n = read(fd, at, 65536);
		out->len -= 65536 - (size_t)(n > 0 ? n : 0);
		if (n < 0 && errno != EINTR)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read the file");
	}
	if (fd != STDIN_FILENO)
		(void)close(fd);
	return rc;
}

/* export --full says so in its first line. */
static bool says_full(const struct sv_buf *text)
{
	static const char mark[] = "# sv: full document";

	return text->len >= sizeof(mark) - 1 && memcmp(text->data, mark, sizeof(mark) - 1) == 0;
}

/* Everything below --into. */
static enum sv_code move_below(struct sv_tree *doc, struct sv_place *at, struct sv_err *err)
{
	size_t n = args.into == NULL ? 0 : strlen(args.into);
	char name[2 * SV_NAME_MAX + 2];
	enum sv_code rc;

	for (size_t i = 0; n > 0 && i < doc->n; i++) {
		struct sv_item *it = &doc->items[i];
		const char *moved;

		memcpy(name, args.into, n);
		memcpy(name + n, it->name.p, it->name.n);
		*at = it->place;
		if ((rc = sv_name_check(name, n + it->name.n, err)) != SV_OK)
			return rc;
		moved = sv_tree_keep(doc, name, n + it->name.n);
		if (moved == NULL)
			return sv_err_set(err, SV_ERR_NOMEM, "no memory for the names");
		it->name = (struct sv_text){ moved, n + it->name.n };
	}
	return SV_OK;
}

/* ---- what to do -------------------------------------------------------------------------------------------------- */

struct plan {
	struct sv_diff diff; /* what is written */
	size_t same, skipped, conflicts;
};

static void tell_conflict(struct sv_cli *cli, const struct sv_item *it, size_t n)
{
	char name[4 * SV_NAME_MAX + 1];

	(void)sv_escape(it->name.p, it->name.n, name, sizeof(name));
	if (n == 0)
		sv_say(cli, "these are there with another value or other metadata:");
	sv_say(cli, "  %s (line %zu)", name, it->place.line);
}

/* A name is compared with what the environment has itself; what it inherits with the same value needs no copy. */
static enum sv_code make_plan(struct sv_cli *cli, const struct sv_tree *vault, const struct sv_tree *doc,
			      struct plan *p, struct sv_err *err)
{
	p->diff.v = calloc(doc->n + 1, sizeof(*p->diff.v));
	if (p->diff.v == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the comparison");
	for (size_t i = 0; i < doc->n; i++) {
		const struct sv_item *it = &doc->items[i], *was = sv_tree_find(vault, it->name);
		bool value, meta;
		struct sv_delta d = { 0, NULL, it };

		if (was == NULL) {
			d.what = SV_DELTA_ADDED;
			p->diff.added++;
			p->diff.v[p->diff.n++] = d;
			continue;
		}
		value = memcmp(was->mark, it->mark, SV_MARK_BYTES) != 0;
		meta = it->has_meta && memcmp(was->meta_mark, it->meta_mark, SV_MARK_BYTES) != 0;
		if (!value && !meta) {
			p->same++;
			continue;
		}
		if (was->inherited) {
			d.what = SV_DELTA_ADDED;
			p->diff.added++;
			p->diff.v[p->diff.n++] = d;
			continue;
		}
		if (args.skip) {
			p->skipped++;
			continue;
		}
		if (!args.overwrite)
			tell_conflict(cli, it, p->conflicts);
		p->conflicts++;
		d.from = was;
		d.what = (value ? SV_DELTA_VALUE : 0u) | (meta ? SV_DELTA_META : 0u);
		p->diff.changed += value;
		p->diff.meta += meta;
		p->diff.v[p->diff.n++] = d;
	}
	return SV_OK;
}

static void tell(struct sv_cli *cli, const struct plan *p)
{
	struct sv_out o = SV_OUT_INIT(args.dry_run ? STDOUT_FILENO : STDERR_FILENO);
	struct sv_err ignored;

	if (cli->opt.json) {
		if (args.dry_run)
			sv_summary_json(&cli->out, &p->diff, true);
		return;
	}
	if (cli->opt.quiet && !args.dry_run)
		return;
	sv_summary_text(&o, &p->diff, sv_say_color(cli, o.fd));
	if (p->same > 0)
		sv_out_fmt(&o, "%zu there already\n", p->same);
	if (p->skipped > 0)
		sv_out_fmt(&o, "%zu skipped: there with another value\n", p->skipped);
	if (sv_out_flush(&o, &ignored) != SV_OK)
		o.rc = SV_OK;
	sv_out_clear(&o);
}

/* ---- the file afterwards ----------------------------------------------------------------------------------------- */

static enum sv_code see_to_original(struct sv_cli *cli, const char *path, struct sv_err *err)
{
	enum sv_git_knows git;
	char question[SV_PATH_BYTES], shown[2048];
	bool yes = args.shred;
	enum sv_code rc = SV_OK;

	if (strcmp(path, "-") == 0 || args.dry_run)
		return SV_OK;
	(void)sv_escape(path, strlen(path), shown, sizeof(shown));
	git = sv_original_in_git(path);
	if (git == SV_GIT_TRACKS)
		sv_say_warning(
			cli, "git tracks %s: the values are in its history, and wherever it was pushed; make new ones",
			shown);
	else if (git == SV_GIT_TRACKED)
		sv_say_warning(
			cli,
			"git tracked %s once: the values are in its history, and wherever it was pushed; make new ones",
			shown);
	if (!args.shred && !args.keep && sv_auth_can_ask(cli)) {
		(void)snprintf(question, sizeof(question),
			       "The values are still in %.2000s in the clear.  Overwrite and delete it? [y/N] ", shown);
		rc = sv_prompt_yes(question, &yes, err);
	} else if (!args.shred && !args.keep) {
		sv_say_warning(cli, "the values are still in %s in the clear; --shred overwrites and deletes it",
			       shown);
	}
	if (rc != SV_OK || !yes)
		return rc;
	rc = sv_original_shred(path, err);
	if (rc == SV_OK)
		sv_say(cli,
		       "%s is overwritten and deleted; snapshots, backups and the spare blocks of an SSD are out of "
		       "reach",
		       shown);
	return rc;
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

static enum sv_code load(struct sv_edit *e, const char *path, struct sv_tree *doc, struct sv_err *err)
{
	struct sv_buf text = SV_BUF_LOCKED(2 * SV_DOC_BYTES_MAX);
	struct sv_doc_place where = { 0 };
	enum sv_code rc = choose_format(path, &e->style.format, err);

	if (rc == SV_OK)
		rc = read_file(path, &text, err);
	if (rc != SV_OK)
		goto out;
	e->style.full = args.full || (e->style.format != SV_DOC_ENV && says_full(&text));
	e->style.flatten = e->style.skip_empty = true;
	e->style.now_s = (int64_t)time(NULL);
	rc = sv_doc_read(&e->style, text.data, text.len, doc, &where, err);
	if (rc == SV_OK)
		rc = move_below(doc, &where.at, err);
	if (rc != SV_OK)
		sv_doc_err_place(err, strcmp(path, "-") == 0 ? "standard input" : "the file", where.at);
	else if (where.skipped > 0)
		sv_say(e->cli, "%zu %s passed over, the first on line %zu", where.skipped,
		       where.skipped == 1 ? "key without a value was" : "keys without a value were",
		       where.first_skipped.line);
out:
	sv_buf_clear(&text);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_edit e = {
		.cli = cli, .scope = { args.into != NULL ? args.into : "", args.into != NULL ? strlen(args.into) : 0 }
	};
	struct sv_tree doc = SV_TREE_INIT;
	struct plan p = { SV_DIFF_INIT, 0, 0, 0 };
	struct sv_msg_commit done = { 0 };
	struct sv_place at = { 0, 0 };
	enum sv_code rc;

	(void)argc;
	if ((rc = load(&e, argv[0], &doc, err)) != SV_OK || (rc = sv_edit_load(&e, err)) != SV_OK)
		goto out;
	sv_tree_sort(&doc);
	sv_tree_mark(&doc, e.mark_key);
	if ((rc = sv_edit_check_masks(&e.base, &doc, &at, err)) != SV_OK) {
		sv_doc_err_place(err, "the file", at);
		goto out;
	}
	if ((rc = make_plan(cli, &e.base, &doc, &p, err)) != SV_OK)
		goto out;
	if (p.conflicts > 0 && !args.overwrite) {
		if (!args.dry_run) {
			sv_hint(cli, "--overwrite gives them new versions, --skip leaves them as they are");
			rc = sv_err_set(err, SV_ERR_CONFLICT,
					"%zu of %zu secrets are there already with another value; nothing was changed",
					p.conflicts, doc.n);
			goto out;
		}
	}
	tell(cli, &p);
	if (args.dry_run)
		goto out;
	if (p.diff.n > 0 && (rc = sv_remote_write(cli, &p.diff, SV_VERB_IMPORT, &done, err)) != SV_OK)
		goto out;
	if (cli->opt.json)
		sv_change_json(cli, &done);
	else if (done.txn != 0)
		sv_say(cli, "imported; sv undo takes all of it back");
	rc = see_to_original(cli, argv[0], err);
out:
	sv_diff_clear(&p.diff);
	sv_tree_clear(&doc);
	sv_edit_clear(&e);
	return rc;
}

const struct sv_cmd sv_cmd_import = {
	.name = "import",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 1,
	.synopsis = "[-e ENV] [--format FORMAT] [--into GROUP/] [--overwrite|--skip] [--dry-run] FILE|-",
	.help = "take secrets over from a YAML, NAME=value or JSON file",
	.opts = opts,
	.args = &args,
	.more = "Nested mappings become groups, lists become NAME/0, NAME/1 ...; every scalar is its text.  Anchors "
		"and tags are "
		"refused.\n"
		"Names that are there with another value are listed and nothing is written, unless --overwrite or "
		"--skip is given.\n"
		"Afterwards it tells whether git knows the file, and offers to overwrite and delete it.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv export: the document that edit would show, to standard output or a new file.
 */
#include "cli/edit/flow.h"

#include "cli/ref.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	const char *format, *output;
	bool full, reveal;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "format", 'f', SV_OPT_TEXT, A(format), "FORMAT", "yaml (the default), env or json" },
	{ "full", 0, SV_OPT_FLAG, A(full), NULL, "with metadata: each secret is a mapping of value, var, desc, ..." },
	{ "output", 'o', SV_OPT_TEXT, A(output), "FILE",
	  "a new file, for your eyes only (0600), instead of standard output" },
	{ "reveal", 0, SV_OPT_FLAG, A(reveal), NULL, "even to a terminal" },
	SV_OPT_END
};

static enum sv_code scope_of(int argc, char **argv, struct sv_text *scope, struct sv_err *err)
{
	*scope = (struct sv_text){ "", 0 };
	return argc == 0 || argv[0][0] == '\0' ? SV_OK : sv_ref_name(argv[0], true, scope, err);
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum sv_doc_format format = SV_DOC_YAML;
	struct sv_text scope;

	if (args.format != NULL && !sv_doc_format_parse(args.format, &format))
		return sv_err_set(err, SV_ERR_USAGE, "--format is yaml, env or json");
	if (args.full && format == SV_DOC_ENV)
		return sv_err_set(err, SV_ERR_USAGE, "--full has no place in --format env; take yaml or json");
	if (args.output == NULL && !args.reveal && isatty(STDOUT_FILENO) == 1) {
		sv_hint(cli, "sv show prints the same with the values masked; --reveal or -o FILE if you mean it");
		return sv_err_set(err, SV_ERR_DENIED, "this would show values on the terminal");
	}
	return scope_of(argc, argv, &scope, err);
}

static enum sv_code to_file(struct sv_cli *cli, const struct sv_buf *text, struct sv_err *err)
{
	int fd = open(args.output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum sv_code rc;

	if (fd < 0 && errno == EEXIST)
		return sv_err_set(err, SV_ERR_EXISTS, "the file is there already");
	if (fd < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make the file");
	rc = sv_write_all(fd, text->data, text->len, err);
	if (rc == SV_OK && fsync(fd) != 0 && errno != EINVAL)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot write the file");
	if (close(fd) != 0 && rc == SV_OK)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot write the file");
	if (rc != SV_OK)
		(void)unlink(args.output);
	else
		sv_say_warning(cli, "the values are in the clear in that file");
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	static const char full_header[] = "# sv: full document (each secret is a mapping of value and metadata)\n";
	struct sv_doc_style style = { .full = args.full, .header = args.full ? full_header : NULL };
	struct sv_tree tree = SV_TREE_INIT;
	struct sv_buf text = SV_BUF_LOCKED(0);
	struct sv_text scope;
	enum sv_code rc = scope_of(argc, argv, &scope, err);

	if (rc == SV_OK && args.format != NULL && !sv_doc_format_parse(args.format, &style.format))
		rc = SV_ERR_USAGE;
	if (rc == SV_OK)
		rc = sv_remote_read(cli, scope, &tree, err);
	if (rc == SV_OK && tree.n == 0 && scope.n > 0)
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "there is no %s %.*s in the environment %.*s",
				sv_scope_is_name(scope) ? "secret" : "group", (int)scope.n, scope.p, (int)cli->env.n,
				cli->env.p);
	if (rc == SV_OK)
		rc = sv_doc_write(&style, &tree, &text, err);
	if (rc == SV_OK && args.output != NULL)
		rc = to_file(cli, &text, err);
	else if (rc == SV_OK && text.len > 0)
		sv_out_bytes(&cli->out, text.data, text.len);
	sv_buf_clear(&text);
	sv_tree_clear(&tree);
	return rc;
}

const struct sv_cmd sv_cmd_export = {
	.name = "export",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 1,
	.synopsis = "[-e ENV] [--format FORMAT] [--full] [-o FILE] [NAME|GROUP/]",
	.help = "write secrets as YAML, NAME=value lines or JSON, in the clear",
	.opts = opts,
	.args = &args,
	.more = "Importing it again gives the same secrets; with --full their metadata too.  Values inherited from "
		"default are "
		"comments.\n",
};

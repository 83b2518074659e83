/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv add and sv set: store a value read from the terminal, standard input or a descriptor, or made up here; with
 * metadata.
 */
#include "cli/change.h"
#include "cli/generate.h"
#include "cli/ref.h"
#include "cli/say.h"
#include "cli/settings.h"
#include "cli/units.h"
#include "cli/value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *tags[SV_META_LIST_MAX];
static const char *scopes[SV_META_LIST_MAX];

static struct {
	const char *var, *desc, *owner, *url, *type, *expires, *rotate;
	struct sv_opt_list tags, scopes;
	struct sv_opt_maybe generate;
	int fd;
	uint64_t if_version;
	bool raw, keep_value, allow_empty;
} args = { .tags = { tags, 0, SV_META_LIST_MAX }, .scopes = { scopes, 0, SV_META_LIST_MAX }, .fd = -1 };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "var", 0, SV_OPT_TEXT, A(var), "VAR",
	  "the variable name, when it is not made from the last part of the name" },
	{ "desc", 0, SV_OPT_TEXT, A(desc), "TEXT", "what it is for" },
	{ "owner", 0, SV_OPT_TEXT, A(owner), "TEXT", "who looks after it" },
	{ "url", 0, SV_OPT_TEXT, A(url), "URL", "where a new one is made" },
	{ "type", 0, SV_OPT_TEXT, A(type), "WORD", "what kind of secret it is" },
	{ "expires", 0, SV_OPT_TEXT, A(expires), "WHEN", "when it stops working: 90d, 2w, or YYYY-MM-DD; never" },
	{ "rotate", 0, SV_OPT_TEXT, A(rotate), "TIME", "how often it should be renewed: 90d; never" },
	{ "tag", 0, SV_OPT_LIST, A(tags), "TAG", "a tag; again for more" },
	{ "scope", 0, SV_OPT_LIST, A(scopes), "SCOPE", "what it may do; again for more" },
	{ "generate", 0, SV_OPT_MAYBE, A(generate), "SPEC",
	  "a random value: 40, 40:lower,digit,symbol, alnum:24, digits:6, hex:32, base64:32, words:6 (default 32)" },
	{ "fd", 0, SV_OPT_FD, A(fd), "N", "read the value from descriptor N" },
	{ "raw", 0, SV_OPT_FLAG, A(raw), NULL, "keep the line feed at the end of the input" },
	{ "allow-empty", 0, SV_OPT_FLAG, A(allow_empty), NULL, "store an empty value" },
	{ "keep-value", 0, SV_OPT_FLAG, A(keep_value), NULL, "set only: change metadata; an empty TEXT removes it" },
	{ "if-version", 0, SV_OPT_NUMBER, A(if_version), "N", "set only: when the current version is N" },
	SV_OPT_END
};

static enum sv_code refuse_value(struct sv_cli *cli, const char *name, size_t len, struct sv_err *err)
{
	char shown[64];

	if (len > 40 || sv_name_check(name, len, NULL) != SV_OK)
		(void)snprintf(shown, sizeof(shown), "NAME");
	else
		(void)snprintf(shown, sizeof(shown), "%.*s", (int)len, name);
	sv_hint(cli, "sv %s %s asks for it; or pipe it in; change the value if it is in your shell's history now",
		cli->cmd->name, shown);
	return sv_err_set(err, SV_ERR_USAGE,
			  "a value does not go on the command line: every user of this machine can read it there");
}

/* An empty text is how a list is emptied. */
static bool texts_of(const struct sv_opt_list *list, struct sv_text *to, size_t *n)
{
	for (size_t i = 0; i < list->n; i++) {
		struct sv_text t = sv_text_of(list->v[i]);

		if (t.n > SV_META_TEXT_MAX || !sv_utf8_valid(t.p, t.n))
			return false;
		if (t.n > 0)
			to[(*n)++] = t;
	}
	return true;
}

/* Times and texts of the options into *meta. */
static enum sv_code metadata(struct sv_meta *meta, uint32_t *fields, struct sv_err *err)
{
	const struct {
		const char *text;
		struct sv_text *to;
		uint32_t field;
		const char *name;
	} texts[] = {
		{ args.var, &meta->var, SV_MF_VAR, "--var" },         { args.desc, &meta->desc, SV_MF_DESC, "--desc" },
		{ args.owner, &meta->owner, SV_MF_OWNER, "--owner" }, { args.url, &meta->url, SV_MF_URL, "--url" },
		{ args.type, &meta->type, SV_MF_TYPE, "--type" },
	};
	enum sv_code rc = SV_OK;

	memset(meta, 0, sizeof(*meta));
	*fields = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].text == NULL)
			continue;
		*texts[i].to = sv_text_of(texts[i].text);
		*fields |= texts[i].field;
		if (texts[i].to->n > SV_META_TEXT_MAX || !sv_utf8_valid(texts[i].to->p, texts[i].to->n))
			return sv_err_set(err, SV_ERR_USAGE, "%s wants UTF-8 text of at most %d bytes", texts[i].name,
					  SV_META_TEXT_MAX);
	}
	if (args.var != NULL && *args.var != '\0' && (rc = sv_var_check(args.var, meta->var.n, err)) != SV_OK) {
		sv_err_prefix(err, "--var");
		return rc;
	}
	if (args.expires != NULL) {
		*fields |= SV_MF_EXPIRES;
		if (*args.expires != '\0' && strcmp(args.expires, "never") != 0 &&
		    (rc = sv_when_parse(args.expires, (int64_t)time(NULL), &meta->expires_s, err)) != SV_OK)
			return rc;
	}
	if (args.rotate != NULL) {
		*fields |= SV_MF_ROTATE;
		if (*args.rotate != '\0' && strcmp(args.rotate, "never") != 0 &&
		    (rc = sv_duration_parse(args.rotate, &meta->rotate_s, err)) != SV_OK)
			return rc;
	}
	if (!texts_of(&args.tags, meta->tags, &meta->n_tags) || !texts_of(&args.scopes, meta->scopes, &meta->n_scopes))
		return sv_err_set(err, SV_ERR_USAGE, "--tag and --scope want UTF-8 text of at most %d bytes",
				  SV_META_TEXT_MAX);
	*fields |= (args.tags.n > 0 ? SV_MF_TAGS : 0) | (args.scopes.n > 0 ? SV_MF_SCOPES : 0);
	return SV_OK;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const char *eq = strchr(argv[0], '=');
	struct sv_meta meta;
	struct sv_text name;
	uint32_t fields;
	enum sv_code rc;

	if (argc > 1 || eq != NULL)
		return refuse_value(cli, argv[0], eq != NULL ? (size_t)(eq - argv[0]) : strlen(argv[0]), err);
	if ((rc = sv_ref_name(argv[0], false, &name, err)) != SV_OK || (rc = metadata(&meta, &fields, err)) != SV_OK)
		return rc;
	if ((args.keep_value || args.if_version != 0) && cli->cmd == &sv_cmd_add)
		return sv_err_set(err, SV_ERR_USAGE, "--keep-value and --if-version belong to sv set");
	if (args.generate.set + args.keep_value + (args.fd >= 0) > 1)
		return sv_err_set(err, SV_ERR_USAGE, "--generate, --fd and --keep-value exclude each other");
	if (args.generate.text != NULL)
		return sv_generate_check(args.generate.text, err);
	return SV_OK;
}

static enum sv_code make_value(struct sv_cli *cli, struct sv_text name, struct sv_secret **value, struct sv_err *err)
{
	struct sv_settings settings;
	const char *spec = args.generate.text;
	enum sv_code rc;

	if (args.generate.set) {
		if (spec == NULL) {
			if ((rc = sv_settings_load(&settings, err)) != SV_OK)
				return rc;
			spec = settings.generate[0] != '\0' ? settings.generate : SV_GENERATE_DEFAULT;
		}
		return sv_generate(spec, value, err);
	}
	if ((rc = sv_value_read(cli, name, args.fd, args.raw, value, err)) != SV_OK)
		return rc;
	if (sv_secret_len(*value) > 0 || args.allow_empty)
		return SV_OK;
	sv_hint(cli, "--allow-empty stores it all the same");
	return sv_err_set(err, SV_ERR_USAGE, "the value is empty; nothing was stored");
}

static enum sv_code run(struct sv_cli *cli, char **argv, bool add, struct sv_err *err)
{
	struct sv_msg_op op = { .op = SV_OP_PUT, .env = cli->env, .version = args.if_version };
	struct sv_secret *value = NULL;
	struct sv_msg_commit m;
	enum sv_code rc;

	if ((rc = sv_ref_name(argv[0], false, &op.name, err)) != SV_OK ||
	    (rc = metadata(&op.meta, &op.meta_fields, err)) != SV_OK)
		return rc;
	op.mode = add ? SV_PUT_ADD : args.keep_value ? SV_PUT_UPDATE : SV_PUT_SET;
	if (!args.keep_value) {
		if ((rc = make_value(cli, op.name, &value, err)) != SV_OK)
			goto out;
		op.has_value = true;
		op.value = sv_secret_cpeek(value);
		op.value_len = sv_secret_len(value);
	}
	rc = sv_change_one(cli, add ? SV_VERB_ADD : args.keep_value ? SV_VERB_META : SV_VERB_SET, &op, &m, err);
	if (rc == SV_ERR_EXISTS && add)
		sv_hint(cli, "nothing was changed; sv set %s makes a new version", argv[0]);
	if (rc == SV_OK && m.unchanged > 0)
		sv_say(cli, "%s is as it was already", argv[0]);
out:
	sv_secret_free(&value);
	return rc;
}

static enum sv_code run_add(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	(void)argc;
	return run(cli, argv, true, err);
}

static enum sv_code run_set(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	(void)argc;
	return run(cli, argv, false, err);
}

#define INPUT                                                                                                          \
	"The value is asked on the terminal, hidden; or comes from standard input, or --fd N; never from the command " \
	"line.  One\n"                                                                                                 \
	"line feed at its end is dropped unless --raw.  At most 1 MiB.\n"

const struct sv_cmd sv_cmd_add = {
	.name = "add",
	.fn = run_add,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = -1,
	.synopsis = "[-e ENV] [--generate[=SPEC]] [--var VAR] [--expires WHEN] [OPTION]... NAME",
	.help = "store a new secret",
	.opts = opts,
	.args = &args,
	.more = INPUT "An existing name is refused; sv set adds a version.\n",
};

const struct sv_cmd sv_cmd_set = {
	.name = "set",
	.fn = run_set,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = -1,
	.synopsis = "[-e ENV] [--generate[=SPEC]] [--keep-value] [OPTION]... NAME",
	.help = "store a secret, as a new version when it exists",
	.opts = opts,
	.args = &args,
	.more = INPUT "Metadata that no option names stays as it was; an empty text removes it.\n",
};

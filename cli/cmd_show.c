/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv show: what is known about secrets, with their values masked unless they are asked for.
 */
#include "cli/info.h"
#include "cli/ref.h"
#include "cli/say.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	uint64_t version;
	bool reveal, force;
} args;

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "version", 0, SV_OPT_NUMBER, A(version), "N", "version N instead of the current one; NAME@N is the same" },
	{ "reveal", 0, SV_OPT_FLAG, A(reveal), NULL, "show values, on a terminal" },
	{ "force", 'f', SV_OPT_FLAG, A(force), NULL, "with --reveal: into a pipe or file too" },
	SV_OPT_END
};

static bool is_group(int argc, char **argv)
{
	return argc == 0 || argv[0][0] == '\0' || sv_ref_is_group(argv[0]);
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_ref ref;

	if (args.reveal && !args.force && isatty(STDOUT_FILENO) != 1) {
		sv_hint(cli, "--force does it all the same; sv get NAME prints one value");
		return sv_err_set(err, SV_ERR_DENIED, "--reveal shows values on a terminal only");
	}
	if (is_group(argc, argv))
		return argc > 0 ? sv_group_check(argv[0], strlen(argv[0]), err) : SV_OK;
	return sv_ref_parse(argv[0], cli->env, &ref, err);
}

/* The value into locked memory of its own: the client's buffer is used again. */
static enum sv_code fetch(struct sv_cli *cli, const struct sv_msg_ref *ref, struct sv_buf *value, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	sv_buf_reset(value);
	if ((rc = sv_client_begin(&cli->client, SV_MSG_GET, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, ref)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	rc = sv_buf_put(value, sv_buf_head(body), sv_buf_unread(body));
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the value");
}

static void value_text(struct sv_out *o, const struct sv_buf *value, size_t indent)
{
	const char *p = (const char *)value->data;
	size_t start = 0;

	if (memchr(value->len > 0 ? p : "", '\n', value->len) == NULL) {
		sv_out_escaped(o, (struct sv_text){ p, value->len });
		sv_out_str(o, "\n");
		return;
	}
	sv_out_str(o, "|\n");
	for (size_t i = 0; i <= value->len; i++)
		if (i == value->len || p[i] == '\n') {
			if (i < value->len || start < i) {
				sv_out_spaces(o, indent + 2);
				sv_out_escaped(o, (struct sv_text){ p + start, i - start });
				sv_out_str(o, "\n");
			}
			start = i + 1;
		}
}

/* ---- one secret ---------------------------------------------------------------------------------------------------
 */

struct versions {
	struct sv_cli *cli;
	struct sv_json *json;
	unsigned n;
};

static enum sv_code version_line(void *ctx, const struct sv_msg_info *i, struct sv_err *err)
{
	struct versions *v = ctx;

	(void)err;
	if (v->json != NULL) {
		sv_json_open(v->json, NULL, '{');
		sv_json_number(v->json, "version", (int64_t)i->version);
		sv_json_str(v->json, "action", sv_info_verb(i->verb));
		sv_json_time(v->json, "changed", i->changed_s);
		sv_json_close(v->json, '}');
		return SV_OK;
	}
	sv_out_str(&v->cli->out, v->n++ == 0 ? "  versions:    " : "               ");
	sv_info_line(&v->cli->out, i);
	return SV_OK;
}

static enum sv_code history(struct sv_cli *cli, const struct sv_msg_ref *ref, struct sv_json *json, struct sv_err *err)
{
	struct versions v = { cli, json, 0 };
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_HISTORY, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, ref)) != SV_OK)
		return rc;
	return sv_info_each(cli, version_line, &v, err);
}

static enum sv_code show_one(struct sv_cli *cli, const struct sv_msg_ref *ref, struct sv_err *err)
{
	struct sv_buf value = SV_BUF_LOCKED(SV_FRAME_BODY_MAX);
	struct sv_json j = { &cli->out, false };
	struct sv_msg_ref whole = *ref;
	struct sv_msg_info info;
	enum sv_code rc = SV_OK;

	if (args.reveal && (rc = fetch(cli, ref, &value, err)) != SV_OK)
		goto out;
	if ((rc = sv_info_ask(cli, ref, &info, err)) != SV_OK)
		goto out;
	whole.version = 0;
	if (cli->opt.json) {
		sv_json_open(&j, NULL, '{');
		sv_info_json(&j, &info);
		if (args.reveal)
			sv_json_value(&j, "value", value.len > 0 ? (const void *)value.data : "", value.len);
		sv_json_open(&j, "versions", '[');
		rc = history(cli, &whole, &j, err);
		sv_json_close(&j, ']');
		sv_json_close(&j, '}');
		sv_json_end(&j);
		goto out;
	}
	sv_out_escaped(&cli->out, info.name);
	sv_out_fmt(&cli->out, "\n  %-13s", "value:");
	if (args.reveal)
		value_text(&cli->out, &value, 13);
	else
		sv_out_str(&cli->out, SV_MASK "\n");
	sv_out_fmt(&cli->out, "  %-13s%llu\n", "version:", (unsigned long long)info.version);
	sv_info_text(&cli->out, &info, (int64_t)time(NULL));
	rc = history(cli, &whole, NULL, err);
out:
	sv_buf_clear(&value);
	return rc;
}

/* ---- a group, or everything ----------------------------------------------------------------------------------------
 */

struct nested {
	struct sv_cli *cli;
	struct sv_buf names; /* with --reveal: u16 length, name; values are fetched afterwards */
	struct sv_json json;
	char last[SV_NAME_MAX];
	size_t last_len, n;
};

/* The key line of a secret, groups in front of it opened; returns the indentation. */
static size_t key_line(struct nested *t, struct sv_text name)
{
	struct sv_out *o = &t->cli->out;
	size_t depth = 0;
	size_t start = 0;
	bool same = true;

	for (size_t i = 0; i < name.n; i++) {
		if (same && (i >= t->last_len || t->last[i] != name.p[i]))
			same = false;
		if (name.p[i] != '/')
			continue;
		if (!same) {
			sv_out_spaces(o, 2 * depth);
			sv_out_escaped(o, (struct sv_text){ name.p + start, i - start });
			sv_out_str(o, ":\n");
		}
		start = i + 1;
		depth++;
	}
	sv_out_spaces(o, 2 * depth);
	sv_out_escaped(o, (struct sv_text){ name.p + start, name.n - start });
	sv_out_str(o, ": ");
	t->last_len = name.n <= sizeof(t->last) ? name.n : 0;
	memcpy(t->last, name.p, t->last_len);
	return 2 * depth;
}

static enum sv_code group_line(void *ctx, const struct sv_msg_info *i, struct sv_err *err)
{
	struct nested *t = ctx;

	t->n++;
	if (args.reveal) {
		if (sv_buf_put_str16(&t->names, i->name.p, i->name.n) != SV_OK)
			return sv_err_set(err, SV_ERR_NOMEM, "no memory for the names");
	} else if (t->cli->opt.json) {
		sv_json_open(&t->json, NULL, '{');
		sv_info_json(&t->json, i);
		sv_json_close(&t->json, '}');
	} else {
		(void)key_line(t, i->name);
		sv_out_str(&t->cli->out, SV_MASK "\n");
	}
	return SV_OK;
}

static enum sv_code reveal(struct nested *t, struct sv_err *err)
{
	struct sv_buf value = SV_BUF_LOCKED(SV_FRAME_BODY_MAX);
	struct sv_msg_ref ref = { .env = t->cli->env };
	struct sv_msg_info info;
	enum sv_code rc = SV_OK;

	while (rc == SV_OK && sv_buf_unread(&t->names) > 0) {
		if ((rc = sv_buf_peek_str16(&t->names, &ref.name.p, &ref.name.n, SV_NAME_MAX)) != SV_OK ||
		    (rc = fetch(t->cli, &ref, &value, err)) != SV_OK)
			break;
		if (t->cli->opt.json) {
			if ((rc = sv_info_ask(t->cli, &ref, &info, err)) != SV_OK)
				break;
			sv_json_open(&t->json, NULL, '{');
			sv_info_json(&t->json, &info);
			sv_json_value(&t->json, "value", value.len > 0 ? (const void *)value.data : "", value.len);
			sv_json_close(&t->json, '}');
		} else {
			value_text(&t->cli->out, &value, key_line(t, ref.name));
		}
	}
	sv_buf_clear(&value);
	return rc;
}

static enum sv_code show_group(struct sv_cli *cli, const char *group, struct sv_err *err)
{
	struct nested t = { .cli = cli, .names = SV_BUF_INIT, .json = { &cli->out, false } };
	const struct sv_msg_list ask = { .env = cli->env, .group = sv_text_of(group), .with_meta = true };
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_INFOS, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_list(&cli->client.out, &ask)) != SV_OK)
		return rc;
	if (cli->opt.json)
		sv_json_open(&t.json, NULL, '[');
	rc = sv_info_each(cli, group_line, &t, err);
	if (rc == SV_OK && t.n == 0 && group[0] != '\0')
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "there is no group %s in the environment %.*s", group,
				(int)cli->env.n, cli->env.p);
	if (rc == SV_OK && args.reveal)
		rc = reveal(&t, err);
	if (cli->opt.json) {
		sv_json_close(&t.json, ']');
		sv_json_end(&t.json);
	}
	sv_buf_clear(&t.names);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_ref ref;
	enum sv_code rc;

	if (is_group(argc, argv)) {
		rc = show_group(cli, argc > 0 ? argv[0] : "", err);
	} else if ((rc = sv_ref_parse(argv[0], cli->env, &ref, err)) == SV_OK) {
		if (args.version != 0)
			ref.version = args.version;
		rc = show_one(cli, &ref, err);
	}
	if (rc != SV_OK)
		sv_out_clear(&cli->out);
	return rc;
}

const struct sv_cmd sv_cmd_show = {
	.name = "show",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 0,
	.args_max = 1,
	.synopsis = "[-e ENV] [--version N] [--reveal] [NAME[@N]|GROUP/]",
	.help = "show metadata and versions, values masked",
	.opts = opts,
	.args = &args,
	.more = "Without a name, or with a group, all secrets as nested text.  The mask is the same for every value.\n",
};

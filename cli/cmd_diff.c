/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv diff: what changed between two versions of a secret: metadata in words, the value only as changed or not.
 */
#include "cli/info.h"
#include "cli/ref.h"
#include "cli/say.h"
#include "cli/settings.h"
#include "cli/units.h"

#include <string.h>
#include <unistd.h>

static struct {
	bool reveal;
} args;

static const struct sv_opt opts[] = { { "reveal", 0, SV_OPT_FLAG, offsetof(__typeof__(args), reveal), NULL,
					"show both values, on a terminal only" },
				      SV_OPT_END };

#define VERSION_MAX UINT64_C(1000000000000000)

struct side {
	struct sv_buf bytes; /* the answer that info points into */
	struct sv_msg_info info;
	struct sv_buf value;
};

static bool number(const char *text, uint64_t *n)
{
	return sv_number_parse(text, VERSION_MAX, n) && *n > 0;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_ref ref;
	uint64_t n;

	if (args.reveal && isatty(STDOUT_FILENO) != 1)
		return sv_err_set(err, SV_ERR_DENIED, "--reveal shows values on a terminal only");
	for (int i = 1; i < argc; i++)
		if (!number(argv[i], &n))
			return sv_err_set(err, SV_ERR_USAGE, "versions are numbers: sv diff NAME [N [M]]");
	return sv_ref_parse(argv[0], cli->env, &ref, err);
}

/* One answer, copied, because the next one takes its place. */
static enum sv_code ask(struct sv_cli *cli, uint16_t type, const struct sv_msg_ref *ref, struct sv_buf *out,
			struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, type, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, ref)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	sv_buf_reset(out);
	rc = sv_buf_put(out, sv_buf_head(body), sv_buf_unread(body));
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the answer");
}

static enum sv_code load(struct sv_cli *cli, const struct sv_msg_ref *ref, struct side *s, struct sv_err *err)
{
	enum sv_code rc = ask(cli, SV_MSG_INFO, ref, &s->bytes, err);

	if (rc == SV_OK && sv_msg_get_info(&s->bytes, &s->info) != SV_OK)
		rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	if (rc == SV_OK && args.reveal && !s->info.gone)
		rc = ask(cli, SV_MSG_GET, ref, &s->value, err);
	return rc;
}

static enum sv_code compare(struct sv_cli *cli, const struct sv_msg_ref *a, const struct sv_msg_ref *b, bool *same,
			    struct sv_err *err)
{
	struct sv_buf *body;
	uint8_t value = 0;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_COMPARE, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, a)) != SV_OK ||
	    (rc = sv_msg_put_ref(&cli->client.out, b)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if (sv_buf_get_u8(body, &value) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	*same = value == 1;
	return SV_OK;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */

struct teller {
	struct sv_cli *cli;
	struct sv_json json;
	bool color;
	unsigned changes;
};

static bool equal(struct sv_text a, struct sv_text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void side_line(struct teller *t, char sign, const char *label, struct sv_text text)
{
	struct sv_out *o = &t->cli->out;

	if (text.n == 0)
		return;
	if (t->color)
		sv_out_str(o, sign == '-' ? "\033[31m" : "\033[32m");
	sv_out_fmt(o, "%c %-13s", sign, label);
	sv_out_escaped(o, text);
	sv_out_str(o, t->color ? "\033[0m\n" : "\n");
}

static void field(struct teller *t, const char *label, const char *key, struct sv_text a, struct sv_text b)
{
	if (equal(a, b))
		return;
	t->changes++;
	if (t->cli->opt.json) {
		sv_json_open(&t->json, key, '{');
		sv_json_text(&t->json, "old", a);
		sv_json_text(&t->json, "new", b);
		sv_json_close(&t->json, '}');
		return;
	}
	side_line(t, '-', label, a);
	side_line(t, '+', label, b);
}

static struct sv_text date(int64_t when_s, char text[SV_DATE_BYTES])
{
	if (when_s == 0)
		return (struct sv_text){ "", 0 };
	sv_date_format(when_s, true, text);
	return sv_text_of(text);
}

static struct sv_text period(int64_t seconds, char text[SV_DURATION_BYTES])
{
	if (seconds == 0)
		return (struct sv_text){ "", 0 };
	sv_duration_format(seconds, text);
	return sv_text_of(text);
}

/* A list as one text for comparison and display. */
static struct sv_text joined(const struct sv_text *list, size_t n, struct sv_buf *b)
{
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && sv_buf_put(b, ", ", 2) != SV_OK) || sv_buf_put(b, list[i].p, list[i].n) != SV_OK)
			break;
	return (struct sv_text){ b->data != NULL ? (const char *)b->data : "", b->len };
}

static void lists(struct teller *t, const char *label, const char *key, const struct sv_text *a, size_t na,
		  const struct sv_text *b, size_t nb)
{
	struct sv_buf x = SV_BUF_INIT;
	struct sv_buf y = SV_BUF_INIT;

	field(t, label, key, joined(a, na, &x), joined(b, nb, &y));
	sv_buf_clear(&x);
	sv_buf_clear(&y);
}

static void metadata(struct teller *t, const struct sv_msg_info *a, const struct sv_msg_info *b)
{
	char d1[SV_DATE_BYTES], d2[SV_DATE_BYTES], p1[SV_DURATION_BYTES], p2[SV_DURATION_BYTES];

	field(t, "name:", "name", a->name, b->name);
	field(t, "environment:", "environment", a->env, b->env);
	field(t, "variable:", "variable", a->meta.var, b->meta.var);
	field(t, "description:", "description", a->meta.desc, b->meta.desc);
	field(t, "owner:", "owner", a->meta.owner, b->meta.owner);
	field(t, "url:", "url", a->meta.url, b->meta.url);
	field(t, "type:", "type", a->meta.type, b->meta.type);
	lists(t, "tags:", "tags", a->meta.tags, a->meta.n_tags, b->meta.tags, b->meta.n_tags);
	lists(t, "scopes:", "scopes", a->meta.scopes, a->meta.n_scopes, b->meta.scopes, b->meta.n_scopes);
	field(t, "expires:", "expires", date(a->meta.expires_s, d1), date(b->meta.expires_s, d2));
	field(t, "rotate:", "rotate", period(a->meta.rotate_s, p1), period(b->meta.rotate_s, p2));
}

static struct sv_text text_of(const struct sv_buf *b)
{
	return (struct sv_text){ b->data != NULL ? (const char *)b->data : "", b->len };
}

static void tell_json(struct teller *t, const struct side *a, const struct side *b, bool same)
{
	sv_json_open(&t->json, NULL, '{');
	sv_json_text(&t->json, "name", b->info.name);
	sv_json_number(&t->json, "old_version", (int64_t)a->info.version);
	sv_json_number(&t->json, "new_version", (int64_t)b->info.version);
	sv_json_bool(&t->json, "value_changed", !same);
	if (args.reveal) {
		sv_json_value(&t->json, "old_value", text_of(&a->value).p, a->value.len);
		sv_json_value(&t->json, "new_value", text_of(&b->value).p, b->value.len);
	}
	sv_json_open(&t->json, "metadata", '{');
	metadata(t, &a->info, &b->info);
	sv_json_close(&t->json, '}');
	sv_json_close(&t->json, '}');
	sv_json_end(&t->json);
}

static void tell(struct sv_cli *cli, const struct side *a, const struct side *b, bool same)
{
	struct teller t = { .cli = cli, .json = { &cli->out, false }, .color = sv_say_color(cli, STDOUT_FILENO) };

	if (cli->opt.json) {
		tell_json(&t, a, b, same);
		return;
	}
	sv_out_escaped(&cli->out, b->info.name);
	sv_out_fmt(&cli->out, "  version %llu -> %llu\n", (unsigned long long)a->info.version,
		   (unsigned long long)b->info.version);
	if (args.reveal && !same) {
		side_line(&t, '-', "value:", text_of(&a->value));
		side_line(&t, '+', "value:", text_of(&b->value));
	} else {
		sv_out_fmt(&cli->out, "  %-13s%s\n", "value:", same ? "the same" : "changed");
	}
	metadata(&t, &a->info, &b->info);
	if (t.changes == 0)
		sv_out_fmt(&cli->out, "  %-13s%s\n", "metadata:", "the same");
}

/* --color, else the settings file. */
static enum sv_code choose_color(struct sv_cli *cli, struct sv_err *err)
{
	static struct sv_settings settings;
	enum sv_code rc = SV_OK;

	if (cli->opt.color == NULL && (rc = sv_settings_load(&settings, err)) == SV_OK && settings.color[0] != '\0')
		cli->opt.color = settings.color;
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct side a = { .bytes = SV_BUF_INIT, .value = SV_BUF_LOCKED(SV_FRAME_BODY_MAX) };
	struct side b = { .bytes = SV_BUF_INIT, .value = SV_BUF_LOCKED(SV_FRAME_BODY_MAX) };
	struct sv_msg_ref first, second;
	bool same = false;
	enum sv_code rc;

	if ((rc = choose_color(cli, err)) != SV_OK || (rc = sv_ref_parse(argv[0], cli->env, &first, err)) != SV_OK)
		return rc;
	second = first;
	second.version = 0;
	if (argc > 2 && !number(argv[2], &second.version))
		return SV_ERR_USAGE;
	if (argc > 1 && !number(argv[1], &first.version))
		return SV_ERR_USAGE;
	if ((rc = load(cli, &second, &b, err)) != SV_OK)
		goto out;
	second.version = b.info.version;
	if (first.version == 0) {
		if (b.info.version < 2) {
			rc = sv_err_set(err, SV_ERR_NOT_FOUND, "%.*s has one version only", (int)first.name.n,
					first.name.p);
			goto out;
		}
		first.version = b.info.version - 1;
	}
	if ((rc = load(cli, &first, &a, err)) != SV_OK || (rc = compare(cli, &first, &second, &same, err)) != SV_OK)
		goto out;
	tell(cli, &a, &b, same);
out:
	sv_buf_clear(&a.bytes);
	sv_buf_clear(&b.bytes);
	sv_buf_clear(&a.value);
	sv_buf_clear(&b.value);
	return rc;
}

const struct sv_cmd sv_cmd_diff = {
	.name = "diff",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 3,
	.synopsis = "[-e ENV] [--reveal] NAME [N [M]]",
	.help = "compare two versions of a secret, values masked",
	.opts = opts,
	.args = &args,
	.more = "Without numbers the current version with the one before it; with N, version N with the current one.  "
		"Two environments\n"
		"are compared by sv env diff.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Similar names, from the agent's list.
 */
#include "cli/suggest.h"

#include "cli/help.h"

#include <string.h>

struct best {
	char name[SV_NAME_MAX];
	size_t len;
	unsigned distance;
	bool there; /* the very name: something else about it was not found */
};

/* The last part of a name counts as much as the whole: "read-token" for "npm/read-token". */
static void consider(struct best *b, struct sv_text asked, struct sv_text name)
{
	unsigned d = sv_help_distance(asked.p, asked.n, name.p, name.n);

	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/') {
			unsigned last = sv_help_distance(asked.p, asked.n, name.p + i, name.n - i);

			d = last + 1 < d ? last + 1 : d;
			break;
		}
	if (d == 0)
		b->there = true;
	if (d >= b->distance || name.n > sizeof(b->name))
		return;
	b->distance = d;
	memcpy(b->name, name.p, name.n);
	b->len = name.n;
}

/* The sentence names the secret; it is the longest argument that stands in it. */
static bool asked_name(const struct sv_cli *cli, const struct sv_err *err, struct sv_text *out)
{
	out->n = 0;
	for (int i = 2; i < cli->argc; i++) {
		const char *eq = strchr(cli->argv[i], '=');
		struct sv_text t = sv_text_of(eq != NULL ? eq + 1 : cli->argv[i]);

		if (t.n > out->n && t.n > 1 && t.n <= SV_NAME_MAX && strstr(err->msg, t.p) != NULL &&
		    sv_name_check(t.p, t.n, NULL) == SV_OK)
			*out = t;
	}
	return out->n > 0;
}

void sv_suggest(struct sv_cli *cli, const struct sv_err *err)
{
	const struct sv_msg_list ask = { .env = cli->env };
	struct best b = { .distance = 4 };
	struct sv_msg_entry e;
	struct sv_text asked = { "", 0 };
	struct sv_buf *body;
	bool more = true;

	if (cli->hint[0] == '\0' && strncmp(err->msg, "there is no environment", 23) == 0)
		sv_hint(cli, "sv env list shows the environments");
	if (cli->hint[0] == '\0' && strncmp(err->msg, "no secret in group", 18) == 0)
		sv_hint(cli, "sv ls lists the names");
	if (cli->hint[0] != '\0' || cli->client.fd < 0 || !asked_name(cli, err, &asked))
		return;
	if (sv_client_begin(&cli->client, SV_MSG_LIST, 0, NULL) != SV_OK ||
	    sv_msg_put_list(&cli->client.out, &ask) != SV_OK || sv_client_send(&cli->client, NULL) != SV_OK)
		return;
	while (more && sv_client_recv(&cli->client, &body, &more, NULL) == SV_OK)
		while (sv_buf_unread(body) > 0 && sv_msg_get_entry(body, &e, false) == SV_OK)
			consider(&b, asked, e.name);
	if (b.there)
		return;
	if (b.distance < 4 && b.distance * 2 <= asked.n)
		sv_hint(cli, "did you mean %.*s?", (int)b.len, b.name);
	else
		sv_hint(cli, "sv ls lists the names");
}

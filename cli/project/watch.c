/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subscription says that there was a change, not of what: names stay out of it.  So the values are fetched again
 * and compared here.
 */
#include "cli/project/watch.h"

#include "cli/say.h"
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

enum sv_code sv_watch_open(struct sv_watch *w, struct sv_err *err)
{
	const struct sv_paths *paths;
	struct sv_buf *body;
	bool more = false;
	enum sv_code rc = sv_session_paths(&paths, err);

	if (rc == SV_OK)
		rc = sv_client_connect(&w->client, paths->socket, err);
	if (rc == SV_OK)
		rc = sv_client_begin(&w->client, SV_MSG_WATCH, 0, err);
	if (rc == SV_OK)
		rc = sv_client_send(&w->client, err);
	if (rc == SV_OK)
		rc = sv_client_recv(&w->client, &body, &more, err);
	if (rc != SV_OK)
		sv_err_prefix(err, "--watch");
	return rc;
}

struct held {
	const unsigned char *value;
	uint32_t len;
};

/* Fetch again; true when one differs.  Then the plan has the new values, else the old ones. */
static bool fetch(struct sv_plan *p, struct sv_cli *cli)
{
	const struct sv_paths *paths;
	struct sv_err err = SV_ERR_INIT;
	struct held *old = calloc(p->n_items + 1, sizeof(*old));
	struct sv_buf *kept = p->values;
	size_t n_kept = p->n_values;
	bool differs = false;
	enum sv_code rc = old == NULL ? SV_ERR_NOMEM : sv_session_paths(&paths, &err);

	for (size_t i = 0; rc == SV_OK && i < p->n_items; i++) {
		old[i] = (struct held){ p->items[i].value, p->items[i].value_len };
		p->items[i].value = NULL;
	}
	p->values = NULL;
	p->n_values = 0;
	if (rc == SV_OK) {
		sv_client_close(&cli->client); /* it may have been closed for want of use */
		cli->client = (struct sv_client)SV_CLIENT_INIT;
		rc = sv_client_connect(&cli->client, paths->socket, &err);
	}
	if (rc == SV_OK)
		rc = sv_plan_values(p, cli, &err);
	for (size_t i = 0; rc == SV_OK && i < p->n_items; i++) {
		size_t head = p->items[i].wish->deliver == SV_DELIVER_ENV ? strlen(p->items[i].var) + 1 : 0;

		if (p->items[i].value == NULL || old[i].value == NULL)
			continue;
		if (old[i].len != p->items[i].value_len ||
		    !sv_equal_ct(old[i].value, p->items[i].value, old[i].len + head)) {
			differs = true;
			sv_say(cli, "%s (%s) has changed", p->items[i].name, p->items[i].var);
		}
	}
	if (rc != SV_OK) {
		sv_say_warning(cli, "a change could not be followed, the program keeps what it has: %s",
			       err.msg[0] != '\0' ? err.msg : "no memory");
	}
	if (differs) {
		for (size_t i = 0; i < n_kept; i++)
			sv_buf_clear(&kept[i]);
	} else {
		for (size_t i = 0; i < p->n_values; i++)
			sv_buf_clear(&p->values[i]);
		p->values = kept;
		p->n_values = n_kept;
		for (size_t i = 0; old != NULL && i < p->n_items; i++) {
			p->items[i].value = old[i].value;
			p->items[i].value_len = old[i].len;
		}
	}
	free(old);
	return differs;
}

enum sv_watch_news sv_watch_read(struct sv_watch *w, struct sv_plan *p, struct sv_cli *cli)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_buf *body;
	uint8_t event = SV_EVENT_ENDING;
	bool more;

	if (sv_client_recv(&w->client, &body, &more, &err) != SV_OK || sv_buf_get_u8(body, &event) != SV_OK)
		event = SV_EVENT_ENDING;
	switch ((enum sv_msg_event)event) {
	case SV_EVENT_CHANGED:
	case SV_EVENT_UNLOCKED: return fetch(p, cli) ? SV_WATCH_CHANGED : SV_WATCH_NOTHING;
	case SV_EVENT_LOCKED:
		sv_say(cli, "the vault was locked; the program goes on with what it has");
		return SV_WATCH_NOTHING;
	case SV_EVENT_NONE: return SV_WATCH_NOTHING;
	case SV_EVENT_ENDING: break;
	}
	sv_client_close(&w->client);
	sv_say_warning(cli, "the agent has ended, so changes are no longer seen");
	return SV_WATCH_LOST;
}

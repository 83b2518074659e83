/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv status: what the vault and its agent are doing.  Starts no agent and extends no session.
 */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/probe.h"
#include "cli/units.h"

#include <unistd.h>

#define STATUS_UNLOCKED 0
#define STATUS_LOCKED   3
#define STATUS_NONE     4
#define STATUS_DENIED   6
#define STATUS_DAMAGED  8

/* What stands in the vault's place cannot be one: then this says why, and the state is "unusable". */
static const char *problem;

static const char *const words[] = {
	[SV_STATE_NONE] = "none", [SV_STATE_LOCKED] = "locked", [SV_STATE_UNLOCKED] = "unlocked"
};

static void timer_json(struct sv_json *j, const char *key, uint32_t seconds)
{
	if (seconds == SV_TIMER_NEVER)
		sv_json_null(j, key);
	else
		sv_json_number(j, key, seconds);
}

static void agent_json(struct sv_json *j, const struct sv_msg_status *s)
{
	sv_json_open(j, "agent", '{');
	sv_json_number(j, "pid", s->pid);
	sv_json_text(j, "version", s->version);
	sv_json_bool(j, "memory_locked", (s->flags & SV_STATUS_MEM_UNLOCKED) == 0);
	sv_json_bool(j, "secret_memory", (s->flags & SV_STATUS_SECRETMEM) != 0);
	sv_json_bool(j, "undumpable", (s->flags & SV_STATUS_DUMPABLE) == 0);
	sv_json_bool(j, "file_access_restricted", (s->flags & SV_STATUS_SANDBOX) != 0);
	sv_json_bool(j, "system_calls_restricted", (s->flags & SV_STATUS_SECCOMP) != 0);
	sv_json_number(j, "refused_peers", s->refused_peers);
	sv_json_number(j, "failed_unlocks", s->failed_unlocks);
	sv_json_close(j, '}');
}

static void print_json(struct sv_cli *cli, const struct sv_paths *paths, uint8_t state, const struct sv_msg_status *s)
{
	struct sv_json j = { &cli->out, false };

	sv_json_open(&j, NULL, '{');
	sv_json_str(&j, "state", problem != NULL ? "unusable" : words[state]);
	if (problem != NULL)
		sv_json_str(&j, "problem", problem);
	sv_json_str(&j, "vault", paths->vault);
	sv_json_str(&j, "socket", paths->socket);
	if (s == NULL)
		sv_json_null(&j, "agent");
	else
		agent_json(&j, s);
	if (s != NULL && state == SV_STATE_UNLOCKED) {
		timer_json(&j, "idle_left_s", s->idle_left_s);
		timer_json(&j, "total_left_s", s->total_left_s);
		timer_json(&j, "idle_s", s->idle_s);
		timer_json(&j, "total_s", s->total_s);
		sv_json_number(&j, "seq", (int64_t)s->seq);
		sv_json_time(&j, "changed", s->changed_s);
		sv_json_number(&j, "secrets", s->secrets);
		sv_json_number(&j, "released", (int64_t)s->released);
		sv_json_str(&j, "witness", (s->flags & SV_STATUS_WITNESS_NEW) != 0 ? "new" : "matches");
		sv_json_bool(&j, "kdf_weak", (s->flags & SV_STATUS_KDF_WEAK) != 0);
	}
	sv_json_close(&j, '}');
	sv_json_end(&j);
}

static void timer(struct sv_out *o, const char *label, uint32_t left, uint32_t whole, const char *what)
{
	char text[SV_DURATION_BYTES];
	char of[SV_DURATION_BYTES];

	if (left == SV_TIMER_NEVER) {
		sv_out_fmt(o, "%snever\n", label);
		return;
	}
	sv_duration_format(left, text);
	sv_duration_format(whole, of);
	sv_out_fmt(o, "%sin %s (%s %s)\n", label, text, of, what);
}

static void print_agent(struct sv_out *o, const struct sv_msg_status *s)
{
	sv_out_fmt(o, "agent:       pid %u, version ", (unsigned)s->pid);
	sv_out_escaped(o, s->version);
	sv_out_str(o, "\nmemory:      ");
	sv_out_str(o, (s->flags & SV_STATUS_MEM_UNLOCKED) != 0 ? "NOT all locked: it may reach the swap device"
							       : "locked");
	if ((s->flags & SV_STATUS_SECRETMEM) != 0)
		sv_out_str(o, ", keys hidden from the kernel's own map");
	sv_out_str(o, "\nhardening:   ");
	sv_out_str(o, (s->flags & SV_STATUS_DUMPABLE) != 0 ? "CAN BE TRACED AND DUMPED" : "no core file, no tracing");
	if ((s->flags & SV_STATUS_SANDBOX) != 0)
		sv_out_str(o, ", file access restricted");
	if ((s->flags & SV_STATUS_SECCOMP) != 0)
		sv_out_str(o, ", system calls restricted");
	sv_out_str(o, "\n");
	if (s->refused_peers > 0)
		sv_out_fmt(o, "refused:     %u connections of other users\n", (unsigned)s->refused_peers);
	if (s->failed_unlocks > 0)
		sv_out_fmt(o, "failed:      %u attempts to unlock since the last good one\n",
			   (unsigned)s->failed_unlocks);
}

static void print_text(struct sv_cli *cli, const struct sv_paths *paths, uint8_t state, const struct sv_msg_status *s)
{
	struct sv_out *o = &cli->out;
	char date[SV_DATE_BYTES];

	if (problem != NULL) {
		sv_out_str(o, "state:       unusable: ");
		sv_out_escaped(o, sv_text_of(problem));
		sv_out_str(o, "\n");
	} else {
		sv_out_fmt(o, "state:       %s\n", state == SV_STATE_NONE ? "no vault" : words[state]);
	}
	sv_out_str(o, "vault:       ");
	sv_out_escaped(o, sv_text_of(paths->vault));
	sv_out_str(o, "\n");
	if (s == NULL) {
		sv_out_str(o, "agent:       not running\n");
		return;
	}
	print_agent(o, s);
	if (state != SV_STATE_UNLOCKED)
		return;
	timer(o, "locks:       ", s->idle_left_s, s->idle_s, "without use");
	timer(o, "at latest:   ", s->total_left_s, s->total_s, "after unlock");
	sv_out_fmt(o, "secrets:     %u\n", (unsigned)s->secrets);
	sv_date_format(s->changed_s, true, date);
	sv_out_fmt(o, "changes:     %llu, the last %s\n", (unsigned long long)s->seq,
		   s->changed_s != 0 ? date : "unknown");
	sv_out_fmt(o, "released:    %llu values since unlock\n", (unsigned long long)s->released);
	sv_out_fmt(o, "witness:     %s\n",
		   (s->flags & SV_STATUS_WITNESS_NEW) != 0 ? "new: this machine sees the vault for the first time"
							   : "matches");
	if ((s->flags & SV_STATUS_KDF_WEAK) != 0)
		sv_out_str(o, "passphrase:  derived with parameters below today's floor; sv passwd renews them\n");
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	static struct sv_paths paths;
	struct sv_msg_status s;
	struct sv_msg_status *known = NULL;
	uint8_t state = SV_STATE_NONE;
	struct sv_buf *body;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_paths_find(&paths, err)) != SV_OK)
		return rc;
	rc = sv_client_connect(&cli->client, paths.socket, err);
	if (rc == SV_OK) {
		if ((rc = sv_client_begin(&cli->client, SV_MSG_STATUS, 0, err)) != SV_OK ||
		    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
			return rc;
		if (sv_msg_get_status(body, &s) != SV_OK || s.state > SV_STATE_UNLOCKED)
			return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
		known = &s;
		state = s.state;
	} else if (rc != SV_ERR_NO_AGENT) {
		return rc;
	}
	cli->status = STATUS_UNLOCKED;
	if (state != SV_STATE_UNLOCKED) {
		rc = sv_probe_vault(paths.vault, err);
		state = rc == SV_ERR_NO_VAULT ? SV_STATE_NONE : SV_STATE_LOCKED;
		cli->status = rc == SV_OK             ? STATUS_LOCKED
			      : rc == SV_ERR_NO_VAULT ? STATUS_NONE
			      : rc == SV_ERR_DENIED   ? STATUS_DENIED
						      : STATUS_DAMAGED;
		problem = rc == SV_OK || rc == SV_ERR_NO_VAULT ? NULL : err->msg;
	}
	if (cli->opt.quiet)
		return SV_OK;
	if (cli->opt.json)
		print_json(cli, &paths, state, known);
	else
		print_text(cli, &paths, state, known);
	return SV_OK;
}

const struct sv_cmd sv_cmd_status = {
	.name = "status",
	.fn = run,
	.flags = 0,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--json] [-q]",
	.help = "say whether the vault is unlocked, and for how long",
	.more = "Exit status: 0 unlocked, 3 locked, 4 there is no vault.  Starts no agent and extends no session.\n",
};

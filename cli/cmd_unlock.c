/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv unlock: hold the vault open for a while; on an unlocked one check the passphrase and start the timers anew.
 */
#include "cli/auth.h"
#include "cli/json.h"
#include "cli/say.h"
#include "cli/settings.h"
#include "cli/units.h"

#include <stdio.h>

static struct {
	const char *total, *idle;
	int passphrase_fd;
	bool recovery, accept_rollback;
} args = { .passphrase_fd = -1 };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "for", 0, SV_OPT_TEXT, A(total), "TIME", "lock at latest after TIME (8h); never: only by hand" },
	{ "idle", 0, SV_OPT_TEXT, A(idle), "TIME", "lock after TIME without use (15m); never: not by that" },
	{ "passphrase-fd", 0, SV_OPT_FD, A(passphrase_fd), "N",
	  "read passphrase or recovery code, one line, from descriptor N" },
	{ "recovery", 0, SV_OPT_FLAG, A(recovery), NULL, "open it with the recovery code" },
	{ "accept-rollback", 0, SV_OPT_FLAG, A(accept_rollback), NULL,
	  "take a file that is older than, or another than, this machine has seen" },
	SV_OPT_END
};

static enum sv_code timers(struct sv_msg_timers *t, struct sv_err *err)
{
	enum sv_code rc;

	if (args.idle != NULL && (rc = sv_settings_timer(args.idle, &t->idle_s, err)) != SV_OK) {
		sv_err_prefix(err, "--idle");
		return rc;
	}
	if (args.total != NULL && (rc = sv_settings_timer(args.total, &t->total_s, err)) != SV_OK) {
		sv_err_prefix(err, "--for");
		return rc;
	}
	return SV_OK;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_msg_timers t = { 0, 0 };

	(void)cli;
	(void)argc;
	(void)argv;
	return timers(&t, err);
}

static void limit(char out[SV_DURATION_BYTES], uint32_t seconds)
{
	if (seconds == SV_TIMER_NEVER)
		(void)snprintf(out, SV_DURATION_BYTES, "never");
	else
		sv_duration_format(seconds, out);
}

static enum sv_code tell(struct sv_cli *cli, struct sv_err *err)
{
	char idle[SV_DURATION_BYTES];
	char total[SV_DURATION_BYTES];
	struct sv_msg_status s;
	enum sv_code rc;

	if ((rc = sv_auth_status(cli, &s, err)) != SV_OK)
		return rc;
	if (cli->opt.json) {
		struct sv_json j = { &cli->out, false };

		sv_json_open(&j, NULL, '{');
		sv_json_str(&j, "state", "unlocked");
		if (s.idle_s == SV_TIMER_NEVER)
			sv_json_null(&j, "idle_s");
		else
			sv_json_number(&j, "idle_s", s.idle_s);
		if (s.total_s == SV_TIMER_NEVER)
			sv_json_null(&j, "total_s");
		else
			sv_json_number(&j, "total_s", s.total_s);
		sv_json_close(&j, '}');
		sv_json_end(&j);
		return SV_OK;
	}
	if ((s.flags & SV_STATUS_MEM_UNLOCKED) != 0)
		sv_say_warning(cli,
			       "the agent's memory could not be locked; raise the limit on locked memory (ulimit -l)");
	if ((s.flags & SV_STATUS_KDF_WEAK) != 0)
		sv_say_warning(cli,
			       "the passphrase is derived with parameters below today's floor; sv passwd renews them");
	limit(idle, s.idle_s);
	limit(total, s.total_s);
	if (s.idle_s == SV_TIMER_NEVER && s.total_s == SV_TIMER_NEVER)
		sv_say(cli, "unlocked until sv lock");
	else
		sv_say(cli, "unlocked; locks after %s without use, at latest after %s", idle, total);
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const struct sv_auth_how how = { .fd = args.passphrase_fd, .recovery = args.recovery };
	struct sv_settings settings;
	struct sv_msg_timers t;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_settings_load(&settings, err)) != SV_OK)
		return rc;
	t = (struct sv_msg_timers){ settings.idle_s, settings.total_s };
	if ((rc = timers(&t, err)) != SV_OK ||
	    (rc = sv_auth_unlock(cli, &how, &t, args.accept_rollback, NULL, NULL, NULL, err)) != SV_OK)
		return rc;
	return tell(cli, err);
}

const struct sv_cmd sv_cmd_unlock = {
	.name = "unlock",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--for TIME] [--idle TIME] [--passphrase-fd N] [--recovery] [--accept-rollback]",
	.help = "open the vault for a while",
	.opts = opts,
	.args = &args,
	.more = "Starts the agent when it is not running.  On an unlocked vault the passphrase is checked and the "
		"timers start anew.\n"
		"Times are written 45s, 15m, 8h, 2d or 1h30m; defaults come from the settings file.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv init: a new vault with a passphrase and a recovery code, left unlocked.
 */
#include "cli/auth.h"
#include "cli/json.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/settings.h"

#include <sys/stat.h>

static struct {
	int passphrase_fd, recovery_fd;
	const char *kdf;
	bool no_recovery;
} args = { .passphrase_fd = -1, .recovery_fd = -1 };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "passphrase-fd", 0, SV_OPT_FD, A(passphrase_fd), "N", "read the passphrase, one line, from descriptor N" },
	{ "kdf", 0, SV_OPT_TEXT, A(kdf), "LEVEL",
	  "interactive (64 MiB), moderate (256 MiB) or sensitive (1 GiB); default: 256 MiB for about 0.8 s" },
	{ "recovery-fd", 0, SV_OPT_FD, A(recovery_fd), "N",
	  "write the recovery code to descriptor N instead of the terminal" },
	{ "no-recovery", 0, SV_OPT_FLAG, A(no_recovery), NULL,
	  "make no recovery code: a lost passphrase loses everything" },
	SV_OPT_END
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const struct sv_paths *paths;
	enum sv_kdf_level level;
	struct stat st;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_auth_level(args.kdf, &level, err)) != SV_OK ||
	    (rc = sv_auth_recovery_plan(cli, args.recovery_fd, args.no_recovery, err)) != SV_OK ||
	    (rc = sv_session_paths(&paths, err)) != SV_OK)
		return rc;
	if (lstat(paths->vault, &st) == 0) {
		sv_hint(cli, "nothing was changed; for a second vault set SV_VAULT to another path");
		return sv_err_set(err, SV_ERR_EXISTS, "a vault exists at %s already", paths->vault);
	}
	return SV_OK;
}

static enum sv_code create(struct sv_cli *cli, const struct sv_auth_slots *s, const struct sv_settings *settings,
			   struct sv_err *err)
{
	struct sv_msg_init m = { .timers = { settings->idle_s, settings->total_s } };
	struct sv_msg_status status;
	struct sv_buf *body;
	enum sv_code rc;

	for (size_t i = 0; i < s->n; i++)
		m.slots.slot[i] = s->slot[i];
	m.slots.n = s->n;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_INIT, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_init(&cli->client.out, &m)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if (sv_msg_get_status(body, &status) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	if (cli->opt.json) {
		struct sv_json j = { &cli->out, false };

		sv_json_open(&j, NULL, '{');
		sv_json_text(&j, "vault", status.vault_path);
		sv_json_bool(&j, "recovery", s->recovery != NULL);
		sv_json_close(&j, '}');
		sv_json_end(&j);
	} else {
		sv_say(cli, "made the vault %.*s; it is unlocked", (int)status.vault_path.n, status.vault_path.p);
	}
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_secret *passphrase = NULL;
	struct sv_auth_slots slots = { 0 };
	struct sv_settings settings;
	enum sv_kdf_level level;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_settings_load(&settings, err)) != SV_OK || (rc = sv_auth_level(args.kdf, &level, err)) != SV_OK ||
	    (rc = sv_auth_new_passphrase(cli, args.passphrase_fd, &passphrase, err)) != SV_OK)
		return rc;
	rc = sv_auth_slots_make(&slots, level, NULL, passphrase, !args.no_recovery, err);
	sv_secret_free(&passphrase);
	/* To a descriptor the code goes first: if it cannot be written, nothing was made. */
	if (rc == SV_OK && args.recovery_fd >= 0)
		rc = sv_auth_recovery_show(cli, &slots, args.recovery_fd, err);
	if (rc == SV_OK)
		rc = create(cli, &slots, &settings, err);
	if (rc == SV_OK && args.recovery_fd < 0)
		rc = sv_auth_recovery_show(cli, &slots, -1, err);
	sv_auth_slots_clear(&slots);
	return rc;
}

const struct sv_cmd sv_cmd_init = {
	.name = "init",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_MAKES,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--passphrase-fd N] [--kdf LEVEL] [--recovery-fd N | --no-recovery]",
	.help = "create the vault",
	.opts = opts,
	.args = &args,
	.more = "The passphrase is asked twice on the terminal.  The recovery code is shown once, on the terminal, "
		"never on standard\n"
		"output.  The vault is unlocked afterwards.  It is made at $SV_VAULT, else "
		"${XDG_DATA_HOME:-~/.local/share}/sv/vault.db.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv passwd: a new passphrase and a new recovery code; the whole vault is sealed anew under new keys.
 */
#include "cli/auth.h"
#include "cli/say.h"

static struct {
	int passphrase_fd, new_fd, recovery_fd;
	const char *kdf;
	bool recovery, no_recovery;
} args = { .passphrase_fd = -1, .new_fd = -1, .recovery_fd = -1 };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "passphrase-fd", 0, SV_OPT_FD, A(passphrase_fd), "N",
	  "read the present passphrase or recovery code, one line, from descriptor N" },
	{ "new-passphrase-fd", 0, SV_OPT_FD, A(new_fd), "N",
	  "read the new passphrase, one line, from descriptor N; it may be the same N" },
	{ "recovery", 0, SV_OPT_FLAG, A(recovery), NULL, "prove it with the recovery code" },
	{ "kdf", 0, SV_OPT_TEXT, A(kdf), "LEVEL",
	  "interactive (64 MiB), moderate (256 MiB) or sensitive (1 GiB); default: 256 MiB for about 0.8 s" },
	{ "recovery-fd", 0, SV_OPT_FD, A(recovery_fd), "N",
	  "write the new recovery code to descriptor N instead of the terminal" },
	{ "no-recovery", 0, SV_OPT_FLAG, A(no_recovery), NULL, "the vault has no recovery code afterwards" },
	SV_OPT_END
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum sv_kdf_level level;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_auth_level(args.kdf, &level, err)) != SV_OK)
		return rc;
	return sv_auth_recovery_plan(cli, args.recovery_fd, args.no_recovery, err);
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const struct sv_auth_how how = { .fd = args.passphrase_fd,
					 .recovery = args.recovery,
					 .question = args.recovery ? NULL : "Present passphrase: " };
	struct sv_auth_slots slots = { 0 };
	struct sv_secret *fresh = NULL;
	struct sv_secret *proof = NULL;
	enum sv_kdf_level level;
	uint8_t slot = 0;
	enum sv_code rc;

	(void)argc;
	(void)argv;
	if ((rc = sv_auth_level(args.kdf, &level, err)) != SV_OK ||
	    (rc = sv_auth_unlock(cli, &how, NULL, false, &slot, &proof, NULL, err)) != SV_OK ||
	    (rc = sv_auth_new_passphrase(cli, args.new_fd, &fresh, err)) != SV_OK ||
	    (rc = sv_auth_slots_make(&slots, level, NULL, fresh, !args.no_recovery, err)) != SV_OK)
		goto out;
	if (args.recovery_fd >= 0 && (rc = sv_auth_recovery_show(cli, &slots, args.recovery_fd, err)) != SV_OK)
		goto out;
	if ((rc = sv_auth_rekey(cli, slot, proof, &slots, err)) != SV_OK)
		goto out;
	sv_say(cli, "the vault has new keys%s; backups and copies made before still open with the old passphrase",
	       args.no_recovery ? " and no recovery code" : "");
	if (args.recovery_fd < 0)
		rc = sv_auth_recovery_show(cli, &slots, -1, err);
out:
	sv_secret_free(&fresh);
	sv_secret_free(&proof);
	sv_auth_slots_clear(&slots);
	return rc;
}

const struct sv_cmd sv_cmd_passwd = {
	.name = "passwd",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "[--passphrase-fd N] [--new-passphrase-fd N] [--recovery] [--kdf LEVEL] [--recovery-fd N | "
		    "--no-recovery]",
	.help = "change the passphrase and all keys",
	.opts = opts,
	.args = &args,
	.more = "Everything is sealed anew in one transaction, so that whoever had the old keys cannot read later "
		"versions of the file.\n"
		"The old recovery code stops working; a new one is shown once.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv keys: what opens the vault, and renewing or removing the recovery code.
 */
#include "cli/auth.h"
#include "cli/json.h"
#include "cli/say.h"
#include "cli/units.h"

#include <string.h>

static struct {
	int passphrase_fd, recovery_fd;
} args = { .passphrase_fd = -1, .recovery_fd = -1 };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = { { "passphrase-fd", 0, SV_OPT_FD, A(passphrase_fd), "N",
					"read the passphrase, one line, from descriptor N" },
				      { "recovery-fd", 0, SV_OPT_FD, A(recovery_fd), "N",
					"write the new recovery code to descriptor N instead of the terminal" },
				      SV_OPT_END };

enum action { LIST, RENEW, REMOVE, NONE };

static enum action action(int argc, char **argv)
{
	if (argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0))
		return LIST;
	if (argc != 2 || strcmp(argv[0], "recovery") != 0)
		return NONE;
	return strcmp(argv[1], "renew") == 0 ? RENEW : strcmp(argv[1], "remove") == 0 ? REMOVE : NONE;
}

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum action a = action(argc, argv);

	if (a == NONE)
		return sv_err_set(err, SV_ERR_USAGE, "usage: sv %s %s", cli->cmd->name, cli->cmd->synopsis);
	return a == RENEW ? sv_auth_recovery_plan(cli, args.recovery_fd, false, err) : SV_OK;
}

static enum sv_code list(struct sv_cli *cli, struct sv_err *err)
{
	static const char *const kinds[] = { [SV_SLOT_PASSPHRASE] = "passphrase", [SV_SLOT_RECOVERY] = "recovery" };
	struct sv_json j = { &cli->out, false };
	struct sv_slot_info slots[SV_SLOTS_MAX];
	char size[SV_DURATION_BYTES];
	size_t n = 0;
	enum sv_code rc;

	if ((rc = sv_auth_slot_list(cli, slots, &n, err)) != SV_OK)
		return rc;
	if (cli->opt.json)
		sv_json_open(&j, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		const char *kind = slots[i].kind == SV_SLOT_PASSPHRASE || slots[i].kind == SV_SLOT_RECOVERY
					   ? kinds[slots[i].kind]
					   : "unknown";

		if (cli->opt.json) {
			sv_json_open(&j, NULL, '{');
			sv_json_number(&j, "slot", slots[i].id);
			sv_json_str(&j, "kind", kind);
			sv_json_number(&j, "memory_bytes", (int64_t)slots[i].kdf.mem);
			sv_json_number(&j, "passes", (int64_t)slots[i].kdf.ops);
			sv_json_close(&j, '}');
			continue;
		}
		sv_size_format(slots[i].kdf.mem, size);
		sv_out_fmt(&cli->out, "%u  %-10s  Argon2id, %s, %llu passes\n", (unsigned)slots[i].id, kind, size,
			   (unsigned long long)slots[i].kdf.ops);
	}
	if (cli->opt.json) {
		sv_json_close(&j, ']');
		sv_json_end(&j);
	}
	return SV_OK;
}

static enum sv_code renew(struct sv_cli *cli, bool make, struct sv_err *err)
{
	const struct sv_auth_how how = { .fd = args.passphrase_fd };
	struct sv_slot_info infos[SV_SLOTS_MAX];
	const struct sv_kdf *like = NULL;
	struct sv_auth_slots slots = { 0 };
	struct sv_secret *proof = NULL;
	struct sv_secret *typed = NULL;
	uint8_t slot = 0;
	size_t n = 0;
	enum sv_code rc;

	if ((rc = sv_auth_unlock(cli, &how, NULL, false, &slot, &proof, &typed, err)) != SV_OK ||
	    (rc = sv_auth_slot_list(cli, infos, &n, err)) != SV_OK)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (infos[i].id == slot)
			like = &infos[i].kdf;
	if ((rc = sv_auth_slots_make(&slots, SV_KDF_DEFAULT, like, typed, make, err)) != SV_OK)
		goto out;
	if (make && args.recovery_fd >= 0 && (rc = sv_auth_recovery_show(cli, &slots, args.recovery_fd, err)) != SV_OK)
		goto out;
	if ((rc = sv_auth_rekey(cli, slot, proof, &slots, err)) != SV_OK)
		goto out;
	if (!make)
		sv_say(cli, "the vault has no recovery code any more; a lost passphrase loses everything");
	else if (args.recovery_fd < 0)
		rc = sv_auth_recovery_show(cli, &slots, -1, err);
out:
	sv_secret_free(&typed);
	sv_secret_free(&proof);
	sv_auth_slots_clear(&slots);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	enum action a = action(argc, argv);

	return a == LIST ? list(cli, err) : renew(cli, a == RENEW, err);
}

const struct sv_cmd sv_cmd_keys = {
	.name = "keys",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT,
	.args_min = 0,
	.args_max = 2,
	.synopsis = "[list | recovery renew [--recovery-fd N] | recovery remove] [--passphrase-fd N]",
	.help = "list the key slots; renew or remove the recovery code",
	.opts = opts,
	.args = &args,
	.more = "Renewing and removing ask for the passphrase and seal the whole vault anew, so that the old code is "
		"worth nothing.\n",
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv mask: values of the vault do not get through, from standard input to standard output or out of a program.
 */
#include "cli/cmd.h"
#include "cli/mask/masked.h"
#include "cli/mask/outlet.h"
#include "cli/mask/pump.h"
#include "cli/mask/values.h"
#include "cli/say.h"
#include "cli/spawn.h"

#include <unistd.h>

extern char **environ;

static const char *selects[SV_SELECTORS_MAX];

static struct {
	struct sv_opt_list select;
	bool all;
} args = { .select = { selects, 0, SV_SELECTORS_MAX } };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = {
	{ "select", 's', SV_OPT_LIST, A(select), "WHAT", "a secret NAME or a GROUP/; again for more" },
	{ "all", 0, SV_OPT_FLAG, A(all), NULL, "every secret of the environment; so without -s too" },
	SV_OPT_END
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	(void)cli;
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < args.select.n; i++)
		if (sv_mask_check_select(args.select.v[i], err) != SV_OK) {
			sv_err_prefix(err, "-s number %zu", i + 1);
			return SV_ERR_USAGE;
		}
	return SV_OK;
}

static enum sv_code compile(struct sv_cli *cli, struct sv_match_set **set, struct sv_err *err)
{
	struct sv_patterns *ps = sv_patterns_new(SV_FORMS_ALL);
	enum sv_code rc = SV_OK;

	if (ps == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the patterns");
	for (size_t i = 0; i < args.select.n && rc == SV_OK; i++)
		rc = sv_mask_add_select(&cli->client, cli->env, args.select.v[i], ps, err);
	if (rc == SV_OK && (args.all || args.select.n == 0))
		rc = sv_mask_add_group(&cli->client, cli->env, sv_text_of(""), ps, err);
	if (rc == SV_OK)
		rc = sv_match_compile(ps, set, err);
	sv_patterns_free(ps);
	/* The agent need not wait for a log that may run for days. */
	sv_client_close(&cli->client);
	return rc;
}

static void tell(const struct sv_cli *cli, const struct sv_match_set *set, const struct sv_filter *f)
{
	for (size_t i = 0; i < sv_match_set_secrets(set); i++) {
		uint64_t n = sv_filter_count(f, i);

		if (n > 0)
			sv_say(cli, "masked %s: %llu", sv_match_set_name(set, i), (unsigned long long)n);
	}
}

static enum sv_code filter(struct sv_cli *cli, const struct sv_match_set *set, struct sv_err *err)
{
	struct sv_outlet out = SV_OUTLET_INIT(STDOUT_FILENO);
	struct sv_filter *f = sv_filter_new(set, SV_MATCH_SEQUENCES, sv_outlet_write, &out);
	enum sv_code rc;

	if (f == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the filter");
	sv_pump_widen(STDIN_FILENO);
	sv_pump_widen(STDOUT_FILENO);
	rc = sv_pump(STDIN_FILENO, f, err);
	tell(cli, set, f);
	sv_filter_free(f);
	sv_outlet_clear(&out);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_match_set *set = NULL;
	enum sv_code rc;

	if (argc > 0)
		cli->status = SV_STATUS_NOT_STARTED;
	rc = compile(cli, &set, err);
	if (rc == SV_OK && argc > 0)
		rc = sv_masked_run(cli, argv, environ, set, true, err);
	else if (rc == SV_OK)
		rc = filter(cli, set, err);
	sv_match_set_free(set);
	return rc;
}

const struct sv_cmd sv_cmd_mask = {
	.name = "mask",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED | SV_CMD_STOP_AT_ARG,
	.args_min = 0,
	.args_max = -1,
	.synopsis = "[-s NAME|GROUP/]... [--all] [-e ENV] [-- COMMAND [ARG]...]",
	.help = "put [sv:NAME] for values, in standard input or in the output of a command",
	.opts = opts,
	.args = &args,
	.more = "Values are found as they are, by line, and in base64, hex, URL, JSON, XML and shell spelling,\n"
		"wherever a write is cut.  Everything else passes unchanged.  How often each was masked is said\n"
		"on standard error at the end.  If anything fails the output stops and the exit status is 1.\n"
		"It is a net, not a wall: a program that changes a value on purpose (reversed, encrypted, a letter\n"
		"a line) gets it through, values under 6 bytes count only as whole words, and who may try values\n"
		"against the filter can guess.\n",
};

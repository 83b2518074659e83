/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the pairs that are injected, or the whole vault, to a set; then the supervisor.
 */
#include "cli/mask/masked.h"

#include "cli/mask/supervisor.h"
#include "cli/mask/values.h"
#include "cli/session.h"
#include "cli/spawn.h"

enum sv_code sv_masked_run(struct sv_cli *cli, char *const *argv, char *const *envp, const struct sv_match_set *set,
			   bool files, struct sv_err *err)
{
	struct sv_child_env env = { 0 };
	struct sv_supervise s = { .argv = argv, .env = &env, .set = set, .files = files };
	int how = 0;
	enum sv_code rc;

	cli->status = SV_STATUS_NOT_STARTED;
	if ((rc = sv_child_env_copy(&env, envp, err)) != SV_OK)
		return rc;
	sv_client_close(&cli->client); /* the agent is not kept waiting by a program that may run for days */
	rc = sv_supervise_run(&s, &how, &cli->status, err);
	sv_child_env_wipe(&env);
	if (rc == SV_OK)
		cli->status = sv_supervise_end_like(how);
	return rc;
}

/* On a connection of its own, because the pairs stand in the buffer of the other. */
static enum sv_code add_vault(struct sv_patterns *ps, struct sv_err *err)
{
	struct sv_client c = SV_CLIENT_INIT;
	const struct sv_paths *paths;
	enum sv_code rc = sv_session_paths(&paths, err);

	if (rc == SV_OK)
		rc = sv_client_connect(&c, paths->socket, err);
	if (rc == SV_OK)
		rc = sv_mask_add_vault(&c, ps, err);
	sv_client_close(&c);
	return rc;
}

enum sv_code sv_masked_exec(struct sv_cli *cli, const struct sv_masked *m, struct sv_err *err)
{
	struct sv_patterns *ps;
	struct sv_match_set *set = NULL;
	enum sv_code rc;

	if (!sv_supervise_needed(m->files))
		return sv_spawn_exec(m->argv, m->envp, &cli->status, err);
	if ((ps = sv_patterns_new(SV_FORMS_ALL)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the patterns");
	rc = sv_mask_add_vars(m->vars, m->n_vars, ps, err);
	if (rc == SV_OK && m->all)
		rc = add_vault(ps, err);
	if (rc == SV_OK)
		rc = sv_match_compile(ps, &set, err);
	sv_patterns_free(ps);
	if (rc == SV_OK)
		rc = sv_masked_run(cli, m->argv, m->envp, set, m->files, err);
	sv_match_set_free(set);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prerequisites of commands in the complete program.
 */
#include "cli/session.h"

#include "cli/auth.h"
#include "cli/probe.h"
#include "cli/say.h"
#include "cli/settings.h"
#include "proto/spawn_agent.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum sv_code sv_session_paths(const struct sv_paths **paths, struct sv_err *err)
{
	static struct sv_paths found;
	enum sv_code rc = found.vault[0] != '\0' ? SV_OK : sv_paths_find(&found, err);

	*paths = &found;
	if (rc != SV_OK)
		found.vault[0] = '\0';
	return rc;
}

static enum sv_code no_vault(const struct sv_paths *paths, struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_NO_VAULT, "there is no vault at %s", paths->vault);
}

static bool vault_missing(const struct sv_paths *paths)
{
	return access(paths->vault, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

enum sv_code sv_session_connect(struct sv_cli *cli, struct sv_err *err)
{
	const struct sv_paths *paths;
	enum sv_code rc;

	if (cli->client.fd >= 0)
		return SV_OK;
	if ((rc = sv_session_paths(&paths, err)) != SV_OK)
		return rc;
	rc = sv_client_connect(&cli->client, paths->socket, err);
	if (rc != SV_ERR_NO_AGENT)
		return rc;
	if ((rc = sv_agent_start(paths, err)) != SV_OK)
		return rc;
	return sv_client_connect(&cli->client, paths->socket, err);
}

/* The vault is locked: ask, or say what to do. */
static enum sv_code offer(struct sv_cli *cli, const struct sv_paths *paths, struct sv_err *err)
{
	char question[SV_PATH_BYTES + 32];
	char path[SV_PATH_BYTES];
	struct sv_settings settings;
	struct sv_msg_timers timers;
	struct sv_auth_how how = { .fd = -1 };
	enum sv_code rc = sv_probe_vault(paths->vault, err);

	if (rc != SV_OK)
		return rc;
	if (!sv_auth_can_ask(cli))
		return sv_err_set(err, SV_ERR_LOCKED, "the vault is locked");
	if ((rc = sv_settings_load(&settings, err)) != SV_OK || (rc = sv_session_connect(cli, err)) != SV_OK)
		return rc;
	timers = (struct sv_msg_timers){ settings.idle_s, settings.total_s };
	(void)sv_escape(paths->vault, sv_text_of(paths->vault).n, path, sizeof(path));
	(void)snprintf(question, sizeof(question), "Passphrase for %s: ", path);
	how.question = question;
	return sv_auth_unlock(cli, &how, &timers, false, NULL, NULL, NULL, err);
}

enum sv_code sv_session_prepare(struct sv_cli *cli, struct sv_err *err)
{
	const struct sv_paths *paths;
	struct sv_msg_status s;
	enum sv_code rc;

	if ((cli->cmd->flags & SV_CMD_AGENT) == 0)
		return SV_OK;
	if ((rc = sv_session_paths(&paths, err)) != SV_OK)
		return rc;
	rc = sv_client_connect(&cli->client, paths->socket, err);
	if (rc == SV_ERR_NO_AGENT) {
		if ((cli->cmd->flags & SV_CMD_MAKES) == 0 && vault_missing(paths))
			return no_vault(paths, err);
		/* Without an agent the vault is locked; none is started only to hear that. */
		if ((cli->cmd->flags & SV_CMD_UNLOCKED) != 0)
			return offer(cli, paths, err);
		return sv_session_connect(cli, err);
	}
	if (rc != SV_OK || (cli->cmd->flags & SV_CMD_MAKES) != 0)
		return rc;
	if ((rc = sv_auth_status(cli, &s, err)) != SV_OK)
		return rc;
	if (s.state == SV_STATE_NONE)
		return no_vault(paths, err);
	if (s.state == SV_STATE_LOCKED && (cli->cmd->flags & SV_CMD_UNLOCKED) != 0)
		return offer(cli, paths, err);
	return SV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's state: set up, the vault opened when it is first needed, the session begun and ended.
 */
#include "agent/agent.h"

#include "agent/conn.h"
#include "agent/log.h"
#include "agent/req.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

enum sv_code sv_agent_init(struct sv_agent *a, const struct sv_agent_config *cfg, struct sv_err *err)
{
	memset(a, 0, sizeof(*a));
	a->cfg = *cfg;
	if (a->cfg.clock == NULL)
		a->cfg.clock = sv_clock_system;
	a->now = a->cfg.clock(a->cfg.clock_ctx);
	a->indexed = true;
	a->reply = (struct sv_buf)SV_BUF_LOCKED(SV_REPLY_MAX + SV_FRAME_BODY_MAX);
	a->scratch = sv_secmem_alloc(SV_SCRATCH_BYTES);
	if (a->scratch == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for requests");
	sv_idle_init(&a->idle, a->now);
	return SV_OK;
}

void sv_agent_clear(struct sv_agent *a)
{
	sv_agent_lock(a, NULL, "ending");
	for (size_t i = 0; i < a->n_conns; i++)
		sv_conn_free(&a->conns[i]);
	a->n_conns = 0;
	sv_vault_close(&a->vault);
	sv_buf_clear(&a->reply);
	sv_secmem_free(a->scratch);
	a->scratch = NULL;
}

bool sv_agent_expired(const struct sv_agent *a)
{
	struct sv_idle look = a->idle;

	return sv_idle_look(&look, a->cfg.clock(a->cfg.clock_ctx)) != SV_IDLE_STAY;
}

bool sv_agent_unlocked(const struct sv_agent *a)
{
	return a->vault != NULL && sv_vault_is_unlocked(a->vault);
}

enum sv_code sv_agent_open(struct sv_agent *a, struct sv_err *err)
{
	const struct sv_vault_config cfg = {
		.path = a->cfg.vault_path,
		.state_dir = a->cfg.state_dir,
		.clock = a->cfg.wall,
		.clock_ctx = a->cfg.wall_ctx,
	};
	struct stat st;
	enum sv_code rc;

	if (sv_agent_unlocked(a))
		return SV_OK;
	if (lstat(a->cfg.vault_path, &st) != 0) {
		int e = errno;

		sv_vault_close(&a->vault);
		if (e != ENOENT && e != ENOTDIR)
			return sv_err_sys(err, SV_ERR_IO, e, "cannot look at the vault file");
		return sv_err_set(err, SV_ERR_NO_VAULT, "there is no vault yet");
	}
	if (a->vault != NULL && (st.st_dev != a->vault_dev || st.st_ino != a->vault_ino))
		sv_vault_close(&a->vault);
	if (a->vault != NULL)
		return SV_OK;
	rc = sv_vault_open(&cfg, &a->vault, err);
	a->vault_dev = st.st_dev;
	a->vault_ino = st.st_ino;
	return rc;
}

void sv_agent_look_vault(struct sv_agent *a, const struct sv_conn *keep)
{
	struct stat st;

	if (!sv_agent_unlocked(a))
		return;
	if (lstat(a->cfg.vault_path, &st) == 0 && st.st_dev == a->vault_dev && st.st_ino == a->vault_ino)
		return;
	sv_agent_lock(a, keep, "locked: the vault file is gone or exchanged");
	sv_vault_close(&a->vault);
}

void sv_agent_began(struct sv_agent *a, uint32_t idle_s, uint32_t total_s)
{
	struct sv_vault_facts f;

	if (!a->idle.running) {
		a->released = 0;
		a->indexed = false;
	}
	sv_idle_start(&a->idle, a->now, idle_s, total_s);
	if (sv_vault_facts(a->vault, &f, NULL) == SV_OK) {
		a->kdf_weak = f.kdf_below_floor;
		a->witness_new = f.witness_new;
	}
	sv_log_event("unlocked", 1);
	sv_agent_tell(a, SV_EVENT_UNLOCKED);
}

void sv_agent_tell(struct sv_agent *a, enum sv_msg_event event)
{
	for (size_t i = 0; i < a->n_conns; i++)
		if (a->conns[i]->watching)
			a->conns[i]->events |= 1u << event;
}

/* What a connection holds that the lock must not leave behind. */
static void strip(struct sv_conn *c, bool keep)
{
	if (c->tx != NULL) {
		sv_tx_abort(&c->tx);
		c->tx_dropped = SV_DROPPED_LOCKED;
	}
	/* A file that has come whole is ciphertext and waits for its key; it has nothing to do with this session. */
	if (c->load != NULL && !sv_load_is_whole(c->load)) {
		if (!sv_load_is_whole(c->load))
			c->load_dropped = SV_DROPPED_LOCKED;
		sv_load_free(&c->load);
	}
	if (keep || c->watching)
		return;
	if (sv_buf_unread(&c->in) > 0 || sv_buf_unread(&c->out) > 0 || c->job != NULL) {
		sv_buf_clear(&c->in);
		sv_buf_clear(&c->out);
		sv_job_free(&c->job);
		c->dead = true;
	}
}

void sv_agent_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void sv_agent_lock(struct sv_agent *a, const struct sv_conn *keep, const char *why)
{
	bool was = sv_agent_unlocked(a) || a->idle.running;

	for (size_t i = 0; i < a->n_conns; i++)
		strip(a->conns[i], a->conns[i] == keep);
	if (keep == NULL)
		sv_buf_clear(&a->reply);
	if (a->scratch != NULL && keep == NULL)
		sv_wipe(a->scratch, SV_SCRATCH_BYTES);
	sv_idle_stop(&a->idle);
	a->indexed = true;
	if (a->vault != NULL)
		sv_vault_lock(a->vault);
	sv_stack_scrub();
	sv_agent_trim();
	if (was) {
		sv_log_event(why, 1);
		sv_agent_tell(a, SV_EVENT_LOCKED);
	}
}

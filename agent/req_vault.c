/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests about the vault as a whole: status, slots, init, unlock, lock, rekey, verify.
 */
#include "agent/req.h"

#include "agent/log.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sv_text text_of(const char *s)
{
	return (struct sv_text){ s, strlen(s) };
}

static uint8_t state_of(const struct sv_agent *a)
{
	struct stat st;

	if (sv_agent_unlocked(a))
		return SV_STATE_UNLOCKED;
	return lstat(a->cfg.vault_path, &st) == 0 ? SV_STATE_LOCKED : SV_STATE_NONE;
}

enum sv_code sv_req_put_status(struct sv_req *q, struct sv_err *err)
{
	struct sv_agent *a = q->a;
	struct sv_secmem_stats mem;
	struct sv_vault_facts f;
	struct sv_msg_status m = {
		.state = state_of(a),
		.flags = a->cfg.status_flags,
		.pid = (uint32_t)getpid(),
		.version = text_of(SV_VERSION),
		.vault_path = text_of(a->cfg.vault_path),
		.refused_peers = a->refused_peers,
		.failed_unlocks = a->idle.failures,
	};
	enum sv_code rc;

	sv_secmem_stats(&mem);
	if (mem.unlocked)
		m.flags |= SV_STATUS_MEM_UNLOCKED;
	if (mem.secretmem)
		m.flags |= SV_STATUS_SECRETMEM;
	if (m.state == SV_STATE_UNLOCKED && sv_vault_facts(a->vault, &f, NULL) == SV_OK) {
		m.flags |= a->witness_new ? SV_STATUS_WITNESS_NEW : 0;
		m.flags |= a->kdf_weak ? SV_STATUS_KDF_WEAK : 0;
		m.idle_s = a->idle.idle_s;
		m.total_s = a->idle.total_s;
		m.idle_left_s = sv_idle_left_s(&a->idle, a->now);
		m.total_left_s = sv_idle_total_left_s(&a->idle, a->now);
		m.seq = f.seq;
		m.changed_s = f.changed_s;
		m.secrets = f.secrets;
		m.released = a->released;
	}
	rc = sv_msg_put_status(q->r->b, &m);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_status(struct sv_req *q, struct sv_err *err)
{
	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	sv_agent_look_vault(q->a, q->c);
	return sv_req_put_status(q, err);
}

enum sv_code sv_req_slots(struct sv_req *q, struct sv_err *err)
{
	struct sv_slot_info slots[SV_SLOTS_MAX];
	size_t n = 0;
	enum sv_code rc;

	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	if ((rc = sv_agent_open(q->a, err)) != SV_OK || (rc = sv_vault_slots(q->a->vault, slots, &n, err)) != SV_OK)
		return rc;
	rc = sv_msg_put_slots(q->r->b, slots, n);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_init(struct sv_req *q, struct sv_err *err)
{
	struct sv_agent *a = q->a;
	const struct sv_vault_config cfg = {
		.path = a->cfg.vault_path,
		.state_dir = a->cfg.state_dir,
		.clock = a->cfg.wall,
		.clock_ctx = a->cfg.wall_ctx,
	};
	struct sv_msg_init m;
	struct stat st;
	enum sv_code rc;

	if (sv_msg_get_init(q->body, &m) != SV_OK || sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	if (lstat(a->cfg.vault_path, &st) == 0)
		return sv_err_set(err, SV_ERR_EXISTS, "there is a vault already");
	sv_agent_lock(a, q->c, "locked: the vault file is gone"); /* staged changes point into what is closed here */
	sv_vault_close(&a->vault);
	rc = sv_vault_create(&cfg, m.slots.slot, m.slots.n, &a->vault, err);
	if (rc != SV_OK)
		return rc;
	if (lstat(a->cfg.vault_path, &st) == 0) {
		a->vault_dev = st.st_dev;
		a->vault_ino = st.st_ino;
	}
	sv_idle_succeeded(&a->idle);
	sv_agent_began(a, m.timers.idle_s, m.timers.total_s);
	return sv_req_put_status(q, err);
}

void sv_req_note_key(struct sv_agent *a, enum sv_code rc)
{
	if (rc == SV_ERR_PASSPHRASE)
		sv_idle_failed(&a->idle, a->now);
	else if (rc == SV_OK)
		sv_idle_succeeded(&a->idle);
}

enum sv_code sv_req_unlock(struct sv_req *q, struct sv_err *err)
{
	struct sv_agent *a = q->a;
	struct sv_msg_unlock m;
	enum sv_code rc;

	if (sv_msg_get_unlock(q->body, &m) != SV_OK || sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	if ((rc = sv_agent_open(a, err)) != SV_OK)
		return rc;
	rc = sv_vault_unlock(a->vault, m.slot, m.key, m.accept_rollback, err);
	sv_req_note_key(a, rc);
	if (rc != SV_OK)
		return rc;
	sv_agent_began(a, m.timers.idle_s, m.timers.total_s);
	return sv_req_put_status(q, err);
}

enum sv_code sv_req_lock(struct sv_req *q, struct sv_err *err)
{
	(void)err;
	q->body->off = q->body->len; /* whatever it holds: a request that means to lock, locks */
	sv_agent_lock(q->a, q->c, "locked: asked to");
	return SV_OK;
}

enum sv_code sv_req_rekey(struct sv_req *q, struct sv_err *err)
{
	struct sv_msg_rekey m;
	enum sv_code rc;

	if (sv_msg_get_rekey(q->body, &m) != SV_OK || sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	rc = sv_vault_rekey(q->a->vault, m.proof_slot, m.proof, m.slots.slot, m.slots.n, err);
	sv_req_note_key(q->a, rc);
	if (rc != SV_OK)
		return rc;
	q->a->kdf_weak = false;
	sv_agent_tell(q->a, SV_EVENT_CHANGED);
	return sv_req_put_status(q, err);
}

enum sv_code sv_req_verify(struct sv_req *q, struct sv_err *err)
{
	struct sv_verify_report rep;
	enum sv_code rc;

	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	if ((rc = sv_vault_verify(q->a->vault, &rep, err)) != SV_OK)
		return rc;
	if ((rc = sv_buf_put_u64(q->r->b, rep.rows)) != SV_OK || (rc = sv_buf_put_u64(q->r->b, rep.values)) != SV_OK ||
	    (rc = sv_buf_put_u64(q->r->b, rep.bytes)) != SV_OK)
		return sv_req_no_memory(rc, err);
	return SV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the agent: one vault, its session, the connections.  Every module of this folder works on it; there are
 * no globals but the flags that signal handlers set.
 */
#ifndef SV_AGENT_AGENT_H
#define SV_AGENT_AGENT_H

#include "agent/idle.h"
#include "agent/limits.h"
#include "proto/frame.h"
#include "vault/vault.h"

#include <sys/types.h>

struct sv_conn;

struct sv_agent_config {
	const char *vault_path, *state_dir; /* absolute, borrowed */
	const char *socket_path;            /* NULL: not ours to watch or remove (tests, systemd) */
	int listen_fd;                      /* non-blocking; -1: none */
	uint32_t status_flags;              /* SV_STATUS_* that hardening found */
	sv_clock_fn clock;                  /* NULL: the system's */
	void *clock_ctx;
	sv_vault_clock wall; /* for stored times; NULL: time(2) */
	void *wall_ctx;
};

struct sv_agent {
	struct sv_agent_config cfg;
	struct sv_time now; /* read before each request */

	struct sv_vault *vault; /* NULL: not open */
	dev_t vault_dev;        /* the file that is open */
	ino_t vault_ino;
	struct sv_idle idle;
	bool indexed; /* nothing left for sv_vault_index_step */
	bool kdf_weak, witness_new;
	uint64_t released;
	uint32_t refused_peers;

	struct sv_conn *conns[SV_CONNS_MAX];
	size_t n_conns;
	size_t first;           /* whose turn it is */
	uint64_t tickets;       /* handed out to those who wait for the delay after a wrong key */
	unsigned char *scratch; /* SV_SCRATCH_BYTES, locked */
	struct sv_buf reply;    /* of the request in work */
	int64_t socket_look_ms;
	dev_t socket_dev;
	ino_t socket_ino;
	bool stopping;
};

/* Set up.  SV_ERR_NOMEM. */
enum sv_code sv_agent_init(struct sv_agent *a, const struct sv_agent_config *cfg, struct sv_err *err) SV_CHECK;
/* Drop connections, lock, close the vault, wipe. */
void sv_agent_clear(struct sv_agent *a);

/* Open the vault file if it is not open, or open it anew when another file has taken its name while it was locked.
 * SV_ERR_NO_VAULT and all that sv_vault_open says. */
enum sv_code sv_agent_open(struct sv_agent *a, struct sv_err *err) SV_CHECK;
bool sv_agent_unlocked(const struct sv_agent *a);
/* After a good key: timers, counters, facts. */
void sv_agent_began(struct sv_agent *a, uint32_t idle_s, uint32_t total_s);
/*
 * Lock: wipe keys, indexes and every buffer that may hold a secret.  Connections in the middle of a request or a reply
 * are closed, except `keep` (may be NULL); staged changes and loaded files are dropped.  why is a constant for the log.
 */
void sv_agent_lock(struct sv_agent *a, const struct sv_conn *keep, const char *why);

/* Lock when another file, or none, has the vault's name: what is open is then no longer what the person sees. */
void sv_agent_look_vault(struct sv_agent *a, const struct sv_conn *keep);
/* Has the session's time run out while a request was in work?  Nothing is locked by asking. */
bool sv_agent_expired(const struct sv_agent *a);
/* Give free heap back to the system. */
void sv_agent_trim(void);
/* Remember an event for every connection that watches; it is sent when the loop comes to it. */
void sv_agent_tell(struct sv_agent *a, enum sv_msg_event event);

#endif

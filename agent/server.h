/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: one turn looks at the clock, waits for the sockets, and gives every connection that has something its
 * share, which is one request or one piece of a reply.  No call in it waits for a client.
 */
#ifndef SV_AGENT_SERVER_H
#define SV_AGENT_SERVER_H

#include "agent/agent.h"

#include <signal.h>

/*
 * One turn.  Waits at most max_wait_ms (-1: as long as there is nothing to do) with sigmask in force (NULL: unchanged).
 */
void sv_server_turn(struct sv_agent *a, int max_wait_ms, const sigset_t *sigmask);
/* Take a connected descriptor as if it had been accepted: peer uid checked, made non-blocking.  false: refused, closed.
 */
bool sv_server_adopt(struct sv_agent *a, int fd);
/* Catch SIGUSR1 (lock), SIGTERM, SIGINT, SIGHUP (end); blocked except in ppoll.  *during is the mask for
 * sv_server_turn. */
void sv_server_catch_signals(sigset_t *during);
/* Turn until a signal ends it: then the owed replies are sent (SV_TERM_WITHIN_MS), and the socket is removed. */
void sv_server_run(struct sv_agent *a, const sigset_t *during);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting sv-agent on demand, once, from any number of commands at the same time.
 */
#ifndef SV_PROTO_SPAWN_AGENT_H
#define SV_PROTO_SPAWN_AGENT_H

#include "proto/endpoint.h"

/* What a starting agent writes to the descriptor of --ready-fd: one of these bytes, then it closes it. */
#define SV_READY_OK    'R' /* it listens */
#define SV_READY_BUSY  'B' /* another agent has this socket: connect to that one */
#define SV_READY_ERROR 'E' /* u16 enum sv_code little-endian and a sentence follow */

/*
 * Make sure that an agent listens on p->socket: take socket + ".start.lock" (waits), connect, and when nobody is
 * there start sv-agent for p->vault, wait until it says that it is ready, and reap the process that was started.  The
 * agent is looked for beside the running program, in ../bin and ../../bin from there (for a program in libexec), and
 * in the directory it was installed to; never in PATH.  SV_INSECURE_MEMORY=1 in the environment is passed on as
 * --insecure-memory. SV_OK: connect now.  Otherwise the agent's own code and sentence, SV_ERR_NOT_FOUND (no
 * sv-agent), SV_ERR_IO.  Blocks for some milliseconds, at most SV_START_WAIT_MS.
 */
#define SV_START_WAIT_MS 20000
enum sv_code sv_agent_start(const struct sv_paths *p, struct sv_err *err) SV_CHECK;

#endif

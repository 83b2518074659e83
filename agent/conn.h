/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client: its buffers, its deadlines, and what it has in work.
 *
 *	reading --whole frame--> served --reply sent at once--> reading
 *	                            |--reply left over--> draining --> reading
 *	                            |--watch------------> watching: a frame for each event, until the client goes
 *	                            |--listing----------> job: a frame each time the socket has drained --> reading
 *	                            `--key too early----> waiting, until the delay is over --> served
 *
 * Nothing is read while a reply is unsent (back-pressure), so a client that does not read costs one reply and no more.
 *A connection that is idle owns no buffer.
 */
#ifndef SV_AGENT_CONN_H
#define SV_AGENT_CONN_H

#include "agent/agent.h"
#include "agent/job.h"

struct sv_load; /* req_file.c */

enum sv_dropped {
	SV_DROPPED_NOT,
	SV_DROPPED_LOCKED /* the vault was locked */,
	SV_DROPPED_REFUSED /* a part was refused */
};

struct sv_conn {
	int fd;
	struct sv_buf in;  /* bytes of frames not served yet */
	struct sv_buf out; /* what the socket did not take */
	bool eof;          /* the client sends no more */
	bool closing;      /* close when out is empty */
	bool dead;         /* close now */
	uint64_t ticket;   /* not 0: waits for the delay after a wrong key, in this order */
	int64_t used_ms;   /* last whole request or accept */
	int64_t part_ms;   /* since when a frame is unfinished; 0: none is */
	int64_t owed_ms;   /* since when a reply waits in out */
	int64_t drain_ms;  /* last time out got shorter */
	struct sv_job *job;
	struct sv_tx *tx; /* staged change */
	uint8_t tx_verb;
	int64_t staged_ms;                        /* when tx or load began */
	enum sv_dropped tx_dropped, load_dropped; /* frames of it may still come; they are refused */
	struct sv_load *load;
	bool watching;   /* a WATCH: events are pushed, no further request is taken */
	uint32_t events; /* 1 << enum sv_msg_event, not told yet */
};

/* Take over a connected, non-blocking descriptor.  NULL: no memory (fd is the caller's then). */
struct sv_conn *sv_conn_new(int fd, int64_t now_ms);
/* Wipe, close, free, NULL. */
void sv_conn_free(struct sv_conn **c);

/* Is a whole frame, or one that will never be legal, at the front of c->in? */
bool sv_conn_has_frame(const struct sv_conn *c);
/* Nothing of a request, reply, job, change or file is in work. */
bool sv_conn_idle(const struct sv_conn *c);
/*
 * Read once.  Without anything kept, into scratch, else behind what c->in holds.  *view is what may be served from:
 * scratch or c->in. false: nothing came (would block, end of file, error; c->eof and c->dead say which).
 */
bool sv_conn_read(struct sv_conn *c, unsigned char *scratch, struct sv_buf **view, struct sv_buf *scratch_view,
		  int64_t now_ms);
/* Keep what is unread of a view of scratch, wipe scratch; give back c->in when it is empty; note whether a frame is
 * unfinished. */
void sv_conn_keep(struct sv_conn *c, struct sv_buf *view, unsigned char *scratch, int64_t now_ms);
/* Send reply as far as the socket takes it; the rest moves to c->out.  reply is empty and wiped afterwards. */
void sv_conn_send(struct sv_conn *c, struct sv_buf *reply, int64_t now_ms);
/* Send more of c->out. */
void sv_conn_flush(struct sv_conn *c, int64_t now_ms);
/* The boot-independent time at which this connection has to be looked at; INT64_MAX: never.  expired: that time has
 * come. */
int64_t sv_conn_deadline_ms(const struct sv_conn *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to its handler: the table of requests, and the one place where its flags are checked.
 */
#ifndef SV_AGENT_DISPATCH_H
#define SV_AGENT_DISPATCH_H

#include "agent/conn.h"

enum sv_served {
	SV_SERVED,       /* a->reply holds the reply; the frame was consumed and wiped */
	SV_SERVED_LATER, /* a key before its time: the frame stays where it is, c->ticket is set */
};

/*
 * Serve the frame at the front of view (whole, or one that sv_frame_peek refuses).  The reply is left in a->reply;
 * c->closing says that the connection ends behind it, c->job that more will follow.
 */
enum sv_served sv_dispatch(struct sv_agent *a, struct sv_conn *c, struct sv_buf *view);
/* The next piece of c->job into a->reply. */
void sv_dispatch_job(struct sv_agent *a, struct sv_conn *c);
/* The next of c->events, which is not 0, into a->reply. */
void sv_dispatch_event(struct sv_agent *a, struct sv_conn *c);
/* The name of a request type, for the log; never NULL. */
const char *sv_dispatch_name(uint16_t type);

#endif

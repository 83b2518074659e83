/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hearing from the agent that something changed, and finding out whether it concerns what the program holds.
 */
#ifndef SV_PROJECT_WATCH_H
#define SV_PROJECT_WATCH_H

#include "cli/project/plan.h"

enum sv_watch_news { SV_WATCH_NOTHING, SV_WATCH_CHANGED, SV_WATCH_LOST };

struct sv_watch {
	struct sv_client client; /* the subscription's own connection */
};

#define SV_WATCH_INIT                    \
	{                                \
		.client = SV_CLIENT_INIT \
	}

/* Subscribe.  SV_ERR_BUSY: too many watchers. */
enum sv_code sv_watch_open(struct sv_watch *w, struct sv_err *err) SV_CHECK;
/*
 * Read one event.  After a change the values are fetched again and compared; when one differs the plan has the new ones
 * and CHANGED is returned.  What happens is said on standard error.
 */
enum sv_watch_news sv_watch_read(struct sv_watch *w, struct sv_plan *p, struct sv_cli *cli);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that are made piece by piece as the client takes them: listings, comparisons of environments, a backup file.
 * A job remembers where it stopped by name, so the vault may change between two pieces.
 */
#ifndef SV_AGENT_JOB_H
#define SV_AGENT_JOB_H

#include "agent/agent.h"
#include "agent/reply.h"

enum sv_job_kind { SV_JOB_LIST = 1, SV_JOB_INFOS, SV_JOB_READ, SV_JOB_ENV_DIFF, SV_JOB_FILE };

struct sv_job {
	enum sv_job_kind kind;
	bool with_meta;
	int fd;        /* FILE, else -1 */
	uint64_t left; /* FILE: bytes */
	char env[SV_ENV_NAME_MAX], other[SV_ENV_NAME_MAX], group[SV_NAME_MAX + 1], last[SV_NAME_MAX];
	size_t env_len, other_len, group_len, last_len;
};

/* In locked memory, since it holds names.  NULL: none left. */
struct sv_job *sv_job_new(enum sv_job_kind kind);
void sv_job_free(struct sv_job **j);
bool sv_job_set(char *to, size_t size, size_t *len, struct sv_text t);

/* Put the next piece into the open reply; *more says whether there is another. */
enum sv_code sv_job_step(struct sv_agent *a, struct sv_job *j, struct sv_reply *r, bool *more,
			 struct sv_err *err) SV_CHECK;

/*
 * One page of a listing, as entries with metadata (sv_msg_get_entry) at the end of `page`: at most max_n names behind
 * `after`.  *full: there may be more.
 */
enum sv_code sv_page_read(struct sv_agent *a, struct sv_text env, struct sv_text group, struct sv_text after,
			  size_t max_n, struct sv_buf *page, bool *full, struct sv_err *err) SV_CHECK;
/* u32 length + struct sv_msg_info of i. */
enum sv_code sv_put_info(struct sv_buf *b, const struct sv_info *i) SV_CHECK;
struct sv_msg_info sv_info_to_msg(const struct sv_info *i);

#endif

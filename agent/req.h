/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers of requests.  Each one decodes its body, does it, and puts the body of the reply; on an error it returns
 * code and sentence and what it wrote is thrown away.  SV_ERR_PROTO closes the connection behind the error.
 */
#ifndef SV_AGENT_REQ_H
#define SV_AGENT_REQ_H

#include "agent/agent.h"
#include "agent/conn.h"
#include "agent/reply.h"

struct sv_req {
	struct sv_agent *a;
	struct sv_conn *c;
	struct sv_buf *body; /* to be decoded */
	bool more;           /* another frame of this request follows */
	struct sv_reply *r;
};

typedef enum sv_code (*sv_req_fn)(struct sv_req *q, struct sv_err *err);

/* req_vault.c */
enum sv_code sv_req_status(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_slots(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_init(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_unlock(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_lock(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_rekey(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_verify(struct sv_req *q, struct sv_err *err);
/* req_read.c */
enum sv_code sv_req_get(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_info(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_list(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_infos(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_history(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_compare(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_envs(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_env_diff(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_read(struct sv_req *q, struct sv_err *err);
/* req_object.c */
enum sv_code sv_req_object_put(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_object_get(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_object_list(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_object_remove(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_draft_key(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_draft_open(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_watch(struct sv_req *q, struct sv_err *err);
/* req_resolve.c */
enum sv_code sv_req_resolve(struct sv_req *q, struct sv_err *err);
/* req_write.c */
enum sv_code sv_req_write(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_undo(struct sv_req *q, struct sv_err *err);
/* req_file.c */
enum sv_code sv_req_backup(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_load(struct sv_req *q, struct sv_err *err);
enum sv_code sv_req_adopt(struct sv_req *q, struct sv_err *err);
/* No further part of it will come. */
bool sv_load_is_whole(const struct sv_load *l);
/* Forget a loaded file and remove it from the disk.  NULL is allowed. */
void sv_load_free(struct sv_load **l);

/* ---- what several handlers need --------------------------------------------------------------- */

/* The body did not parse.  Nothing of it is repeated. */
enum sv_code sv_req_malformed(struct sv_err *err);
enum sv_code sv_req_no_memory(enum sv_code rc, struct sv_err *err);
/* An empty environment means "default"; otherwise its name must be legal. */
enum sv_code sv_req_env(struct sv_text *env, struct sv_err *err) SV_CHECK;
/* Both of a reference. */
enum sv_code sv_req_ref(struct sv_req *q, struct sv_msg_ref *ref, struct sv_err *err) SV_CHECK;
/* Put the status body. */
enum sv_code sv_req_put_status(struct sv_req *q, struct sv_err *err) SV_CHECK;
/* A key was tried on the vault: count it, and let the next one wait if it was wrong. */
void sv_req_note_key(struct sv_agent *a, enum sv_code rc);
/* A request made a job: its first piece goes into this reply. */
enum sv_code sv_req_start_job(struct sv_req *q, struct sv_job *j, struct sv_err *err) SV_CHECK;

#endif

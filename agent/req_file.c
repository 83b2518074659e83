/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that move whole vault files: backup out, load and adopt in.
 *
 * A loaded file waits beside the vault under a name of its own, mode 0600, until it is adopted or its connection ends.
 *Adopting verifies it whole under the given key first, with a witness of its own, and only then exchanges names:
 *
 *	loaded --key, every seal--> verified --vault renamed aside, loaded renamed to vault--> in place --unlock-->
 *witness moved
 *
 * A failure before the exchange leaves everything as it was; one after it puts the names back.
 */
#include "agent/req.h"

#include "agent/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 4352 /* a vault's path and what is put behind it */

struct sv_load {
	char path[PATH_BYTES];
	int fd; /* -1: complete */
	uint64_t bytes;
};

static void unlink_with_journal(const char *path)
{
	char journal[PATH_BYTES + 16];

	(void)unlink(path);
	(void)snprintf(journal, sizeof(journal), "%s-journal", path);
	(void)unlink(journal);
}

void sv_load_free(struct sv_load **l)
{
	if (*l == NULL)
		return;
	if ((*l)->fd >= 0)
		(void)close((*l)->fd);
	if ((*l)->path[0] != '\0')
		unlink_with_journal((*l)->path);
	free(*l);
	*l = NULL;
}

bool sv_load_is_whole(const struct sv_load *l)
{
	return l->fd < 0;
}

/* The directory that holds path, as text with its closing slash. */
static size_t dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

static enum sv_code sync_dir(const char *path, struct sv_err *err)
{
	char dir[PATH_BYTES];
	size_t n = dir_len(path);
	enum sv_code rc = SV_OK;
	int fd;

	(void)snprintf(dir, sizeof(dir), "%.*s", (int)n, path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot make the change of names durable");
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* ---- out ---- */

/* A file without a name beside the vault: what is in it is ciphertext, and it is gone with its descriptor. */
static int nameless(const char *vault_path)
{
	char dir[PATH_BYTES];
	int fd;

	(void)snprintf(dir, sizeof(dir), "%.*s", (int)dir_len(vault_path), vault_path);
#ifdef O_TMPFILE
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
#endif
	(void)snprintf(dir, sizeof(dir), "%s.copy-XXXXXX", vault_path);
	fd = mkostemp(dir, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(dir);
	return fd;
}

enum sv_code sv_req_backup(struct sv_req *q, struct sv_err *err)
{
	struct sv_job *j;
	enum sv_code rc;

	if (sv_buf_unread(q->body) > 0)
		return sv_req_malformed(err);
	if ((j = sv_job_new(SV_JOB_FILE)) == NULL)
		return sv_req_no_memory(SV_ERR_NOMEM, err);
	j->fd = nameless(q->a->cfg.vault_path);
	if (j->fd < 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot make a copy beside the vault");
	else
		rc = sv_vault_backup_fd(q->a->vault, j->fd, &j->left, err);
	if (rc == SV_OK && lseek(j->fd, 0, SEEK_SET) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read the copy");
	if (rc != SV_OK) {
		sv_job_free(&j);
		return rc;
	}
	return sv_req_start_job(q, j, err);
}

/* ---- in ---- */

static struct sv_vault_config config_of(const struct sv_agent *a, const char *path, const char *state_dir)
{
	return (struct sv_vault_config){
		.path = path, .state_dir = state_dir, .clock = a->cfg.wall, .clock_ctx = a->cfg.wall_ctx
	};
}

/* The load that has come to a stop longest ago makes room for another. */
static bool drop_abandoned(struct sv_agent *a)
{
	struct sv_conn *oldest = NULL;

	for (size_t i = 0; i < a->n_conns; i++) {
		struct sv_conn *c = a->conns[i];

		if (c->load == NULL || c->load->fd < 0 || a->now.mono_ms - c->used_ms < SV_FRAME_WITHIN_MS)
			continue;
		if (oldest == NULL || c->used_ms < oldest->used_ms)
			oldest = c;
	}
	if (oldest == NULL)
		return false;
	sv_load_free(&oldest->load);
	oldest->load_dropped = SV_DROPPED_REFUSED;
	return true;
}

static enum sv_code begin_load(struct sv_req *q, struct sv_err *err)
{
	struct sv_load *l;
	size_t loads = 0;

	for (size_t i = 0; i < q->a->n_conns; i++)
		loads += q->a->conns[i]->load != NULL;
	if (loads >= SV_LOADS_MAX && !drop_abandoned(q->a))
		return sv_err_set(err, SV_ERR_BUSY, "%d files are being loaded already", SV_LOADS_MAX);
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return sv_req_no_memory(SV_ERR_NOMEM, err);
	l->fd = -1;
	q->c->load = l;
	q->c->staged_ms = q->a->now.mono_ms;
	(void)snprintf(l->path, sizeof(l->path), "%s.load-XXXXXX", q->a->cfg.vault_path);
	l->fd = mkostemp(l->path, O_CLOEXEC);
	if (l->fd < 0) {
		int e = errno;

		l->path[0] = '\0';
		return sv_err_sys(err, SV_ERR_IO, e, "cannot make a file beside the vault");
	}
	return SV_OK;
}

static enum sv_code append(struct sv_req *q, struct sv_err *err)
{
	struct sv_load *l = q->c->load;
	size_t n = sv_buf_unread(q->body);

	if (l->bytes + n > SV_LOAD_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "the file is larger than a vault may be");
	while (sv_buf_unread(q->body) > 0) {
		ssize_t w = write(l->fd, sv_buf_head(q->body), sv_buf_unread(q->body));

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot write the file beside the vault");
		q->body->off += (size_t)w;
	}
	l->bytes += n;
	return SV_OK;
}

static enum sv_code tell_slots(struct sv_req *q, struct sv_err *err)
{
	struct sv_vault_config cfg = config_of(q->a, q->c->load->path, q->a->cfg.state_dir);
	struct sv_slot_info slots[SV_SLOTS_MAX];
	struct sv_vault *v = NULL;
	size_t n = 0;
	enum sv_code rc;

	if (fsync(q->c->load->fd) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot write the file beside the vault");
	(void)close(q->c->load->fd);
	q->c->load->fd = -1;
	rc = sv_vault_open(&cfg, &v, err);
	if (rc == SV_OK)
		rc = sv_vault_slots(v, slots, &n, err);
	sv_vault_close(&v);
	if (rc != SV_OK)
		return rc;
	rc = sv_msg_put_slots(q->r->b, slots, n);
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

enum sv_code sv_req_load(struct sv_req *q, struct sv_err *err)
{
	struct sv_conn *c = q->c;
	enum sv_code rc = SV_OK;

	if (c->load_dropped != SV_DROPPED_NOT) {
		if (!q->more)
			c->load_dropped = SV_DROPPED_NOT;
		q->body->off = q->body->len;
		return sv_err_set(err, SV_ERR_FAIL, "an earlier part of the file was refused");
	}
	if (c->load != NULL && c->load->fd < 0)
		sv_load_free(&c->load); /* a complete one that was not adopted: begin again */
	if (c->load == NULL)
		rc = begin_load(q, err);
	if (rc == SV_OK)
		rc = append(q, err);
	if (rc == SV_OK && !q->more)
		rc = tell_slots(q, err);
	q->body->off = q->body->len;
	if (rc != SV_OK) {
		sv_load_free(&c->load);
		if (q->more)
			c->load_dropped = SV_DROPPED_REFUSED;
	}
	return rc;
}

/* Verify the loaded file whole.  Its witness goes to a directory of its own, so that nothing is moved before it is
 * ours. */
static enum sv_code prove(struct sv_req *q, uint8_t slot, const unsigned char *key, struct sv_err *err)
{
	char dir[PATH_BYTES];
	struct sv_vault_config cfg;
	struct sv_verify_report rep;
	struct sv_vault_facts f;
	struct sv_vault *v = NULL;
	char witness[PATH_BYTES + 40];
	enum sv_code rc;

	(void)snprintf(dir, sizeof(dir), "%s/adopt", q->a->cfg.state_dir);
	cfg = config_of(q->a, q->c->load->path, dir);
	witness[0] = '\0';
	rc = sv_vault_open(&cfg, &v, err);
	if (rc == SV_OK) {
		rc = sv_vault_unlock(v, slot, key, true, err);
		if (rc ==
		    SV_ERR_PASSPHRASE) /* a right key of some file is no right key of this vault: it resets no delay */
			sv_req_note_key(q->a, rc);
	}
	if (rc == SV_OK)
		rc = sv_vault_verify(v, &rep, err);
	if (v != NULL && sv_vault_facts(v, &f, NULL) == SV_OK) {
		int n = snprintf(witness, sizeof(witness), "%s/", dir);

		for (size_t i = 0; i < sizeof(f.vault_id) && n > 0; i++)
			n += snprintf(witness + n, sizeof(witness) - (size_t)n, "%02x", f.vault_id[i]);
	}
	sv_vault_close(&v);
	if (witness[0] != '\0')
		(void)unlink(witness);
	(void)rmdir(dir);
	return rc;
}

/* A name for the former file that nothing has yet. */
static enum sv_code aside_name(const char *vault_path, char out[PATH_BYTES], struct sv_err *err)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];
	struct stat st;

	if (gmtime_r(&now, &tm) == NULL || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0)
		return sv_err_set(err, SV_ERR_FAIL, "the clock cannot be read");
	for (int i = 0; i < 1000; i++) {
		if (i == 0)
			(void)snprintf(out, PATH_BYTES, "%s.before-%s", vault_path, stamp);
		else
			(void)snprintf(out, PATH_BYTES, "%s.before-%s.%d", vault_path, stamp, i);
		if (lstat(out, &st) != 0 && errno == ENOENT)
			return SV_OK;
	}
	return sv_err_set(err, SV_ERR_EXISTS, "there are too many former vaults beside the vault");
}

/* A journal belongs to its file: a hot one left behind would be rolled into the other vault. */
static enum sv_code move_journal(const char *from, const char *to, struct sv_err *err)
{
	char a[PATH_BYTES + 16], b[PATH_BYTES + 16];

	(void)snprintf(a, sizeof(a), "%s-journal", from);
	(void)snprintf(b, sizeof(b), "%s-journal", to);
	if (rename(a, b) != 0 && errno != ENOENT)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot rename the journal of the present vault");
	return SV_OK;
}

/* The former vault back to its name, journal first; says where it is when that fails. */
static enum sv_code put_back(const char *aside, const char *vault, bool had, enum sv_code rc, struct sv_err *err)
{
	if (move_journal(aside, vault, NULL) == SV_OK && (!had || rename(aside, vault) == 0))
		return rc;
	sv_err_prefix(err, "the former vault is now %s", aside);
	return rc;
}

static enum sv_code exchange(struct sv_req *q, uint8_t slot, const unsigned char *key, char aside[PATH_BYTES],
			     struct sv_err *err)
{
	struct sv_agent *a = q->a;
	const char *vault = a->cfg.vault_path;
	struct sv_load *l = q->c->load;
	struct stat st;
	bool had = lstat(vault, &st) == 0;
	enum sv_code rc;

	if ((rc = aside_name(vault, aside, err)) != SV_OK)
		return rc;
	q->c->load = NULL; /* the lock would drop it */
	sv_agent_lock(a, q->c, "locked: another vault takes its place");
	sv_vault_close(&a->vault);
	q->c->load = l;
	/* Also without a vault: its journal may be all that is left of it, and SQLite would play it into the new one.
	 */
	if ((rc = move_journal(vault, aside, err)) != SV_OK)
		return rc;
	if (had && rename(vault, aside) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot rename the present vault");
		return put_back(aside, vault, false, rc, err);
	}
	if (rename(l->path, vault) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot put the file in the vault's place");
		return put_back(aside, vault, had, rc, err);
	}
	if ((rc = sync_dir(vault, err)) != SV_OK || (rc = sv_agent_open(a, err)) != SV_OK ||
	    (rc = sv_vault_unlock(a->vault, slot, key, true, err)) != SV_OK) {
		sv_vault_close(&a->vault);
		(void)rename(vault, l->path);
		return put_back(aside, vault, had, rc, err);
	}
	unlink_with_journal(l->path);
	l->path[0] = '\0';
	if (!had)
		aside[0] = '\0';
	return SV_OK;
}

enum sv_code sv_req_adopt(struct sv_req *q, struct sv_err *err)
{
	unsigned char *key = NULL;
	char aside[PATH_BYTES];
	uint8_t slot;
	enum sv_code rc;

	if (sv_buf_get_u8(q->body, &slot) != SV_OK || sv_buf_unread(q->body) != SV_SLOT_KEY_BYTES)
		return sv_req_malformed(err);
	if (q->c->load == NULL || q->c->load->fd >= 0)
		return sv_err_set(err, SV_ERR_USAGE, "no file was loaded on this connection");
	if ((key = sv_secmem_alloc(SV_SLOT_KEY_BYTES)) == NULL)
		return sv_req_no_memory(SV_ERR_NOMEM, err);
	if ((rc = sv_buf_get(q->body, key, SV_SLOT_KEY_BYTES)) != SV_OK)
		rc = sv_req_malformed(err);
	if (rc == SV_OK)
		rc = prove(q, slot, key, err);
	if (rc == SV_OK)
		rc = exchange(q, slot, key, aside, err);
	sv_secmem_free(key);
	if (rc == SV_ERR_PASSPHRASE)
		return rc; /* the file stays: another key may be tried */
	sv_load_free(&q->c->load);
	if (rc != SV_OK)
		return rc;
	sv_req_note_key(q->a, SV_OK);
	sv_agent_began(q->a, 0, 0);
	sv_agent_tell(q->a, SV_EVENT_CHANGED);
	rc = sv_msg_put_text(q->r->b, (struct sv_text){ aside, strlen(aside) });
	return rc == SV_OK ? SV_OK : sv_req_no_memory(rc, err);
}

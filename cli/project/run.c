/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment in three layers: what is inherited (all of it or the allow list of --clean), plain texts (defaults of
 * the manifest, paths of files, lines of env files), secrets.
 */
#include "cli/project/run.h"

#include "cli/childenv.h"
#include "cli/project/supervisor.h"
#include "cli/project/watch.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/spawn.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct built {
	struct sv_deliveries files;
	size_t *file_of_item; /* index into files, or SIZE_MAX */
	char **inherited;     /* with plain texts in front: the first of two counts */
	size_t n_inherited;
	struct sv_childenv_var *vars;
	size_t n_vars;
	void *room;
	struct sv_arena arena; /* paths and plain texts */
	struct sv_buf secrets; /* lines of env files that hold values */
	struct sv_run *run;
	struct sv_watch watch;
};

static const char *const clean_list[] = { "PATH", "HOME",      "USER",     "LOGNAME", "SHELL",
					  "TERM", "COLORTERM", "NO_COLOR", "LANG",    "LANGUAGE",
					  "LC_*", "TZ",        "TMPDIR",   "PWD",     NULL };

static bool kept_by_clean(const char *pair)
{
	size_t n = strcspn(pair, "=");
	char name[64];

	if (n >= sizeof(name))
		return false;
	memcpy(name, pair, n);
	name[n] = '\0';
	for (const char *const *c = clean_list; *c != NULL; c++)
		if (fnmatch(*c, name, 0) == 0)
			return true;
	return false;
}

static enum sv_code no_memory(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_NOMEM, "no memory for the environment");
}

static enum sv_code plain(struct built *b, char *pair, struct sv_err *err)
{
	if (pair == NULL || !SV_ARENA_GROW(&b->arena, b->inherited, b->n_inherited))
		return no_memory(err);
	b->inherited[b->n_inherited++] = pair;
	return SV_OK;
}

static enum sv_code check_plain_name(struct built *b, const char *var, struct sv_err *err)
{
	if ((b->run->childenv_flags & SV_CHILDENV_FORCE) == 0 && sv_var_dangerous(var, strlen(var)))
		return sv_err_set(err, SV_ERR_DENIED, "%s changes how programs run; --force allows it", var);
	return SV_OK;
}

/* One line of an env file with its references filled in, in locked memory. */
static enum sv_code envfile_line(struct built *b, const struct sv_envfile_line *l, const struct sv_item *const *parts,
				 struct sv_err *err)
{
	size_t from = b->secrets.len;
	size_t at = 0;
	enum sv_code rc = sv_buf_put(&b->secrets, l->var, strlen(l->var));

	if (rc == SV_OK)
		rc = sv_buf_put_u8(&b->secrets, '=');
	for (size_t i = 0; i < l->value.n && rc == SV_OK; i++) {
		const struct sv_template_piece *piece = &l->value.v[i];

		if (piece->name == NULL) {
			rc = sv_buf_put(&b->secrets, piece->text.p, piece->text.n);
			continue;
		}
		if (memchr(parts[at]->value, '\0', parts[at]->value_len) != NULL)
			return sv_err_set(err, SV_ERR_FAIL,
					  "the value of \"%s\" holds a NUL byte, which no variable can; --file %s=%s "
					  "gives it as a file",
					  parts[at]->name, l->var, parts[at]->name);
		rc = sv_buf_put(&b->secrets, parts[at]->value, parts[at]->value_len);
		at++;
	}
	if (rc == SV_OK)
		rc = sv_buf_put_u8(&b->secrets, 0);
	if (rc != SV_OK)
		return sv_err_set(err, rc, "no memory for the env file");
	if (b->secrets.len - from > SV_VAR_PAIR_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG,
				  "line %u of the env file is too large for a variable; --file %s=NAME gives a file",
				  l->line, l->var);
	return SV_OK;
}

/* The items of an env file's line, in order; they were asked for one by one. */
static size_t parts_of(const struct sv_plan *p, size_t *next, size_t n, const struct sv_item **out)
{
	size_t got = 0;

	for (; *next < p->n_items && got < n; ++*next)
		if (p->items[*next].wish->deliver == SV_DELIVER_PART)
			out[got++] = &p->items[*next];
	return got;
}

static enum sv_code envfile(struct built *b, struct sv_err *err)
{
	const struct sv_run *r = b->run;
	const struct sv_item **parts = sv_arena_alloc(&b->arena, (SV_TEMPLATE_REFS_MAX + 1) * sizeof(*parts));
	size_t next = 0;
	size_t *starts = sv_arena_alloc(&b->arena, (r->n_lines + 1) * sizeof(*starts));
	enum sv_code rc = SV_OK;

	if (parts == NULL || starts == NULL)
		return no_memory(err);
	for (size_t i = 0; i < r->n_lines && rc == SV_OK; i++) {
		const struct sv_envfile_line *l = &r->lines[i];

		if ((rc = check_plain_name(b, l->var, err)) != SV_OK)
			return rc;
		if (parts_of(r->plan, &next, l->value.n_refs, parts) != l->value.n_refs)
			return sv_err_set(err, SV_ERR_FAIL, "line %u of the env file names a secret that is not there",
					  l->line);
		starts[i] = b->secrets.len;
		rc = envfile_line(b, l, parts, err);
	}
	/* Only now: growing moves the bytes. */
	for (size_t i = 0; i < r->n_lines && rc == SV_OK; i++)
		rc = plain(b, (char *)b->secrets.data + starts[i], err);
	return rc;
}

static bool inherits(const struct sv_run *r, const char *var)
{
	return getenv(var) != NULL && (!r->clean || kept_by_clean(var));
}

static enum sv_code defaults(struct built *b, struct sv_err *err)
{
	const struct sv_plan *p = b->run->plan;
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < p->n_items && rc == SV_OK; i++) {
		const struct sv_item *item = &p->items[i];

		if (item->name != NULL || item->wish->default_text == NULL || inherits(b->run, item->var))
			continue;
		if ((rc = check_plain_name(b, item->var, err)) == SV_OK)
			rc = plain(b, sv_arena_fmt(&b->arena, "%s=%s", item->var, item->wish->default_text), err);
	}
	return rc;
}

static enum sv_code deliver(struct built *b, struct sv_err *err)
{
	const struct sv_plan *p = b->run->plan;
	enum sv_code rc = SV_OK;

	b->file_of_item = sv_arena_alloc(&b->arena, (p->n_items + 1) * sizeof(*b->file_of_item));
	if (b->file_of_item == NULL)
		return no_memory(err);
	for (size_t i = 0; i < p->n_items && rc == SV_OK; i++) {
		const struct sv_item *item = &p->items[i];

		b->file_of_item[i] = SIZE_MAX;
		if (item->name == NULL || item->wish->deliver == SV_DELIVER_ENV ||
		    item->wish->deliver == SV_DELIVER_PART)
			continue;
		b->file_of_item[i] = b->files.n;
		switch (item->wish->deliver) {
		case SV_DELIVER_MEMORY: rc = sv_deliver_memory(&b->files, item->value, item->value_len, err); break;
		case SV_DELIVER_PATH:
			rc = sv_deliver_path(&b->files, item->name, item->value, item->value_len, err);
			break;
		case SV_DELIVER_FIFO:
			rc = sv_deliver_fifo(&b->files, item->name, item->value, item->value_len, err);
			break;
		case SV_DELIVER_FD:
			rc = sv_deliver_fd(&b->files, item->wish->fd, item->value, item->value_len, err);
			break;
		case SV_DELIVER_ENV:
		case SV_DELIVER_PART: break;
		}
		if (rc == SV_OK && item->var[0] != '\0')
			rc = check_plain_name(b, item->var, err);
	}
	return rc;
}

/* Variables that hold the paths of files, in the process that will be the program. */
static enum sv_code paths(struct built *b, pid_t pid, struct sv_err *err)
{
	const struct sv_plan *p = b->run->plan;
	char text[SV_DELIVER_PATH_BYTES];
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < p->n_items && rc == SV_OK; i++) {
		if (b->file_of_item[i] == SIZE_MAX || p->items[i].var[0] == '\0')
			continue;
		if (!sv_deliver_text(&b->files, b->file_of_item[i], pid, text, sizeof(text)))
			return sv_err_set(err, SV_ERR_TOO_BIG, "a path is too long");
		rc = plain(b, sv_arena_fmt(&b->arena, "%s=%s", p->items[i].var, text), err);
	}
	return rc;
}

static enum sv_code build_env(struct built *b, pid_t pid, char ***envp, struct sv_err *err)
{
	struct sv_plan *p = b->run->plan;
	enum sv_code rc;

	b->n_inherited = b->n_vars = 0;
	b->inherited = NULL;
	b->vars = sv_arena_alloc(&b->arena, (p->n_items + 1) * sizeof(*b->vars));
	if (b->vars == NULL)
		return no_memory(err);
	if ((rc = paths(b, pid, err)) != SV_OK || (rc = defaults(b, err)) != SV_OK || (rc = envfile(b, err)) != SV_OK)
		return rc;
	for (char **e = environ; *e != NULL; e++)
		if ((!b->run->clean || kept_by_clean(*e)) && (rc = plain(b, *e, err)) != SV_OK)
			return rc;
	if ((rc = plain(b, (char[]){ "" }, err)) != SV_OK)
		return rc;
	b->inherited[--b->n_inherited] = NULL;
	for (size_t i = 0; i < p->n_items; i++) {
		const struct sv_item *item = &p->items[i];

		if (item->name != NULL && item->wish->deliver == SV_DELIVER_ENV)
			b->vars[b->n_vars++] =
				(struct sv_childenv_var){ (char *)(uintptr_t)item->value, strlen(item->var),
							  item->value_len, sv_text_of(item->name),
							  strcmp(item->from_env, item->env) != 0 };
	}
	b->room = sv_arena_alloc(&b->arena, sv_childenv_room(b->n_inherited, b->n_vars));
	if (b->room == NULL)
		return no_memory(err);
	return sv_childenv_build(b->inherited, b->vars, b->n_vars, b->run->childenv_flags, b->room, envp, err);
}

static void become(void *ctx, pid_t pid, int *status, struct sv_err *err)
{
	struct built *b = ctx;
	char **envp;

	if (build_env(b, pid, &envp, err) != SV_OK)
		return;
	if (!sv_deliver_place(&b->files)) {
		(void)sv_err_sys(err, SV_ERR_IO, errno, "cannot put a descriptor in its place");
		return;
	}
	sv_write_restore_signal();
	if (sv_spawn_exec(b->run->argv, envp, status, err) != SV_OK)
		return; /* as after every failure: the caller looks at err */
}

/* Values and files anew: for the first start and each restart. */
static enum sv_code prepare(void *ctx, struct sv_err *err)
{
	struct built *b = ctx;

	sv_deliver_clear(&b->files);
	sv_arena_clear(&b->arena);
	sv_buf_reset(&b->secrets);
	return deliver(b, err);
}

static enum sv_supervisor_verdict ready(void *ctx)
{
	struct built *b = ctx;
	struct sv_err err = SV_ERR_INIT;
	enum sv_watch_news news = sv_watch_read(&b->watch, b->run->plan, b->run->cli);

	if (news == SV_WATCH_LOST)
		return SV_SUPERVISOR_UNWATCH;
	if (news != SV_WATCH_CHANGED)
		return SV_SUPERVISOR_GO_ON;
	/* Files with a name follow at once, whatever is done about the program. */
	for (size_t i = 0; i < b->run->plan->n_items; i++)
		if (b->run->plan->items[i].wish->deliver == SV_DELIVER_PATH && b->file_of_item[i] != SIZE_MAX &&
		    sv_deliver_renew(&b->files, b->file_of_item[i], b->run->plan->items[i].value,
				     b->run->plan->items[i].value_len, &err) != SV_OK)
			sv_say_warning(b->run->cli, "%s", err.msg);
	if (b->run->no_restart)
		return SV_SUPERVISOR_GO_ON;
	return b->run->watch_signal != 0 ? SV_SUPERVISOR_SIGNAL : SV_SUPERVISOR_RESTART;
}

/*
 * The masking supervisor makes the program a grandchild with a process id that is not known here, so a file in memory
 * becomes one with a name.
 */
static void no_memory_files(struct sv_plan *p)
{
	for (size_t i = 0; i < p->n_wishes; i++)
		if (p->wishes[i].deliver == SV_DELIVER_MEMORY)
			p->wishes[i].deliver = SV_DELIVER_PATH;
}

/* What is to be masked: all that is given, in whatever form. */
static enum sv_code mask_list(struct built *b, struct sv_buf *pairs, struct sv_childenv_var **vars, size_t *n,
			      struct sv_err *err)
{
	const struct sv_plan *p = b->run->plan;
	size_t room = 0;
	enum sv_code rc;

	*n = 0;
	*vars = sv_arena_alloc(&b->arena, (p->n_items + 1) * sizeof(**vars));
	for (size_t i = 0; i < p->n_items; i++)
		room += p->items[i].wish->deliver != SV_DELIVER_ENV ? (size_t)p->items[i].value_len + 3 : 0;
	if (*vars == NULL || sv_buf_reserve(pairs, room + 1) != SV_OK)
		return no_memory(err);
	for (size_t i = 0; i < p->n_items; i++) {
		const struct sv_item *item = &p->items[i];
		struct sv_childenv_var v = { (char *)(uintptr_t)item->value, strlen(item->var), item->value_len,
					     sv_text_of(item->name != NULL ? item->name : ""), false };

		if (item->name == NULL)
			continue;
		if (item->wish->deliver != SV_DELIVER_ENV) {
			v.pair = (char *)pairs->data + pairs->len;
			v.var_len = 1;
			if ((rc = sv_buf_put(pairs, "X=", 2)) != SV_OK ||
			    (rc = sv_buf_put(pairs, item->value, item->value_len)) != SV_OK ||
			    (rc = sv_buf_put_u8(pairs, 0)) != SV_OK)
				return no_memory(err);
		}
		(*vars)[(*n)++] = v;
	}
	return SV_OK;
}

static enum sv_code masked(struct built *b, struct sv_err *err)
{
	struct sv_buf pairs = SV_BUF_LOCKED(0);
	struct sv_masked m = { .argv = (char **)(uintptr_t)b->run->argv,
			       .all = b->run->mask_all,
			       .files = b->run->mask_files };
	struct sv_childenv_var *vars;
	enum sv_code rc;

	no_memory_files(b->run->plan);
	if ((rc = deliver(b, err)) == SV_OK && (rc = build_env(b, getpid(), &m.envp, err)) == SV_OK &&
	    (rc = mask_list(b, &pairs, &vars, &m.n_vars, err)) == SV_OK) {
		m.vars = vars;
		if (!sv_deliver_place(&b->files)) {
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot put a descriptor in its place");
		} else {
			sv_write_restore_signal();
			rc = b->run->cli->program->exec_masked(b->run->cli, &m, err);
		}
	}
	sv_buf_clear(&pairs);
	return rc;
}

static bool needs_parent(const struct sv_run *r)
{
	for (size_t i = 0; i < r->plan->n_items; i++)
		if (r->plan->items[i].name != NULL && (r->plan->items[i].wish->deliver == SV_DELIVER_PATH ||
						       r->plan->items[i].wish->deliver == SV_DELIVER_FIFO))
			return true;
	return r->watch;
}

static enum sv_code supervised(struct built *b, struct sv_err *err)
{
	struct sv_supervisor s = {
		.become = become, .prepare = prepare, .ready = ready, .ctx = b, .fd = -1, .signal = b->run->watch_signal
	};
	enum sv_code rc;

	if (b->run->watch) {
		if ((rc = sv_watch_open(&b->watch, err)) != SV_OK)
			return rc;
		s.fd = b->watch.client.fd;
	}
	rc = sv_supervise(&s, err);
	sv_deliver_clear(&b->files);
	sv_arena_clear(&b->arena);
	sv_buf_clear(&b->secrets);
	sv_plan_values_clear(b->run->plan);
	if (rc == SV_OK)
		sv_supervisor_end(&s);
	b->run->cli->status = s.status;
	return rc;
}

enum sv_code sv_run_program(struct sv_run *r, struct sv_err *err)
{
	static struct built b;
	enum sv_code rc;

	b = (struct built){
		.files = SV_DELIVERIES_INIT, .secrets = SV_BUF_LOCKED(SV_REPLY_MAX), .run = r, .watch = SV_WATCH_INIT
	};
	if (r->masked) {
		rc = masked(&b, err);
	} else if (needs_parent(r)) {
		rc = supervised(&b, err);
	} else if ((rc = deliver(&b, err)) == SV_OK) {
		become(&b, getpid(), &r->cli->status, err);
		rc = err->code;
	}
	sv_deliver_clear(&b.files);
	sv_arena_clear(&b.arena);
	sv_buf_clear(&b.secrets);
	return rc;
}

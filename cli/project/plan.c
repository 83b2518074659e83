/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting wishes: the manifest and discovery.
 */
#include "cli/project/plan.h"

#include "cli/project/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum sv_code sv_plan_wish(struct sv_plan *p, const struct sv_wish *w, struct sv_err *err)
{
	if (p->n_wishes >= SV_SELECTORS_MAX || !SV_ARENA_GROW(&p->arena, p->wishes, p->n_wishes))
		return sv_err_set(err, SV_ERR_TOO_BIG, "too much is asked for at once");
	p->wishes[p->n_wishes++] = *w;
	return SV_OK;
}

static enum sv_code bind(struct sv_plan *p, size_t level, struct sv_err *err)
{
	p->dir_fd = p->root.level[level].fd;
	return sv_consent_identify(p->dir_fd, p->root.level[level].path, &p->dir, err);
}

enum sv_code sv_plan_find(struct sv_plan *p, const char *dir, struct sv_err *err)
{
	char *path;
	enum sv_code rc;

	if (p->root.n > 0 || p->own_fd >= 0)
		return SV_OK;
	if ((rc = sv_root_find(&p->root, dir, NULL, err)) != SV_OK)
		return rc;
	if (p->root.n > 0)
		return bind(p, sv_discover_top(&p->root), err);
	/* Somebody else's directory: nothing in it is read, but an env file named by the person still needs an
	 * identity. */
	p->own_fd = open(dir != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	path = realpath(dir != NULL ? dir : ".", NULL);
	if (p->own_fd >= 0 && path != NULL) {
		p->dir_fd = p->own_fd;
		rc = sv_consent_identify(p->own_fd, sv_arena_text(&p->arena, path, strlen(path)), &p->dir, err);
	} else {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot open the working directory");
	}
	free(path);
	return rc;
}

static enum sv_deliver deliver_of(enum sv_manifest_as as)
{
	switch (as) {
	case SV_AS_MEMORY: return SV_DELIVER_MEMORY;
	case SV_AS_PATH: return SV_DELIVER_PATH;
	case SV_AS_FIFO: return SV_DELIVER_FIFO;
	case SV_AS_ENV: break;
	}
	return SV_DELIVER_ENV;
}

static enum sv_code wishes_of(struct sv_plan *p, const struct sv_manifest_part *part, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < part->n && rc == SV_OK; i++) {
		const struct sv_manifest_entry *e = &part->v[i];
		const struct sv_wish w = { .kind = e->var == NULL ? SV_WISH_GROUP : SV_WISH_NAME,
					   .var = e->var,
					   .env = e->env,
					   .name = e->name,
					   .deliver = deliver_of(e->as),
					   .optional = e->optional,
					   .implicit = true,
					   .default_text = e->default_text,
					   .why = "manifest",
					   .file = e->file,
					   .line = e->line };

		rc = sv_plan_wish(p, &w, err);
	}
	return rc;
}

enum sv_code sv_plan_manifest(struct sv_plan *p, const char *profile, struct sv_err *err)
{
	int level = sv_root_holding(&p->root, SV_MANIFEST_NAME);
	enum sv_code rc;

	if (level < 0)
		return SV_OK;
	if ((rc = sv_manifest_load(&p->manifest, p->root.level[level].fd, p->root.level[level].path, err)) != SV_OK)
		return rc == SV_ERR_NOT_FOUND ? SV_OK : rc;
	p->has_manifest = true;
	if ((rc = bind(p, (size_t)level, err)) != SV_OK ||
	    (rc = sv_manifest_choose(&p->manifest, profile, &p->part, err)) != SV_OK)
		return rc;
	return wishes_of(p, &p->part, err);
}

enum sv_code sv_plan_all_profiles(struct sv_plan *p, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	for (size_t i = 0; p->has_manifest && i < p->manifest.n_profiles && rc == SV_OK; i++) {
		size_t before = p->n_wishes;
		const char *env = p->manifest.profiles[i].environment;

		rc = wishes_of(p, &p->manifest.profiles[i], err);
		for (size_t k = before; k < p->n_wishes; k++) {
			p->wishes[k].optional = true;
			if (p->wishes[k].env == NULL)
				p->wishes[k].env = env;
		}
		/* what the profile inherits, in its own environment */
		if (rc != SV_OK || env == NULL || !p->manifest.profiles[i].inherit)
			continue;
		before = p->n_wishes;
		rc = wishes_of(p, &p->manifest.top, err);
		for (size_t k = before; k < p->n_wishes; k++) {
			p->wishes[k].optional = true;
			if (p->wishes[k].env == NULL)
				p->wishes[k].env = env;
		}
	}
	return rc;
}

enum sv_code sv_plan_discover(struct sv_plan *p, char *const *argv, struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	sv_discover(&p->asks, &p->root, argv);
	p->discovered = true;
	for (size_t i = 0; i < p->asks.n && rc == SV_OK; i++) {
		const struct sv_ask *a = &p->asks.v[i];
		const struct sv_wish w = { .kind = SV_WISH_VAR,
					   .var = a->var,
					   .optional = true,
					   .implicit = true,
					   .why = a->why,
					   .file = a->line > 0 ? a->file : NULL,
					   .line = a->line };

		rc = sv_plan_wish(p, &w, err);
	}
	return rc;
}

void sv_plan_environment(struct sv_plan *p, struct sv_cli *cli)
{
	const char *env = getenv("SV_ENV");

	if (cli->opt.env == NULL && (env == NULL || *env == '\0') && p->has_manifest && p->part.environment != NULL)
		cli->env = sv_text_of(p->part.environment);
}

void sv_plan_values_clear(struct sv_plan *p)
{
	for (size_t i = 0; i < p->n_values; i++)
		sv_buf_clear(&p->values[i]);
	p->n_values = 0;
	for (size_t i = 0; i < p->n_items; i++)
		p->items[i].value = NULL;
}

void sv_plan_clear(struct sv_plan *p)
{
	sv_plan_values_clear(p);
	sv_root_clear(&p->root);
	if (p->own_fd >= 0)
		(void)close(p->own_fd);
	sv_manifest_clear(&p->manifest);
	sv_asks_clear(&p->asks);
	sv_arena_clear(&p->arena);
	*p = (struct sv_plan)SV_PLAN_INIT;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the tree of a `.sv.yaml` to its entries.  Tables say which keys there are.
 */
#include "cli/project/manifest.h"

#include "cli/project/yamltree.h"
#include "vault/base/name.h"

#include <stdio.h>
#include <string.h>

struct reader {
	struct sv_manifest *m;
	const char *file;
	struct sv_err *err;
};

static enum sv_code refuse(struct reader *r, const struct sv_yaml *y, const char *fmt, ...) SV_PRINTF(3, 4);
static enum sv_code refuse(struct reader *r, const struct sv_yaml *y, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return sv_err_set(r->err, SV_ERR_FAIL, "%s: line %u, column %u: %s", r->file, y->line, y->col, what);
}

static enum sv_code no_memory(struct reader *r)
{
	return sv_err_set(r->err, SV_ERR_NOMEM, "%s: too large", r->file);
}

/* Unparsed input is not quoted; a key that looks like one is, so that the person finds it. */
static const char *quoted(const char *key, char *out, size_t size)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	if (key[n] != '\0' || n == 0 || n > 40)
		return "this key";
	(void)snprintf(out, size, "the key %s", key);
	return out;
}

static enum sv_code check_keys(struct reader *r, const struct sv_yaml *map, const char *const *keys)
{
	char text[64];

	for (size_t i = 0; i + 1 < map->n; i += 2) {
		const char *const *k = keys;

		while (*k != NULL && strcmp(*k, map->v[i]->text) != 0)
			k++;
		if (*k == NULL)
			return refuse(r, map->v[i], "%s is not known here",
				      quoted(map->v[i]->text, text, sizeof(text)));
	}
	return SV_OK;
}

static enum sv_code want(struct reader *r, const struct sv_yaml *y, enum sv_yaml_kind kind, const char *what)
{
	static const char *const words[] = { "a text", "a mapping", "a list" };

	return y->kind == kind ? SV_OK : refuse(r, y, "%s must be %s", what, words[kind]);
}

static enum sv_code get_bool(struct reader *r, const struct sv_yaml *map, const char *key, bool *out, bool *there)
{
	const struct sv_yaml *y = sv_yaml_get(map, key);

	*there = y != NULL;
	if (y == NULL || sv_yaml_bool(y, out))
		return SV_OK;
	return refuse(r, y, "%s must be true or false", key);
}

enum sv_code sv_manifest_ref(struct sv_arena *a, const char *text, const char **env, const char **name,
			     struct sv_err *err)
{
	const char *slash;

	*env = NULL;
	if (strncmp(text, "sv://", 5) == 0) {
		text += 5;
		slash = strchr(text, '/');
		if (slash == NULL)
			return sv_err_set(err, SV_ERR_NAME, "a reference is sv:///NAME or sv://ENV/NAME");
		if (slash != text) {
			if (sv_env_name_check(text, (size_t)(slash - text), err) != SV_OK)
				return SV_ERR_NAME;
			*env = sv_arena_text(a, text, (size_t)(slash - text));
			if (*env == NULL)
				return sv_err_set(err, SV_ERR_NOMEM, "no memory for a name");
		}
		text = slash + 1;
	}
	if (sv_name_check(text, strlen(text), err) != SV_OK)
		return SV_ERR_NAME;
	*name = sv_arena_text(a, text, strlen(text));
	return *name != NULL ? SV_OK : sv_err_set(err, SV_ERR_NOMEM, "no memory for a name");
}

static enum sv_code ref(struct reader *r, const struct sv_yaml *y, struct sv_manifest_entry *e)
{
	struct sv_err why = SV_ERR_INIT;

	if (y->kind != SV_YAML_SCALAR || y->len == 0)
		return refuse(r, y, "the name of a secret is missing");
	if (sv_manifest_ref(&r->m->arena, y->text, &e->env, &e->name, &why) != SV_OK)
		return refuse(r, y, "%.200s", why.msg);
	return SV_OK;
}

static enum sv_code get_as(struct reader *r, const struct sv_yaml *map, struct sv_manifest_entry *e)
{
	const struct sv_yaml *y = sv_yaml_get(map, "as");

	if (y == NULL)
		return SV_OK;
	if (sv_yaml_is(y, "memory"))
		e->as = SV_AS_MEMORY;
	else if (sv_yaml_is(y, "path"))
		e->as = SV_AS_PATH;
	else if (sv_yaml_is(y, "fifo"))
		e->as = SV_AS_FIFO;
	else
		return refuse(r, y, "as is memory, path or fifo");
	return SV_OK;
}

static enum sv_code details(struct reader *r, const struct sv_yaml *map, struct sv_manifest_entry *e, bool file)
{
	static const char *const secret_keys[] = { "ref", "required", "optional", "default", "shell", NULL };
	static const char *const file_keys[] = { "ref", "required", "optional", "as", NULL };
	const struct sv_yaml *y;
	bool required = true;
	bool has_required;
	bool has_optional;
	bool has_shell;
	enum sv_code rc = check_keys(r, map, file ? file_keys : secret_keys);

	if (rc != SV_OK || (rc = get_bool(r, map, "required", &required, &has_required)) != SV_OK ||
	    (rc = get_bool(r, map, "optional", &e->optional, &has_optional)) != SV_OK ||
	    (rc = get_bool(r, map, "shell", &e->shell, &has_shell)) != SV_OK || (rc = get_as(r, map, e)) != SV_OK)
		return rc;
	if (has_required && has_optional)
		return refuse(r, map, "say required or optional, not both");
	if (has_required)
		e->optional = !required;
	if ((y = sv_yaml_get(map, "default")) != NULL) {
		if (y->kind != SV_YAML_SCALAR)
			return refuse(r, y, "default must be a text");
		if (has_required && required)
			return refuse(r, y, "what has a default cannot be required");
		e->default_text = y->text;
		e->optional = true;
	}
	if ((y = sv_yaml_get(map, "ref")) != NULL)
		return ref(r, y, e);
	return SV_OK;
}

static enum sv_code add(struct reader *r, struct sv_manifest_part *part, const struct sv_manifest_entry *e,
			const struct sv_yaml *where)
{
	for (size_t i = 0; i < part->n; i++)
		if (e->var != NULL && part->v[i].var != NULL && strcmp(part->v[i].var, e->var) == 0) {
			if (part->v[i].file != e->file)
				return SV_OK; /* the file that extends wins */
			return refuse(r, where, "this variable is there twice");
		}
	if (part->n >= SV_MANIFEST_ENTRIES_MAX)
		return refuse(r, where, "more than %d entries", SV_MANIFEST_ENTRIES_MAX);
	if (!SV_ARENA_GROW(&r->m->arena, part->v, part->n))
		return no_memory(r);
	part->v[part->n++] = *e;
	return SV_OK;
}

static enum sv_code variables(struct reader *r, const struct sv_yaml *map, struct sv_manifest_part *part, bool file)
{
	enum sv_code rc;

	if (map == NULL || sv_yaml_is_null(map))
		return SV_OK;
	if ((rc = want(r, map, SV_YAML_MAP, file ? "files" : "secrets")) != SV_OK)
		return rc;
	for (size_t i = 0; i + 1 < map->n; i += 2) {
		const struct sv_yaml *key = map->v[i];
		const struct sv_yaml *value = map->v[i + 1];
		struct sv_manifest_entry e = { .var = key->text, .line = key->line, .col = key->col, .file = r->file };
		struct sv_err why = SV_ERR_INIT;

		if (sv_var_check(key->text, key->len, &why) != SV_OK)
			return refuse(r, key, "%.200s", why.msg);
		e.as = file ? SV_AS_MEMORY : SV_AS_ENV;
		if (value->kind == SV_YAML_MAP)
			rc = details(r, value, &e, file);
		else if (!sv_yaml_is_null(value))
			rc = ref(r, value, &e);
		if (rc != SV_OK)
			return rc;
		if (e.name == NULL && file)
			return refuse(r, key, "a file needs the name of a secret");
		if (e.name == NULL)
			e.name = e.var; /* a legal variable is a legal name */
		if ((rc = add(r, part, &e, key)) != SV_OK)
			return rc;
	}
	return SV_OK;
}

static enum sv_code groups(struct reader *r, const struct sv_yaml *list, struct sv_manifest_part *part)
{
	enum sv_code rc;

	if (list == NULL || sv_yaml_is_null(list))
		return SV_OK;
	if ((rc = want(r, list, SV_YAML_SEQ, "groups")) != SV_OK)
		return rc;
	for (size_t i = 0; i < list->n && rc == SV_OK; i++) {
		const struct sv_yaml *y = list->v[i];
		struct sv_manifest_entry e = { .line = y->line, .col = y->col, .file = r->file };
		struct sv_err why = SV_ERR_INIT;
		char *name;
		size_t n = y->len;

		if (y->kind != SV_YAML_SCALAR || n == 0)
			return refuse(r, y, "the name of a group is missing");
		if (y->text[n - 1] == '/')
			n--;
		if (sv_name_check(y->text, n, &why) != SV_OK)
			return refuse(r, y, "%.200s", why.msg);
		name = sv_arena_fmt(&r->m->arena, "%.*s/", (int)n, y->text);
		if (name == NULL)
			return no_memory(r);
		e.name = name;
		rc = add(r, part, &e, y);
	}
	return rc;
}

static enum sv_code presence(struct reader *r, const struct sv_yaml *map, const char *key, bool exactly,
			     struct sv_manifest_part *part)
{
	const struct sv_yaml *list = sv_yaml_get(map, key);
	enum sv_code rc;

	if (list == NULL || sv_yaml_is_null(list))
		return SV_OK;
	if ((rc = want(r, list, SV_YAML_SEQ, key)) != SV_OK)
		return rc;
	for (size_t i = 0; i < list->n; i++) {
		const struct sv_yaml *set = list->v[i];
		struct sv_manifest_presence p = { .exactly = exactly, .line = set->line, .file = r->file };

		if ((rc = want(r, set, SV_YAML_SEQ, "each group of variables")) != SV_OK)
			return rc;
		if (set->n < 2)
			return refuse(r, set, "a group of variables has two or more");
		p.vars = sv_arena_alloc(&r->m->arena, set->n * sizeof(*p.vars));
		if (p.vars == NULL || !SV_ARENA_GROW(&r->m->arena, part->presence, part->n_presence))
			return no_memory(r);
		for (p.n = 0; p.n < set->n; p.n++) {
			const struct sv_yaml *y = set->v[p.n];

			if (y->kind != SV_YAML_SCALAR)
				return refuse(r, y, "the name of a variable is missing");
			for (size_t k = 0; k < p.n; k++)
				if (strcmp(p.vars[k], y->text) == 0)
					return refuse(r, y, "this variable is there twice");
			p.vars[p.n] = y->text;
		}
		part->presence[part->n_presence++] = p;
	}
	return SV_OK;
}

static enum sv_code part_of(struct reader *r, const struct sv_yaml *map, struct sv_manifest_part *part)
{
	const struct sv_yaml *y = sv_yaml_get(map, "environment");
	struct sv_err why = SV_ERR_INIT;
	bool on;
	enum sv_code rc;

	if (y != NULL) {
		if (y->kind != SV_YAML_SCALAR || sv_env_name_check(y->text, y->len, &why) != SV_OK)
			return refuse(r, y, "%.200s", why.msg[0] != '\0' ? why.msg : "environment must be a text");
		if (part->environment == NULL)
			part->environment = y->text;
	}
	if ((y = sv_yaml_get(map, "mask")) != NULL) {
		enum sv_manifest_mask mask = SV_MASK_AUTO;

		if (sv_yaml_bool(y, &on))
			mask = on ? SV_MASK_ON : SV_MASK_OFF;
		else if (!sv_yaml_is(y, "auto"))
			return refuse(r, y, "mask is auto, true or false");
		if (part->mask == SV_MASK_UNSET)
			part->mask = mask;
	}
	if ((rc = variables(r, sv_yaml_get(map, "secrets"), part, false)) != SV_OK ||
	    (rc = variables(r, sv_yaml_get(map, "files"), part, true)) != SV_OK ||
	    (rc = groups(r, sv_yaml_get(map, "groups"), part)) != SV_OK ||
	    (rc = presence(r, map, "at_least_one", false, part)) != SV_OK)
		return rc;
	return presence(r, map, "exactly_one", true, part);
}

static enum sv_code profiles(struct reader *r, const struct sv_yaml *map)
{
	static const char *const keys[] = { "environment", "inherit",      "mask",        "secrets", "groups",
					    "files",       "at_least_one", "exactly_one", NULL };
	struct sv_manifest *m = r->m;
	enum sv_code rc;

	if (map == NULL || sv_yaml_is_null(map))
		return SV_OK;
	if ((rc = want(r, map, SV_YAML_MAP, "profiles")) != SV_OK)
		return rc;
	for (size_t i = 0; i + 1 < map->n; i += 2) {
		const struct sv_yaml *key = map->v[i];
		const struct sv_yaml *body = map->v[i + 1];
		struct sv_manifest_part *part = NULL;
		struct sv_err why = SV_ERR_INIT;
		bool there;
		bool inherit = true;

		if (sv_env_name_check(key->text, key->len, &why) != SV_OK)
			return refuse(r, key, "the name of a profile: %.200s", why.msg);
		if ((rc = want(r, body, SV_YAML_MAP, "a profile")) != SV_OK ||
		    (rc = check_keys(r, body, keys)) != SV_OK ||
		    (rc = get_bool(r, body, "inherit", &inherit, &there)) != SV_OK)
			return rc;
		for (size_t k = 0; k < m->n_profiles && part == NULL; k++)
			if (strcmp(m->profiles[k].name, key->text) == 0)
				part = &m->profiles[k];
		if (part == NULL) {
			if (!SV_ARENA_GROW(&m->arena, m->profiles, m->n_profiles))
				return no_memory(r);
			part = &m->profiles[m->n_profiles++];
			*part = (struct sv_manifest_part){ .name = key->text, .inherit = inherit };
		}
		if ((rc = part_of(r, body, part)) != SV_OK)
			return rc;
	}
	return SV_OK;
}

enum sv_code sv_manifest_parse(struct sv_manifest *m, const char *file, const char *text, size_t len,
			       const char **extends, struct sv_err *err)
{
	static const char *const keys[] = { "version", "extends",      "environment", "mask",     "secrets", "groups",
					    "files",   "at_least_one", "exactly_one", "profiles", NULL };
	struct reader r = { m, file, err };
	struct sv_yaml **docs;
	const struct sv_yaml *y;
	size_t n;
	enum sv_code rc;

	*extends = NULL;
	if ((rc = sv_yaml_parse(&m->arena, text, len, SV_YAML_STRICT, &docs, &n, err)) != SV_OK) {
		sv_err_prefix(err, "%s", file);
		return rc;
	}
	if (n == 0)
		return sv_err_set(err, SV_ERR_FAIL,
				  "%s: line 1, column 1: the file is empty; it begins with version: 1", file);
	if ((rc = want(&r, docs[0], SV_YAML_MAP, "the file")) != SV_OK || (rc = check_keys(&r, docs[0], keys)) != SV_OK)
		return rc;
	y = sv_yaml_get(docs[0], "version");
	if (y == NULL)
		return refuse(&r, docs[0], "version: 1 is missing");
	if (!sv_yaml_is(y, "1") || !y->plain)
		return refuse(&r, y, "this version of sv reads version: 1");
	if ((y = sv_yaml_get(docs[0], "extends")) != NULL) {
		if (y->kind != SV_YAML_SCALAR || y->len == 0)
			return refuse(&r, y, "extends must be the path of a file");
		if (y->text[0] == '/' || y->text[0] == '~')
			return refuse(&r, y, "extends must be a relative path");
		*extends = y->text;
	}
	if ((rc = part_of(&r, docs[0], &m->top)) != SV_OK)
		return rc;
	return profiles(&r, sv_yaml_get(docs[0], "profiles"));
}

/* Entries of `more` that out does not name yet. */
static bool merge(struct sv_manifest *m, struct sv_manifest_part *out, const struct sv_manifest_part *more)
{
	for (size_t i = 0; i < more->n; i++) {
		bool there = false;

		for (size_t k = 0; k < out->n && !there && more->v[i].var != NULL; k++)
			there = out->v[k].var != NULL && strcmp(out->v[k].var, more->v[i].var) == 0;
		if (there)
			continue;
		if (!SV_ARENA_GROW(&m->arena, out->v, out->n))
			return false;
		out->v[out->n++] = more->v[i];
	}
	for (size_t i = 0; i < more->n_presence; i++) {
		if (!SV_ARENA_GROW(&m->arena, out->presence, out->n_presence))
			return false;
		out->presence[out->n_presence++] = more->presence[i];
	}
	if (out->environment == NULL)
		out->environment = more->environment;
	if (out->mask == SV_MASK_UNSET)
		out->mask = more->mask;
	return true;
}

static enum sv_code no_profile(const struct sv_manifest *m, struct sv_err *err)
{
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < m->n_profiles && n + strlen(m->profiles[i].name) + 3 < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i > 0 ? ", " : "", m->profiles[i].name);
	return sv_err_set(err, SV_ERR_USAGE, "the manifest has no such profile%s%s", n > 0 ? "; it has " : "", list);
}

/* Every variable of a presence group must be an entry, which then need not be there by itself. */
static enum sv_code presence_check(struct sv_manifest_part *part, struct sv_err *err)
{
	for (size_t i = 0; i < part->n_presence; i++)
		for (size_t k = 0; k < part->presence[i].n; k++) {
			struct sv_manifest_entry *e = NULL;

			for (size_t j = 0; j < part->n && e == NULL; j++)
				if (part->v[j].var != NULL && strcmp(part->v[j].var, part->presence[i].vars[k]) == 0)
					e = &part->v[j];
			if (e == NULL)
				return sv_err_set(
					err, SV_ERR_FAIL,
					"%s: line %u: a group names a variable that is not among secrets or files",
					part->presence[i].file, part->presence[i].line);
			e->optional = true;
		}
	return SV_OK;
}

enum sv_code sv_manifest_choose(struct sv_manifest *m, const char *profile, struct sv_manifest_part *out,
				struct sv_err *err)
{
	const struct sv_manifest_part *chosen = NULL;
	bool ok = true;

	*out = (struct sv_manifest_part){ .name = profile };
	for (size_t i = 0; i < m->n_profiles && profile != NULL && chosen == NULL; i++)
		if (strcmp(m->profiles[i].name, profile) == 0)
			chosen = &m->profiles[i];
	if (profile != NULL && chosen == NULL)
		return no_profile(m, err);
	if (chosen != NULL)
		ok = merge(m, out, chosen);
	if (ok && (chosen == NULL || chosen->inherit))
		ok = merge(m, out, &m->top);
	if (!ok)
		return sv_err_set(err, SV_ERR_NOMEM, "the manifest is too large");
	return presence_check(out, err);
}

void sv_manifest_clear(struct sv_manifest *m)
{
	sv_arena_clear(&m->arena);
	*m = (struct sv_manifest)SV_MANIFEST_INIT;
}

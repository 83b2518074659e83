/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the instructions of a Dockerfile mean for secrets: stages and their edges, ARGs, mounts, git sources.
 */
#include "cli/project/dockerfile_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *lower(struct sv_arena *a, const char *p, size_t n)
{
	char *out = sv_arena_text(a, p, n);

	for (size_t i = 0; out != NULL && i < n; i++)
		out[i] = (char)tolower((unsigned char)out[i]);
	return out;
}

/* The next word; quotes are taken off.  NULL at the end. */
static char *word(struct sv_arena *a, const char **at)
{
	const char *p = *at + strspn(*at, " \t");
	char *out = sv_arena_alloc(a, strlen(p) + 1);
	size_t n = 0;
	char quote = 0;

	if (*p == '\0' || out == NULL)
		return NULL;
	for (; *p != '\0' && (quote != 0 || (*p != ' ' && *p != '\t')); p++) {
		if (quote != 0 ? *p == quote : (*p == '"' || *p == '\''))
			quote = quote != 0 ? 0 : *p;
		else
			out[n++] = *p;
	}
	out[n] = '\0';
	*at = p;
	return out;
}

static const char *global_default(const struct sv_dockerfile *d, const char *name, size_t n)
{
	for (size_t i = 0; i < d->n_args; i++)
		if (d->args[i].stage == SV_DOCKERFILE_GLOBAL && strncmp(d->args[i].name, name, n) == 0 &&
		    d->args[i].name[n] == '\0')
			return d->args[i].default_text;
	return NULL;
}

/* $X, ${X}, ${X:-word} with the defaults of global ARGs; what has none stays as it is written. */
static const char *expand(struct sv_dockerfile *d, const char *text)
{
	char out[1024];
	size_t n = 0;

	if (strchr(text, '$') == NULL)
		return text;
	for (const char *p = text; *p != '\0';) {
		const char *name = p + 1;
		const char *value = NULL;
		size_t value_len;
		size_t len = 0;
		const char *behind;

		if (*p != '$') {
			if (n + 1 < sizeof(out))
				out[n++] = *p;
			p++;
			continue;
		}
		name += *name == '{';
		while (isalnum((unsigned char)name[len]) || name[len] == '_')
			len++;
		behind = name + len;
		value = len > 0 ? global_default(d, name, len) : NULL;
		value_len = value != NULL ? strlen(value) : 0;
		if (p[1] == '{') {
			const char *close = strchr(behind, '}');

			if (close == NULL)
				return text;
			if (value_len == 0 && behind[0] == ':' && behind[1] == '-') {
				value = behind + 2;
				value_len = (size_t)(close - value);
			}
			behind = close + 1;
		}
		if (value == NULL) {
			value = p;
			value_len = (size_t)(behind - p) > 0 ? (size_t)(behind - p) : 1;
			behind = p + value_len;
		}
		if (n + value_len >= sizeof(out))
			return text;
		memcpy(out + n, value, value_len);
		n += value_len;
		p = behind;
	}
	text = sv_arena_text(&d->arena, out, n);
	return text != NULL ? text : "";
}

static int find_stage(const struct sv_dockerfile *d, const char *name, size_t before)
{
	char *end;
	unsigned long number;

	for (size_t i = before; i-- > 0;)
		if (d->stages[i].name != NULL && strcasecmp(d->stages[i].name, name) == 0)
			return (int)i;
	if (!isdigit((unsigned char)name[0]))
		return -1;
	number = strtoul(name, &end, 10);
	return *end == '\0' && number < before ? (int)number : -1;
}

static enum sv_code edge(struct sv_dockerfile *d, int from, const char *to_name, struct sv_err *err)
{
	int to = from > 0 ? find_stage(d, expand(d, to_name), (size_t)from) : -1;

	if (to < 0)
		return SV_OK; /* an image */
	if (!SV_ARENA_GROW(&d->arena, d->edges, d->n_edges))
		return sv_dockerfile_no_memory(err);
	d->edges[d->n_edges++] = (struct sv_df_edge){ from, to };
	return SV_OK;
}

static enum sv_code from(struct sv_dockerfile *d, const struct sv_df_instruction *in, struct sv_err *err)
{
	struct sv_df_stage stage = { .base = "", .base_stage = -1, .line = in->line };
	const char *at = in->args;
	char *w = word(&d->arena, &at);

	while (w != NULL && strncmp(w, "--", 2) == 0)
		w = word(&d->arena, &at);
	if (w != NULL)
		stage.base = expand(d, w);
	/* Only a name is a base here; a number is none (reference: FROM takes an earlier stage by its name). */
	for (size_t i = d->n_stages; i-- > 0 && stage.base_stage < 0;)
		if (d->stages[i].name != NULL && strcasecmp(d->stages[i].name, stage.base) == 0)
			stage.base_stage = (int)i;
	w = word(&d->arena, &at);
	if (w != NULL && strcasecmp(w, "as") == 0 && (w = word(&d->arena, &at)) != NULL)
		stage.name = lower(&d->arena, w, strlen(w));
	if (!SV_ARENA_GROW(&d->arena, d->stages, d->n_stages))
		return sv_dockerfile_no_memory(err);
	d->stages[d->n_stages++] = stage;
	return SV_OK;
}

static enum sv_code arg(struct sv_dockerfile *d, const struct sv_df_instruction *in, struct sv_err *err)
{
	const char *at = in->args;
	char *w;

	while ((w = word(&d->arena, &at)) != NULL) {
		struct sv_df_arg a = { .name = w, .stage = in->stage, .line = in->line };
		char *eq = strchr(w, '=');

		if (eq != NULL) {
			*eq = '\0';
			a.default_text = eq + 1;
		}
		for (size_t i = 0; i < d->n_args && a.stage != SV_DOCKERFILE_GLOBAL && !a.redeclared; i++)
			a.redeclared = d->args[i].stage == SV_DOCKERFILE_GLOBAL && strcmp(d->args[i].name, w) == 0;
		if (!SV_ARENA_GROW(&d->arena, d->args, d->n_args))
			return sv_dockerfile_no_memory(err);
		d->args[d->n_args++] = a;
	}
	return SV_OK;
}

struct mount {
	const char *type, *id, *target, *env, *from;
	bool required;
};

/* The comma-separated fields of --mount=; CSV quoting of a field is respected. */
static void mount_fields(char *text, struct mount *m)
{
	*m = (struct mount){ .type = "bind" };
	while (*text != '\0') {
		char *field = text;
		char *value;

		text += strcspn(text, ",");
		if (*text == ',')
			*text++ = '\0';
		value = strchr(field, '=');
		if (value != NULL)
			*value++ = '\0';
		if (strcasecmp(field, "type") == 0 && value != NULL)
			m->type = value;
		else if ((strcasecmp(field, "id") == 0 || strcasecmp(field, "source") == 0 ||
			  strcasecmp(field, "src") == 0) &&
			 value != NULL)
			m->id = value;
		else if ((strcasecmp(field, "target") == 0 || strcasecmp(field, "dst") == 0 ||
			  strcasecmp(field, "destination") == 0) &&
			 value != NULL)
			m->target = value;
		else if (strcasecmp(field, "env") == 0 && value != NULL)
			m->env = value;
		else if (strcasecmp(field, "from") == 0 && value != NULL)
			m->from = value;
		else if (strcasecmp(field, "required") == 0)
			m->required = value == NULL || strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0;
	}
}

static enum sv_code run(struct sv_dockerfile *d, size_t index, struct sv_err *err)
{
	const struct sv_df_instruction *in = &d->instructions[index];
	const char *at = in->args;
	struct mount m;
	char *w;
	enum sv_code rc;

	while ((w = word(&d->arena, &at)) != NULL && strncmp(w, "--", 2) == 0) {
		struct sv_df_secret s = { .stage = in->stage, .line = in->line, .instruction = index };

		if (strncmp(w, "--mount=", 8) != 0)
			continue;
		mount_fields(w + 8, &m);
		if (m.from != NULL && (rc = edge(d, in->stage, m.from, err)) != SV_OK)
			return rc;
		d->ssh = d->ssh || strcmp(m.type, "ssh") == 0;
		if (strcmp(m.type, "secret") != 0)
			continue;
		s.id = m.id;
		s.target = m.target;
		s.env = m.env;
		s.required = m.required;
		if (s.id == NULL && s.target != NULL) {
			s.id = strrchr(s.target, '/');
			s.id = s.id != NULL ? s.id + 1 : s.target;
		}
		if (s.id != NULL && (strchr(s.id, '$') != NULL || *s.id == '\0'))
			s.id = NULL;
		if (!SV_ARENA_GROW(&d->arena, d->secrets, d->n_secrets))
			return sv_dockerfile_no_memory(err);
		d->secrets[d->n_secrets++] = s;
	}
	return SV_OK;
}

bool sv_dockerfile_is_git(const char *source)
{
	const char *hash = strchr(source, '#');
	size_t n = hash != NULL ? (size_t)(hash - source) : strlen(source);
	bool ends = n > 4 && memcmp(source + n - 4, ".git", 4) == 0;

	if (strncmp(source, "git@", 4) == 0 || strncmp(source, "git://", 6) == 0 || strncmp(source, "ssh://", 6) == 0)
		return true;
	return ends && (strncmp(source, "https://", 8) == 0 || strncmp(source, "http://", 7) == 0);
}

static enum sv_code add(struct sv_dockerfile *d, const struct sv_df_instruction *in, bool copy, struct sv_err *err)
{
	const char *at = in->args;
	char *w;
	enum sv_code rc;

	while ((w = word(&d->arena, &at)) != NULL) {
		if (strncmp(w, "--from=", 7) == 0) {
			if ((rc = edge(d, in->stage, w + 7, err)) != SV_OK)
				return rc;
			continue;
		}
		if (copy || strncmp(w, "--", 2) == 0 || !sv_dockerfile_is_git(w))
			continue;
		if (!SV_ARENA_GROW(&d->arena, d->gits, d->n_gits))
			return sv_dockerfile_no_memory(err);
		d->gits[d->n_gits++] = (struct sv_df_git){ w, in->stage, in->line };
	}
	return SV_OK;
}

enum sv_code sv_dockerfile_understand(struct sv_dockerfile *d, size_t instruction, struct sv_err *err)
{
	const struct sv_df_instruction *in = &d->instructions[instruction];

	if (strcmp(in->keyword, "ARG") == 0)
		return arg(d, in, err);
	if (in->onbuild)
		return strcmp(in->keyword, "RUN") == 0 ? run(d, instruction, err) : SV_OK;
	if (strcmp(in->keyword, "FROM") == 0) {
		d->instructions[instruction].stage = (int)d->n_stages;
		return from(d, in, err);
	}
	if (strcmp(in->keyword, "RUN") == 0)
		return run(d, instruction, err);
	if (strcmp(in->keyword, "COPY") == 0 || strcmp(in->keyword, "ADD") == 0)
		return add(d, in, in->keyword[0] == 'C', err);
	return SV_OK;
}

static void mark(struct sv_dockerfile *d, int stage)
{
	/* Edges and bases only lead to earlier stages: one walk downwards reaches all. */
	d->stages[stage].needed = true;
	for (int i = stage; i >= 0; i--) {
		if (!d->stages[i].needed)
			continue;
		if (d->stages[i].base_stage >= 0)
			d->stages[d->stages[i].base_stage].needed = true;
		for (size_t k = 0; k < d->n_edges; k++)
			if (d->edges[k].from == i)
				d->stages[d->edges[k].to].needed = true;
	}
}

enum sv_code sv_dockerfile_need(struct sv_dockerfile *d, const char *target, struct sv_err *err)
{
	int stage = (int)d->n_stages - 1;

	if (target != NULL && *target != '\0')
		stage = find_stage(d, target, d->n_stages);
	for (size_t i = 0; i < d->n_stages; i++)
		d->stages[i].needed = false;
	if (stage < 0 && d->n_stages > 0)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "the Dockerfile has no such stage");
	if (stage >= 0)
		mark(d, stage);
	return SV_OK;
}

bool sv_dockerfile_counts(const struct sv_dockerfile *d, int stage)
{
	return stage < 0 || d->stages[stage].needed;
}

bool sv_dockerfile_predefined(const char *arg_name)
{
	static const char *const names[] = { "HTTP_PROXY", "http_proxy",    "HTTPS_PROXY",       "https_proxy",
					     "FTP_PROXY",  "ftp_proxy",     "NO_PROXY",          "no_proxy",
					     "ALL_PROXY",  "all_proxy",     "TARGETPLATFORM",    "TARGETOS",
					     "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM",     "BUILDOS",
					     "BUILDARCH",  "BUILDVARIANT",  "SOURCE_DATE_EPOCH", NULL };

	for (const char *const *n = names; *n != NULL; n++)
		if (strcmp(*n, arg_name) == 0)
			return true;
	return strncmp(arg_name, "BUILDKIT_", 9) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compose files: ${X} anywhere, variables that are passed through (environment: [X], build args without a value) and
 * secrets that are read from the environment.  Source: compose-spec, "Interpolation", "services.environment",
 * "build.args", "secrets".
 */
#include "cli/project/discover/sources.h"
#include "cli/project/yamltree.h"

#include <string.h>

#define WALK_MAX 200000 /* nodes looked at, aliases counted each time */

static void interpolation(struct sv_asks *a, const char *file, const struct sv_yaml *y, unsigned depth, unsigned *left)
{
	if (*left == 0 || depth > SV_YAML_DEPTH_MAX)
		return;
	--*left;
	if (y->kind == SV_YAML_SCALAR) {
		if (memchr(y->text, '$', y->len) != NULL)
			sv_source_dollars(a, file, y->line, y->text, "${...}");
		return;
	}
	/* Keys are not interpolated. */
	for (size_t i = y->kind == SV_YAML_MAP ? 1 : 0; i < y->n; i += y->kind == SV_YAML_MAP ? 2 : 1)
		interpolation(a, file, y->v[i], depth + 1, left);
}

/* A list of NAME or NAME=value, or a map whose value may be missing: those without a value come from the environment.
 */
static void pass_through(struct sv_asks *a, const char *file, const struct sv_yaml *y, const char *why)
{
	if (y == NULL)
		return;
	if (y->kind == SV_YAML_SEQ) {
		for (size_t i = 0; i < y->n; i++)
			if (y->v[i]->kind == SV_YAML_SCALAR && memchr(y->v[i]->text, '=', y->v[i]->len) == NULL)
				sv_asks_add(a, y->v[i]->text, y->v[i]->len, file, y->v[i]->line, why, false);
	} else if (y->kind == SV_YAML_MAP) {
		for (size_t i = 0; i + 1 < y->n; i += 2)
			if (sv_yaml_is_null(y->v[i + 1]) && y->v[i]->kind == SV_YAML_SCALAR)
				sv_asks_add(a, y->v[i]->text, y->v[i]->len, file, y->v[i]->line, why, false);
	}
}

static void top_secrets(struct sv_asks *a, const char *file, const struct sv_yaml *secrets)
{
	if (secrets == NULL || secrets->kind != SV_YAML_MAP)
		return;
	for (size_t i = 0; i + 1 < secrets->n; i += 2) {
		const struct sv_yaml *from = sv_yaml_get(secrets->v[i + 1], "environment");

		if (from != NULL && from->kind == SV_YAML_SCALAR)
			sv_asks_add(a, from->text, from->len, file, from->line, "secret from the environment", false);
	}
}

void sv_source_compose(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_yaml **docs;
	const struct sv_yaml *services;
	unsigned left = WALK_MAX;
	size_t n;

	if (sv_yaml_parse(&a->arena, text, len, 0, &docs, &n, &err) != SV_OK) {
		sv_asks_note(a, "%s cannot be read: %s", file, err.msg);
		return;
	}
	for (size_t d = 0; d < n; d++) {
		top_secrets(a, file, sv_yaml_get(docs[d], "secrets"));
		services = sv_yaml_get(docs[d], "services");
		for (size_t i = 0; services != NULL && services->kind == SV_YAML_MAP && i + 1 < services->n; i += 2) {
			pass_through(a, file, sv_yaml_get(services->v[i + 1], "environment"), "environment");
			pass_through(a, file, sv_yaml_get(sv_yaml_get(services->v[i + 1], "build"), "args"),
				     "build argument");
		}
		interpolation(a, file, docs[d], 0, &left);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes manifests and kustomizations: the variables that containers take from Secrets.
 *
 * secretKeyRef: the container's variable is the name that is asked for.  secretRef (envFrom) names a whole Secret: the
 * variable that its name makes is asked for.  Kustomize: a secretGenerator entry KEY without a value takes KEY from the
 * environment. Source: Kubernetes API reference "EnvVarSource", "EnvFromSource"; kustomize "secretGenerator".
 */
#include "cli/project/discover/sources.h"
#include "cli/project/yamltree.h"
#include "vault/base/name.h"

#include <string.h>

#define WALK_MAX 200000

static void container_env(struct sv_asks *a, const char *file, const struct sv_yaml *map)
{
	const struct sv_yaml *name = sv_yaml_get(map, "name");
	const struct sv_yaml *from = sv_yaml_get(sv_yaml_get(map, "valueFrom"), "secretKeyRef");
	bool optional = false;

	if (from == NULL || name == NULL || name->kind != SV_YAML_SCALAR)
		return;
	if (sv_yaml_get(from, "optional") != NULL)
		(void)sv_yaml_bool(sv_yaml_get(from, "optional"), &optional);
	sv_asks_add(a, name->text, name->len, file, from->line, "secretKeyRef", optional);
}

static void env_from(struct sv_asks *a, const char *file, const struct sv_yaml *map)
{
	const struct sv_yaml *ref = sv_yaml_get(map, "secretRef");
	const struct sv_yaml *name = sv_yaml_get(ref, "name");
	char var[SV_VAR_MAX + 1];

	if (name == NULL || name->kind != SV_YAML_SCALAR || name->len == 0)
		return;
	sv_asks_add(a, var, sv_var_from_name(name->text, name->len, var), file, name->line, "secretRef", true);
}

static void generator(struct sv_asks *a, const char *file, const struct sv_yaml *list)
{
	if (list == NULL || list->kind != SV_YAML_SEQ)
		return;
	for (size_t i = 0; i < list->n; i++) {
		const struct sv_yaml *literals = sv_yaml_get(list->v[i], "literals");

		for (size_t k = 0; literals != NULL && literals->kind == SV_YAML_SEQ && k < literals->n; k++) {
			const struct sv_yaml *y = literals->v[k];

			if (y->kind == SV_YAML_SCALAR && memchr(y->text, '=', y->len) == NULL)
				sv_asks_add(a, y->text, y->len, file, y->line, "secretGenerator", false);
			else if (y->kind == SV_YAML_SCALAR && memchr(y->text, '$', y->len) != NULL)
				sv_source_dollars(a, file, y->line, y->text, "secretGenerator");
		}
	}
}

static void walk(struct sv_asks *a, const char *file, const struct sv_yaml *y, unsigned depth, unsigned *left)
{
	if (*left == 0 || depth > SV_YAML_DEPTH_MAX || y->kind == SV_YAML_SCALAR)
		return;
	--*left;
	if (y->kind == SV_YAML_MAP) {
		container_env(a, file, y);
		env_from(a, file, y);
		generator(a, file, sv_yaml_get(y, "secretGenerator"));
	}
	for (size_t i = 0; i < y->n; i++)
		walk(a, file, y->v[i], depth + 1, left);
}

void sv_source_kube(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	struct sv_err err = SV_ERR_INIT;
	struct sv_yaml **docs;
	unsigned left = WALK_MAX;
	size_t n;

	/* Most YAML files of a repository are not meant here; most charts are templates that do not parse. */
	if (memmem(text, len, "secretKeyRef", 12) == NULL && memmem(text, len, "secretRef", 9) == NULL &&
	    memmem(text, len, "secretGenerator", 15) == NULL)
		return;
	if (sv_yaml_parse(&a->arena, text, len, 0, &docs, &n, &err) != SV_OK) {
		sv_asks_note(a, "%s cannot be read: %s", file, err.msg);
		return;
	}
	for (size_t d = 0; d < n; d++)
		walk(a, file, docs[d], 0, &left);
}

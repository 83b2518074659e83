/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Dockerfile asks for: its ARGs, its secret mounts, and the token for git repositories that it adds.
 */
#include "cli/project/discover/sources.h"
#include "cli/project/dockerfile.h"
#include "vault/base/name.h"

#include <string.h>

static void ask_args(struct sv_asks *a, const char *file, const struct sv_dockerfile *d)
{
	for (size_t i = 0; i < d->n_args; i++) {
		const struct sv_df_arg *arg = &d->args[i];
		bool weak = arg->default_text != NULL;

		if (sv_dockerfile_predefined(arg->name) || !sv_dockerfile_counts(d, arg->stage))
			continue;
		for (size_t k = 0; k < d->n_args && !weak; k++) /* a global default reaches a stage that declares it */
			weak = d->args[k].stage == SV_DOCKERFILE_GLOBAL && d->args[k].default_text != NULL &&
			       strcmp(d->args[k].name, arg->name) == 0;
		sv_asks_add(a, arg->name, strlen(arg->name), file, arg->line, "ARG", weak);
	}
}

static void ask_secrets(struct sv_asks *a, const char *file, const struct sv_dockerfile *d)
{
	char var[SV_VAR_MAX + 1];

	for (size_t i = 0; i < d->n_secrets; i++) {
		const struct sv_df_secret *s = &d->secrets[i];

		/* An id in small letters is given from the variable in capitals, as a secret's own variable would be
		 * called. */
		if (s->id != NULL && sv_dockerfile_counts(d, s->stage))
			sv_asks_add(a, var, sv_var_from_name(s->id, strlen(s->id), var), file, s->line, "secret mount",
				    false);
	}
}

void sv_source_dockerfile_target(struct sv_asks *a, const char *file, const char *text, size_t len, const char *target)
{
	struct sv_dockerfile d = SV_DOCKERFILE_INIT;
	struct sv_err err = SV_ERR_INIT;

	if (sv_dockerfile_parse(&d, text, len, &err) != SV_OK || sv_dockerfile_need(&d, target, &err) != SV_OK) {
		sv_asks_note(a, "%s cannot be read: %s", file, err.msg);
	} else {
		ask_args(a, file, &d);
		ask_secrets(a, file, &d);
		for (size_t i = 0; i < d.n_gits; i++)
			if (sv_dockerfile_counts(&d, d.gits[i].stage))
				sv_asks_add(a, "GIT_AUTH_TOKEN", 14, file, d.gits[i].line, "ADD of a git repository",
					    true);
	}
	sv_dockerfile_clear(&d);
}

void sv_source_dockerfile(struct sv_asks *a, const char *file, const char *text, size_t len)
{
	struct sv_dockerfile d = SV_DOCKERFILE_INIT;
	struct sv_err err = SV_ERR_INIT;

	if (sv_dockerfile_parse(&d, text, len, &err) != SV_OK) {
		sv_asks_note(a, "%s cannot be read: %s", file, err.msg);
	} else {
		for (size_t i = 0; i < d.n_stages; i++)
			d.stages[i].needed = true;
		ask_args(a, file, &d);
		ask_secrets(a, file, &d);
		for (size_t i = 0; i < d.n_gits; i++)
			sv_asks_add(a, "GIT_AUTH_TOKEN", 14, file, d.gits[i].line, "ADD of a git repository", true);
	}
	sv_dockerfile_clear(&d);
}

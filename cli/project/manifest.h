/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `.sv.yaml`: the names of the secrets that a project's programs need.  Names only, so it is safe to commit; and
 *because anybody may have written it, what it names is given only after the person allowed it (consent.h).
 *
 *	version: 1                        # required
 *	extends: ../.sv.yaml              # optional: a file whose entries this one adds to
 *	environment: dev
 *	mask: auto                        # auto, true, false
 *	secrets:
 *	  NPM_TOKEN:                      # the secret of the same name
 *	  GITHUB_PAT: github/pat          # or sv:///github/pat, or sv://ENV/github/pat
 *	  PGPASSWORD: { ref: db/password, required: false }
 *	  LOG_LEVEL: { default: info }    # what is not secret; used when vault and environment have nothing
 *	  EDITOR_TOKEN: { ref: editor, shell: true }
 *	groups: [mysql]                   # every secret below mysql/
 *	files:
 *	  GOOGLE_APPLICATION_CREDENTIALS: gcp/service-account.json
 *	  KUBECONFIG: { ref: kube/config, as: path }    # memory (the default), path, fifo
 *	at_least_one: [[NPM_TOKEN, GITHUB_PAT]]
 *	exactly_one: [[A, B]]
 *	profiles:
 *	  deploy: { environment: production, inherit: false, secrets: { ... }, groups: [...], files: {...},
 *at_least_one, exactly_one, mask }
 *
 * A profile adds to what stands at the top level and wins where both name a variable; with `inherit: false` it stands
 *alone.  A variable that is in a presence group need not be there by itself.  Unknown keys, duplicates, anchors and
 *tags are errors with line and column.
 */
#ifndef SV_PROJECT_MANIFEST_H
#define SV_PROJECT_MANIFEST_H

#include "cli/project/arena.h"
#include "vault/base/types.h"

#include <stdbool.h>

#define SV_MANIFEST_NAME        ".sv.yaml"
#define SV_MANIFEST_BYTES_MAX   ((size_t)256 << 10)
#define SV_MANIFEST_EXTENDS_MAX 8
#define SV_MANIFEST_ENTRIES_MAX 2048

enum sv_manifest_as { SV_AS_ENV, SV_AS_MEMORY, SV_AS_PATH, SV_AS_FIFO };
enum sv_manifest_mask { SV_MASK_UNSET, SV_MASK_AUTO, SV_MASK_ON, SV_MASK_OFF };

struct sv_manifest_entry {
	const char *var;          /* NULL for a group */
	const char *env;          /* NULL: the environment of the run */
	const char *name;         /* of the secret, or of the group with its slash */
	const char *default_text; /* NULL: none */
	enum sv_manifest_as as;
	bool optional;
	bool shell;
	unsigned line, col;
	const char *file; /* as it is shown: relative to the manifest's directory, or absolute */
};

struct sv_manifest_presence {
	bool exactly;
	const char **vars;
	size_t n;
	unsigned line;
	const char *file;
};

struct sv_manifest_part { /* the top level, or one profile */
	const char *name; /* NULL: the top level */
	const char *environment;
	enum sv_manifest_mask mask;
	bool inherit;
	struct sv_manifest_entry *v;
	size_t n;
	struct sv_manifest_presence *presence;
	size_t n_presence;
};

struct sv_manifest_source { /* a file that was read, with its bytes */
	const char *path;   /* absolute */
	const char *text;
	size_t len;
};

struct sv_manifest {
	struct sv_arena arena;
	struct sv_manifest_part top;
	struct sv_manifest_part *profiles;
	size_t n_profiles;
	struct sv_manifest_source *sources; /* the manifest first, then what it extends */
	size_t n_sources;
};

#define SV_MANIFEST_INIT               \
	{                              \
		.arena = SV_ARENA_INIT \
	}

/*
 * One file's text into *m, behind what is there already (an extended file is read after the one that extends it and
 * loses against it).  file is what errors and reasons call it; *extends: the path it extends, or NULL.  SV_ERR_FAIL
 * "FILE: line L, column C: ...".
 */
enum sv_code sv_manifest_parse(struct sv_manifest *m, const char *file, const char *text, size_t len,
			       const char **extends, struct sv_err *err) SV_CHECK;
/* The manifest in an open directory, with all that it extends.  SV_ERR_NOT_FOUND when dir has none. */
enum sv_code sv_manifest_load(struct sv_manifest *m, int dir_fd, const char *dir, struct sv_err *err) SV_CHECK;
/* What counts for a profile (NULL: the top level), put together in the arena.  SV_ERR_USAGE: no such profile; the
 * sentence lists them. */
enum sv_code sv_manifest_choose(struct sv_manifest *m, const char *profile, struct sv_manifest_part *out,
				struct sv_err *err) SV_CHECK;
void sv_manifest_clear(struct sv_manifest *m);

/*
 * NAME, sv:///NAME or sv://ENV/NAME into env (NULL when none is said) and name, both in the arena.  SV_ERR_NAME.
 */
enum sv_code sv_manifest_ref(struct sv_arena *a, const char *text, const char **env, const char **name,
			     struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery: which files a command's own tool reads, and what they ask for.
 *
 * The command's name decides which kinds of file matter, its arguments which of them (docker build -f, mvn -s, kubectl
 * -k).  Files stand in the working directory, for some tools in a parent up to the top of the repository, or in the
 * home directory (~/.npmrc).  Only `make` and its like walk the tree: bounded, never node_modules, .git, another
 * repository inside, or what git ignores. Nothing is run, fetched or expanded.
 */
#ifndef SV_PROJECT_DISCOVER_H
#define SV_PROJECT_DISCOVER_H

#include "cli/project/discover/asks.h"
#include "cli/project/root.h"

enum sv_kind {
	SV_KIND_NPM = 1 << 0,
	SV_KIND_YARN = 1 << 1,
	SV_KIND_PIP = 1 << 2,
	SV_KIND_MAVEN = 1 << 3,
	SV_KIND_GRADLE = 1 << 4,
	SV_KIND_TERRAFORM = 1 << 5,
	SV_KIND_DOCKERFILE = 1 << 6,
	SV_KIND_COMPOSE = 1 << 7,
	SV_KIND_KUBE = 1 << 8,
	SV_KIND_WORKFLOW = 1 << 9,
	SV_KIND_DOTENV = 1 << 10,
	SV_KIND_ENVRC = 1 << 11,
	SV_KIND_ALL = (1 << 12) - 1,
};

#define SV_DISCOVER_ENTRIES_MAX 50000
#define SV_DISCOVER_DEPTH_MAX   16
#define SV_DISCOVER_FILE_MAX    ((size_t)1 << 20)

/*
 * What argv (NULL-terminated; argv[0] NULL: no command in particular, all kinds with a walk) asks for in the project at
 * root.  Never fails: what goes wrong is a note.
 */
void sv_discover(struct sv_asks *a, const struct sv_root *root, char *const *argv);

/* The directory that consent is bound to: the top of the repository, else the working directory; an index into
 * root->level. */
size_t sv_discover_top(const struct sv_root *root);

/* For tests and for init-project: the kinds that a command's name stands for, *walk whether the tree is walked. */
unsigned sv_discover_kinds(char *const *argv, bool *walk);
/* The kind of a file by its name; 0: none.  in_workflows: it stands in .github/workflows. */
unsigned sv_discover_classify(const char *name, bool in_workflows);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the parts of discovery: the walk, the reading of one file, and the arguments of docker.
 */
#ifndef SV_PROJECT_DISCOVER_INT_H
#define SV_PROJECT_DISCOVER_INT_H

#include "cli/project/discover.h"

/* Read name below dir_fd and give it to the reader of its kind; show is what it is called.  A file that is not there is
 * nothing. */
bool sv_discover_file(struct sv_asks *a, unsigned kind, int dir_fd, const char *name, const char *show,
		      const char *target);
/* The files of these kinds in one directory, not below it; prefix ("", "../") is put before their names. */
void sv_discover_dir(struct sv_asks *a, unsigned kinds, int dir_fd, const char *prefix, bool in_workflows);
/* The tree below dir_fd; top_prefix: the path from the top of the repository to it ("" or "a/b/"). */
void sv_discover_walk(struct sv_asks *a, unsigned kinds, int dir_fd, const char *prefix, const char *top_prefix,
		      struct sv_arena *patterns_arena, const struct sv_root *root, size_t top);
/* docker, podman, buildah, nerdctl and docker-compose by their arguments. */
void sv_discover_docker(struct sv_asks *a, const struct sv_root *root, char *const *argv);

#endif

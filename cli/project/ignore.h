/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What git would ignore: patterns of .gitignore files, matched as gitignore(5) says, without git.
 *
 * Patterns are pushed directory by directory on the way down and dropped on the way up.  The caller asks about a path
 * only after none of its parents was ignored, so a parent that is excluded needs no second look here.
 */
#ifndef SV_PROJECT_IGNORE_H
#define SV_PROJECT_IGNORE_H

#include "cli/project/arena.h"

#include <stdbool.h>

struct sv_ignore_pattern {
	const char *text; /* without leading and trailing slash and '!' */
	size_t len;
	size_t base_len; /* bytes of the path that are the pattern's own directory, its slash included */
	bool negative, dir_only, anchored, literal;
	const char *suffix; /* of "*.o" and its like; NULL */
};

struct sv_ignore {
	struct sv_arena *a;
	struct sv_ignore_pattern *v;
	size_t n;
};

/* The lines of a .gitignore in the directory whose path has base_len bytes ("" 0, "src/" 4).  Returns the number of
 * patterns before. */
size_t sv_ignore_push(struct sv_ignore *ig, const char *text, size_t len, size_t base_len);
void sv_ignore_drop(struct sv_ignore *ig, size_t n);
/* path: from the top of the repository, no leading or trailing slash. */
bool sv_ignore_match(const struct sv_ignore *ig, const char *path, bool dir);
/* wildmatch of git with WM_PATHNAME: '*' and '?' do not match '/', "**" does. */
bool sv_ignore_wild(const char *pattern, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of Dockerfiles and Containerfiles: the instructions with their lines, and what concerns secrets taken out of
 * them.
 *
 * It follows the reference, not a builder's quirks: parser directives at the very top (syntax, escape); comments, also
 * between continued lines; continuation by the escape character; heredocs (several a line, <<-, quoted words), stages
 * with names and numbers; ARG before the first FROM (global: out of scope in a stage unless declared there again); RUN
 * --mount=type=secret and type=ssh; ADD of git repositories; COPY --from, RUN
 * --mount=from= and FROM of another stage as edges between stages.  Nothing is expanded except ${X:-default} of global
 * ARGs in FROM and in --from, with their defaults, which is what decides which stages a target needs.
 *
 * All text is in the arena of struct sv_dockerfile and lives until sv_dockerfile_clear(); line numbers are from 1.
 * Sources: docs.docker.com "Dockerfile reference"; moby/buildkit frontend/dockerfile/parser, instructions,
 * dockerfile2llb (rules only).
 */
#ifndef SV_PROJECT_DOCKERFILE_H
#define SV_PROJECT_DOCKERFILE_H

#include "cli/project/arena.h"

#include <stdbool.h>

#define SV_DOCKERFILE_BYTES_MAX ((size_t)1 << 20)
#define SV_DOCKERFILE_GLOBAL    (-1) /* stage of what stands before the first FROM */

struct sv_df_instruction {
	const char *keyword; /* upper case; of ONBUILD the one behind it */
	const char *args;    /* joined continuation, comments out, without heredoc bodies; flags included */
	const char *heredoc; /* all bodies one after the other; NULL: none */
	int stage;
	unsigned line, last_line;
	bool onbuild;
};

struct sv_df_stage {
	const char *name; /* lower case; NULL: none */
	const char *base; /* as written, global ARGs put in where they have a default */
	int base_stage;   /* a stage of this file; -1: an image */
	unsigned line;
	bool needed; /* after sv_dockerfile_need() */
};

struct sv_df_arg {
	const char *name;
	const char *default_text; /* NULL: none */
	int stage;
	unsigned line;
	bool redeclared; /* in a stage, of a global ARG of this name */
};

struct sv_df_secret {       /* RUN --mount=type=secret */
	const char *id;     /* NULL when it cannot be told (holds a variable) */
	const char *target; /* NULL: the default */
	const char *env;    /* variable inside the RUN; NULL: none */
	bool required;
	int stage;
	unsigned line;
	size_t instruction; /* index */
};

struct sv_df_git { /* ADD of a git repository */
	const char *url;
	int stage;
	unsigned line;
};

struct sv_df_edge {
	int from, to;
}; /* stage `from` needs stage `to` */

struct sv_dockerfile {
	struct sv_arena arena;
	char escape;        /* '\\' or '`' */
	const char *syntax; /* NULL: none */
	struct sv_df_instruction *instructions;
	size_t n_instructions;
	struct sv_df_stage *stages;
	size_t n_stages;
	struct sv_df_arg *args;
	size_t n_args;
	struct sv_df_secret *secrets;
	size_t n_secrets;
	struct sv_df_git *gits;
	size_t n_gits;
	struct sv_df_edge *edges;
	size_t n_edges;
	bool ssh; /* some RUN mounts type=ssh */
};

#define SV_DOCKERFILE_INIT             \
	{                              \
		.arena = SV_ARENA_INIT \
	}

/* SV_ERR_FAIL "line L: ..." for what no builder reads (a heredoc without end, an unknown directive value is not such a
 * thing). */
enum sv_code sv_dockerfile_parse(struct sv_dockerfile *d, const char *text, size_t len, struct sv_err *err) SV_CHECK;
/* Mark the stages that a target needs.  target: a name in any case, a number, or NULL for the last stage.
 * SV_ERR_NOT_FOUND: no such stage. */
enum sv_code sv_dockerfile_need(struct sv_dockerfile *d, const char *target, struct sv_err *err) SV_CHECK;
/* true when the stage counts for the chosen target, or is global. */
bool sv_dockerfile_counts(const struct sv_dockerfile *d, int stage);
/* ARGs that every builder knows without a declaration (HTTP_PROXY, TARGETPLATFORM ...), which are no secrets of the
 * project. */
bool sv_dockerfile_predefined(const char *arg);
/* true for an address that ADD would clone. */
bool sv_dockerfile_is_git(const char *source);
void sv_dockerfile_clear(struct sv_dockerfile *d);

#endif

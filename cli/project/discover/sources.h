/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers, one for each kind of file.  Each takes the file's text (NUL behind it), what the file is called, and
 * adds what it asks for.  None fails: what cannot be read becomes a note.  They never run, expand or fetch anything.
 */
#ifndef SV_PROJECT_SOURCES_H
#define SV_PROJECT_SOURCES_H

#include "cli/project/discover/asks.h"

typedef void (*sv_source_fn)(struct sv_asks *a, const char *file, const char *text, size_t len);

void sv_source_npmrc(struct sv_asks *a, const char *file, const char *text, size_t len);  /* ${X}, ${X?}, \${X} */
void sv_source_yarnrc(struct sv_asks *a, const char *file, const char *text, size_t len); /* ${X}, ${X-d}, ${X:-d} */
void sv_source_ini(struct sv_asks *a, const char *file, const char *text,
		   size_t len); /* .pypirc, pip.conf: ${X}, ${env.X} */
void sv_source_requirements(struct sv_asks *a, const char *file, const char *text,
			    size_t len); /* ${X}, upper case only, as pip */
void sv_source_properties(struct sv_asks *a, const char *file, const char *text, size_t len); /* ${X}, ${env.X} */
void sv_source_maven(struct sv_asks *a, const char *file, const char *text,
		     size_t len); /* ${env.X}, XML comments left out */
void sv_source_gradle(struct sv_asks *a, const char *file, const char *text,
		      size_t len); /* System.getenv("X") and its like */
void sv_source_terraform(struct sv_asks *a, const char *file, const char *text,
			 size_t len); /* variable "x" without default */
void sv_source_compose(struct sv_asks *a, const char *file, const char *text, size_t len);
void sv_source_kube(struct sv_asks *a, const char *file, const char *text, size_t len);
void sv_source_workflow(struct sv_asks *a, const char *file, const char *text, size_t len); /* secrets.X */
void sv_source_dotenv(struct sv_asks *a, const char *file, const char *text,
		      size_t len); /* .env.example, .env.schema */
void sv_source_envrc(struct sv_asks *a, const char *file, const char *text, size_t len);
void sv_source_dockerfile(struct sv_asks *a, const char *file, const char *text, size_t len); /* every stage */
void sv_source_dockerfile_target(struct sv_asks *a, const char *file, const char *text, size_t len, const char *target);

/* $X and ${X...} of a compose file's scalar, $$ is a dollar. */
void sv_source_dollars(struct sv_asks *a, const char *file, unsigned line, const char *text, const char *why);

/* Names that a text assigns at the start of a line (x = ...), to be taken out of what is asked for: terraform.tfvars.
 */
bool sv_source_assigns(const char *text, size_t len, const char *name);

#endif

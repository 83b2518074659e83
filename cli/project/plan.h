/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run needs and what it gets: wishes (from the command line, a manifest, discovery, an env file) become items
 *(variable, secret, environment), each present or not, allowed or not.
 *
 *	wishes --sv_plan_names--> items --sv_plan_consent--> allowed --sv_plan_values--> values in locked memory
 */
#ifndef SV_PROJECT_PLAN_H
#define SV_PROJECT_PLAN_H

#include "cli/cmd.h"
#include "cli/project/consent.h"
#include "cli/project/discover/asks.h"
#include "cli/project/manifest.h"
#include "cli/project/root.h"

enum sv_wish_kind { SV_WISH_NAME, SV_WISH_GROUP, SV_WISH_ALL, SV_WISH_PREFIX, SV_WISH_VAR };

enum sv_deliver {
	SV_DELIVER_ENV,
	SV_DELIVER_MEMORY,
	SV_DELIVER_PATH,
	SV_DELIVER_FIFO,
	SV_DELIVER_FD,
	SV_DELIVER_PART /* of a template */
};

struct sv_wish {
	enum sv_wish_kind kind;
	const char *var;  /* NAME: the variable, NULL the secret's own; PREFIX, VAR: the text */
	const char *env;  /* NULL: the environment of the run */
	const char *name; /* NAME, GROUP (with slash) */
	enum sv_deliver deliver;
	int fd; /* of SV_DELIVER_FD */
	bool optional, implicit;
	const char *default_text; /* NULL: none */
	const char *why, *file;   /* file NULL: the command line */
	unsigned line;
};

struct sv_item {
	const char *var;        /* for a file the variable that holds the path; "" for SV_DELIVER_FD */
	const char *env, *name; /* name NULL: not in the vault */
	const char *from_env;   /* where the vault has it: env, or "default" */
	const struct sv_wish *wish;
	uint32_t value_len;
	bool allowed;
	const unsigned char *value; /* after sv_plan_values; for ENV the pair "VAR=value" with NUL */
};

struct sv_plan {
	struct sv_arena arena;
	struct sv_root root;
	struct sv_manifest manifest;
	struct sv_manifest_part part; /* when has_manifest */
	struct sv_asks asks;          /* when discovered */
	bool has_manifest, discovered;
	struct sv_wish *wishes;
	size_t n_wishes;
	struct sv_item *items;
	size_t n_items;
	struct sv_consent consent; /* what is remembered for the project's directory */
	struct sv_consent_dir dir;
	int dir_fd; /* borrowed from root, or own_fd */
	int own_fd;
	bool yes;              /* --yes: allowed this time */
	struct sv_buf *values; /* replies kept, one buffer for each */
	size_t n_values;
	bool fetched_names;
};

#define SV_PLAN_INIT                                                                                                   \
	{                                                                                                              \
		.arena = SV_ARENA_INIT, .dir_fd = -1, .own_fd = -1, .manifest = SV_MANIFEST_INIT, .asks = SV_ASKS_INIT \
	}

enum sv_code sv_plan_wish(struct sv_plan *p, const struct sv_wish *w, struct sv_err *err) SV_CHECK;
/* Directories from dir (NULL: here) upwards, and the directory that consent is bound to when no manifest is used. */
enum sv_code sv_plan_find(struct sv_plan *p, const char *dir, struct sv_err *err) SV_CHECK;
/* The manifest of this directory or a parent, its profile's entries as wishes.  SV_OK with has_manifest false when
 * there is none. */
enum sv_code sv_plan_manifest(struct sv_plan *p, const char *profile, struct sv_err *err) SV_CHECK;
/* Wishes of every profile as well, for sv allow. */
enum sv_code sv_plan_all_profiles(struct sv_plan *p, struct sv_err *err) SV_CHECK;
/* What the command's own files ask for, as wishes by variable. */
enum sv_code sv_plan_discover(struct sv_plan *p, char *const *argv, struct sv_err *err) SV_CHECK;

/* The environment of the run: -e, $SV_ENV, the manifest's, default. */
void sv_plan_environment(struct sv_plan *p, struct sv_cli *cli);

/* Ask the agent which of them there are; fills items.  Conflicts between two secrets for one variable are errors unless
 * lenient. */
enum sv_code sv_plan_names(struct sv_plan *p, struct sv_cli *cli, bool lenient, struct sv_err *err) SV_CHECK;
/* SV_ERR_NOT_FOUND with a sentence for the first item that is required and missing; presence groups too. */
enum sv_code sv_plan_complete(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err) SV_CHECK;

/* Read what is remembered; marks items. */
enum sv_code sv_plan_consent(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err) SV_CHECK;
/* Items that are implicit, present and not allowed. */
size_t sv_plan_unallowed(const struct sv_plan *p);
/* Ask on the terminal; remember a yes.  what: the command to name where no terminal is.  SV_ERR_DENIED. */
enum sv_code sv_plan_ask(struct sv_plan *p, struct sv_cli *cli, const char *what, struct sv_err *err) SV_CHECK;
/* Add every implicit item that is present to what is remembered and store it. */
enum sv_code sv_plan_remember(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err) SV_CHECK;
/* SV_ERR_NOT_FOUND: nothing was remembered. */
enum sv_code sv_plan_forget(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err) SV_CHECK;

/* Fetch the values of all items that are present, into p->values. */
enum sv_code sv_plan_values(struct sv_plan *p, struct sv_cli *cli, struct sv_err *err) SV_CHECK;
void sv_plan_values_clear(struct sv_plan *p);
void sv_plan_clear(struct sv_plan *p);

/* The list of --dry-run and sv allow, as text or JSON. */
void sv_plan_print(const struct sv_plan *p, struct sv_cli *cli);
/* "secrets at .sv.yaml:4", into out. */
void sv_plan_reason(const struct sv_item *item, char *out, size_t size);

#endif

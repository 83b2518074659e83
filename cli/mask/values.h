/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which values are masked: from the agent into patterns, with no copy in between.
 */
#ifndef SV_CLI_MASK_VALUES_H
#define SV_CLI_MASK_VALUES_H

#include "cli/childenv.h"
#include "cli/match/engine.h"
#include "cli/opts.h"
#include "proto/client.h"

/* NAME, VAR=NAME or GROUP/ is well written.  SV_ERR_USAGE. */
enum sv_code sv_mask_check_select(const char *text, struct sv_err *err) SV_CHECK;

/* Add the values of one selection. SV_ERR_NOT_FOUND and what the agent says. */
enum sv_code sv_mask_add_select(struct sv_client *c, struct sv_text env, const char *text, struct sv_patterns *ps,
				struct sv_err *err) SV_CHECK;
/* Add a group; "" is every secret of the environment. */
enum sv_code sv_mask_add_group(struct sv_client *c, struct sv_text env, struct sv_text group, struct sv_patterns *ps,
			       struct sv_err *err) SV_CHECK;
/* Add every secret of every environment. */
enum sv_code sv_mask_add_vault(struct sv_client *c, struct sv_patterns *ps, struct sv_err *err) SV_CHECK;
/* Add what is injected. */
enum sv_code sv_mask_add_vars(const struct sv_childenv_var *vars, size_t n, struct sv_patterns *ps,
			      struct sv_err *err) SV_CHECK;

#endif

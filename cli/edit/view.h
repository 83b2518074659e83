/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The masked twin of edit: the same document with every value masked, for sv show.
 */
#ifndef SV_CLI_EDIT_VIEW_H
#define SV_CLI_EDIT_VIEW_H

#include "cli/cmd.h"

/* A group ("" for everything) of the environment, to cli->out.  full: with metadata.  SV_ERR_NOT_FOUND: an empty group.
 */
enum sv_code sv_view_masked(struct sv_cli *cli, struct sv_text group, bool full, struct sv_err *err) SV_CHECK;

#endif

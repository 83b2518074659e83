/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is about to be saved, in names: added, changed, renamed, removed, metadata.  Never a value.
 */
#ifndef SV_CLI_EDIT_SUMMARY_H
#define SV_CLI_EDIT_SUMMARY_H

#include "cli/cmd.h"
#include "cli/edit/merge.h"

/* A line for each, and one with the numbers, to o. */
void sv_summary_text(struct sv_out *o, const struct sv_diff *d, bool color);
/* The same as a JSON object of arrays of names. */
void sv_summary_json(struct sv_out *o, const struct sv_diff *d, bool dry_run);
/* "1 added, 2 removed" or "nothing changed". */
void sv_summary_count(const struct sv_diff *d, char *out, size_t size);
/* It removes more than it keeps. */
bool sv_summary_drastic(const struct sv_diff *d);

#endif

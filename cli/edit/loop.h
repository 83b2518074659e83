/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The person, the editor and the text, until it is saved, dropped or kept as a draft.
 */
#ifndef SV_CLI_EDIT_LOOP_H
#define SV_CLI_EDIT_LOOP_H

#include "cli/edit/flow.h"

struct sv_edit_choice {
	bool resume, insecure, hand_off;
	bool scope_given; /* an argument names it; otherwise --resume takes the newest draft of the environment */
};

/* Standard input is a terminal. */
enum sv_code sv_edit_loop(struct sv_edit *e, const struct sv_edit_choice *choice, struct sv_err *err) SV_CHECK;

#endif

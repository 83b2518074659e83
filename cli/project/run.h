/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a plan whose values are there to a running program: environment, files, exec in place or under the supervisor.
 */
#ifndef SV_PROJECT_RUN_H
#define SV_PROJECT_RUN_H

#include "cli/project/deliver.h"
#include "cli/project/plan.h"
#include "cli/project/template.h"

struct sv_run {
	struct sv_plan *plan;
	struct sv_cli *cli;
	char *const *argv;
	unsigned childenv_flags;
	bool clean;
	bool masked, mask_all, mask_files; /* the output goes through the masking supervisor */
	bool watch, no_restart;
	int watch_signal;                    /* 0: restart */
	const struct sv_envfile_line *lines; /* of --env-file */
	size_t n_lines; /* wishes of SV_DELIVER_PART stand in the order of the references in lines */
};

/* Start the program.  On success in place it does not return; under the supervisor it ends this process as the child
 * ended. */
enum sv_code sv_run_program(struct sv_run *r, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the two halves of the Dockerfile reader.
 */
#ifndef SV_PROJECT_DOCKERFILE_INT_H
#define SV_PROJECT_DOCKERFILE_INT_H

#include "cli/project/dockerfile.h"

/* Take stages, ARGs, mounts and edges out of an instruction that was just read. */
enum sv_code sv_dockerfile_understand(struct sv_dockerfile *d, size_t instruction, struct sv_err *err) SV_CHECK;
enum sv_code sv_dockerfile_no_memory(struct sv_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person writes for a secret: NAME, NAME@N for a version, GROUP/, or sv://ENV/NAME.
 */
#ifndef SV_CLI_REF_H
#define SV_CLI_REF_H

#include "proto/msg.h"

/*
 * NAME, NAME@N or a reference; env is the environment when the text does not say one.  Views into text.
 * SV_ERR_NAME, SV_ERR_USAGE for an illegal environment.
 */
enum sv_code sv_ref_parse(const char *text, struct sv_text env, struct sv_msg_ref *ref, struct sv_err *err) SV_CHECK;

/* true when the text ends in a slash */
bool sv_ref_is_group(const char *text);

/* NAME without version or environment, or GROUP/ when group is allowed. */
enum sv_code sv_ref_name(const char *text, bool group, struct sv_text *name, struct sv_err *err) SV_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent says about itself: to stderr, in the foreground only.  Event kinds, counts and error classes; never
 * names, values, bodies, or paths of children.  The types of the arguments see to it: there is no way to pass a text.
 */
#ifndef SV_AGENT_LOG_H
#define SV_AGENT_LOG_H

#include "vault/base/err.h"

#include <stdbool.h>

void sv_log_open(bool foreground);
/* event is a constant of the program; n a count or a number that says nothing about a secret. */
void sv_log_event(const char *event, long long n);
void sv_log_error(const char *event, enum sv_code code);

#endif

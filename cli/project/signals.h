/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of signals.
 */
#ifndef SV_PROJECT_SIGNALS_H
#define SV_PROJECT_SIGNALS_H

/* HUP, SIGHUP or 1; 0: none of them. */
int sv_signal_number(const char *text);

#endif

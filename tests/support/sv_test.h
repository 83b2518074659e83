/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka with the headers it wants before it, in order.
 */
#ifndef SV_TEST_H
#define SV_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#define SV_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif

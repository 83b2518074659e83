#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each header compiles alone, twice in one unit, and has an include guard made of its name.

. "$(dirname -- "$0")/lib.sh"

CC=${CC:-cc}
flags="-std=c17 -D_GNU_SOURCE=1 -DSV_TESTING=1 -I. -Wall -Wextra -Wstrict-prototypes -Werror -fsyntax-only"
cflags=$(pkg-config --cflags libsodium sqlite3 yaml-0.1 2>/dev/null)

for header in $(files '*.h'); do
	# The words of $flags and $cflags are meant to be split.
	# shellcheck disable=SC2086
	findings=$(printf '#include "%s"\n#include "%s"\nextern int sv_nothing_else;\n' "$header" "$header" |
		"$CC" $flags $cflags -x c - 2>&1)
	grep -q '^#ifndef [A-Z0-9_]*_H$' "$header" || findings="$findings no include guard"
	verdict "$header compiles alone" "$findings"
done
finish

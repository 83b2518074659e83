#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What every text of the project has or has not: a licence line, no note to come back later, no path of a developer's machine,
# no overlong file or line, names of linked functions that say their module.

. "$(dirname -- "$0")/lib.sh"

sources=$(files '*.c' '*.h' '*.sh' '*.py' '*.cmake' 'CMakeLists.txt' '*/CMakeLists.txt' '*.socket' '*.service.in' '*.bash' '*.fish')
texts=$(files '*.c' '*.h' '*.sh' '*.py' '*.cmake' 'CMakeLists.txt' '*/CMakeLists.txt' '*.md' '*.1' '*.5')
code=$(files '*.c' '*.h')

verdict "every source says its licence in one of its first three lines" \
	"$(for f in $sources; do head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2\.0' || echo "$f"; done)"
# The brackets keep this file from finding itself.
verdict "no note to come back later" \
	"$(for f in $texts; do grep -HnE '\b(T[O]DO|FIX[M]E|X[X]X|HA[C]K)\b' "$f"; done)"
verdict "no path of a developer's machine" \
	"$(for f in $texts; do grep -HnE '(^|[^[:alnum:]_.-])/(home/[a-z]|Users/|wor[k]/|far[m]/|roo[t]/)' "$f" | grep -vE '/home/(me|user)/'; done)"
verdict "no file over 700 lines, no line of C over 120 columns" \
	"$(for f in $code; do
		[ "$(wc -l <"$f")" -le 700 ] || echo "$f: $(wc -l <"$f") lines"
		expand -t 8 "$f" | awk -v f="$f" 'length($0) > 120 { print f ":" NR ": " length($0) " columns" }'
	done)"
verdict "no blanks at the end of a line" \
	"$(for f in $code $(files '*.sh' '*.cmake'); do grep -HnE '[[:blank:]]+$' "$f"; done)"

if [ -n "${SV_BUILD:-}" ] && command -v nm >/dev/null 2>&1; then
	verdict "linked functions are called sv_..., cmd_... or main" \
		"$(find "$SV_BUILD/vault" "$SV_BUILD/proto" "$SV_BUILD/agent" "$SV_BUILD/cli" -name '*.o' -exec nm --defined-only {} + 2>/dev/null |
			awk '$2 == "T" && $3 !~ /^(sv_|cmd_|main$|free$|malloc$|realloc$|calloc$|reallocarray$|__wrap_(free|realloc)$)/ { print $3 }' | sort -u)"
else
	skip "linked functions are called sv_..., cmd_... or main" "no built objects to look at"
fi
finish

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the lint scripts share: the list of files (git's, or find's outside a clone), and TAP lines.  SV_SRC is the source tree.

set -u
SV_SRC=${SV_SRC:-$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)}
cd "$SV_SRC" || exit 1
LC_ALL=C
export LC_ALL

count=0
failed=0
skipped=0

# verdict DESCRIPTION FINDINGS: no findings, no failure.
verdict() {
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		failed=$((failed + 1))
		echo "not ok $count - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

skip() {
	count=$((count + 1))
	skipped=$((skipped + 1))
	echo "ok $count - $1 # SKIP $2"
}

# Files of the project by shell patterns of their names.
files() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | while IFS= read -r f; do [ -f "$f" ] && printf '%s\n' "$f"; done | sort -u
	else
		for pattern in "$@"; do
			find . -name build -prune -o -type f -name "$pattern" -print
		done | sed 's|^\./||' | sort -u
	fi
}

finish() {
	echo "1..$count"
	[ "$failed" = 0 ] || exit 1
	[ "$skipped" -lt "$count" ] || exit 77
	exit 0
}

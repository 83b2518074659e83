#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A locked vault: every command that needs it says 3 and how to go on, at once when there is no terminal.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put a/b "$CANARY"
sv lock

detached() { if have setsid; then timeout 20 setsid -w "$@" </dev/null; else timeout 20 "$@" </dev/null; fi; }
for line in 'get a/b' 'show a/b' 'show' 'ls' 'rm a/b' 'mv a/b a/c' 'cp a/b a/c' 'undo' 'history a/b' 'restore a/b@1' 'diff a/b' \
	'env list' 'verify' 'backup b.db'; do
	# shellcheck disable=SC2086  # the words of a command line
	run detached sv $line
	gave "sv $line" 3 '' 'sv: error: *locked*'
	like "sv $line: says what to do" "$ERR" '*sv unlock*'
done
printf '%s' "$CANARY" | detached sv get a/b >"$CAPTURE/out" 2>&1
same "add and set too" "$(for verb in add set; do printf '%s' "$CANARY" | timeout 20 setsid -w sv "$verb" a/z >"$CAPTURE/out" 2>&1; echo $?; done | tr '\n' ' ')" '3 3 '
run detached sv exec -s a/b -- touch "$HOME/started"
gave "exec is 125" 125 '' 'sv: error: *locked*'
run detached sv --json get a/b
gave "with --json the error is an object" 3 '*' '*'
like "with a code" "$OUT$ERR" '*"error"*"code"*"locked"*"message"*'
run detached sv status
gave "status is 3" 3 '*locked*' ''
run detached sv unlock
same "unlock without a terminal and without a descriptor fails at once" "$([ "$STATUS" != 0 ] && [ "$STATUS" != 124 ] && echo yes)" yes
run detached sv version
gave "version needs nothing" 0 'sv *' ''
stop_agent
run detached sv get a/b
gave "without an agent it is the same" 3 '' 'sv: error: *locked*'
run detached sv status
gave "and status too" 3 '*locked*' ''
check "no child was started" [ ! -e "$HOME/started" ]
finish

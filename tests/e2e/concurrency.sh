#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many at once: nothing is lost, nothing is mixed, and one of two that want the same wins.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
: >"$CAPTURE/saved"
: >"$CAPTURE/killed"
jobs=
for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	put "p/$number" "$CANARY-$number" &
	jobs="$jobs $!"
done
# shellcheck disable=SC2086
wait $jobs
same "16 parallel writes are all there" "$(sv ls p/ | wc -l | tr -d ' ')" 16
good=0
for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	[ "$(sv get "p/$number")" = "$CANARY-$number" ] && good=$((good + 1))
done
same "each with its own value" "$good" 16

jobs=
for number in 1 2 3 4 5 6 7 8; do
	{
		printf '%s' "$CANARY-$number" | sv -q add same >/dev/null 2>&1
		echo $? >"$CAPTURE/add.$number"
	} &
	jobs="$jobs $!"
done
# shellcheck disable=SC2086
wait $jobs
same "of 8 parallel adds of one name one succeeds" "$(cat "$CAPTURE"/add.* | sort | uniq -c | awk '{ print $1 "x" $2 }' | tr '\n' ' ')" '1x0 7x7 '

writer() {
	writer_number=0
	while [ $writer_number -lt 25 ]; do
		writer_number=$((writer_number + 1))
		put race "$CANARY-$1-$writer_number" || echo "writer $1 failed" >>"$CAPTURE/wfail"
	done
}
put race "$CANARY-0-0"
writer 1 &
one=$!
writer 2 &
two=$!
bad=0
reads=0
while kill -0 "$one" 2>/dev/null || kill -0 "$two" 2>/dev/null; do
	reads=$((reads + 1))
	value=$(sv get race)
	case $value in "$CANARY"-[012]-*) ;; *) bad=$((bad + 1)) ;; esac
done
wait "$one" "$two"
same "two writers and a reader: every read is one of the written values ($reads reads)" "$bad" 0
check "and no write failed" [ ! -e "$CAPTURE/wfail" ]
last=$(sv get race)
like "the last is of the last round of one of them" "$last" "$CANARY-[12]-25"
run sv verify
gave "the vault is whole" 0 '*' '*'

# A lock in the middle of writes: each is done or refused, never half.
(
	number=0
	while [ ! -e "$CAPTURE/enough" ]; do
		number=$((number + 1))
		if printf '%s' "$CANARY-$number" | sv -q --no-prompt set "lock/$number" >/dev/null 2>&1; then echo "$number" >>"$CAPTURE/saved"; fi
	done
) &
one=$!
some_saved() { [ "$(grep -c . "$CAPTURE/saved")" -ge $((20 * $1)) ]; }
for number in 1 2 3; do
	sv lock
	unlock_vault >/dev/null 2>&1
	wait_for 10 some_saved "$number"
done
touch "$CAPTURE/enough"
wait "$one"
unlock_vault >/dev/null 2>&1
sv ls lock/ | sed 's|.*/||' | sort >"$CAPTURE/there"
sort "$CAPTURE/saved" >"$CAPTURE/said"
same "what was acknowledged while others locked is there, and nothing else" "$(cat "$CAPTURE/there")" "$(cat "$CAPTURE/said")"

# Killed in the middle of writing: what was acknowledged survives.
pid=$(agent_pid)
(
	number=0
	while [ $number -lt 200 ]; do
		number=$((number + 1))
		printf '%s' "$CANARY-$number" | sv -q --no-prompt set "kill/$number" >/dev/null 2>&1 || break
		echo "$number" >>"$CAPTURE/killed"
	done
) &
one=$!
enough() { [ "$(grep -c . "$CAPTURE/killed")" -ge 10 ]; }
wait_for 60 enough
kill -KILL "$pid"
wait "$one"
unlock_vault >/dev/null 2>&1
sv ls kill/ | sed 's|.*/||' | sort >"$CAPTURE/there"
sort "$CAPTURE/killed" >"$CAPTURE/said"
same "after SIGKILL of the agent every acknowledged write is there" "$(comm -13 "$CAPTURE/there" "$CAPTURE/said")" ''
check "and at most the one that was under way besides" [ "$(comm -23 "$CAPTURE/there" "$CAPTURE/said" | wc -l)" -le 1 ]
run sv verify
gave "and the vault is whole" 0 '*' '*'
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The promises, one by one; what each needs in depth is in the story of its name.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put "$NAME_CANARY/token" "$CANARY"

# 1. No plaintext on disk: also while the vault is unlocked and after every kind of change.
sv -q mv "$NAME_CANARY/token" "$NAME_CANARY/t2"
sv -q undo
sv -q backup "$HOME/b.db" >/dev/null 2>&1
same "1. no plaintext on disk while it is unlocked" "$(search_tree "$SCRATCH" "$CANARY")" ''

# 2. Values never in argv or messages; names hidden at rest, lengths blurred.
sv exec -s "X=$NAME_CANARY/token" -- sleep 60 &
sleeper=$!
wait_for 10 grep -q sleep "/proc/$sleeper/comm"
same "2. no value in an argument vector" "$(tr '\000' ' ' <"/proc/$sleeper/cmdline")" 'sleep 60 '
kill "$sleeper"
wait "$sleeper" 2>/dev/null
messages=$(sv add "$NAME_CANARY/token" <"$CAPTURE/init.err" 2>&1
	sv get nothing 2>&1
	sv --json get nothing 2>&1
	printf '%s' "$CANARY" | sv add bad//name 2>&1
	printf '%s' "$CANARY" | sv add -- -x 2>&1
	sv "$CANARY" 2>&1
	sv get x --passphrase="$CANARY" 2>&1
	sv exec -s "$CANARY=$NAME_CANARY/token" -- true 2>&1)
same "2. no value in a message" "$(printf '%s' "$messages" | grep -cF "$CANARY")" 0
same "2. no name in the vault file" "$(search_tree "${VAULT%/*}" "$NAME_CANARY")" ''
sizes() { stat -c %s "$1"; }
put len/a 1
sv -q backup "$HOME/l1.db" >/dev/null 2>&1
put len/a 123456789012345678901234567890
sv -q undo
put len/a 12
sv -q backup "$HOME/l2.db" >/dev/null 2>&1
check "2. values of nearby lengths take the same room" [ "$(($(sizes "$HOME/l2.db") - $(sizes "$HOME/l1.db")))" -lt 16384 ]

# 3. Acknowledged means durable.
pid=$(agent_pid)
put durable "$CANARY-durable"
kill -KILL "$pid"
wait_for 10 gone "$pid"
unlock_vault >/dev/null 2>&1
run sv get durable
gave_exact "3. acknowledged, then the agent is killed: it is there" 0 "$CANARY-durable" ''
pid=$(agent_pid)
if [ "$(id -u)" = 0 ] && have unshare && unshare -m true 2>/dev/null; then
	# A full disk: a file system of 3 MiB, in a mount namespace of its own.
	mkdir "$SCRATCH/full"
	cat >"$CAPTURE/full.sh" <<'SH'
mount -t tmpfs -o size=3m,mode=700 none "$SCRATCH/full" || exit 90
SV_VAULT=$SCRATCH/full/v.db SV_SOCKET=$SCRATCH/r/f/s
export SV_VAULT SV_SOCKET
printf '%s' "$PASS" | sv init --kdf interactive --no-recovery --passphrase-fd 0 >/dev/null 2>&1 || exit 91
printf '%s' "$CANARY" | sv -q set first || exit 92
number=0
while head -c 700000 /dev/zero | sv -q set "big/$number" 2>"$CAPTURE/full.err"; do
	number=$((number + 1))
	[ $number -lt 50 ] || exit 93
done
echo "$?" >"$CAPTURE/full.status"
[ "$(sv get first)" = "$CANARY" ] || exit 94
[ "$(sv ls big/ | wc -l)" = "$number" ] || exit 95
sv verify >/dev/null 2>&1 || exit 96
kill -TERM "$(sv status --json | sed -n 's/.*"pid" *: *\([0-9]*\).*/\1/p')"
while [ -S "$SV_SOCKET" ] && [ "${left:=50}" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
exit 0
SH
	export SCRATCH CAPTURE PASS CANARY
	unshare -m sh "$CAPTURE/full.sh"
	same "3. a full disk: refused, nothing lost, the vault whole" "$?" 0
	like "3. and the message says so" "$(cat "$CAPTURE/full.err" 2>/dev/null)" 'sv: error: *'
else
	skip "3. a full disk" "needs root and a mount namespace"
fi

# 4. Altered files are refused: verify_backup.  Here: any byte.
sv lock
stop_agent
cp "$VAULT" "$CAPTURE/good.db"
cp -R "$XDG_STATE_HOME" "$CAPTURE/state"
size=$(stat -c %s "$VAULT")
believed=0
tried=0
while [ $tried -lt 12 ]; do
	tried=$((tried + 1))
	cp "$CAPTURE/good.db" "$VAULT"
	at=$(($(od -An -N4 -tu4 /dev/urandom | tr -d ' ') % size))
	byte=$(od -An -tu1 -j"$at" -N1 "$VAULT" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$VAULT" bs=1 seek="$at" conv=notrunc 2>/dev/null
	if unlock_vault >/dev/null 2>"$CAPTURE/err"; then
		# A byte that nothing depends on may be accepted, when all that is read is unchanged.
		[ "$(sv get "$NAME_CANARY/token" 2>/dev/null)" = "$CANARY" ] && [ "$(sv get durable 2>/dev/null)" = "$CANARY-durable" ] ||
			believed=$((believed + 1))
	fi
	stop_agent
	# An accepted file may have been written to since: put back what this machine remembers of it, too.
	rm -rf "$XDG_STATE_HOME"
	cp -R "$CAPTURE/state" "$XDG_STATE_HOME"
done
cp "$CAPTURE/good.db" "$VAULT"
same "4. of $tried flipped bits none changes what is given out" "$believed" 0
unlock_vault >/dev/null 2>&1

# 5. The child sees what it would see without sv: exec.
same "5. same process, status and descriptors" "$(sh -c 'echo $$; exec sv exec -s durable -- sh -c "echo \$\$; exit 7"' | uniq | wc -l | tr -d ' ')" 1

# 6. Missing, empty, locked: the child never starts.
run sv exec -s missing -- touch "$HOME/started"
gave "6. missing" 125 '' 'sv: error: *missing*'
sv lock
run sv --no-prompt exec -s durable -- touch "$HOME/started"
gave "6. locked" 125 '' 'sv: error: *locked*'
check "6. no child started" [ ! -e "$HOME/started" ]
unlock_vault >/dev/null 2>&1

# 7. Nothing is given by accident.
same "7. what was not asked for is not there" "$(sv exec -s durable -- env | grep -c "^TOKEN=")" 0
run sv exec -- touch "$HOME/started"
gave "7. nothing selected: nothing runs" 125 '' 'sv: error: *'

# 8. Nothing is lost by accident.
sv -q rm durable
sv -q undo
run sv get durable
gave_exact "8. a delete has an undo" 0 "$CANARY-durable" ''
put durable other
run sv get --version 1 durable
gave_exact "8. every change is a version" 0 "$CANARY-durable" ''

# 10. Locked means locked: agent reads the memory.  Here: nothing is given out and the keys are asked for again.
sv lock
run sv --no-prompt get durable
gave "10. locked" 3 '' 'sv: error: *locked*'
finish

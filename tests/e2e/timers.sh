#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Idle lock, absolute lock and suspend, on a clock that the test moves: SV_TEST_CLOCK names a file with the seconds to add
# to the clock that counts suspend and, of these, the seconds that were suspend.

. "${0%/*}/lib.sh"

case ${SV_TESTING:-OFF} in
ON | 1 | TRUE) ;;
*) skip_all "needs a build with SV_TESTING=ON" ;;
esac
SV_TEST_CLOCK=$SCRATCH/clock
export SV_TEST_CLOCK
# In one step, so that the agent never reads half a line.
clock() {
	echo "$1 $2" >"$SCRATCH/clock.new"
	mv "$SCRATCH/clock.new" "$SV_TEST_CLOCK"
}
state() { sv status >/dev/null 2>&1; echo $?; }

clock 0 0
init_vault || bail "init failed"
put x "$CANARY"
run sv --json status
gave "status tells the timers" 0 '*' ''

# ---- idle, 15 minutes
clock 890 0
same "status shortly before the idle time: unlocked" "$(state)" 0
clock 895 0
sv ls >/dev/null 2>&1
same "listing does not extend the session; status neither" "$(state)" 0
clock 905 0
same "after 15 minutes without a use: locked" "$(state)" 3
run sv --no-prompt get x
gave "and nothing is given out" 3 '' 'sv: error: *locked*'

# ---- a use extends it, up to the absolute time of 8 hours
unlock_vault >/dev/null 2>&1
at=905
uses=0
while [ $((at - 905)) -lt 28000 ]; do
	at=$((at + 800))
	clock "$at" 0
	[ "$(sv --no-prompt get x 2>/dev/null)" = "$CANARY" ] && uses=$((uses + 1))
done
same "a read every 800 seconds keeps it open" "$uses" 35
clock $((905 + 28790)) 0
same "until shortly before 8 hours" "$(sv --no-prompt get x 2>/dev/null)" "$CANARY"
clock $((905 + 28805)) 0
run sv --no-prompt get x
gave "after 8 hours it is locked, used or not" 3 '' 'sv: error: *locked*'

# ---- own times
at=30000
clock $at 0
unlock_vault --idle 1m --for 2m >/dev/null 2>&1
clock $((at + 50)) 0
same "--idle 1m: a read after 50 s" "$(sv --no-prompt get x 2>/dev/null)" "$CANARY"
clock $((at + 105)) 0
same "and 55 s after that" "$(sv --no-prompt get x 2>/dev/null)" "$CANARY"
clock $((at + 125)) 0
same "--for 2m: locked after 125 s" "$(state)" 3
unlock_vault --idle 1m >/dev/null 2>&1
clock $((at + 190)) 0
same "--idle 1m: locked after 65 s" "$(state)" 3
unlock_vault --idle 1m >/dev/null 2>&1
clock $((at + 240)) 0
unlock_vault --idle 1m >/dev/null 2>&1
clock $((at + 290)) 0
same "unlock of an unlocked vault starts the timers anew" "$(state)" 0

# ---- suspend
clock $((at + 290)) 0
unlock_vault >/dev/null 2>&1
clock $((at + 300)) 10
same "a suspend of 10 s locks" "$(state)" 3

# ---- the timer itself, without a request: the deadline is near in real time
unlock_vault --idle 1m >/dev/null 2>&1
check "it is unlocked again" [ "$(state)" = 0 ]
clock $((at + 359)) 10
sv status >/dev/null 2>&1
locked() { [ "$(state)" = 3 ]; }
check "and locks by itself when the time is up" wait_for 5 locked
finish

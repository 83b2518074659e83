#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Masked programs on a terminal and off it: they behave as they do without, except that values do not come out.

# shellcheck disable=SC2016,SC2153 # the programs expand these, not this script; STATUS is set by lib.sh
. "${0%/*}/lib.sh"

have tmux || skip_all "tmux is not installed"
mux() { tmux -S "$CAPTURE/mux" -f /dev/null "$@"; }
on_exit() { mux kill-server 2>/dev/null; }
init_vault || bail "init failed"
put lone "$CANARY"

# ---- without a terminal
run sv exec --mask -s lone -- sh -c 'echo out $LONE; echo err $LONE >&2; exit 7'
gave_exact "both streams, apart, and the status" 7 'out [sv:lone]' 'err [sv:lone]'
for status in 0 1 125 126 127 255; do
	run sv exec --mask -s lone -- sh -c "exit $status"
	gave_exact "the child's status $status" "$status" '' ''
done
for signal in TERM INT HUP KILL USR1; do
	run sv exec --mask -s lone -- sh -c "kill -$signal \$\$"
	same "killed by SIG$signal is seen as that" "$(kill -l "$STATUS" 2>/dev/null)" "$signal"
done
run sv exec --mask -s lone -- no-such-program-anywhere
gave "a program that is not there: 127" 127 '' 'sv: error: *'
run sv exec --mask --no-mask -s lone -- true
gave "both is a mistake" 125 '' 'sv: error: *--no-mask*'
same "base64 in a pipe" "$(sv exec --mask -s lone -- sh -c 'printf %s "$LONE" | base64 -w 0' | cat | tr -d =)" '[sv:lone]'
same "a value in two writes" "$(sv exec --mask -s lone -- sh -c 'printf %s "${LONE%?????????}"; sleep 0.2; printf %s Vogelhaus; printf " %s\n" "$LONE"' | cat | sed 's/.* //')" '[sv:lone]'
put halves "$CANARY-halves"
same "and cut in the middle" "$(sv exec --mask -s X=halves -- sh -c 'printf %.12s "$X"; sleep 0.2; printf %s "${X#????????????}"' | cat)" '[sv:halves]'
same "by default in CI" "$(CI=true sv exec -s lone -- sh -c 'printf %s "$LONE"' | cat)" '[sv:lone]'
same "not with --no-mask" "$(CI=true sv exec --no-mask -s lone -- sh -c 'printf %s "$LONE"' | cat)" "$CANARY"
CI=true sv exec -s lone -- sh -c 'printf %s "$LONE"' >"$CAPTURE/data"
same "and not into a file, by default" "$(cat "$CAPTURE/data")" "$CANARY"
sv exec --mask -s lone -- sh -c 'printf %s "$LONE"' >"$CAPTURE/data"
same "but with --mask" "$(cat "$CAPTURE/data")" '[sv:lone]'
same "--mask-all" "$(sv exec --mask-all -s lone -- printf %s "$CANARY-halves" | cat)" '[sv:halves]'
same "sv mask -- COMMAND" "$(sv mask -- printf '%s.' "$CANARY" | cat)" '[sv:lone].'
same "what stays in the background keeps nobody waiting" "$(sv exec --mask -s lone -- sh -c 'sleep 30 >/dev/null & echo $!; echo hi' | tail -n 1)" hi
sv exec --mask -s lone -- sleep 30 &
sleeper=$!
child() { pgrep -P "$sleeper" -x sleep >/dev/null 2>&1; }
wait_for 10 child
kill -TERM "$sleeper"
wait "$sleeper" 2>/dev/null
same "a signal sent to sv reaches the program" $? 143

# ---- on a terminal
ENV=
export ENV
mux new-session -d -x 100 -y 30 'exec bash --norc --noprofile' || skip_all "tmux does not start here"
screen() { mux capture-pane -p -S - | sed 's/ *$//'; }
shows() { screen | grep -qF -- "$1"; }
type_in() { mux send-keys -l "$1"; mux send-keys Enter; }
last_line() { screen | sed '/^$/d' | tail -n 1; }
prompted() { [ "$(last_line)" = 'READY>' ]; }
inner() { [ "$(last_line)" = 'IN>' ]; }
fresh() { mux send-keys -R; mux clear-history; type_in clear; mux clear-history; wait_for 5 "${1:-prompted}"; }
modes() {
	fresh
	type_in 'echo "modes: $(stty -g | cksum)"'
	wait_for 5 shows 'modes: '
	wait_for 5 prompted
	screen | grep '^modes: ' | tail -n 1
}
type_in "PS1='READY> '"
check "a shell in a terminal" wait_for 5 prompted
before=$(modes)

fresh
type_in 'sv exec --mask -s lone -- bash --norc --noprofile'
sleep 0.5
type_in "PS1='IN> '"
check "bash runs, with a prompt" wait_for 10 inner
same "no complaint about job control" "$(screen | grep -c 'job control')" 0
type_in 'echo $LONE; echo to-stderr-$LONE >&2'
check "values are masked" wait_for 5 shows 'to-stderr-[sv:lone]'
same "nowhere shown" "$(screen | grep -cF "$CANARY")" 0
type_in 'stty size; test -t 0 && test -t 1 && test -t 2 && echo all-three'
check "the size of the window" wait_for 5 shows '30 100'
check "three terminals" wait_for 5 shows 'all-three'
mux resize-window -x 90 -y 25 2>/dev/null
size_now() { type_in 'stty size'; sleep 0.3; shows '25 90'; }
check "and after a resize" wait_for 5 size_now
mux resize-window -x 100 -y 30 2>/dev/null
fresh inner
type_in 'read -s -p "Secret: " x; echo; echo "got ${#x}"'
wait_for 5 shows 'Secret:'
type_in hidden-words
check "read -s works" wait_for 5 shows 'got 12'
same "and what was typed is not shown" "$(screen | grep -c hidden-words)" 0
fresh inner
type_in 'sleep 60'
sleep 0.3
mux send-keys C-c
check "^C ends the program in it" wait_for 5 inner
type_in 'echo "status $?"'
check "by SIGINT, once" wait_for 5 shows 'status 130'
type_in 'sleep 61'
sleep 0.3
mux send-keys C-z
check "^Z inside belongs to the shell inside" wait_for 5 shows 'Stopped'
type_in 'kill -KILL %1'
sleep 0.5
type_in ''
type_in 'exit 9'
check "exit" wait_for 5 prompted
same "the terminal is as before" "$(modes)" "$before"

fresh
type_in 'sv exec --mask -s lone -- sh -c "echo started; sleep 1; sleep 1; echo finished \$LONE"; echo "status $?"'
wait_for 5 shows started
mux send-keys C-z
check "^Z stops sv and the program" wait_for 5 shows 'Stopped'
same "the shell has its modes" "$(modes)" "$before"
fresh
type_in 'fg; echo "status $?"'
check "fg continues them" wait_for 10 shows 'finished [sv:lone]'
check "to the end" wait_for 5 shows 'status 0'

for program in vim less python3; do
	if ! have "$program"; then
		skip "$program" "not installed"
		continue
	fi
	fresh
	case $program in
	vim)
		type_in 'sv exec --mask -s lone -- vim -u NONE -i NONE -n'
		wait_for 10 shows '~'
		type_in ":put =\$LONE"
		check "vim shows the mask" wait_for 5 shows '[sv:lone]'
		type_in ':q!'
		;;
	less)
		type_in 'sv exec --mask -s lone -- sh -c "{ seq 100; echo \$LONE; } | less"'
		wait_for 10 shows '28'
		mux send-keys -l G
		check "less goes to the end" wait_for 5 shows '[sv:lone]'
		mux send-keys -l q
		;;
	python3)
		type_in 'sv exec --mask -s lone -- python3 -q'
		wait_for 10 shows '>>>'
		type_in 'import os; print(os.environ["LONE"], 6 * 7)'
		check "python answers" wait_for 5 shows '[sv:lone] 42'
		mux send-keys C-d
		;;
	esac
	check "$program ends" wait_for 5 prompted
	same "the value was not shown" "$(screen | grep -cF "$CANARY")" 0
	same "the terminal is as before" "$(modes)" "$before"
done

fresh
type_in 'sv exec --mask -s lone -- sh -c "echo \$\$ here; sleep 30" & wait_pid=$!; sleep 0.5; kill -TERM $wait_pid; wait $wait_pid; echo "status $?"'
check "kill -TERM to sv in the background of a terminal" wait_for 10 shows 'status 143'
fresh
type_in 'seq 300 | sv exec --mask -s lone -- less; echo "status $?"'
wait_for 10 shows '28'
mux send-keys -l q
check "less at the end of a pipe hears its keys" wait_for 5 shows 'status 0'
same "the terminal is as before" "$(modes)" "$before"
on_exit
finish

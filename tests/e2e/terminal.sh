#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a terminal: prompts that hide what is typed, echo that comes back, names that cannot play tricks, the tree of ls.

. "${0%/*}/lib.sh"

have tmux || skip_all "tmux is not installed"
mux() { tmux -S "$CAPTURE/mux" -f /dev/null "$@"; }
on_exit() { mux kill-server 2>/dev/null; }
ENV=
export ENV
mux new-session -d -x 100 -y 40 'exec sh -i' || skip_all "tmux does not start here"
screen() { mux capture-pane -p -S - | sed 's/ *$//'; }
type_in() { mux send-keys -l "$1"; mux send-keys Enter; }
shows() { screen | grep -qF -- "$1"; }
# The last line that is not empty.
last_line() { screen | sed '/^$/d' | tail -n 1; }
prompted() { [ "$(last_line)" = 'READY>' ]; }
asks() { case $(last_line) in *:) return 0 ;; esac; return 1; }
# shellcheck disable=SC2016  # for the shell in the terminal
# Echo and line mode as the shell's own stty tells them; what is typed does not look like the answer.
echo_state() {
	mux clear-history
	type_in 'clear; echo "STATE" $(stty -a | tr ";" "\n" | tr " " "\n" | grep -x -e echo -e -echo -e icanon -e -icanon)'
	wait_for 5 state_shown
	screen | sed -n 's/^STATE //p' | tail -n 1
}
state_shown() { screen | grep -q '^STATE '; }
clear_screen() { type_in clear; mux clear-history; wait_for 5 prompted; }

type_in "PS1='READY> '"
check "a shell in a terminal" wait_for 5 prompted
before=$(echo_state)

# ---- init asks twice
clear_screen
type_in 'sv init --kdf interactive --no-recovery'
check "init asks for a passphrase" wait_for 10 asks
type_in "$PASS"
sleep 0.3
check "and again" wait_for 10 asks
type_in "$PASS"
check "and makes the vault" wait_for 20 prompted
same "nothing that was typed is shown" "$(screen | grep -cF "$PASS")" 0
same "the terminal is as before" "$(echo_state)" "$before"
run sv status
gave "the vault is there, unlocked" 0 '*unlocked*' ''

# ---- add asks for the value
clear_screen
type_in "sv add typed/value"
check "add asks for the value" wait_for 10 asks
type_in "$CANARY"
sleep 0.3
if asks; then type_in "$CANARY"; fi
check "and ends" wait_for 10 prompted
same "the value is not shown" "$(screen | grep -cF "$CANARY")" 0
run sv get typed/value
gave_exact "and is what was typed" 0 "$CANARY" ''

# ---- interrupted prompts
sv lock
# shellcheck disable=SC1003  # tmux writes the key that way
for key in C-c 'C-\'; do
	clear_screen
	type_in 'sv unlock'
	wait_for 10 asks
	mux send-keys "$key"
	check "$key at the prompt ends sv" wait_for 10 prompted
	same "and echo is as before" "$(echo_state)" "$before"
done
clear_screen
type_in 'sv unlock'
wait_for 10 asks
mux send-keys C-d
check "an empty line of end-of-file ends it too" wait_for 10 prompted
same "and echo is as before" "$(echo_state)" "$before"
run sv status
gave "and the vault is still locked" 3 '*locked*' ''

# ---- stop and continue
clear_screen
type_in 'set -m; sv unlock'
if wait_for 10 asks; then
	mux send-keys C-z
	wait_for 10 shows Stopped
	mux send-keys Enter
	wait_for 5 prompted
	same "stopped at the prompt, the shell has its echo" "$(echo_state)" "$before"
	type_in 'fg'
	wait_for 10 asks
	mux send-keys -l "$PASS"
	mux send-keys Enter
	wait_for 20 prompted
	unlocked() { sv status >/dev/null 2>&1; }
	check "continued, it unlocks" wait_for 10 unlocked
	wait_for 10 prompted
	same "and the passphrase was not shown" "$(screen | grep -cF "$PASS")" 0
fi
same "and echo is as before" "$(echo_state)" "$before"

# ---- a command that needs it offers to unlock
sv lock
clear_screen
type_in 'sv ls'
if wait_for 10 asks; then ok "ls on a terminal offers to unlock"; else not_ok "ls on a terminal offers to unlock"; fi
type_in "$PASS"
check "and then lists" wait_for 20 shows value
same "the passphrase was not shown" "$(screen | grep -cF "$PASS")" 0
clear_screen
sv lock
type_in 'sv unlock'
wait_for 10 asks
type_in 'not the passphrase'
sleep 1
mux send-keys C-c
wait_for 20 prompted
unlock_vault >/dev/null 2>&1

# ---- a tree on a terminal, lines in a pipe
put tree/branch/leaf1 "$CANARY"
put tree/branch/leaf2 "$CANARY"
clear_screen
type_in 'sv ls tree/'
wait_for 10 shows leaf2
same "ls is a tree on a terminal" "$(screen | grep -c 'tree/branch/leaf')" 0
check "with the last segments" shows leaf1
same "and lines in a pipe" "$(sv ls tree/ | cat)" "tree/branch/leaf1${NL}tree/branch/leaf2"

# ---- get: a newline to a terminal only
clear_screen
type_in 'sv get typed/value'
wait_for 10 shows "$CANARY"
check "get adds a newline on a terminal" wait_for 10 prompted

# ---- escape sequences
esc=$(printf '\033')
clear_screen
mux set-option -g set-titles off
printf 'x' | sv -q add "$(printf 'a\033]0;owned\007')" >"$CAPTURE/esc.out" 2>&1
same "a name with an escape sequence is not repeated raw" "$(LC_ALL=C grep -c "$esc" "$CAPTURE/esc.out")" 0
put meta "$CANARY" --desc "$(printf 'red \033[31m and \033]52;c;eA==\007')" 2>"$CAPTURE/meta.err"
sv show meta >"$CAPTURE/meta.out" 2>&1
same "metadata with escape sequences is refused or shown escaped" "$(LC_ALL=C grep -c "$esc" "$CAPTURE/meta.out" "$CAPTURE/meta.err" | grep -vc ':0$')" 0
type_in 'sv show meta'
wait_for 10 prompted
for command in "get $(printf '\033[2Jgone')" "show $(printf 'x\302\2332J')" "$(printf '\033[31mcmd')" "get --$(printf '\033[31mopt')" \
	"exec -s $(printf '\033[31mX=y') -- true" "-e $(printf '\033[31m') ls" "help $(printf '\033[31m')"; do
	# shellcheck disable=SC2086  # the words of a command line
	run sv --no-prompt $command
	same "no raw escape in the answer to: $(printf '%s' "$command" | LC_ALL=C tr -c 'a-zA-Z0-9 ./=-' '?')" \
		"$(cat "$CAPTURE/out" "$CAPTURE/err" | LC_ALL=C tr -d '\n\t' | LC_ALL=C grep -c '[[:cntrl:]]')" 0
done
run sv --color never ls
same "--color never" "$(LC_ALL=C grep -c "$esc" "$CAPTURE/out")" 0
run sv ls
same "no colour in a pipe" "$(LC_ALL=C grep -c "$esc" "$CAPTURE/out")" 0
on_exit
finish

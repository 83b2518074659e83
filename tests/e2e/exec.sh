#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exec in place: what the child sees, what it gives back, and what keeps it from starting.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put one/token "$CANARY-1"
put one/other "$CANARY-2"
put two/TF_VAR_pat "$CANARY-3"
put lone "$CANARY-4"
put twin/token "$CANARY-5"

# ---- selection
# shellcheck disable=SC2016  # variables below are for children
{
run sv exec -s lone -- sh -c 'printf %s "$LONE"'
gave_exact "-s NAME" 0 "$CANARY-4" ''
run sv exec -s X=lone -s Y=one/token -- sh -c 'printf "%s %s %s" "$X" "$Y" "${LONE-none}"'
gave_exact "-s VAR=NAME twice" 0 "$CANARY-4 $CANARY-1 none" ''
run sv exec -s one/ -- sh -c 'printf "%s %s" "$TOKEN" "$OTHER"'
gave_exact "-s GROUP/" 0 "$CANARY-1 $CANARY-2" ''
run sv exec --prefix TF_VAR_ -- sh -c 'printf "%s %s" "$TF_VAR_pat" "${LONE-none}"'
gave_exact "--prefix selects by variable name" 0 "$CANARY-3 none" ''
run sv exec --all -- touch "$HOME/started"
gave "two secrets for one variable stop --all, and both are named" 125 '' 'sv: error: *one/token*twin/token*'
check "and the child is not started" [ ! -e "$HOME/started" ]
run sv exec -s one/token -s twin/token -- touch "$HOME/started"
gave "the same for two -s" 125 '' 'sv: error: *one/token*twin/token*'
run sv exec -s one/token -s one/token -- sh -c 'printf %s "$TOKEN"'
gave_exact "the same secret twice is no conflict" 0 "$CANARY-1" ''
run sv rm twin/token
run sv exec --all -- sh -c 'printf "%s %s %s %s" "$TOKEN" "$OTHER" "$TF_VAR_pat" "$LONE"'
gave_exact "--all" 0 "$CANARY-1 $CANARY-2 $CANARY-3 $CANARY-4" ''
run sv exec -- touch "$HOME/started"
gave "nothing selected: 125 and what could be said" 125 '' 'sv: error: *'
run sv exec -s lone
gave "no command: a usage error, as what was not started" 125 '' 'sv: error: *'
run sv exec -s missing/one -- touch "$HOME/started"
gave "a missing secret: 125, named" 125 '' 'sv: error: *missing/one*'
run sv exec -s nogroup/ -- touch "$HOME/started"
gave "an empty group: 125, named" 125 '' 'sv: error: *nogroup/*'
check "none of these started the child" [ ! -e "$HOME/started" ]

# ---- the child's surroundings
same "same process id" "$(sh -c 'echo $$; exec sv exec -s lone -- sh -c "echo \$\$"' | uniq | wc -l | tr -d ' ')" 1
same "same parent" "$(sv exec -s lone -- sh -c 'echo $PPID')" "$$"
feed "stdin is not touched" sv exec -s lone -- cat
gave_exact "stdin is the child's, nothing of ours on stdout" 0 "stdin is not touched" ''
run sv exec -s lone -- sh -c 'ls -l /proc/self/fd | grep -c socket'
gave_exact "no socket is left open" 1 0 ''
same "descriptors are those of a plain start" "$(sv exec -s lone -- sh -c 'ls /proc/self/fd | wc -l')" "$(sh -c 'ls /proc/self/fd | wc -l')"
same "working directory" "$(cd "$TMPDIR" && sv exec -s lone -- pwd)" "$TMPDIR"
same "umask" "$(umask 037 && sv exec -s lone -- sh -c umask)" "$(umask 037 && sh -c umask)"
same "arguments arrive as they are" "$(sv exec -s lone -- printf '<%s>' 'a b' '' '*' '--' -s "q'q")" "$(printf '<%s>' 'a b' '' '*' '--' -s "q'q")"
same "signals: nothing is ignored, blocked or caught that was not" \
	"$(sv exec -s lone -- grep '^Sig[BIC]' /proc/self/status)" "$(grep '^Sig[BIC]' /proc/self/status)"
same "an ignored signal stays ignored" \
	"$(trap '' USR1; sv exec -s lone -- grep '^SigIgn' /proc/self/status)" "$(trap '' USR1; grep '^SigIgn' /proc/self/status)"
same "resource limits" "$(sv exec -s lone -- sh -c 'ulimit -c; ulimit -n')" "$(sh -c 'ulimit -c; ulimit -n')"
same "the child may be traced and dump core as always" \
	"$(sv exec -s lone -- sh -c 'stat -c %U /proc/self/environ')" "$(sh -c 'stat -c %U /proc/self/environ')"

env -i PATH="$PATH" HOME="$HOME" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" KEPT=1 SV_SOCKET="$SOCKET" SV_VAULT="$VAULT" SV_ENV=default \
	sv exec -s lone -- env | sort >"$CAPTURE/env"
same "the environment is the caller's, with the secret and without the way to the vault" "$(cat "$CAPTURE/env")" \
	"$(printf '%s\n' "HOME=$HOME" KEPT=1 "LONE=$CANARY-4" "PATH=$PATH" SV_ENV=default "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" | sort)"
run env LONE=mine sv exec -s lone -- sh -c 'printf %s "$LONE"'
gave_exact "an inherited variable of the same name is replaced" 0 "$CANARY-4" ''
run env LONE=mine sv exec --keep -s lone -- sh -c 'printf %s "$LONE"'
gave_exact "with --keep it stays" 0 mine ''
run env LONE=mine sv exec -s lone -- sh -c 'env | grep -c "^LONE="'
gave_exact "it is there once" 0 1 ''

# ---- names that change how programs load code
for var in PATH LD_PRELOAD BASH_ENV NODE_OPTIONS; do
	run sv exec -s "$var=lone" -- touch "$HOME/started"
	gave "$var needs --force" 125 '' "sv: error: *$var*--force*"
done
run sv exec --force -s BASH_ENV=lone -- sh -c 'printf %s "$BASH_ENV"'
gave_exact "with --force it is set" 0 "$CANARY-4" ''
run sv exec -s '1X=lone' -- touch "$HOME/started"
gave "a variable name that is none" 125 '' 'sv: error: *'
run sv exec -s 'A B=lone' -- touch "$HOME/started"
gave "nor is one with a blank" 125 '' 'sv: error: *'

# ---- values that cannot be
printf 'a\000%s' "$CANARY" | sv -q set --raw bin/nul
run sv exec -s bin/nul -- touch "$HOME/started"
gave "a NUL in a value: 125, named" 125 '' 'sv: error: *bin/nul*'
head -c 131072 /dev/zero | tr '\000' a | sv -q set --raw bin/large
run sv exec -s bin/large -- touch "$HOME/started"
gave "a value too large for an environment: 125, named" 125 '' 'sv: error: *bin/large*'
printf '' | sv -q set --raw bin/empty 2>/dev/null
if [ "$(sv get bin/empty 2>/dev/null; echo $?)" = 0 ]; then
	run sv exec -s bin/empty -- touch "$HOME/started"
	gave "an empty value: 125, named" 125 '' 'sv: error: *bin/empty*'
else
	ok "an empty value is not stored in the first place"
fi
check "none of these started the child" [ ! -e "$HOME/started" ]

# ---- statuses
for status in 0 1 2 3 5 42 125 126 127 255; do
	run sv exec -s lone -- sh -c "exit $status"
	gave_exact "the child's status $status" "$status" '' ''
done
run sv exec -s lone -- /nonexistent/program
gave "a program that is not there: 127" 127 '' 'sv: error: *'
run sv exec -s lone -- no-such-program-anywhere
gave "nor in PATH: 127" 127 '' 'sv: error: *no-such-program-anywhere*'
printf 'x' >"$HOME/notexec"
run sv exec -s lone -- "$HOME/notexec"
gave "a file that is no program: 126" 126 '' 'sv: error: *'
run sv exec -s lone -- "$HOME"
gave "a directory: 126" 126 '' 'sv: error: *'
for signal in TERM INT HUP KILL USR1 PIPE; do
	run sv exec -s lone -- sh -c "kill -$signal \$\$"
	number=$(kill -l "$STATUS" 2>/dev/null)
	same "killed by SIG$signal is seen as that" "$number" "$signal"
done
sv exec -s lone -- sleep 60 &
sleeper=$!
wait_for 10 sh -c "grep -q sleep /proc/$sleeper/comm"
kill -TERM "$sleeper"
wait "$sleeper" 2>/dev/null
same "a signal sent to the process id reaches the program" $? 143

# ---- dry run, json
run sv exec --dry-run -s one/ -- touch "$HOME/started"
gave "--dry-run lists variables and names" 0 '*OTHER*one/other*TOKEN*one/token*' ''
case $OUT$ERR in *"$CANARY"*) not_ok "but no value" ;; *) ok "but no value" ;; esac
check "and starts nothing" [ ! -e "$HOME/started" ]

# ---- many, nested, inherited
number=0
while [ $number -lt 200 ]; do
	number=$((number + 1))
	put "many/v$number" "$CANARY-$number"
done
same "200 secrets at once" "$(sv exec -s many/ -- sh -c 'env' | grep -c "^V[0-9]*=$CANARY-[0-9]*\$")" 200
run sv exec -s lone -- sv exec -s one/token -- sh -c 'printf "%s %s" "$LONE" "$TOKEN"'
gave_exact "exec within exec" 0 "$CANARY-4 $CANARY-1" ''
sv -q env create dev 2>/dev/null
printf '%s' "$CANARY-dev" | sv -q -e dev set lone
run sv exec -e dev -s lone -- sh -c 'printf %s "$LONE"'
gave_exact "-e ENV" 0 "$CANARY-dev" ''
run env SV_ENV=dev sv exec -s lone -s one/token -- sh -c 'printf "%s %s" "$LONE" "$TOKEN"'
gave_exact "SV_ENV, and what it lacks comes from default" 0 "$CANARY-dev $CANARY-1" ''
run sv exec -e nowhere -s lone -- touch "$HOME/started"
gave "an environment that is not there" 125 '' 'sv: error: *nowhere*'
run sv exec -s sv:///lone -- sh -c 'printf %s "$LONE"'
same "a reference as selection, or a clear refusal" "$([ "$OUT" = "$CANARY-4" ] || [ "$STATUS" = 125 ] && echo fine)" fine
}

# ---- the terminal
if have script; then
	script -qec 'tty; exec sv exec -s lone -- sh -c "tty; test -t 0 && test -t 1 && test -t 2 && echo three terminals"' /dev/null \
		</dev/null >"$CAPTURE/tty" 2>&1
	tr -d '\r' <"$CAPTURE/tty" | sed '/^$/d' >"$CAPTURE/tty.lines"
	same "the child has the same terminal" "$(sed -n 1p "$CAPTURE/tty.lines")" "$(sed -n 2p "$CAPTURE/tty.lines")"
	same "on all three" "$(sed -n 3p "$CAPTURE/tty.lines")" "three terminals"
else
	skip "the child has the same terminal" "script(1) is not installed"
fi
check "no child was started that should not have been" [ ! -e "$HOME/started" ]
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sv mask between two programs: every form of a value, any cut, nothing else changed, and prompts in time.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put one/token "$CANARY-1"
put one/other "$CANARY-2"
put lone "$CANARY-4"
put lines "first line of $CANARY${NL}second line of $CANARY${NL}"
printf 'nul\000%s' "$CANARY-5" | sv -q set --raw bin/nul
printf '' | sv -q set --raw bin/empty 2>/dev/null
sv -q env create dev
printf '%s' "$CANARY-dev" | sv -q -e dev set only/dev

# ---- forms
feed "a $CANARY-1 b" sv -q mask
gave_exact "a value" 0 'a [sv:one/token] b' ''
feed "a $CANARY-1 b $CANARY-2 $CANARY-1" sv mask
gave "counts by name on stderr" 0 'a ?sv:one/token? b ?sv:one/other? ?sv:one/token?' '*one/other: 1*one/token: 2*'
case $ERR in *"$CANARY"*) not_ok "and no value" ;; *) ok "and no value" ;; esac
feed "nothing here" sv mask
gave_exact "nothing found, nothing said" 0 'nothing here' ''
for lead in '' x xx; do
	coded=$(printf '%s%s tail' "$lead" "$CANARY-1" | base64 | tr -d '\n')
	feed "$coded" sv -q mask
	# The core that no neighbour decides may be that of another canary too.
	like "base64 of '$lead' and a value" "$OUT" '*?sv:*?*'
done
feed "$(printf %s "$CANARY-1" | od -An -v -tx1 | tr -d ' \n')" sv -q mask
gave_exact "hex" 0 '[sv:one/token]' ''
feed "x second line of $CANARY y" sv -q mask
gave_exact "a line of a value" 0 'x [sv:lines] y' ''
printf 'a nul\000%s b' "$CANARY-5" | sv -q mask >"$CAPTURE/out"
same "a value with NUL" "$(cat "$CAPTURE/out")" 'a [sv:bin/nul] b'

# ---- selection
feed "$CANARY-1 $CANARY-4" sv -q mask -s one/
gave_exact "-s GROUP/" 0 "[sv:one/token] $CANARY-4" ''
feed "$CANARY-1 $CANARY-4" sv -q mask -s lone -s one/token
gave_exact "-s twice" 0 "[sv:one/token] [sv:lone]" ''
feed "$CANARY-dev" sv -q mask
gave_exact "another environment is not looked at" 0 "$CANARY-dev" ''
feed "$CANARY-dev $CANARY-1" sv -q -e dev mask
gave_exact "with -e it is, and what it inherits" 0 "[sv:only/dev] [sv:one/token]" ''
feed x sv mask -s nowhere
gave "a secret that is not there: nothing comes out" 4 '' '*nowhere*'
feed x sv mask -s no/where/
gave "nor for a group" 4 '' '*no/where/*'
feed x sv mask -s '../x'
gave "nor for what is no name" 2 '' 'sv: error: *'

# ---- cuts
{
	text="$CANARY-1"
	while [ -n "$text" ]; do
		rest=${text#?}
		printf %s "${text%"$rest"}"
		sleep 0.01
		text=$rest
	done
} | sv -q mask >"$CAPTURE/out"
same "a byte at a time" "$(cat "$CAPTURE/out")" '[sv:one/token]'
{
	printf %s "${CANARY%??????}"
	sleep 0.3
	printf 'no'
} | sv -q mask >"$CAPTURE/out"
same "what turns out to be no value comes out" "$(cat "$CAPTURE/out")" "${CANARY%??????}no"

# ---- a prompt whose end may begin a value
mkfifo "$HOME/prompt" "$HOME/answer"
sv -q mask <"$HOME/prompt" >"$HOME/answer" &
masker=$!
exec 8>"$HOME/prompt" 9<"$HOME/answer"
printf 'Name: K' >&8
prompt=$(dd bs=1 count=7 2>/dev/null <&9)
same "appears although its last byte may begin a value" "$prompt" 'Name: K'
printf '%s\n' "${CANARY#K}-1" >&8
exec 8>&-
rest=$(cat <&9)
exec 9<&-
wait "$masker"
like "and the rest of the value does not" "$rest" '*sv:*'
case $rest in *"${CANARY#K}"*) not_ok "no byte of it" ;; *) ok "no byte of it" ;; esac

# ---- nothing else changes
head -c 3000000 /dev/urandom >"$CAPTURE/random"
sv -q mask <"$CAPTURE/random" >"$CAPTURE/out"
check "3 MB of anything pass unchanged from file to file" cmp "$CAPTURE/random" "$CAPTURE/out"
sv -q mask <"$CAPTURE/random" | cat >"$CAPTURE/out"
check "and between pipes" cmp "$CAPTURE/random" "$CAPTURE/out"
feed '' sv mask
gave_exact "no input" 0 '' ''

# ---- failures
if [ -w /dev/full ]; then
	printf 'text %s' "$CANARY-1" | sv -q mask >/dev/full 2>"$CAPTURE/err"
	same "a full disk" $? 1
	like "is said" "$(cat "$CAPTURE/err")" 'sv: error: *'
fi
sv -q mask <"$HOME" >"$CAPTURE/out" 2>"$CAPTURE/err"
same "input that cannot be read" $? 1
sv lock
feed "$CANARY-1" sv --no-prompt mask
gave "a locked vault lets nothing through" 3 '' '*locked*'
finish

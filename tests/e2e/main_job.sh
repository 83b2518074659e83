#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job: a vault, a secret, a program that uses it, locked again.

. "${0%/*}/lib.sh"

run sv status
gave "status without a vault is 4" 4 '*' '*'
run sv --no-prompt get x
gave "get without a vault says how to make one" 4 '' 'sv: error: *sv init*'

feed "$PASS" sv init --kdf interactive --no-recovery --passphrase-fd 0
gave "init makes a vault and leaves it unlocked" 0 '' '*'
same "the vault file is for its owner only" "$(stat -c %a "$VAULT")" 600
same "so is its directory" "$(stat -c %a "${VAULT%/*}")" 700
same "and the socket's directory" "$(stat -c %a "${SOCKET%/*}")" 700
same "and the socket" "$(stat -c '%a %F' "$SOCKET")" '600 socket'
run sv status
gave "status of an unlocked vault is 0" 0 '*unlocked*' ''
run sv status --json
gave "status --json says so to programs" 0 '*"state"*:*"unlocked"*' ''
feed "$PASS" sv init --kdf interactive --no-recovery --passphrase-fd 0
gave "a second init is refused" 7 '' 'sv: error: *exists*'

feed "$CANARY" sv add "$NAME_CANARY/read-token"
gave "add reads the value from stdin and prints no data" 0 '' '*'
feed "$CANARY" sv add "$NAME_CANARY/read-token"
gave "add refuses an existing name" 7 '' 'sv: error: *'
run sv get "$NAME_CANARY/read-token"
gave_exact "get writes the value" 0 "$CANARY" ''
same "exactly, without a newline" "$(wc -c <"$CAPTURE/out" | tr -d ' ')" "${#CANARY}"
run sv ls
gave_exact "ls writes names, one a line" 0 "$NAME_CANARY/read-token" ''
run sv show "$NAME_CANARY/read-token"
gave "show names it" 0 "*$NAME_CANARY/read-token*" ''
case $OUT in *"$CANARY"*) not_ok "and masks its value" ;; *) ok "and masks its value" ;; esac
run sv show --reveal "$NAME_CANARY/read-token"
case $OUT$ERR in *"$CANARY"*) not_ok "show --reveal into a pipe needs --force" ;; *) ok "show --reveal into a pipe needs --force" ;; esac
same "and fails" "$([ "$STATUS" != 0 ] && echo yes)" yes
run sv show --reveal --force "$NAME_CANARY/read-token"
gave "show --reveal --force shows it" 0 "*$CANARY*" ''

# shellcheck disable=SC2016  # for the child
run sv exec -s "$NAME_CANARY/read-token" -- sh -c 'printf "%s" "$READ_TOKEN"'
gave_exact "exec runs a program with it" 0 "$CANARY" ''
# shellcheck disable=SC2016
run sv exec -s "OTHER=$NAME_CANARY/read-token" -- sh -c 'printf "%s|%s" "$OTHER" "${READ_TOKEN-unset}"'
gave_exact "exec -s VAR=NAME sets that variable only" 0 "$CANARY|unset" ''

printf '%s\n' "second-$CANARY" | sv set "$NAME_CANARY/read-token" >/dev/null 2>&1
run sv get "$NAME_CANARY/read-token"
gave_exact "set adds a version and drops one newline" 0 "second-$CANARY" ''
run sv rm "$NAME_CANARY/read-token"
gave "rm" 0 '' '*'
run sv get "$NAME_CANARY/read-token"
gave "what was removed is not found" 4 '' 'sv: error: *'
run sv undo
gave "undo" 0 '*' '*'
run sv get "$NAME_CANARY/read-token"
gave_exact "brings it back" 0 "second-$CANARY" ''

run sv lock
gave_exact "lock" 0 '' "$ERR"
run sv status
gave "status of a locked vault is 3" 3 '*locked*' ''
run sv --no-prompt get "$NAME_CANARY/read-token"
gave "get of a locked vault is 3" 3 '' 'sv: error: *locked*'
run sv --no-prompt exec -s "$NAME_CANARY/read-token" -- touch "$HOME/started"
gave "exec on a locked vault is 125" 125 '' 'sv: error: *locked*'
check "and the child is not started" [ ! -e "$HOME/started" ]
feed "wrong $PASS" sv unlock --passphrase-fd 0
gave "a wrong passphrase does not unlock" 6 '' 'sv: error: *'
feed "$PASS" sv unlock --passphrase-fd 0
gave "the right one does" 0 '' '*'
run sv get "$NAME_CANARY/read-token"
gave_exact "and everything is there" 0 "second-$CANARY" ''

run sv version
gave "version" 0 'sv *[0-9].[0-9]*' ''
run sv help
gave "help" 0 '*exec*' ''
run sv help exit-codes
gave "help exit-codes" 0 '*125*' ''
for word in init unlock lock status add set get ls show rm mv cp undo history restore diff env exec passwd keys verify backup \
	restore-backup version help; do
	run sv help "$word"
	gave "help $word" 0 "*sv $word*" ''
done
run sv no-such-command
gave "an unknown command is a usage error" 2 '' 'sv: error: *'
run sv get --no-such-option x
gave "so is an unknown option" 2 '' 'sv: error: *'
finish

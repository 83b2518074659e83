#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Passphrase and recovery code: changed, used, renewed; the old ones open nothing.

. "${0%/*}/lib.sh"

new="new $PASS"
{ printf '%s' "$PASS" | sv init --kdf interactive --passphrase-fd 0 --recovery-fd 7 7>"$CAPTURE/code" >"$CAPTURE/out" 2>"$CAPTURE/err"; } ||
	bail "init failed"
code=$(tr -d '\n' <"$CAPTURE/code")
like "init gives a recovery code in groups of four" "$code" '[0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z]-*'
case $(cat "$CAPTURE/out" "$CAPTURE/err") in *"$code"*) not_ok "to that descriptor only" ;; *) ok "to that descriptor only" ;; esac
put keep "$CANARY"
run sv keys list
gave "keys list" 0 '*passphrase*recovery*' ''
sv lock
feed "$code" sv unlock --recovery --passphrase-fd 0
gave "the recovery code unlocks" 0 '' '*'
run sv get keep
gave_exact "and everything is there" 0 "$CANARY" ''
sv lock
feed "$(printf '%s' "$code" | tr '[:upper:]' '[:lower:]' | tr -d '-')" sv unlock --recovery --passphrase-fd 0
gave "so does it in small letters without dashes" 0 '' '*'
sv lock
wrong=$(printf '%s' "$code" | sed 's/^\(.\)\(.\)/\2\1/')
[ "$wrong" != "$code" ] || wrong=$(printf '%s' "$code" | sed 's/^./Z/')
feed "$wrong" sv unlock --recovery --passphrase-fd 0
same "a typing error does not" "$([ "$STATUS" != 0 ] && echo refused)" refused
feed "$code" sv unlock --passphrase-fd 0
same "as a passphrase it is none" "$([ "$STATUS" != 0 ] && echo refused)" refused
unlock_vault >/dev/null 2>&1

# ---- passwd
run sv passwd --help
passwd_help=$OUT
cp "$VAULT" "$CAPTURE/before.db"
printf '%s' "$new" >"$CAPTURE/new"
printf '%s' "$PASS" | sv passwd --kdf interactive --passphrase-fd 0 --new-passphrase-fd 6 --recovery-fd 7 6<"$CAPTURE/new" 7>"$CAPTURE/code2" >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "passwd" 0 '' '*'
[ "$STATUS" = 0 ] || printf '%s\n' "$passwd_help" | note
code2=$(tr -d '\n' <"$CAPTURE/code2")
run sv get keep
gave_exact "the vault stays unlocked" 0 "$CANARY" ''
sv lock
feed "$PASS" sv unlock --passphrase-fd 0
gave "the old passphrase is refused" 6 '' 'sv: error: *'
feed "$code" sv unlock --recovery --passphrase-fd 0
gave "so is the old recovery code" 6 '' 'sv: error: *'
feed "$code2" sv unlock --recovery --passphrase-fd 0
gave "the new recovery code opens it" 0 '' '*'
sv lock
feed "$new" sv unlock --passphrase-fd 0
gave "the new passphrase opens it" 0 '' '*'
run sv get keep
gave_exact "with everything in it" 0 "$CANARY" ''
printf '%s' "wrong" | sv passwd --kdf interactive --passphrase-fd 0 --new-passphrase-fd 6 --no-recovery 6<"$CAPTURE/new" >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "passwd with a wrong old passphrase changes nothing" 6 '' 'sv: error: *'
salt_of() { od -An -v -tx1 "$1" | tr -d ' \n'; }
check "nothing of the old key slots is left in the file" [ "$(salt_of "$CAPTURE/before.db" | cut -c1-400000 | cksum)" != "$(salt_of "$VAULT" | cut -c1-400000 | cksum)" ]

# ---- renew the recovery code
printf '%s' "$new" | sv keys recovery renew --passphrase-fd 0 --recovery-fd 7 7>"$CAPTURE/code3" >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "keys recovery renew" 0 '' '*'
code3=$(tr -d '\n' <"$CAPTURE/code3")
same "gives another code" "$([ -n "$code3" ] && [ "$code3" != "$code2" ] && echo another)" another
sv lock
feed "$code2" sv unlock --recovery --passphrase-fd 0
gave "the former one is refused" 6 '' 'sv: error: *'
feed "$code3" sv unlock --recovery --passphrase-fd 0
gave "the new one opens it" 0 '' '*'
run sv get keep
gave_exact "nothing is lost" 0 "$CANARY" ''
same "no file holds a recovery code" "$(search_tree "$SCRATCH" "$code3"; search_tree "$SCRATCH" "$code"; search_tree "$SCRATCH" "$new")" ''
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every change is a version: history, restore, undo, diff, mv, cp, rm.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put a/one "$CANARY-v1"
put a/one "$CANARY-v2"
put a/one "$CANARY-v3" --desc 'the third'
run sv history a/one
gave "history lists versions, never values" 0 '*3*2*1*' ''
case $OUT in *"$CANARY"*) not_ok "no value in it" ;; *) ok "no value in it" ;; esac
run sv --json history a/one
gave "history --json" 0 '*"version"*' ''
for version in 1 2 3; do
	run sv get --version $version a/one
	gave_exact "get --version $version" 0 "$CANARY-v$version" ''
done
run sv get --version 9 a/one
gave "a version that is not there is 4" 4 '' 'sv: error: *'
run sv restore a/one@1
gave "restore NAME@1" 0 '' '*'
run sv get a/one
gave_exact "makes it the current one" 0 "$CANARY-v1" ''
run sv history a/one
gave "as a new version" 0 '*4*3*2*1*' ''
run sv undo
gave "undo takes the restore back" 0 '*' '*'
run sv get a/one
gave_exact "to the third" 0 "$CANARY-v3" ''

run sv mv a/one b/uno
gave "mv" 0 '' '*'
run sv get b/uno
gave_exact "has the value under the new name" 0 "$CANARY-v3" ''
run sv get a/one
gave "and not under the old" 4 '' 'sv: error: *'
run sv history b/uno
gave "and keeps its history" 0 '*3*2*1*' ''
run sv undo
run sv get a/one
gave_exact "undo of mv" 0 "$CANARY-v3" ''
run sv cp a/one c/eins
run sv get c/eins
gave_exact "cp" 0 "$CANARY-v3" ''
run sv cp a/one c/eins
gave "cp does not overwrite" 7 '' 'sv: error: *'
run sv mv a/one c/eins
gave "nor does mv" 7 '' 'sv: error: *'
run sv undo
run sv get c/eins
gave "undo of cp" 4 '' 'sv: error: *'

run sv rm a/one
run sv ls
gave_exact "rm" 0 '' ''
run sv history a/one
gave "the history of a removed secret is kept" 0 '*' ''
run sv restore a/one@2
run sv get a/one
gave_exact "restore brings a removed secret back" 0 "$CANARY-v2" ''
run sv rm a/one
run sv undo
run sv get a/one
gave_exact "undo of rm" 0 "$CANARY-v2" ''
run sv rm nothing/here
gave "rm of what is not there is 4" 4 '' 'sv: error: *'

put g/1 "$CANARY-g1"
put g/2 "$CANARY-g2"
run sv mv g/ h/
gave "a group moves" 0 '' '*'
run sv ls h/
gave_exact "whole" 0 "h/1${NL}h/2" ''
run sv undo
run sv ls g/
gave_exact "and back by one undo" 0 "g/1${NL}g/2" ''
run sv cp g/ k/
run sv ls k/
gave_exact "a group is copied" 0 "k/1${NL}k/2" ''
run sv --no-prompt rm k/
same "without a terminal a group is removed with --yes only" "$([ "$STATUS" != 0 ] && sv ls k/ | wc -l | tr -d ' ')" 2
run sv rm --yes k/
run sv ls k/
gave "a group is removed" 4 '' 'sv: error: *k/*'
run sv undo
run sv ls k/
gave_exact "and undone" 0 "k/1${NL}k/2" ''

number=0
while [ $number -lt 14 ]; do
	number=$((number + 1))
	put many "$CANARY-$number"
done
run sv get --version 14 many
gave_exact "14 versions written: the last is there" 0 "$CANARY-14" ''
run sv get --version 5 many
gave_exact "and ten are kept" 0 "$CANARY-5" ''
run sv get --version 1 many
gave "the oldest is not" 4 '' 'sv: error: *'

run sv set --keep-value --desc 'a description only' many
run sv get many
gave_exact "metadata alone leaves the value" 0 "$CANARY-14" ''
run sv show many
gave "and is shown" 0 '*a description only*' ''
put once "$CANARY"
before=$(sv --json history once | grep -c '"version"')
put once "$CANARY"
same "the same value again is no new version" "$(sv --json history once | grep -c '"version"')" "$before"

run sv diff many 13 14
gave "diff of two versions says that they differ, not how" 0 '*' ''
case $OUT$ERR in *"$CANARY"*) not_ok "and shows no value" ;; *) ok "and shows no value" ;; esac
while sv undo >/dev/null 2>&1; do
	undone=$((${undone:-0} + 1))
	[ "$undone" -lt 200 ] || break
done
run sv undo
like "undo to the end: nothing left to undo is 4 or 7" "$STATUS $ERR" '[47] sv: error: *'
run sv verify
gave "the vault is whole" 0 '*' '*'
finish

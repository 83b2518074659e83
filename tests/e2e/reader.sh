#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A second implementation, written from FORMAT.md alone, opens a vault that sv made and reads its values.

. "${0%/*}/lib.sh"

PY=
for candidate in /usr/bin/python3 "$(command -v python3)"; do
	[ -x "$candidate" ] && "$candidate" -c 'import nacl, argon2' 2>/dev/null && PY=$candidate && break
done
[ -n "$PY" ] || skip_all "needs python3 with nacl and argon2"
reader=$SV_SRC/tests/reader/sv_reader.py
[ -f "$reader" ] || skip_all "tests/reader/sv_reader.py is not there"

init_vault || bail "init failed"
put "$NAME_CANARY/first" "$CANARY-1"
put "$NAME_CANARY/first" "$CANARY-2"
put second "$CANARY-3" --desc 'with a description' --tag one --tag two
head -c 70000 /dev/urandom | od -An -v -tx1 >"$CAPTURE/large"
sv -q add --raw large <"$CAPTURE/large"
put gone "$CANARY-4"
sv -q rm gone
sv lock
stop_agent
# read_with NAME: the passphrase on stdin, the value on stdout
read_with() { printf '%s' "$PASS" | "$PY" "$reader" "$VAULT" get default "$@"; }
run read_with "$NAME_CANARY/first"
gave_exact "it reads the current version" 0 "$CANARY-2" ''
run read_with second
gave_exact "and another secret" 0 "$CANARY-3" ''
read_with large >"$CAPTURE/large.back" 2>"$CAPTURE/err"
check "70,000 bytes and more come back exactly" cmp -s "$CAPTURE/large" "$CAPTURE/large.back"
run read_with gone
same "what was removed is not found" "$([ "$STATUS" != 0 ] && [ -z "$OUT" ] && echo none)" none
printf '%s' "wrong $PASS" | "$PY" "$reader" "$VAULT" get default second >"$CAPTURE/out" 2>"$CAPTURE/err"
status=$?
same "a wrong passphrase is refused by it too" "$([ $status != 0 ] && [ ! -s "$CAPTURE/out" ] && echo refused)" refused
finish

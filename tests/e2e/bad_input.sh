#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input gets a clear error and loses nothing.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put keep "$CANARY"

esc=$(printf '\033')
del=$(printf '\177')
c1=$(printf '\302\233')
bidi=$(printf '\342\200\256')
wide=$(printf '\342\200\213')
bad=$(printf 'bad\377\376')
cut=$(printf 'cut\303')
long=$(head -c 256 /dev/zero | tr '\000' n)
long300=$(head -c 300 /dev/zero | tr '\000' n)
tab=$(printf 'a\tb')

# ---- names
for name in .. . ../x a/../b a/./b a//b /a a/ '' "a${NL}b" "$tab" "${esc}[2Jx" "${esc}]0;title" "d$del" "c1$c1" "bidi$bidi" "zero$wide" "$bad" "$cut" \
	"$long" "$long300" 'a=b' ' lead' 'trail ' 'x@3' 'sv://x'; do
	shown=$(printf '%s' "$name" | LC_ALL=C tr -c 'A-Za-z0-9./=@: ' '?' | cut -c1-40)
	for verb in add set; do
		feed "$CANARY" sv --no-prompt "$verb" -- "$name"
		gave "$verb refuses the name <$shown>" 2 '' 'sv: error: *'
		same "without a raw control byte" "$(LC_ALL=C tr -d '\n' <"$CAPTURE/err" | LC_ALL=C grep -c '[[:cntrl:]]')" 0
	done
	run sv --no-prompt get -- "$name"
	same "get of <$shown> fails" "$([ "$STATUS" = 2 ] || [ "$STATUS" = 4 ] && [ -z "$OUT" ] && echo yes)" yes
done
feed "$CANARY" sv add -- -dash
gave "a leading dash is refused" 2 '' 'sv: error: *'
feed "$CANARY" sv add NAME=value
gave "NAME=value on the command line is refused" 2 '' 'sv: error: *'
case $ERR in *=value*) not_ok "and the value is not repeated" ;; *) ok "and the value is not repeated" ;; esac
max=$(head -c 255 /dev/zero | tr '\000' m)
feed "$CANARY" sv add "$max"
gave "255 bytes are a name" 0 '' '*'
run sv get "$max"
gave_exact "and give the value back" 0 "$CANARY" ''
umlaut=$(printf 'schl\303\274ssel/\346\227\245\346\234\254')
feed "$CANARY" sv add "$umlaut"
gave "printable UTF-8 is a name" 0 '' '*'
run sv ls
like "and is listed as it is" "$OUT" "*$umlaut*"

# ---- values
printf '' | sv --no-prompt add v/empty >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "an empty value is refused" 2 '' 'sv: error: *'
printf 'a\000b\377\n' | sv -q add v/binary
sv get v/binary | od -An -tx1 >"$CAPTURE/bin"
same "binary: one newline dropped, all else exact" "$(tr -d ' \n' <"$CAPTURE/bin")" 610062ff
printf 'line\n\n' | sv -q add v/newline
same "only one newline is dropped" "$(sv get v/newline | od -An -tx1 | tr -d ' \n')" 6c696e650a
printf 'line\n' | sv -q add --raw v/raw
same "--raw keeps it" "$(sv get v/raw | od -An -tx1 | tr -d ' \n')" 6c696e650a
head -c 1048576 /dev/urandom >"$CAPTURE/mib"
sv -q add --raw v/mib <"$CAPTURE/mib"
sv get v/mib >"$CAPTURE/mib.back"
check "1 MiB comes back exactly" cmp -s "$CAPTURE/mib" "$CAPTURE/mib.back"
printf x >>"$CAPTURE/mib"
sv --no-prompt add --raw v/mib1 <"$CAPTURE/mib" >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "1 MiB + 1 is refused" 1 '' 'sv: error: *'
run sv get v/mib1
gave "and nothing of it is stored" 4 '' 'sv: error: *'
feed '' sv --no-prompt set keep
gave "an empty value for an existing name is refused" 2 '' 'sv: error: *'
run sv get keep
gave_exact "and the old one stays" 0 "$CANARY" ''

# ---- passphrases
sv lock
feed '' sv unlock --passphrase-fd 0
gave "an empty passphrase" 2 '' 'sv: error: *'
head -c 1025 /dev/zero | tr '\000' p | sv unlock --passphrase-fd 0 >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "one over the limit" 2 '' 'sv: error: *'
feed "not $PASS" sv unlock --passphrase-fd 0
gave "a wrong one" 6 '' 'sv: error: *passphrase*'
run sv unlock --passphrase-fd 99
gave "a descriptor that is not open" 2 '' 'sv: error: *'
unlock_vault >/dev/null 2>&1
run sv get keep
gave_exact "the right one still opens it" 0 "$CANARY" ''

# ---- files that are no vault, or not to be believed; each with an agent and a socket of its own
sv lock
stop_agent
sealed=$CAPTURE/sealed.db
cp "$VAULT" "$sealed"
other=$SCRATCH/o
# try DESCRIPTION STATUS STDERR-PATTERN: unlock $other/v.db
try() {
	SV_VAULT=$other/v.db SV_SOCKET=$SCRATCH/r/o/s
	export SV_VAULT SV_SOCKET
	before=$(cksum <"$other/v.db" 2>/dev/null)
	feed "$PASS" sv --no-prompt unlock --passphrase-fd 0
	gave "$1" "$2" '' "$3"
	same "$1: the file is as it was" "$(cksum <"$other/v.db" 2>/dev/null)" "$before"
	stop_agent
	unset SV_VAULT SV_SOCKET
}
fresh() {
	rm -rf "$other"
	mkdir -m 700 "$other"
}
fresh; : >"$other/v.db"
try "an empty file" 8 'sv: error: *'
fresh; head -c 8192 /dev/urandom >"$other/v.db"
try "random bytes" 8 'sv: error: *'
fresh; printf 'just a text\n' >"$other/v.db"
try "a text file" 8 'sv: error: *'
fresh; head -c 4096 "$sealed" >"$other/v.db"
try "a vault cut after its first page" 8 'sv: error: *'
fresh; size=$(stat -c %s "$sealed"); head -c $((size - 4096)) "$sealed" >"$other/v.db"
try "a vault without its last page" 8 'sv: error: *'
fresh; head -c $((size - 1)) "$sealed" >"$other/v.db"
try "a vault without its last byte" 8 'sv: error: *'
fresh; cp "$sealed" "$other/v.db"; printf '\000\000\000\377' | dd of="$other/v.db" bs=1 seek=60 conv=notrunc 2>/dev/null
try "a newer format" 8 'sv: error: *newer*'
fresh; cp "$sealed" "$other/v.db"; chmod 644 "$other/v.db"
try "a vault that others may read" 6 'sv: error: *'
fresh; cp "$sealed" "$other/v.db"; chmod 770 "$other"
try "a directory that others may write" 6 'sv: error: *'
fresh; cp "$sealed" "$other/real.db"; ln -s real.db "$other/v.db"
try "a symbolic link" 8 'sv: error: *'
fresh; cp "$sealed" "$other/v.db"; ln "$other/v.db" "$other/second"
try "a second hard link" 6 'sv: error: *'
fresh; mkdir "$other/v.db"
try "a directory in its place" 8 'sv: error: *'
fresh; mkfifo "$other/v.db"
SV_VAULT=$other/v.db SV_SOCKET=$SCRATCH/r/o/s
export SV_VAULT SV_SOCKET
feed "$PASS" timeout 20 sv --no-prompt unlock --passphrase-fd 0
gave "a FIFO, without waiting on it" 8 '' 'sv: error: *'
stop_agent
unset SV_VAULT SV_SOCKET
if [ "$(id -u)" = 0 ]; then
	fresh; cp "$sealed" "$other/v.db"; chown nobody "$other/v.db"
	try "somebody else's vault" 6 'sv: error: *'
else
	skip "somebody else's vault" "needs root to make one"
fi

# ---- places that cannot be used
deep=$SCRATCH/$(head -c 110 /dev/zero | tr '\000' d)
run env SV_SOCKET="$deep/s" sv --no-prompt status
gave "a socket path too long" 2 '*' 'sv: error: *SV_SOCKET*'
run env -u HOME -u XDG_RUNTIME_DIR -u XDG_DATA_HOME -u XDG_STATE_HOME sv --no-prompt get keep
same "no HOME: an error, no crash" "$([ "$STATUS" -gt 0 ] && [ "$STATUS" -lt 9 ] && echo yes)" yes
like "that says so" "$ERR" '*HOME*'
mkdir -m 700 "$SCRATCH/ro"
if [ "$(id -u)" = 0 ] && have setpriv && have chroot; then
	chown nobody "$SCRATCH" "$SCRATCH/ro"
	chmod 500 "$SCRATCH/ro"
	printf '%s' "$PASS" | setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env HOME="$SCRATCH/ro" XDG_RUNTIME_DIR="$SCRATCH/ro/r" \
		XDG_DATA_HOME="$SCRATCH/ro/d" XDG_STATE_HOME="$SCRATCH/ro/s" sv --no-prompt init --kdf interactive --no-recovery \
		--passphrase-fd 0 >"$CAPTURE/out" 2>"$CAPTURE/err"
	STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
	same "a home that is read-only: an error" "$([ "$STATUS" -gt 0 ] && [ "$STATUS" -lt 9 ] && echo yes)" yes
	like "that says what cannot be made" "$ERR" "sv: error: *$SCRATCH/ro*"
	chown "$(id -u)" "$SCRATCH"
	chmod 700 "$SCRATCH/ro"
elif [ "$(id -u)" != 0 ]; then
	chmod 500 "$SCRATCH/ro"
	feed "$PASS" env HOME="$SCRATCH/ro" XDG_RUNTIME_DIR="$SCRATCH/ro/r" XDG_DATA_HOME="$SCRATCH/ro/d" XDG_STATE_HOME="$SCRATCH/ro/s" \
		sv --no-prompt init --kdf interactive --no-recovery --passphrase-fd 0
	same "a home that is read-only: an error" "$([ "$STATUS" -gt 0 ] && [ "$STATUS" -lt 9 ] && echo yes)" yes
	chmod 700 "$SCRATCH/ro"
else
	skip "a home that is read-only" "needs setpriv"
fi

unlock_vault >/dev/null 2>&1
run sv get keep
gave_exact "after all of it nothing is lost" 0 "$CANARY" ''
run sv verify
gave "and the vault is whole" 0 '*' '*'
finish

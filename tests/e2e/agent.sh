#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent: one of it, started on demand, ended by signals, closed to others, and empty after lock.

. "${0%/*}/lib.sh"

PY=$(command -v /usr/bin/python3 || command -v python3) || PY=

# Process ids of agents of this scratch directory: sv starts them with the vault's path as an argument.
agents() {
	for agents_pid in /proc/[0-9]*; do
		[ "$(cat "$agents_pid/comm" 2>/dev/null)" = sv-agent ] || continue
		case $(tr '\000' '\n' 2>/dev/null <"$agents_pid/cmdline") in
		*"$SCRATCH"*) echo "${agents_pid#/proc/}" ;;
		esac
	done
}

init_vault || bail "init failed"
put "$NAME_CANARY" "$CANARY"
put filler/a "$(random_hex 32)"
pid=$(agent_pid)
check "status --json gives the agent's process id" [ -n "$pid" ]

# ---- started on demand
stop_agent
check "SIGTERM ends it" gone "$pid"
check "and takes the socket away, or leaves one that is replaced" [ ! -S "$SOCKET" ]
for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	{
		printf '%s' "$PASS" | sv --no-prompt unlock --passphrase-fd 0 >/dev/null 2>"$CAPTURE/start.$number"
		echo "$?" >"$CAPTURE/status.$number"
	} &
	starts="${starts:-} $!"
done
# shellcheck disable=SC2086  # the shell may have other children
wait $starts
same "20 starts at once all succeed" "$(cat "$CAPTURE"/status.* | sort | uniq -c | tr -d ' ')" 200
cat "$CAPTURE"/start.* | sort | uniq -c | note
same "and there is one agent" "$(agents | wc -l | tr -d ' ')" 1
run sv get "$NAME_CANARY"
gave_exact "which serves" 0 "$CANARY" ''
stop_agent
unlock_vault >/dev/null 2>&1 &
first=$!
unlock_vault >/dev/null 2>&1 &
wait "$first" "$!"
same "two terminals at once: one agent" "$(agents | wc -l | tr -d ' ')" 1
stop_agent

# The pipe around the command that starts the agent ends when that command ends: cat sees the end of file.
{ printf '%s' "$PASS" | timeout 60 sh -c 'sv unlock --passphrase-fd 0 2>&1 | cat; echo end'; } >"$CAPTURE/pipe" 2>&1
same "a pipe around the starting command ends" "$(tail -n 1 "$CAPTURE/pipe")" end
pid=$(agent_pid)
same "its stdin, stdout and stderr are let go" "$(for fd in 0 1 2; do readlink "/proc/$pid/fd/$fd"; done | sort -u)" \
	"$(if [ -r "/proc/$pid/fd/0" ]; then echo /dev/null; fi)"
same "it is in a session of its own" "$([ "$(cut -d' ' -f6 "/proc/$pid/stat")" != "$(cut -d' ' -f6 /proc/$$/stat)" ] && echo own)" own
same "and holds no directory of the caller" "$(if [ "$(id -u)" = 0 ]; then readlink "/proc/$pid/cwd"; else echo /; fi)" /

# ---- stale socket, killed agent
kill -KILL "$pid"
wait_for 10 gone "$pid"
check "killed, it leaves a stale socket behind" [ -S "$SOCKET" ]
feed "$PASS" sv unlock --passphrase-fd 0
gave "which the next start replaces" 0 '' '*'
run sv get "$NAME_CANARY"
gave_exact "with nothing lost" 0 "$CANARY" ''

# ---- signals
pid=$(agent_pid)
kill -USR1 "$pid"
locked() { [ "$(sv status >/dev/null 2>&1; echo $?)" = 3 ]; }
check "SIGUSR1 locks" wait_for 10 locked
check "and the agent lives on" kill -0 "$pid"
unlock_vault >/dev/null 2>&1
same "the same one" "$(agent_pid)" "$pid"
kill -HUP "$pid" 2>/dev/null
sleep 0.2
check "after SIGHUP it has ended or is locked" sh -c "! kill -0 $pid 2>/dev/null || ! sv status >/dev/null 2>&1"
unlock_vault >/dev/null 2>&1
pid=$(agent_pid)

# ---- core files and limits
same "no core file" "$(sed -n 's/^Max core file size *\([0-9]*\) *\([0-9]*\).*/\1 \2/p' "/proc/$pid/limits")" '0 0'

# ---- memory after lock
if [ "$(id -u)" != 0 ]; then
	skip "no secret in the agent's memory" "needs root to read it"
elif [ -z "$PY" ]; then
	skip "no secret in the agent's memory" "needs python3"
else
	scan() { printf '%s\n' "$CANARY" "$NAME_CANARY" "$PASS" | "$PY" "$SV_SRC/tests/e2e/memscan.py" "$1"; }
	LOOK_A=$CANARY LOOK_B=$NAME_CANARY LOOK_C=$PASS sleep 60 &
	control=$!
	wait_for 10 grep -q sleep "/proc/$control/comm"
	same "positive control: the scan finds all three in a process that has them" \
		"$(scan "$control" | grep -c '^found [123] ')" 3
	kill "$control"
	wait "$control" 2>/dev/null
	for value in "$CANARY" "$CANARY" "$CANARY-again"; do
		sv get "$NAME_CANARY" >/dev/null
		sv exec -s "X=$NAME_CANARY" -- true
		sv ls >/dev/null
		sv show >/dev/null
		sv history "$NAME_CANARY" >/dev/null
		put "$NAME_CANARY" "$value"
	done
	put "$NAME_CANARY" "$CANARY"
	feed "wrong $PASS" sv unlock --passphrase-fd 0
	scan "$pid" >"$CAPTURE/scan"
	note <"$CAPTURE/scan"
	same "unlocked and used: no value and no passphrase where root can read" "$(grep '^found [13] ' "$CAPTURE/scan")" ''
	sv lock
	scan "$pid" >"$CAPTURE/scan"
	note <"$CAPTURE/scan"
	same "locked: neither value, nor name, nor passphrase" "$(grep '^found' "$CAPTURE/scan")" ''
	check "something was read" grep -q '^read [1-9]' "$CAPTURE/scan"
	unlock_vault >/dev/null 2>&1
fi

# ---- other users
as_nobody() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --inh-caps=-all "$@"; }
if [ "$(id -u)" != 0 ]; then
	skip "another user is refused" "needs root to become another user"
elif ! have setpriv || [ -z "$PY" ]; then
	skip "another user is refused" "needs setpriv and python3"
else
	cat >"$CAPTURE/peer.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
try:
    s.connect(sys.argv[1])
except PermissionError:
    print("no way to the socket")
    sys.exit()
try:
    s.sendall(bytes([0, 0, 0, 0, 1, 0, 1, 0]))
    print("closed" if s.recv(64) == b"" else "answered")
except (ConnectionResetError, BrokenPipeError):
    print("closed")
PY
	chmod 755 "$CAPTURE"
	chmod 644 "$CAPTURE/peer.py"
	same "another user cannot reach the socket" "$(as_nobody "$PY" "$CAPTURE/peer.py" "$SOCKET" 2>&1)" "no way to the socket"
	chmod 755 "$SCRATCH" "$SCRATCH/r" "$SCRATCH/r/sv"
	chmod 666 "$SOCKET"
	same "positive control: its owner is answered" "$("$PY" "$CAPTURE/peer.py" "$SOCKET" 2>&1)" answered
	same "with every door open, the agent itself refuses" "$(as_nobody "$PY" "$CAPTURE/peer.py" "$SOCKET" 2>&1)" closed
	chmod 600 "$SOCKET"
	chmod 700 "$SCRATCH/r/sv" "$SCRATCH/r" "$SCRATCH"
	chmod 700 "$CAPTURE"
	run sv get "$NAME_CANARY"
	gave_exact "and goes on serving" 0 "$CANARY" ''
fi

# ---- the same user, without privileges: memory, tracing
if [ "$(id -u)" = 0 ] && have setpriv && [ -n "$PY" ] && as_nobody test -x "$SV_BIN/sv"; then
	mkdir -m 700 "$SCRATCH/n"
	chown nobody "$SCRATCH/n"
	chmod 711 "$SCRATCH"
	plain() { as_nobody env HOME="$SCRATCH/n" XDG_RUNTIME_DIR="$SCRATCH/n" XDG_DATA_HOME="$SCRATCH/n/d" XDG_STATE_HOME="$SCRATCH/n/s" XDG_CONFIG_HOME="$SCRATCH/n/c" "$@"; }
	printf '%s' "$PASS" | plain sv init --kdf interactive --no-recovery --passphrase-fd 0 >"$CAPTURE/out" 2>"$CAPTURE/err"
	STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
	gave "an ordinary user's agent" 0 '' '*'
	victim=$(plain sv status --json | json_number pid)
	try_files='
import os, sys
for name in ("mem", "environ", "maps", "fd/0", "cwd", "exe", "auxv"):
    path = f"/proc/{sys.argv[1]}/{name}"
    try:
        os.readlink(path) if name in ("fd/0", "cwd", "exe") else open(path, "rb").read(1)
        print(name, "open")
    except OSError:
        pass
'
	same "the same user cannot read its memory, environment or descriptors" "$(plain "$PY" -c "$try_files" "$victim" 2>&1)" ''
	setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --inh-caps=-all sleep 60 &
	sleeper=$!
	wait_for 10 grep -q sleep "/proc/$sleeper/comm"
	like "positive control: it can read another process of that user" "$(plain "$PY" -c "$try_files" "$sleeper" 2>&1)" '*environ open*'
	kill "$sleeper"
	wait "$sleeper" 2>/dev/null
	if have strace; then
		plain strace -p "$victim" >"$CAPTURE/out" 2>&1
		like "nor trace it" "$(cat "$CAPTURE/out")" '*not permitted*'
	else
		skip "nor trace it" "strace is not installed"
	fi
	kill -ABRT "$victim"
	wait_for 10 gone "$victim"
	same "aborted, it leaves no core file" "$(find "$SCRATCH" -name 'core*' -type f)" ''
	chmod 700 "$SCRATCH"
elif [ "$(id -u)" != 0 ]; then
	check "the same user cannot read its memory" sh -c "! head -c 1 /proc/$pid/mem >/dev/null 2>&1 && ! cat /proc/$pid/environ >/dev/null 2>&1"
else
	skip "the same user cannot read its memory or trace it" "needs setpriv, python3 and programs that user nobody may run"
fi

# ---- clients that misbehave do not delay others
if [ -n "$PY" ]; then
	"$PY" - "$SOCKET" >"$CAPTURE/rude" 2>&1 <<'PY' &
import os, socket, sys, time
held = []
for what in (b"", b"\x00", b"\xff" * 64, b"\x10\x00\x00\x00\x01\x00\x20\x00half", os.urandom(4096)):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    if what:
        try:
            s.sendall(what)
        except OSError:
            pass
    held.append(s)
print("rude", flush=True)
time.sleep(3)
PY
	rude=$!
	wait_for 10 grep -q rude "$CAPTURE/rude"
	run timeout 2 sv get "$NAME_CANARY"
	gave_exact "silent, slow and garbage-sending clients delay nobody" 0 "$CANARY" ''
	wait "$rude"
else
	skip "silent, slow and garbage-sending clients delay nobody" "needs python3"
fi
finish

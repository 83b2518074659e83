#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent with a socket that something else made: systemd-socket-activate where it is, and a small launcher that speaks the
# same protocol (LISTEN_FDS, LISTEN_PID) everywhere.

. "${0%/*}/lib.sh"

PY=$(command -v /usr/bin/python3 || command -v python3) || PY=
mkdir -m 700 "$XDG_RUNTIME_DIR/sv"

story() {
	what=$1
	wait_for 10 test -S "$SOCKET"
	feed "$PASS" sv init --kdf interactive --no-recovery --passphrase-fd 0
	gave "$what: init through the given socket" 0 '' '*'
	# The agent proper is a child of what was launched, in an address space that nobody had a handle on before.
	parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$(agent_pid)/status")
	same "$what: the agent that answers belongs to what was launched" "$parent" "$launched"
	put x "$CANARY"
	run sv get x
	gave_exact "$what: and serves" 0 "$CANARY" ''
	run sv lock
	gave "$what: and locks" 0 '' '*'
	stop_agent
	wait "$launched" 2>/dev/null
	rm -rf "$XDG_DATA_HOME" "$XDG_STATE_HOME" "$SOCKET"
}

if [ -n "$PY" ]; then
	cat >"$CAPTURE/activate.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o600)
s.listen(16)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
PY
	"$PY" "$CAPTURE/activate.py" "$SOCKET" sv-agent --foreground >"$CAPTURE/agent.log" 2>&1 &
	launched=$!
	story "launcher"
	note <"$CAPTURE/agent.log"
else
	skip "launcher" "needs python3"
fi
if have systemd-socket-activate; then
	systemd-socket-activate -E HOME -E XDG_RUNTIME_DIR -E XDG_DATA_HOME -E XDG_STATE_HOME -l "$SOCKET" "$SV_BIN/sv-agent" --foreground >"$CAPTURE/agent.log" 2>&1 &
	launched=$!
	wait_for 10 test -S "$SOCKET"
	chmod 600 "$SOCKET"
	story "systemd-socket-activate"
	note <"$CAPTURE/agent.log"
else
	skip "systemd-socket-activate" "not installed"
fi
if [ -n "$PY" ]; then
	LISTEN_FDS=1 LISTEN_PID=1 sv-agent --foreground >"$CAPTURE/agent.log" 2>&1 &
	launched=$!
	wait_for 10 test -S "$SOCKET"
	feed "$PASS" sv init --kdf interactive --no-recovery --passphrase-fd 0
	gave "variables meant for another process are not believed" 0 '' '*'
	stop_agent
	wait "$launched" 2>/dev/null
fi
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The system calls of sv and sv-agent: no value in any argument vector and in no write to anything but a socket, pipe or terminal.

. "${0%/*}/lib.sh"

have strace || skip_all "strace is not installed"
strace -o /dev/null true 2>/dev/null || skip_all "tracing is not permitted here"

trace=$CAPTURE/trace
# LeakSanitizer cannot work under ptrace; what it would find the other stories find.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
# -ff: a file per process; -yy: what each descriptor is; the canary and the passphrase are text that strace shows as it is.
traced() { strace -ff -q -yy -s 2097152 -e trace=%file,%desc,%process,%network -o "$trace" "$@"; }

# The agent refuses to be traced at its start, so it is started untraced and what it writes is seen in the tree (every other story)
# and, as root, by attaching to it afterwards.
init_vault || bail "init failed"
pid=$(agent_pid)
attached=
if [ "$(id -u)" = 0 ]; then
	strace -q -f -yy -s 2097152 -e trace=%file,%desc,%network -p "$pid" -o "$CAPTURE/agent.trace" 2>"$CAPTURE/attach.err" &
	attached=$!
	wait_for 5 grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$pid/status" || attached=
fi
printf '%s' "$CANARY" | traced sv add "$NAME_CANARY/a" >/dev/null 2>&1
printf '%s' "$CANARY-2" | traced sv set "$NAME_CANARY/a" >/dev/null 2>&1
traced sv get "$NAME_CANARY/a" 2>/dev/null | cat >/dev/null
traced sv exec -s "X=$NAME_CANARY/a" -- true
traced sv show "$NAME_CANARY/a" >/dev/null
traced sv ls >/dev/null
traced sv mv "$NAME_CANARY/a" "$NAME_CANARY/b" >/dev/null 2>&1
traced sv undo >/dev/null 2>&1
traced sv rm "$NAME_CANARY/a" >/dev/null 2>&1
traced sv undo >/dev/null 2>&1
traced sv backup "$HOME/b.db" >/dev/null 2>&1
traced sv verify >/dev/null 2>&1
traced sv lock
printf '%s' "$PASS" | traced sv unlock --passphrase-fd 0 >/dev/null 2>&1
same "the traced commands did their work" "$(sv get "$NAME_CANARY/a")" "$CANARY-2"
if [ -n "$attached" ]; then
	kill -INT "$attached" 2>/dev/null
	wait "$attached" 2>/dev/null
fi

grep -haF -e "$CANARY" -e "$PASS" "$trace".* "$CAPTURE/agent.trace" >"$CAPTURE/hits" 2>/dev/null
check "positive control: the trace sees the value where it must be (pipe, socket)" [ -s "$CAPTURE/hits" ]
# strace shows execve with its arguments in the first brackets; the environment is only counted.
same "no value in an argument vector" "$(grep -ac 'execve(' "$CAPTURE/hits")" 0
# Descriptors are shown as 3<what>; sockets, pipes and terminals are where a value may go.
same "no value is written to a file" \
	"$(grep -aE '(write|pwrite64|writev|pwritev|pwritev2|sendfile|copy_file_range|splice)\(' "$CAPTURE/hits" |
		grep -avE '\([0-9]+<(pipe:|socket:|UNIX|/dev/pts|/dev/tty)' | cut -c1-60)" ''
same "no value is part of a file's name" "$(grep -aE '(open|openat|rename|link|mkdir|mknod|unlink)[a-z0-9]*\(' "$CAPTURE/hits" | cut -c1-60)" ''
if [ -n "$attached" ]; then
	check "the agent's calls were seen, writes to the vault among them" grep -aq 'pwrite64([0-9]*<.*vault.db' "$CAPTURE/agent.trace"
	same "the agent writes no name to a file" \
		"$(grep -aF "$NAME_CANARY" "$CAPTURE/agent.trace" | grep -aE 'p?write(64|v)?\(' | grep -avE '\([0-9]+<(socket:|UNIX)' | cut -c1-60)" ''
else
	skip "the agent's calls were seen, writes to the vault among them" "needs root to attach to the agent"
fi
# What the fast client does not do: it reads no settings, looks at no vault, and opens nothing but the socket.
if [ "${SV_BUILD_TYPE:-}" = Release ] && [ -e "$SV_BIN/sv-main" ]; then
	strace -q -y -e trace=%file,%desc,%memory -o "$CAPTURE/fast" sv exec -s "X=$NAME_CANARY/a" -- true
	sed -n '1,/execve.*true/p' "$CAPTURE/fast" | sed '$d' >"$CAPTURE/fast.sv"
	same "the fast client opens no file" "$(grep -E '^open(at)?\(' "$CAPTURE/fast.sv")" ''
	echo "calls on files and memory before the program starts: $(wc -l <"$CAPTURE/fast.sv")" | note
fi
finish

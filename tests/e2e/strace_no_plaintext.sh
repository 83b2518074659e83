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
# -ff: a file per process; -yy: what each descriptor is; -xx with long strings: every byte as hex.
traced() { strace -ff -q -yy -xx -s 2097152 -e trace=%file,%desc,%process,%network -o "$trace" "$@"; }

# The agent refuses to be traced at its start, so it is started untraced and what it writes is seen in the tree (every other story)
# and, as root, by attaching to it afterwards.
init_vault || bail "init failed"
pid=$(agent_pid)
attached=
if [ "$(id -u)" = 0 ]; then
	strace -q -f -yy -xx -s 2097152 -e trace=%file,%desc,%network -p "$pid" -o "$CAPTURE/agent.trace" 2>"$CAPTURE/attach.err" &
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

hex_of() { printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g'; }
canary_hex=$(hex_of "$CANARY")
pass_hex=$(hex_of "$PASS")
grep -haF -e "$canary_hex" -e "$pass_hex" "$trace".* "$CAPTURE/agent.trace" >"$CAPTURE/hits" 2>/dev/null
check "positive control: the trace sees the value where it must be (pipe, socket)" [ -s "$CAPTURE/hits" ]
same "no value in an argument vector" "$(grep -a 'execve(' "$CAPTURE/hits" | grep -vc 'X=\|\\x58\\x3d')" 0
# Descriptors are shown as 3<what>; sockets, pipes and terminals are where a value may go.
same "no value is written to a file" \
	"$(grep -aE '(write|pwrite64|writev|pwritev|pwritev2|sendfile|copy_file_range|splice)\(' "$CAPTURE/hits" |
		grep -avE '\((1|2|[0-9]+)<(pipe:|socket:|UNIX|/dev/pts|/dev/tty|char)' | sed "s/\\\\x[0-9a-f]*//g" | cut -c1-120)" ''
same "no value is part of a file's name" "$(grep -aE '(open|openat|rename|link|mkdir|mknod|unlink)[a-z0-9]*\(' "$CAPTURE/hits" | cut -c1-60)" ''
if [ -n "$attached" ]; then
	check "the agent's calls were seen" [ -s "$CAPTURE/agent.trace" ]
	name_hex=$(hex_of "$NAME_CANARY")
	same "the agent writes no name to a file" \
		"$(grep -aF "$name_hex" "$CAPTURE/agent.trace" | grep -aE 'p?write(64|v)?\(' | grep -acvE '\([0-9]+<(socket:|UNIX)')" 0
else
	skip "the agent's calls were seen" "needs root to attach to the agent"
fi
# What the fast client does not do: it reads no settings and starts nothing else.
if [ "${SV_BUILD_TYPE:-}" = Release ]; then
	strace -f -c -o "$CAPTURE/count" sv exec -s "X=$NAME_CANARY/a" -- true
	calls=$(awk '$NF == "total" { print $(NF - 1) == "" ? $3 : $3 }' "$CAPTURE/count" | head -n 1)
	echo "exec and true make ${calls:-?} system calls" | note
fi
finish

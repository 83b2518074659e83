# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
#
# What every story under tests/e2e shares: a private home, an agent of its own, TAP output, and the search for the canary at the end.
#
# A story is `. "${0%/*}/lib.sh"`, then checks, then `finish`.  SV_BIN is the directory of sv and sv-agent, SV_SRC the source
# tree.  Everything the programs under test may write to lies below $SCRATCH, which is searched; what the harness itself writes
# down (captured output, which may hold a value) lies below $CAPTURE, which is not.  Both are removed at the end, and the agent is
# ended by the process id that it reports.  Values reach sv by a pipe from the shell's own printf, never through a file.

set -u
umask 077

: "${SV_BIN:?set SV_BIN to the directory that holds sv}"
: "${SV_SRC:?set SV_SRC to the source tree}"
LC_ALL=C.UTF-8
TERM=xterm
PATH=$SV_BIN:$PATH
export LC_ALL TERM PATH

# Where output is recorded by others it is masked by default; a story says so itself.
unset CI CLAUDECODE CLAUDE_CODE CURSOR_AGENT CODEX_SANDBOX GEMINI_CLI OPENCODE OPENCODE_CLIENT AUGMENT_AGENT CLINE_ACTIVE GOOSE_TERMINAL AI_AGENT \
	2>/dev/null

# sv-agent stops itself below this; everything else of the caller's session stays outside.
unset SV_VAULT SV_SOCKET SV_ENV NO_COLOR EDITOR VISUAL SV_TEST_CLOCK DBUS_SESSION_BUS_ADDRESS LISTEN_FDS LISTEN_PID 2>/dev/null

SCRATCH=$(mktemp -d /tmp/sve.XXXXXX) || exit 1
CAPTURE=$(mktemp -d /tmp/svc.XXXXXX) || exit 1
HOME=$SCRATCH/h
XDG_RUNTIME_DIR=$SCRATCH/r
XDG_DATA_HOME=$HOME/.local/share
XDG_STATE_HOME=$HOME/.local/state
XDG_CONFIG_HOME=$HOME/.config
XDG_CACHE_HOME=$HOME/.cache
TMPDIR=$SCRATCH/t
export HOME XDG_RUNTIME_DIR XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME TMPDIR
mkdir "$HOME" "$XDG_RUNTIME_DIR" "$TMPDIR"
cd "$HOME" || exit 1
VAULT=$XDG_DATA_HOME/sv/vault.db
SOCKET=$XDG_RUNTIME_DIR/sv/agent.sock

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
# Odd length and no repeated block, so that each base64 alignment is another text.
CANARY=Kanari-$(random_hex 10)-Vogel
NAME_CANARY=namnam-$(random_hex 6)
PASS="correct horse $(random_hex 4) battery"
NL='
'

# ---- TAP ---------------------------------------------------------------------------------------------------------------

count=0
failed=0
skipped=0

ok() {
	count=$((count + 1))
	echo "ok $count - $1"
}

not_ok() {
	count=$((count + 1))
	failed=$((failed + 1))
	echo "not ok $count - $1"
}

# skip WHAT WHY: counted, and said.
skip() {
	count=$((count + 1))
	skipped=$((skipped + 1))
	echo "ok $count - $1 # SKIP $2"
}

skip_all() {
	skip "${0##*/}" "$1"
	finish
}

# A story that cannot begin has failed.
bail() {
	not_ok "$1"
	for bail_file in "$CAPTURE/init.err" "$CAPTURE/err"; do
		if [ -s "$bail_file" ]; then note <"$bail_file"; fi
	done
	finish
}

note() { sed "s/$CANARY/<canary>/g; s/^/# /"; }

# check DESCRIPTION COMMAND...: the command's own status is the verdict.
check() {
	check_what=$1
	shift
	if "$@"; then
		ok "$check_what"
	else
		not_ok "$check_what"
		echo "failed: $*" | note
	fi
}

# same DESCRIPTION GOT WANTED
same() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		printf 'got:    %s\nwanted: %s\n' "$2" "$3" | note
	fi
}

# like DESCRIPTION GOT PATTERN: a shell pattern over the whole text.
like() {
	# shellcheck disable=SC2254  # the pattern is meant as one
	case $2 in
	$3) ok "$1" ;;
	*)
		not_ok "$1"
		printf 'got:    %s\nwanted like: %s\n' "$2" "$3" | note
		;;
	esac
}

# Run a command with stdout and stderr captured; $STATUS, $OUT and $ERR (without their last newlines) hold what it gave.
run() {
	"$@" >"$CAPTURE/out" 2>"$CAPTURE/err"
	STATUS=$?
	OUT=$(tr -d '\000' <"$CAPTURE/out")
	ERR=$(tr -d '\000' <"$CAPTURE/err")
}

# The same with the first argument on stdin.
feed() {
	feed_text=$1
	shift
	printf '%s' "$feed_text" | "$@" >"$CAPTURE/out" 2>"$CAPTURE/err"
	STATUS=$?
	OUT=$(tr -d '\000' <"$CAPTURE/out")
	ERR=$(tr -d '\000' <"$CAPTURE/err")
}

# gave DESCRIPTION STATUS STDOUT STDERR: all three of the last run, stdout and stderr as patterns over the whole text ('' is nothing).
gave() {
	gave_bad=
	[ "$STATUS" = "$2" ] || gave_bad="status"
	# shellcheck disable=SC2254
	case $OUT in $3) ;; *) gave_bad="$gave_bad stdout" ;; esac
	# shellcheck disable=SC2254
	case $ERR in $4) ;; *) gave_bad="$gave_bad stderr" ;; esac
	if [ -z "$gave_bad" ]; then
		ok "$1"
	else
		not_ok "$1"
		{
			echo "differs: $gave_bad"
			echo "status $STATUS, wanted $2"
			echo "stdout: $OUT"
			echo "wanted: $3"
			echo "stderr: $ERR"
			echo "wanted: $4"
		} | note
	fi
}

# gave_exact DESCRIPTION STATUS STDOUT STDERR: the same, texts compared byte for byte after the last newlines.
gave_exact() {
	gave_bad=
	[ "$STATUS" = "$2" ] || gave_bad="status"
	[ "$OUT" = "$3" ] || gave_bad="$gave_bad stdout"
	[ "$ERR" = "$4" ] || gave_bad="$gave_bad stderr"
	if [ -z "$gave_bad" ]; then
		ok "$1"
	else
		not_ok "$1"
		{
			echo "differs: $gave_bad"
			echo "status $STATUS, wanted $2"
			echo "stdout: $OUT"
			echo "wanted: $3"
			echo "stderr: $ERR"
			echo "wanted: $4"
		} | note
	fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# wait_for SECONDS COMMAND...: until it succeeds, looking ten times a second.
wait_for() {
	wait_left=$(($1 * 10))
	shift
	while ! "$@"; do
		wait_left=$((wait_left - 1))
		[ "$wait_left" -gt 0 ] || return 1
		sleep 0.1
	done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# ---- the programs ------------------------------------------------------------------------------------------------------

# A vault with the cheapest permitted key derivation, unlocked.
init_vault() { printf '%s' "$PASS" | sv init --kdf interactive --no-recovery --passphrase-fd 0 "$@" >"$CAPTURE/init.out" 2>"$CAPTURE/init.err"; }

unlock_vault() { printf '%s' "$PASS" | sv unlock --passphrase-fd 0 "$@"; }

# put NAME VALUE [OPTION...]: store a value; silent.
put() {
	put_name=$1
	put_value=$2
	shift 2
	printf '%s' "$put_value" | sv -q set --raw "$@" "$put_name" >/dev/null
}

json_number() { sed -n 's/.*"'"$1"'" *: *\([0-9][0-9]*\).*/\1/p' | head -n 1; }
json_text() { sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' | head -n 1; }

agent_pid() { sv status --json 2>/dev/null | json_number pid; }

# End the agent of the present SV_SOCKET and XDG settings, by its id; only a process that is called sv-agent.
stop_agent() {
	stop_pid=$(agent_pid)
	[ -n "$stop_pid" ] && [ "$stop_pid" -gt 1 ] || return 0
	case $(tr '\000' ' ' 2>/dev/null <"/proc/$stop_pid/cmdline") in
	*sv-agent*) ;;
	*) return 0 ;;
	esac
	kill -TERM "$stop_pid" 2>/dev/null || return 0
	wait_for 10 gone "$stop_pid" && return 0
	kill -KILL "$stop_pid" 2>/dev/null
}

# ---- the search for the canary ----------------------------------------------------------------------------------------

# The forms in which a text is looked for, one a line: raw, hex in both cases, base64 (both alphabets) in three alignments with
# the characters that depend on neighbours left out.
forms_of() {
	printf '%s\n' "$1"
	printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
	echo
	printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F
	echo
	for form_lead in '' x xx; do
		form_bytes=$((${#form_lead} + ${#1}))
		form_first=$(((${#form_lead} * 8 + 5) / 6 + 1))
		form_last=$((form_bytes * 8 / 6))
		form_text=$(printf '%s%s' "$form_lead" "$1" | base64 | tr -d '\n' | cut -c"$form_first-$form_last")
		printf '%s\n' "$form_text"
		printf '%s\n' "$form_text" | tr '+/' '-_'
	done
}

# Files below $1 that hold a form of the text $2.
search_tree() {
	forms_of "$2" | sort -u >"$CAPTURE/forms"
	find "$1" -type f -exec grep -laF -f "$CAPTURE/forms" {} + 2>/dev/null
}

search_scratch() {
	# Positive control: each form, planted in the middle of other bytes, must be found.
	control=$SCRATCH/h/control
	forms_of "$CANARY" | sort -u >"$CAPTURE/planted"
	control_bad=0
	while IFS= read -r control_form; do
		printf '\001\377zz%szz\000tail' "$control_form" >"$control"
		[ "$(search_tree "$SCRATCH" "$CANARY")" = "$control" ] || control_bad=$((control_bad + 1))
	done <"$CAPTURE/planted"
	rm -f "$control"
	if [ "$control_bad" = 0 ]; then
		ok "the search finds a planted canary in each form"
	else
		not_ok "the search finds a planted canary in each form"
		search_tree "$SCRATCH" "$CANARY" | sed "s|$SCRATCH|SCRATCH|" | note
	fi
	same "no file below the scratch directory holds the canary, raw, hex or base64" "$(search_tree "$SCRATCH" "$CANARY")" ''
	same "no file holds the passphrase" "$(search_tree "$SCRATCH" "$PASS")" ''
	same "no file holds the name of a secret" "$(search_tree "$SCRATCH" "$NAME_CANARY")" ''
}

cleaned=
clean_up() {
	[ -z "$cleaned" ] || return 0
	cleaned=1
	stop_agent
	cd /
	if have on_exit; then on_exit; fi
	if [ -n "${SV_KEEP_SCRATCH:-}" ]; then
		echo "# kept: $SCRATCH $CAPTURE"
	else
		chmod -R u+rwx "$SCRATCH" 2>/dev/null
		rm -rf "$SCRATCH" "$CAPTURE"
	fi
}

# The search, the plan, and the status for ctest: 1 when a check failed, 77 when every check was skipped.
finish() {
	if [ "$skipped" -lt "$count" ]; then
		search_scratch
		stop_agent
		search_scratch_quiet=$(search_tree "$SCRATCH" "$CANARY")
		same "nor does one after the agent has ended" "$search_scratch_quiet" ''
	fi
	clean_up
	trap - EXIT
	echo "1..$count"
	[ "$failed" = 0 ] || exit 1
	[ "$skipped" -lt "$count" ] || exit 77
	exit 0
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

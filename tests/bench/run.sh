#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The table of speed and memory: each figure beside its limit, measured in one run on this machine.  Builds a release, fills
# private vaults, and prints; it judges with `ok` and `over` but never fails.  Times are medians of interleaved runs.
#
#   BUILD_DIR  where to build                      (default: build/bench below the source tree)
#   RUNS       runs of each command                (default: 1000)
#   LARGE      secrets in the largest vault        (default: 100000)

set -eu
umask 077

src=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=${BUILD_DIR:-$src/build/bench}
runs=${RUNS:-1000}
large=${LARGE:-100000}

generator='Unix Makefiles'
if command -v ninja >/dev/null 2>&1; then generator=Ninja; fi
mkdir -p "$build"
{
	cmake -S "$src" -B "$build" -G "$generator" -DCMAKE_BUILD_TYPE=Release -DSV_BENCH=ON -DSV_TESTS=OFF -DSV_TESTING=OFF &&
		cmake --build "$build" --parallel 2
} >"$build/log" 2>&1 || {
	tail -n 40 "$build/log" >&2
	exit 1
}
PATH=$build/bin:$PATH
bench=$build/bench

# On a real disk, where the vault would be: a durable write on a memory file system says nothing.
dir=$(mktemp -d "${BENCH_DIR:-$build}/run.XXXXXX")
run_dir=$(mktemp -d /tmp/svb.XXXXXX)
agents=
tidy() {
	for agent in $agents; do kill -TERM "$agent" 2>/dev/null || :; done
	rm -rf "$dir" "$run_dir"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

HOME=$dir XDG_STATE_HOME=$dir/state XDG_RUNTIME_DIR=$run_dir
export HOME XDG_STATE_HOME XDG_RUNTIME_DIR PATH
unset SV_VAULT SV_SOCKET SV_ENV 2>/dev/null || :
passphrase=benchmark

# use SIZE: the vault with that many secrets
use() {
	SV_VAULT=$dir/v$1/vault.db SV_SOCKET=$run_dir/s$1/sock
	export SV_VAULT SV_SOCKET
}
agent_of() { sv status --json | sed -n 's/.*"pid" *: *\([0-9][0-9]*\).*/\1/p'; }
say() { printf '%s\n' "$*" >&2; }

sizes="1 10 20 200 1000 10000 $large"
fill_rate=
for size in $sizes; do
	use "$size"
	say "a vault of $size"
	printf '%s' "$passphrase" | sv -q init --kdf interactive --no-recovery --passphrase-fd 0
	agents="$agents $(agent_of)"
	"$bench/fill" "$SV_SOCKET" secret- "$size" >"$dir/fill.$size"
	[ "$size" = 10000 ] && fill_rate=$(sed -n 's/.* rate \([0-9]*\).*/\1/p' "$dir/fill.$size")
done

middle() { printf 'secret-%06d' $(($1 / 2)); }
# The values that env is given: of the same length.
value=abcdefghijklmnopqrstuvwxyzabcdefghijklmn
assignments() {
	number=0
	while [ $number -lt "$1" ]; do
		printf 'SECRET_%06d=%s\n' $number $value
		number=$((number + 1))
	done
}

say "programs, $runs runs each"
set -- "$runs" \
	env A=1 "$(command -v env)" A=1 true \
	\; env1 A=1 "$(command -v env)" X=$value true
# The assignments are words on purpose.
# shellcheck disable=SC2046
set -- "$@" \; env20 A=1 "$(command -v env)" $(assignments 20) true
# shellcheck disable=SC2046
set -- "$@" \; env200 A=1 "$(command -v env)" $(assignments 200) true
for size in 1 20 200; do
	set -- "$@" \; "exec$size" SV_SOCKET="$run_dir/s$size/sock" sv exec
	if [ $size = 1 ]; then set -- "$@" -s X=secret-000000; else set -- "$@" --all; fi
	set -- "$@" -- true
done
for size in 10 1000 10000 "$large"; do
	set -- "$@" \; "get$size" SV_SOCKET="$run_dir/s$size/sock" sv get "$(middle "$size")"
done
for size in 1000 10000; do
	set -- "$@" \; "ls$size" SV_SOCKET="$run_dir/s$size/sock" sv ls
done
set -- "$@" \; true A=1 true
set -- "$@" \; rss SV_SOCKET="$run_dir/s1/sock" sv exec -s X=secret-000000 -- "$bench/spawn_bench" --nothing
set -- "$@" \; rss_floor A=1 "$bench/spawn_bench" --nothing
"$bench/spawn_bench" "$@" >"$dir/spawn" || say "some runs failed: $(awk '$5 > 0 { print $1 ": " $5 }' "$dir/spawn" | tr '\n' ' ')"

say "the agent"
# resident PID: all of it, and what is not pages of program files
resident() { awk '/^VmRSS:/ { r = $2 } /^RssFile:/ { f = $2 } END { print r, r - f }' "/proc/$1/status"; }
use 10000
rss_filled=$(resident "$(agent_of)")
# A new agent, as after a login: unlocked, read and listed.
pid=$(agent_of)
kill -TERM "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
printf '%s' "$passphrase" | sv -q unlock --passphrase-fd 0
pid=$(agent_of)
agents="$agents $pid"
sv get "$(middle 10000)" >/dev/null
sv ls >/dev/null
rss_unlocked=$(resident "$pid")
use 1000
if [ -x "$bench/agent_bench" ]; then
	"$bench/agent_bench" "$SV_SOCKET" "$(middle 1000)" >"$dir/agent" 2>&1 || say "agent_bench: $(cat "$dir/agent")"
fi
use 20
"$bench/fill" "$SV_SOCKET" single- 300 1 >"$dir/single"
use 10000
sv lock
sleep 0.2
rss_locked=$(resident "$pid")

say "the vault library"
if [ -x "$bench/vault_bench" ]; then
	mkdir "$dir/library"
	"$bench/vault_bench" "$dir/library" 1000 "$large" >"$dir/vault" 2>&1 || say "vault_bench: $(cat "$dir/vault")"
fi

# ---- the table -------------------------------------------------------------------------------------------------------

us() { awk -v l="$1" '$1 == l { print $2 }' "$dir/spawn"; }
rss() { awk -v l="$1" '$1 == l { print $4 }' "$dir/spawn"; }
# row WHAT FIGURE UNIT LIMIT (at most), or with a leading > (at least)
row() {
	awk -v what="$1" -v figure="$2" -v unit="$3" -v limit="$4" -v note="${5:-}" 'BEGIN {
		least = sub(/^>/, "", limit)
		verdict = figure == "" ? "not measured" : (least ? figure + 0 >= limit + 0 : figure + 0 <= limit + 0) ? "ok" : "over"
		if (verdict == "over" && least) verdict = "under"
		printf "%-44s %10s %-8s %s %-8s %-12s %s\n", what, figure == "" ? "-" : figure, unit, least ? ">=" : "<=", limit, verdict, note
	}'
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b }'; }

printf '\n%s, %s, %s CPUs, %s runs each\n' "$(uname -sr)" "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" \
	"$(getconf _NPROCESSORS_ONLN)" "$runs"
printf '%-44s %10s %-8s    %-8s\n' what figure unit limit
for size in 1 20 200; do
	limit=0.80
	[ $size = 200 ] && limit=0.95
	row "exec of $size against env X=... true" "$(ratio "$(us "exec$size")" "$(us "env$size")")" times $limit \
		"$(us "exec$size") us / $(us "env$size") us"
done
fastest=
slowest=
for size in 10 1000 10000 "$large"; do
	row "get, $size secrets, against env A=1 true" "$(ratio "$(us "get$size")" "$(us env)")" times 0.35 "$(us "get$size") us / $(us env) us"
	fastest=$(printf '%s\n%s\n' "$fastest" "$(us "get$size")" | sed '/^$/d' | sort -n | head -n 1)
	slowest=$(printf '%s\n%s\n' "$slowest" "$(us "get$size")" | sed '/^$/d' | sort -n | tail -n 1)
done
row "get, slowest size against fastest" "$(ratio "$slowest" "$fastest")" times 1.20
row "ls of 1,000 against env A=1 true" "$(ratio "$(us ls1000)" "$(us env)")" times 0.80 "$(us ls1000) us"
row "ls of 10,000 against env A=1 true" "$(ratio "$(us ls10000)" "$(us env)")" times 6.00 "$(us ls10000) us"
# from FILE SED-EXPRESSION: the first number that it finds
from() { if [ -f "$dir/$1" ]; then sed -n "$2" "$dir/$1" | head -n 1; fi; }
row "reads over one connection" "$(from agent 's/^one connection: \([0-9]*\) reads.*/\1/p')" per_s ">30000"
row "64 clients at once, of that" "$(from agent 's/^64 clients.*ratio \([0-9.]*\).*/\1/p')" times ">0.75" \
	"$(from agent 's/^64 clients at once: \([0-9]* reads.s\).*/\1/p')"
row "unlock of 1,000 without key derivation" "$(from vault 's/^unlock at 1000: \([0-9.]*\) ms.*/\1/p')" ms 20
row "unlock of $large without key derivation" "$(from vault "s/^unlock at $large: \([0-9.]*\) ms.*/\1/p")" ms 300
row "a durable write against one SQLite commit" "$(from vault 's/^durable write at 1000: .*ratio \([0-9.]*\).*/\1/p')" times 2 \
	"$(from vault 's/^durable write at 1000: \(.*\), ratio.*/\1/p')"
row "the same at $large secrets" "$(from vault "s/^durable write at $large: .*ratio \([0-9.]*\).*/\1/p")" times 2 \
	"$(from vault "s/^durable write at $large: \(.*\), ratio.*/\1/p")"
row "batch insert, one transaction of 10,000" "$fill_rate" per_s ">20000"
row "agent, unlocked with 10,000" "${rss_unlocked% *}" KiB 10240 "${rss_unlocked#* } KiB without pages of program files"
row "the same, after importing them" "${rss_filled% *}" KiB 10240 "${rss_filled#* } KiB"
row "agent, locked again" "${rss_locked% *}" KiB 4096 "${rss_locked#* } KiB"
row "sv on the exec path" "$(rss rss)" KiB 1536 "a program that does nothing: $(rss rss_floor) KiB"
printf '\nthe rest, as its programs tell it\n'
echo "one durable write through the agent: $(cat "$dir/single")"
for part in agent vault; do [ ! -f "$dir/$part" ] || sed "s/^/$part: /" "$dir/$part"; done

# ---- neighbours, where they are installed ---------------------------------------------------------------------------
if command -v age >/dev/null 2>&1 && command -v age-keygen >/dev/null 2>&1; then
	age-keygen -o "$dir/age.key" 2>/dev/null
	printf %s "$value" | age -r "$(age-keygen -y "$dir/age.key")" -o "$dir/age.enc"
	"$bench/spawn_bench" $((runs / 10 + 1)) env A=1 env A=1 true \; age A=1 age -d -i "$dir/age.key" "$dir/age.enc" >"$dir/peer"
	awk '$1 == "env" { e = $2 } $1 == "age" { printf "neighbour: age -d of one file: %.1f us, %.2f times env A=1 true\n", $2, $2 / e }' "$dir/peer"
fi

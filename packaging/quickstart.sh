#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From a clean clone to a working sv: install what the build needs, build a release, install it below a prefix, and run the main
# job once on a throw-away vault.  Touches nothing of an existing vault.  Works without a terminal.

set -eu
umask 077

usage() {
	cat <<'TXT'
usage: sh packaging/quickstart.sh [--yes] [--no-demo]

  --yes      install missing packages without asking
  --no-demo  do not run the main job on a throw-away vault

  PREFIX     where to install            (default: ~/.local)
  BUILD_DIR  where to build              (default: build/release below the source tree)
TXT
}

yes=
demo=1
while [ $# -gt 0 ]; do
	case $1 in
	-y | --yes) yes=1 ;;
	--no-demo) demo= ;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
	shift
done

say() { printf '==> %s\n' "$*"; }
die() {
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

src=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
[ -f "$src/CMakeLists.txt" ] || die "no CMakeLists.txt in $src"
prefix=${PREFIX:-${HOME:?HOME is not set}/.local}
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
build=${BUILD_DIR:-$src/build/release}

# ---- packages --------------------------------------------------------------------------------------------------------

has_library() { have pkg-config && pkg-config --exists "$1"; }

missing=
need() { missing="$missing $1"; }
find_missing() {
	missing=
	have cc || have gcc || need gcc
	# A compiler without the C library's headers is what a bare `gcc` package gives.
	[ -e /usr/include/stdio.h ] || [ "$(uname -s)" != Linux ] || need libc6-dev
	have cmake || need cmake
	have make || have ninja || need make
	have pkg-config || need pkg-config
	has_library libsodium || need libsodium-dev
	has_library sqlite3 || need libsqlite3-dev
	has_library yaml-0.1 || need libyaml-dev
	have musl-gcc || need musl-tools
}

other_system() {
	cat >&2 <<'TXT'
quickstart: this system has no apt-get.  Install these, then run this script again:
  Fedora:   dnf install gcc cmake make pkgconf-pkg-config libsodium-devel sqlite-devel libyaml-devel musl-gcc
  Arch:     pacman -S gcc cmake make pkgconf libsodium sqlite libyaml musl
  Alpine:   apk add build-base cmake pkgconf linux-headers libsodium-dev sqlite-dev yaml-dev
  Homebrew: brew install cmake pkg-config libsodium sqlite libyaml
musl is optional: without it the client on the fast path is linked with the system's C library and starts slower.
TXT
	exit 1
}

find_missing
if [ -n "$missing" ] && ! have apt-get; then
	# musl alone is no reason to stop.
	[ "$missing" = " musl-tools" ] || other_system
	say "musl-gcc is not there: the fast client will be linked with the system's C library"
elif [ -n "$missing" ]; then
	say "packages to install:$missing"
	if [ "$(id -u)" = 0 ]; then
		as_root=
	elif have sudo; then
		as_root=sudo
		if [ -z "$yes" ]; then
			[ -t 0 ] || die "run this as root:  apt-get install$missing   (or start this script with --yes)"
			printf 'Install them with sudo apt-get? [y/N] '
			read -r answer || answer=
			case $answer in y | Y | yes) ;; *) die "not installed; to do it by hand:  sudo apt-get install$missing" ;; esac
		fi
	else
		die "no sudo here; as root:  apt-get install$missing"
	fi
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	# The names are words of this script.
	# shellcheck disable=SC2086
	$as_root apt-get install -y --no-install-recommends $missing >/dev/null 2>&1 ||
		{ $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends $missing; }
	find_missing
	[ -z "$missing" ] || [ "$missing" = " musl-tools" ] || die "still missing:$missing"
fi

# ---- build and install -----------------------------------------------------------------------------------------------

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
generator='Unix Makefiles'
if have ninja; then generator=Ninja; fi
# A build directory keeps the generator it was made with.
if [ -f "$build/CMakeCache.txt" ]; then
	generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build/CMakeCache.txt")
fi
say "building a release in $build"
# What is installed must be readable by whoever the prefix is for.
umask 022
mkdir -p "$build"
cmake -S "$src" -B "$build" -G "$generator" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
	-DSV_TESTING=OFF -DSV_TESTS=OFF >"$build/configure.log" 2>&1 || {
	cat "$build/configure.log" >&2
	die "cmake failed"
}
cmake --build "$build" --parallel "$jobs"
say "installing below $prefix"
cmake --install "$build" >/dev/null
umask 077
sv=$prefix/bin/sv
"$sv" version

# ---- the main job ----------------------------------------------------------------------------------------------------

if [ -n "$demo" ]; then
	dir=$(mktemp -d "${TMPDIR:-/tmp}/sv-try.XXXXXX")
	agent=
	tidy() {
		if [ -n "$agent" ] && kill -TERM "$agent" 2>/dev/null; then
			left=50
			while kill -0 "$agent" 2>/dev/null && [ "$left" -gt 0 ]; do
				left=$((left - 1))
				sleep 0.1
			done
		fi
		rm -rf "$dir"
	}
	trap tidy EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM

	unset SV_ENV
	HOME=$dir XDG_DATA_HOME=$dir/data XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config XDG_RUNTIME_DIR=$dir
	SV_VAULT=$dir/vault.db SV_SOCKET=$dir/run/sock
	export HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR SV_VAULT SV_SOCKET
	PATH=$prefix/bin:$PATH
	passphrase=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

	say "the main job, on a throw-away vault"
	echo '$ sv init'
	printf '%s' "$passphrase" | "$sv" init --kdf interactive --no-recovery --passphrase-fd 0
	agent=$("$sv" status --json | sed -n 's/.*"pid" *: *\([0-9][0-9]*\).*/\1/p')
	echo '$ sv add npm/read-token'
	printf 'npm_%s' "$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')" | "$sv" add npm/read-token
	echo '$ sv show npm/read-token'
	"$sv" show npm/read-token
	# shellcheck disable=SC2016  # the variable is for the child
	program='echo "the program sees READ_TOKEN with ${#READ_TOKEN} characters"'
	printf '$ sv exec -s npm/read-token -- sh -c %s\n' "'$program'"
	"$sv" exec -s npm/read-token -- sh -c "$program"
	echo '$ sv lock'
	"$sv" lock
	status=0
	"$sv" exec -s npm/read-token --no-prompt -- true 2>/dev/null || status=$?
	[ "$status" = 125 ] || die "a locked vault gave status $status instead of 125"
	tidy
	trap - EXIT HUP INT TERM
fi

say "installed: sv, sv-agent, manual pages and completions below $prefix"
cat <<TXT

Put this into your shell's start-up file, unless $prefix/bin is in PATH already:

  export PATH="$prefix/bin:\$PATH"

Then, for your own vault:

  sv init
  sv add npm/read-token
  sv exec -s npm/read-token -- npm install
TXT

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The whole suite: install what it needs, then
#   1. a build with address and undefined-behaviour sanitizers and the test hooks: every test,
#   2. a release build with the small static client: the end-to-end stories through what people get,
#   3. a plain build: the unit tests under valgrind.
# The last line is `N passed, M failed, K skipped`, counted over single checks; the exit status is 0 only when nothing failed.
#
#   BUILD_DIR  where to build   (default: build/tests below the source tree)
#   JOBS       how many at once (default: 2)

set -eu

src=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${BUILD_DIR:-$src/build/tests}
jobs=${JOBS:-2}
have() { command -v "$1" >/dev/null 2>&1; }
say() { printf '==> %s\n' "$*"; }
die() {
	printf 'run.sh: %s\n' "$*" >&2
	exit 1
}

# ---- packages ----------------------------------------------------------------------------------------------------------

has_library() { have pkg-config && pkg-config --exists "$1"; }
has_python() { /usr/bin/python3 -c "import $1" 2>/dev/null; }
missing=
need() { missing="$missing $1"; }
find_missing() {
	missing=
	have gcc || need gcc
	[ -e /usr/include/stdio.h ] || need libc6-dev
	have cmake || need cmake
	have ninja || need ninja-build
	have pkg-config || need pkg-config
	has_library libsodium || need libsodium-dev
	has_library sqlite3 || need libsqlite3-dev
	has_library yaml-0.1 || need libyaml-dev
	has_library cmocka || need libcmocka-dev
	has_library libutf8proc || need libutf8proc-dev
	have musl-gcc || need musl-tools
	have valgrind || need valgrind
	have tmux || need tmux
	have strace || need strace
	have shellcheck || need shellcheck
	have mandoc || need mandoc
	have script || need bsdutils
	have setpriv || need util-linux
	have zsh || need zsh
	have fish || need fish
	has_python nacl || need python3-nacl
	has_python argon2 || need python3-argon2
}

find_missing
if [ -n "$missing" ]; then
	if ! have apt-get; then
		cat >&2 <<'TXT'
run.sh: this system has no apt-get.  The tests want, under their Debian names:
  gcc cmake ninja-build pkg-config libsodium-dev libsqlite3-dev libyaml-dev libcmocka-dev libutf8proc-dev musl-tools valgrind
  tmux strace shellcheck mandoc zsh fish util-linux python3-nacl python3-argon2
  Fedora:   dnf install gcc cmake ninja-build pkgconf-pkg-config libsodium-devel sqlite-devel libyaml-devel libcmocka-devel utf8proc-devel \
              musl-gcc valgrind tmux strace ShellCheck mandoc zsh fish util-linux-script libasan libubsan \
              python3-pynacl python3-argon2-cffi
  Arch:     pacman -S gcc cmake ninja pkgconf libsodium sqlite libyaml cmocka libutf8proc musl valgrind tmux strace shellcheck mandoc \
              zsh fish python-pynacl python-argon2-cffi
  Alpine:   apk add build-base cmake samurai pkgconf linux-headers libsodium-dev sqlite-dev yaml-dev cmocka-dev utf8proc-dev valgrind \
              tmux strace shellcheck mandoc zsh fish util-linux-misc py3-pynacl py3-argon2-cffi
  Homebrew: brew install cmake ninja pkg-config libsodium sqlite libyaml cmocka utf8proc tmux shellcheck mandoc fish pynacl
TXT
		# What only some stories need is skipped there; without these nothing can be built.
		{ have cmake && have ninja && has_library libsodium && has_library sqlite3 && has_library yaml-0.1 && has_library libutf8proc && has_library cmocka; } ||
			exit 1
	else
		as_root=
		if [ "$(id -u)" != 0 ]; then
			have sudo || die "as root:  apt-get install$missing"
			as_root=sudo
		fi
		say "installing:$missing"
		# The names are words of this script.
		# shellcheck disable=SC2086
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
			$as_root apt-get update -q
			$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
		}
	fi
fi

# ---- build and run -----------------------------------------------------------------------------------------------------

mkdir -p "$build"
counts=$build/counts
: >"$counts"
bad=0

# build_in DIRECTORY TYPE OPTION...
build_in() {
	dir=$build/$1
	type=$2
	shift 2
	say "building $type in $dir"
	cmake -S "$src" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE="$type" -DSV_WERROR=ON "$@" >"$dir.log" 2>&1 || {
		cat "$dir.log"
		die "cmake failed"
	}
	cmake --build "$dir" --parallel "$jobs" >"$dir.log" 2>&1 || {
		tail -n 80 "$dir.log"
		die "the build failed"
	}
}

# Count single checks in a log: TAP lines, cmocka's lines, and tests that failed without saying where.
# A ctest log has each test's output between "N/M Testing: NAME" and "Test Passed." or "Test Failed.".
count_checks() {
	awk '
	/^[0-9]+\/[0-9]+ Testing: / { name = $3; said = 0 }
	/^ok [0-9]+/ { if (/# SKIP/) k++; else p++; next }
	/^not ok [0-9]+/ { f++; said = 1; print "  failed: " name ": " $0 > "/dev/stderr"; next }
	/^\[       OK \]/ { p++; next }
	/^\[  SKIPPED \] [^0-9]/ { k++; next }
	/^\[  FAILED  \] [^0-9]/ { if (!seen[name $0]++) { f++; print "  failed: " name ": " $0 > "/dev/stderr" } said = 1; next }
	/^Test (Failed|Timeout)/ { if (!said) { f++; print "  failed: " name " (ended without a verdict)" > "/dev/stderr" } }
	END { print p + 0, f + 0, k + 0 }' "$1" >>"$counts"
}

# run_in DIRECTORY CTEST-OPTION...
run_in() {
	dir=$build/$1
	shift
	rm -f "$dir/Testing/Temporary/LastTest.log"
	(cd "$dir" && ctest -j "$jobs" --no-tests=error "$@") || bad=1
	count_checks "$dir/Testing/Temporary/LastTest.log"
}

say "1 of 3: all tests with sanitizers"
mkdir -p "$build"
build_in sanitize Sanitize -DSV_TESTING=ON -DSV_TESTS=ON
ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS
run_in sanitize

say "2 of 3: the stories with the release"
build_in release Release -DSV_TESTING=OFF -DSV_TESTS=ON
run_in release -L e2e

say "3 of 3: unit tests under valgrind"
if have valgrind; then
	build_in debug Debug -DSV_TESTING=ON -DSV_TESTS=ON -DSV_FRONT=OFF
	log=$build/valgrind.log
	: >"$log"
	# Names without their directory, which may have blanks in it.
	list=$(cd "$build/debug/tests" && find . -maxdepth 1 -type f -name 'test_*' -perm -u+x | sed 's|^\./||' | sort)
	[ -n "$list" ] || die "no unit tests were built"
	one_under_valgrind() {
		name=$1
		status=0
		SV_UNDER_VALGRIND=1 timeout 300 valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
			--errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 --child-silent-after-fork=yes \
			"$build/debug/tests/$name" >"$build/valgrind.$name.log" 2>&1 || status=$?
		if [ "$status" = 0 ]; then echo "ok 1 - valgrind $name"; else
			[ "$status" = 77 ] && echo "ok 1 - valgrind $name # SKIP" || echo "not ok 1 - valgrind $name (status $status)"
		fi >"$build/valgrind.$name.tap"
	}
	# Two at a time.  SV_UNDER_VALGRIND tells a test that it cannot look at its own mappings, replace itself by another program,
	# or hurry.
	# shellcheck disable=SC2086
	set -- $list
	while [ $# -gt 0 ]; do
		one_under_valgrind "$1" &
		first=$!
		second=
		if [ $# -gt 1 ] && [ "$jobs" -gt 1 ]; then
			one_under_valgrind "$2" &
			second=$!
			wait "$second"
			shift
		fi
		wait "$first"
		shift
	done
	for program in $list; do
		tap=$build/valgrind.$program.tap
		cat "$tap"
		case $(cat "$tap") in not*) bad=1 && tail -n 60 "$build/valgrind.$program.log" ;; esac
		cat "$tap" >>"$log"
	done
	count_checks "$log"
else
	echo "ok 1 - valgrind # SKIP not installed" >"$build/valgrind.log"
	count_checks "$build/valgrind.log"
fi

awk -v bad="$bad" '{ p += $1; f += $2; k += $3 } END {
	if (bad && !f) f = 1
	printf "%d passed, %d failed, %d skipped\n", p, f, k
	exit f > 0 }' "$counts"

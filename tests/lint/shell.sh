#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every script passes shellcheck, and dash's parser when it is a sh script; manual pages pass mandoc's lint.

. "$(dirname -- "$0")/lib.sh"

scripts=$(files '*.sh')
if command -v shellcheck >/dev/null 2>&1; then
	for f in $scripts; do
		verdict "shellcheck $f" "$(shellcheck -x -P SCRIPTDIR -e SC2119,SC2317 "$f" 2>&1)"
	done
	for f in $(files '.ci/run' '*.bash'); do
		verdict "shellcheck $f" "$(shellcheck -s bash -e SC1091,SC2119,SC2317 "$f" 2>&1)"
	done
else
	skip "shellcheck" "not installed"
fi
if command -v dash >/dev/null 2>&1; then
	for f in $scripts; do
		verdict "dash parses $f" "$(dash -n "$f" 2>&1)"
	done
else
	skip "dash" "not installed"
fi
for shell in bash zsh fish; do
	case $shell in
	bash) f=packaging/completions/sv.bash ;;
	zsh) f=packaging/completions/_sv ;;
	fish) f=packaging/completions/sv.fish ;;
	esac
	if command -v "$shell" >/dev/null 2>&1; then
		verdict "$shell parses $f" "$("$shell" -n "$f" 2>&1)"
	else
		skip "$shell parses $f" "$shell is not installed"
	fi
done
if command -v mandoc >/dev/null 2>&1; then
	for f in $(files 'packaging/man/*.1' 'packaging/man/*.5'); do
		verdict "mandoc $f" "$(mandoc -T lint -W warning "$f" 2>&1)"
	done
else
	skip "manual pages" "mandoc is not installed"
fi
finish

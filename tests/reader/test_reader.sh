#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The independent reader opens the golden vault, agrees with what the library put into it, and refuses altered copies.
set -eu
src=${SV_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
python=/usr/bin/python3
"$python" -c 'import nacl.bindings, argon2.low_level' 2>/dev/null || { echo "python3-nacl or python3-argon2 is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exec "$python" -I "$src/tests/reader/test_reader.py" "$src/tests/reader" "$src/tests/vectors" "$work"

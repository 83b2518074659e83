#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who may include whom: vault/base is a leaf; vault and proto have never heard of each other; the agent uses both; cli uses
# proto, and of the vault only what turns a passphrase into a key.  Only the vault knows SQLite, only the cli knows libyaml.
# Includes are written from the root.  SV_BUILD, when set, is a build directory whose programs are looked at too.

. "$(dirname -- "$0")/lib.sh"

# forbidden FILES-PATTERN... -- REGEX: include lines that match.
includes_in() {
	for f in $(files "$1/*.c" "$1/*.h" | grep -v "${2:-^$}"); do
		grep -Hn '^[[:space:]]*#[[:space:]]*include' "$f"
	done
}

verdict "vault/base includes nothing else of the project" \
	"$(includes_in vault/base | grep '"' | grep -v '"vault/base/')"
verdict "vault does not include proto, agent or cli" \
	"$(includes_in vault | grep -E '"(proto|agent|cli)/')"
verdict "proto includes only itself and vault/base" \
	"$(includes_in proto | grep '"' | grep -vE '"(proto|vault/base)/')"
verdict "agent does not include cli" \
	"$(includes_in agent | grep -E '"cli/')"
verdict "cli includes proto, vault/base and vault/kdf.h only" \
	"$(includes_in cli | grep '"' | grep -vE '"(cli/|proto/|vault/base/|vault/kdf\.h"|sv_version\.h"|config\.h")')"
verdict "only vault includes SQLite" \
	"$(for d in proto agent cli; do includes_in "$d"; done | grep 'sqlite3')"
verdict "only cli includes libyaml" \
	"$(for d in proto agent vault; do includes_in "$d"; done | grep 'yaml')"
verdict "no include goes up or beside by a relative path" \
	"$(for d in vault proto agent cli; do includes_in "$d"; done | grep -E '"\.\./|"[^/"]+\.h"' | grep -vE '"(sv_version|config)\.h"')"

if [ -n "${SV_BUILD:-}" ] && [ -d "$SV_BUILD/bin" ] && command -v readelf >/dev/null 2>&1; then
	for program in "$SV_BUILD"/bin/sv "$SV_BUILD"/bin/sv-main "$SV_BUILD"/libexec/sv/sv-main; do
		[ -f "$program" ] || continue
		verdict "${program##*/} links no SQLite" \
			"$(readelf -d "$program" 2>/dev/null | grep -i 'sqlite'; nm "$program" 2>/dev/null | grep -i ' sqlite3_' | head -n 3)"
	done
	verdict "sv-agent links no libyaml" "$(readelf -d "$SV_BUILD/bin/sv-agent" 2>/dev/null | grep -i 'yaml')"
else
	skip "sv links no SQLite" "no built programs to look at"
fi
finish

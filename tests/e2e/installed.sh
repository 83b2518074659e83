#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed, and that it works from there, found by nothing but its own place.

. "${0%/*}/lib.sh"

have cmake || skip_all "cmake is not installed"
[ -n "${SV_BUILD:-}" ] || skip_all "SV_BUILD is not set"
prefix=$SCRATCH/prefix
run cmake --install "$SV_BUILD" --prefix "$prefix"
gave "install" 0 '*' ''
for file in bin/sv bin/sv-agent share/man/man1/sv.1 share/man/man1/sv-agent.1 share/man/man5/sv-vault.5 \
	share/bash-completion/completions/sv share/zsh/site-functions/_sv share/fish/vendor_completions.d/sv.fish; do
	check "$file" test -f "$prefix/$file"
done
check "the units for systemd" [ -n "$(find "$prefix" -name sv-agent.socket)" ]
check "the service names an absolute path" grep -q "^ExecStart=$prefix/bin/sv-agent " "$(find "$prefix" -name sv-agent.service)"
same "nothing installed is writable by others" "$(find "$prefix" ! -type l -perm /022)" ''
same "no path of the source or build tree is needed" \
	"$(for f in "$prefix"/bin/*; do readelf -d "$f" 2>/dev/null | grep -E 'RPATH|RUNPATH'; done)" ''

PATH=$prefix/bin:/usr/local/bin:/usr/bin:/bin
check "sv is the installed one" [ "$(command -v sv)" = "$prefix/bin/sv" ]
init_vault || bail "init failed"
pid=$(agent_pid)
put x "$CANARY"
run sv get x
gave_exact "the main job from there" 0 "$CANARY" ''
if [ "$(id -u)" = 0 ]; then
	same "with the agent of that place" "$(readlink "/proc/$pid/exe")" "$prefix/bin/sv-agent"
else
	skip "with the agent of that place" "needs root to look"
fi
ln -s "$prefix/bin/sv" "$SCRATCH/h/link-to-sv"
run "$SCRATCH/h/link-to-sv" show x
gave "called through a link" 0 '*x*' ''
# A program of that name in PATH is not what sv starts.
mkdir "$SCRATCH/h/evil"
printf '#!/bin/sh\ntouch "%s/evil-ran"\n' "$SCRATCH/h" >"$SCRATCH/h/evil/sv-agent"
cp "$SCRATCH/h/evil/sv-agent" "$SCRATCH/h/evil/sv-main"
chmod 755 "$SCRATCH/h/evil/sv-agent" "$SCRATCH/h/evil/sv-main"
stop_agent
printf '%s' "$PASS" | PATH=$SCRATCH/h/evil:$PATH sv unlock --passphrase-fd 0 >/dev/null 2>&1
check "an sv-agent or sv-main elsewhere in PATH is not started" [ ! -e "$SCRATCH/h/evil-ran" ]
finish

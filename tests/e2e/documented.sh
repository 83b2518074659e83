#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `sv help` lists is in the manual page and the README, nothing there is made up, and completion works from the same rows.

. "${0%/*}/lib.sh"

man=$SV_SRC/packaging/man/sv.1
bash=$SV_SRC/packaging/completions/sv.bash
fish=$SV_SRC/packaging/completions/sv.fish

sv help --commands >"$CAPTURE/commands" 2>&1
sv help --options >"$CAPTURE/options" 2>&1
commands=$(cut -f1 "$CAPTURE/commands" | sort -u)
check "sv help --commands lists them" [ "$(printf '%s\n' "$commands" | wc -l)" -ge 20 ]

absent=
for command in $commands; do
	grep -q "^\.It Cm $command\>" "$man" || absent="$absent man:$command"
	grep -q "\`$command\`" "$SV_SRC/README.md" || absent="$absent README:$command"
	case $(sv help) in *"  $command "*) ;; *) absent="$absent help:$command" ;; esac
done
# Tab is no blank for read, so that an empty first field stays one.
tr '\t' '|' <"$CAPTURE/options" >"$CAPTURE/rows"
while IFS='|' read -r command names _; do
	for name in $(echo "$names" | tr ',' ' '); do
		grep -q -e "Fl ${name#-}\>" "$man" || absent="$absent man:$command$name"
	done
done <"$CAPTURE/rows"
same "every command is in the manual page and the README, every option in the manual page" "$absent" ''

extra=
documented=$(sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' "$man" | sort -u)
for command in $documented; do
	case " $(echo "$commands" | tr '\n' ' ') " in *" $command "*) ;; *) extra="$extra $command" ;; esac
done
same "the manual page has no command that is not there" "$extra" ''

# The completions themselves, with a locked and with an unlocked vault: names only from the latter, no question ever.
init_vault || bail "init failed"
put npm/read-token "$CANARY"
put npm/publish "$CANARY"
if have bash; then
	complete_bash() {
		# shellcheck disable=SC2016  # for bash
		timeout 20 bash --norc -c 'source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; COMPREPLY=(); _sv 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' \
			bash "$bash" "$1" </dev/null | sort | tr '\n' ' '
	}
	same "bash completes commands" "$(complete_bash 'sv unl')" 'unlock '
	same "bash completes groups" "$(complete_bash 'sv get np')" 'npm/ '
	same "bash completes names" "$(complete_bash 'sv get npm/')" 'npm/publish npm/read-token '
	same "bash completes VAR=NAME" "$(complete_bash 'sv exec -s X=npm/r')" 'npm/read-token '
	same "bash completes options" "$(complete_bash 'sv exec --dry')" '--dry-run '
	sv lock
	same "bash asks nothing of a locked vault" "$(complete_bash 'sv get np')" ' '
	unlock_vault >/dev/null 2>&1
else
	skip "bash completion" "bash is not installed"
fi
if have fish; then
	complete_fish() {
		timeout 20 fish --no-config -c "source '$fish'; complete -C '$1'" </dev/null 2>/dev/null | cut -f1 | sort | tr '\n' ' '
	}
	like "fish completes commands" "$(complete_fish 'sv unl')" '*unlock*'
	like "fish completes names" "$(complete_fish 'sv get npm/')" '*npm/publish npm/read-token*'
	like "fish completes VAR=NAME" "$(complete_fish 'sv exec -s X=npm/')" '*X=npm/publish X=npm/read-token*'
	sv lock
	case $(complete_fish 'sv get npm/') in *npm/read*) not_ok "fish asks nothing of a locked vault" ;; *) ok "fish asks nothing of a locked vault" ;; esac
else
	skip "fish completion" "fish is not installed"
fi
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `sv help` lists is in the manual page, in the completions of three shells and in the README; and nothing there is made up.

. "${0%/*}/lib.sh"

man=$SV_SRC/packaging/man/sv.1
bash=$SV_SRC/packaging/completions/sv.bash
zsh=$SV_SRC/packaging/completions/_sv
fish=$SV_SRC/packaging/completions/sv.fish

# Commands stand at the start of indented lines of `sv help`.
sv help >"$CAPTURE/help" 2>/dev/null
commands=$(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' "$CAPTURE/help" | sort -u)
check "sv help lists commands" [ "$(printf '%s\n' "$commands" | wc -l)" -ge 20 ]

absent=
for command in $commands; do
	grep -q "^\.It Cm $command\>" "$man" || absent="$absent man:$command"
	grep -qw -e "$command" "$bash" || absent="$absent bash:$command"
	grep -qw -e "$command" "$zsh" || absent="$absent zsh:$command"
	grep -qw -e "$command" "$fish" || absent="$absent fish:$command"
	grep -q "[\`| ]$command\>" "$SV_SRC/README.md" || absent="$absent README:$command"
	for option in $(sv help "$command" 2>/dev/null | grep -o -e '--[a-z][a-z-]*' | sort -u); do
		case $option in
		--env | --json | --quiet | --no-prompt | --color | --help) continue ;;
		esac
		grep -qF -e "Fl -${option#--}" "$man" || absent="$absent man:$command$option"
		grep -q -e "$option\>" "$bash" || absent="$absent bash:$command$option"
		grep -q -e "$option\>" "$zsh" || absent="$absent zsh:$command$option"
		grep -q -e "-l ${option#--}\>" "$fish" || absent="$absent fish:$command$option"
	done
done
same "every command and option is in the manual page, the completions and the README" "$absent" ''

extra=
documented=$(sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' "$man" | sort -u)
for command in $documented; do
	case " $(echo "$commands" | tr '\n' ' ') " in *" $command "*) ;; *) extra="$extra $command" ;; esac
done
same "the manual page has no command that is not there" "$extra" ''

# The completions themselves, with a locked and with an unlocked vault: names only from the latter, no question ever.
init_vault || skip_all "init failed"
put npm/read-token "$CANARY"
put npm/publish "$CANARY"
if have bash; then
	complete_bash() {
		# shellcheck disable=SC2016  # for bash
		timeout 20 bash --norc -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _sv 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' \
			bash "$bash" "$@" </dev/null | sort | tr '\n' ' '
	}
	same "bash completes commands" "$(complete_bash sv unl)" 'unlock '
	same "bash completes groups" "$(complete_bash sv get np)" 'npm/ '
	same "bash completes names" "$(complete_bash sv get npm/)" 'npm/publish npm/read-token '
	same "bash completes VAR=NAME" "$(complete_bash sv exec -s X=npm/r)" 'X=npm/read-token '
	same "bash completes options" "$(complete_bash sv exec --dry)" '--dry-run '
	sv lock
	same "bash asks nothing of a locked vault" "$(complete_bash sv get np)" ' '
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

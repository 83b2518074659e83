# SPDX-License-Identifier: Apache-2.0
# Completion of sv for bash.  Names and environments are asked of an unlocked vault only; nothing is ever prompted for.

_sv_ask() { sv --no-prompt -q "$@" 2>/dev/null </dev/null; }
_sv_unlocked() { sv -q status >/dev/null 2>&1 </dev/null; }

# Names that start with the word, and the groups on the way to them.
_sv_names() {
	_sv_unlocked || return
	local word=$1 prefix=$2 name
	compopt -o nospace 2>/dev/null
	while IFS= read -r name; do
		[[ $name == "$word"* ]] || continue
		local rest=${name#"$word"}
		if [[ $rest == */* ]]; then
			COMPREPLY+=("$prefix$word${rest%%/*}/")
		else
			COMPREPLY+=("$prefix$name")
		fi
	done < <(if [[ -n $_sv_env ]]; then _sv_ask -e "$_sv_env" ls; else _sv_ask ls; fi)
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} != */ ]] && compopt +o nospace 2>/dev/null
	local IFS=$'\n'
	mapfile -t COMPREPLY < <(printf '%s\n' "${COMPREPLY[@]}" | sort -u)
}

_sv_environments() {
	_sv_unlocked || return
	mapfile -t COMPREPLY < <(compgen -W "$(_sv_ask env list | awk '{ print $1 }')" -- "$1")
}

_sv_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_sv() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' index word _sv_env='' sub=''
	COMPREPLY=()
	# bash splits at = and : as well; a whole word is wanted for -s VAR=NAME.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n '=:' cur prev
	fi
	for ((index = 1; index < COMP_CWORD; index++)); do
		word=${COMP_WORDS[index]}
		case $word in
		-e | --env) _sv_env=${COMP_WORDS[index + 1]} && ((index++)) ;;
		--color) ((index++)) ;;
		--)
			if [[ $command == exec ]]; then
				if declare -F _command_offset >/dev/null; then _command_offset $((index + 1)); fi
				return
			fi
			;;
		-*) ;;
		*) if [[ -z $command ]]; then command=$word; elif [[ -z $sub ]]; then sub=$word; fi ;;
		esac
	done
	case $prev in
	-e | --env)
		_sv_environments "$cur"
		return
		;;
	--to-env)
		_sv_environments "$cur"
		return
		;;
	--color)
		_sv_words 'auto always never' "$cur"
		return
		;;
	--kdf)
		_sv_words 'interactive moderate sensitive' "$cur"
		return
		;;
	--passphrase-fd | --new-passphrase-fd | --recovery-fd | --fd | --for | --idle | --version | --if-version) return ;;
	--var | --desc | --owner | --url | --type | --expires | --rotate | --tag | --scope | --prefix) return ;;
	-s | --select)
		if [[ $cur == *=* ]]; then _sv_names "${cur#*=}" "${cur%%=*}="; else _sv_names "$cur" ''; fi
		return
		;;
	esac
	local globals='-e --env --json -q --quiet --no-prompt --color -h --help'
	if [[ -z $command ]]; then
		if [[ $cur == -* ]]; then _sv_words "$globals --version" "$cur"; else _sv_words "init unlock lock status add set get show ls rm mv cp undo history restore diff env exec passwd keys verify backup restore-backup help version" "$cur"; fi
		return
	fi
	if [[ $cur == -* ]]; then
		local options=''
		case $command in
		init) options='--passphrase-fd --kdf --recovery-fd --no-recovery' ;;
		unlock) options='--for --idle --passphrase-fd --recovery --accept-rollback' ;;
		add) options='--var --desc --owner --url --type --expires --rotate --tag --scope --generate --fd --raw --allow-empty' ;;
		set) options='--var --desc --owner --url --type --expires --rotate --tag --scope --generate --fd --raw --allow-empty --keep-value --if-version' ;;
		get) options='--version --copy --raw' ;;
		show) options='--version --reveal -f --force' ;;
		ls) options='-l --long' ;;
		rm) options='-y --yes' ;;
		mv) options='--to-env -f --force' ;;
		cp) options='--to-env -f --force' ;;
		undo) options='-n --dry-run' ;;
		diff) options='--reveal' ;;
		env) options='--standalone -f --force -a --all' ;;
		exec) options='-s --select --all --prefix --keep --force --allow-empty --dry-run' ;;
		passwd) options='--passphrase-fd --new-passphrase-fd --recovery --kdf --recovery-fd --no-recovery' ;;
		keys) options='--passphrase-fd --recovery-fd' ;;
		backup) options='-f --force' ;;
		restore-backup) options='--passphrase-fd --recovery' ;;
		esac
		_sv_words "$options $globals" "$cur"
		return
	fi
	case $command in
	get | set | show | rm | mv | cp | history | restore | diff | ls | edit) _sv_names "$cur" '' ;;
	add) _sv_names "$cur" '' ;;
	help) _sv_words "init unlock lock status add set get show ls rm mv cp undo history restore diff env exec passwd keys verify backup restore-backup help version exit-codes" "$cur" ;;
	env)
		if [[ -z $sub ]]; then _sv_words 'list create rename remove copy diff' "$cur"; else _sv_environments "$cur"; fi
		;;
	keys) if [[ -z $sub ]]; then _sv_words 'list recovery' "$cur"; else _sv_words 'renew remove' "$cur"; fi ;;
	backup | restore-backup) compopt -o default ;;
	esac
}
complete -F _sv sv

# SPDX-License-Identifier: Apache-2.0
# Completion of sv for bash.  Commands and options come from sv itself; names and environments are asked of an unlocked vault
# only; nothing is ever prompted for.

_sv_ask() { sv --no-prompt -q "$@" 2>/dev/null </dev/null; }
_sv_unlocked() { sv -q status >/dev/null 2>&1 </dev/null; }

_sv_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

# Names that start with $1, level by level; $2 stands in front of each (VAR=).
_sv_names() {
	_sv_unlocked || return
	local word=$1 prefix=$2 env=$3 name rest
	local -a found=()
	while IFS= read -r name; do
		[[ $name == "$word"* ]] || continue
		rest=${name#"$word"}
		if [[ $rest == */* ]]; then found+=("$prefix$word${rest%%/*}/"); else found+=("$prefix$name"); fi
	done < <(if [[ -n $env ]]; then _sv_ask -e "$env" ls; else _sv_ask ls; fi)
	((${#found[@]})) || return
	mapfile -t COMPREPLY < <(printf '%s\n' "${found[@]}" | sort -u)
	# A group is not the end of a name.
	if [[ ${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}

_sv_environments() {
	_sv_unlocked || return
	_sv_words "$(_sv_ask env list | awk '{ print $1 }')" "$1"
}

# bash divides words at = and : ; what stands in front of the last one must not be given back.
_sv_rejoin() {
	local cut=${1%"${1##*[=:]}"} i
	[[ -n $cut && $COMP_WORDBREAKS == *[=:]* ]] || return
	for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$cut"}; done
}

_sv() {
	local line=${COMP_LINE:0:COMP_POINT} cur prev command='' sub='' env='' skip='' word arg
	local -a words
	# Words as the shell will see them, not as readline divides them; quotes are rare in names.
	read -ra words <<<"$line"
	[[ $line == *[[:blank:]] ]] && words+=('')
	cur=${words[${#words[@]} - 1]}
	prev=${words[${#words[@]} - 2]}
	COMPREPLY=()
	local options
	options=$(sv help --options 2>/dev/null </dev/null)
	# arg_of OPTION: what the option wants behind it, of this command or everywhere.
	_sv_arg_of() { awk -F '\t' -v c="$command" -v o="$1" '$1 == c || $1 == "" { n = split($2, a, ","); for (i = 1; i <= n; i++) if (a[i] == o) { print $3; exit } }' <<<"$options"; }
	local index
	for ((index = 1; index < ${#words[@]} - 1; index++)); do
		word=${words[index]}
		if [[ -n $skip ]]; then
			[[ $skip == ENV ]] && env=$word
			skip=''
			continue
		fi
		case $word in
		--)
			if [[ $command == exec ]]; then
				if declare -F _command_offset >/dev/null; then _command_offset $((index + 1)); else mapfile -t COMPREPLY < <(compgen -c -- "$cur"); fi
			fi
			return
			;;
		--*=*) ;;
		-*) skip=$(_sv_arg_of "$word") && [[ $word == --generate ]] && skip='' ;;
		*) if [[ -z $command ]]; then command=$word; elif [[ -z $sub ]]; then sub=$word; fi ;;
		esac
	done
	if [[ -n $skip ]]; then
		arg=$skip
		case $arg in
		ENV) _sv_environments "$cur" ;;
		LEVEL) _sv_words 'interactive moderate sensitive' "$cur" ;;
		WHAT)
			if [[ $cur == *=* ]]; then _sv_names "${cur#*=}" "${cur%%=*}=" "$env"; else _sv_names "$cur" '' "$env"; fi
			_sv_rejoin "$cur"
			;;
		*) [[ $prev == --color ]] && _sv_words 'auto always never' "$cur" ;;
		esac
		return
	fi
	if [[ $cur == -* ]]; then
		_sv_words "$(awk -F '\t' -v c="$command" '$1 == c || $1 == "" { gsub(",", " ", $2); print $2 }' <<<"$options")" "$cur"
		return
	fi
	if [[ -z $command ]]; then
		_sv_words "$(sv help --commands 2>/dev/null </dev/null | cut -f1)" "$cur"
		return
	fi
	case $command in
	add | get | set | show | rm | mv | cp | history | restore | diff | ls) _sv_names "$cur" '' "$env" ;;
	help) _sv_words "exit-codes $(sv help --commands 2>/dev/null </dev/null | cut -f1)" "$cur" ;;
	env) if [[ -z $sub ]]; then _sv_words 'list create rename remove copy diff' "$cur"; else _sv_environments "$cur"; fi ;;
	keys) if [[ -z $sub ]]; then _sv_words 'list recovery' "$cur"; else _sv_words 'renew remove' "$cur"; fi ;;
	exec) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	*) compopt -o default 2>/dev/null ;;
	esac
}
complete -F _sv sv

# SPDX-License-Identifier: Apache-2.0
# Completion of sv for fish.  Commands and options come from sv itself.  Names and environments are asked of an unlocked vault only; nothing is ever prompted for.

function __sv_unlocked
	sv -q status >/dev/null 2>&1 </dev/null
end

function __sv_names
	__sv_unlocked; or return
	set -l words (commandline -opc)
	set -l env
	for i in (seq (count $words))
		if contains -- $words[$i] -e --env; and test $i -lt (count $words)
			set env -e $words[(math $i + 1)]
		end
	end
	sv --no-prompt -q $env ls 2>/dev/null </dev/null
end

# VAR=NAME keeps its first half.
function __sv_selections
	set -l word (commandline -ct)
	if string match -q '*=*' -- $word
		set -l var (string split -m 1 = -- $word)[1]
		for name in (__sv_names)
			echo $var=$name
		end
	else
		__sv_names
	end
end

function __sv_environments
	__sv_unlocked; or return
	sv --no-prompt -q env list 2>/dev/null </dev/null | string replace -r '\s.*' ''
end

complete -c sv -f
complete -c sv -s e -l env -x -a '(__sv_environments)' -d 'the environment'
complete -c sv -l json -d 'machine-readable output'
complete -c sv -s q -l quiet -d 'say nothing but errors'
complete -c sv -l no-prompt -d 'never ask on the terminal'
complete -c sv -l color -x -a 'auto always never' -d 'when to use colours'
complete -c sv -s h -l help -d 'explain the command'

# Command and option rows come from sv itself.
function __sv_commands
	sv help --commands 2>/dev/null </dev/null | while read -l -d \t name synopsis about
		printf '%s\t%s\n' $name $about
	end
end

set -l commands (__sv_commands | string replace -r '\t.*' '')
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a '(__sv_commands)'
sv help --options 2>/dev/null </dev/null | while read -l -d \t command names arg about
	test -n "$command"; or continue
	set -l switches
	for name in (string split , -- $names)
		if string match -q -- '--*' $name
			set -a switches -l (string sub -s 3 -- $name)
		else
			set -a switches -s (string sub -s 2 -- $name)
		end
	end
	switch "$arg"
		case ''
		case ENV
			set -a switches -x -a '(__sv_environments)'
		case LEVEL
			set -a switches -x -a 'interactive moderate sensitive'
		case WHAT
			set -a switches -x -a '(__sv_selections)'
		case SPEC
		case '*'
			set -a switches -x
	end
	complete -c sv -n "__fish_seen_subcommand_from $command" $switches -d $about
end
complete -c sv -n '__fish_seen_subcommand_from get set add show ls rm mv cp history restore diff' -a '(__sv_names)'
complete -c sv -n '__fish_seen_subcommand_from env' -a 'list create rename remove copy diff (__sv_environments)'
complete -c sv -n '__fish_seen_subcommand_from keys' -a 'list recovery renew remove'
complete -c sv -n '__fish_seen_subcommand_from help' -a "$commands exit-codes"
complete -c sv -n '__fish_seen_subcommand_from backup restore-backup' -F
complete -c sv -n '__fish_seen_subcommand_from exec' -a '(__fish_complete_subcommand --fcs-skip=2)'

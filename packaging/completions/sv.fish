# SPDX-License-Identifier: Apache-2.0
# Completion of sv for fish.  Names and environments are asked of an unlocked vault only; nothing is ever prompted for.

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

set -l commands init unlock lock status add set get show ls rm mv cp undo history restore diff env exec passwd keys verify backup restore-backup help version
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a init -d 'create the vault'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a unlock -d 'open the vault for a while'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a lock -d 'forget the keys until the next unlock'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a status -d 'say whether the vault is unlocked'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a add -d 'store a new secret'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a set -d 'store a secret, as a new version when it exists'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a get -d 'print the value of a secret'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a show -d 'show secrets with their values masked'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a ls -d 'list the names of secrets'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a rm -d 'delete secrets'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a mv -d 'rename a secret or a group'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a cp -d 'copy a secret or a group'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a undo -d 'take back the last change'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a history -d 'list the versions of a secret'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a restore -d 'bring back an old version'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a diff -d 'compare two versions of a secret'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a env -d 'look after environments'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a exec -d 'run a command with secrets in its environment'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a passwd -d 'change the passphrase and all keys'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a keys -d 'list the key slots, renew the recovery code'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a verify -d 'check the whole vault'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a backup -d 'copy the encrypted vault'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a restore-backup -d 'put a backup in the place of the vault'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a help -d 'explain a command'
complete -c sv -n "not __fish_seen_subcommand_from $commands" -a version -d 'print the version'
complete -c sv -n '__fish_seen_subcommand_from init' -l passphrase-fd -x -d 'read the passphrase from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from init' -l kdf -x -a 'interactive moderate sensitive' -d 'cost of the key derivation'
complete -c sv -n '__fish_seen_subcommand_from init' -l recovery-fd -x -d 'write the recovery code to a descriptor'
complete -c sv -n '__fish_seen_subcommand_from init' -l no-recovery -d 'make no recovery code'
complete -c sv -n '__fish_seen_subcommand_from unlock' -l for -x -d 'lock at latest after this time'
complete -c sv -n '__fish_seen_subcommand_from unlock' -l idle -x -d 'lock after this time without use'
complete -c sv -n '__fish_seen_subcommand_from unlock' -l passphrase-fd -x -d 'read the passphrase from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from unlock' -l recovery -d 'open it with the recovery code'
complete -c sv -n '__fish_seen_subcommand_from unlock' -l accept-rollback -d 'take a file that is older than the one seen'
complete -c sv -n '__fish_seen_subcommand_from add' -l var -x -d 'the variable name'
complete -c sv -n '__fish_seen_subcommand_from add' -l desc -x -d 'what it is for'
complete -c sv -n '__fish_seen_subcommand_from add' -l owner -x -d 'who looks after it'
complete -c sv -n '__fish_seen_subcommand_from add' -l url -x -d 'where a new one is made'
complete -c sv -n '__fish_seen_subcommand_from add' -l type -x -d 'what kind it is'
complete -c sv -n '__fish_seen_subcommand_from add' -l expires -x -d 'when it stops working'
complete -c sv -n '__fish_seen_subcommand_from add' -l rotate -x -d 'how often it should be renewed'
complete -c sv -n '__fish_seen_subcommand_from add' -l tag -x -d 'a tag'
complete -c sv -n '__fish_seen_subcommand_from add' -l scope -x -d 'a scope'
complete -c sv -n '__fish_seen_subcommand_from add' -l generate -d 'make a random value'
complete -c sv -n '__fish_seen_subcommand_from add' -l fd -x -d 'read the value from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from add' -l raw -d 'keep the line feed at the end'
complete -c sv -n '__fish_seen_subcommand_from add' -l allow-empty -d 'store an empty value'
complete -c sv -n '__fish_seen_subcommand_from set' -l var -x -d 'the variable name'
complete -c sv -n '__fish_seen_subcommand_from set' -l desc -x -d 'what it is for'
complete -c sv -n '__fish_seen_subcommand_from set' -l owner -x -d 'who looks after it'
complete -c sv -n '__fish_seen_subcommand_from set' -l url -x -d 'where a new one is made'
complete -c sv -n '__fish_seen_subcommand_from set' -l type -x -d 'what kind it is'
complete -c sv -n '__fish_seen_subcommand_from set' -l expires -x -d 'when it stops working'
complete -c sv -n '__fish_seen_subcommand_from set' -l rotate -x -d 'how often it should be renewed'
complete -c sv -n '__fish_seen_subcommand_from set' -l tag -x -d 'a tag'
complete -c sv -n '__fish_seen_subcommand_from set' -l scope -x -d 'a scope'
complete -c sv -n '__fish_seen_subcommand_from set' -l generate -d 'make a random value'
complete -c sv -n '__fish_seen_subcommand_from set' -l fd -x -d 'read the value from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from set' -l raw -d 'keep the line feed at the end'
complete -c sv -n '__fish_seen_subcommand_from set' -l allow-empty -d 'store an empty value'
complete -c sv -n '__fish_seen_subcommand_from set' -l keep-value -d 'change metadata only'
complete -c sv -n '__fish_seen_subcommand_from set' -l if-version -x -d 'only when this is the current version'
complete -c sv -n '__fish_seen_subcommand_from get' -l version -x -d 'an older version'
complete -c sv -n '__fish_seen_subcommand_from get' -l copy -d 'to the clipboard'
complete -c sv -n '__fish_seen_subcommand_from get' -l raw -d 'control characters as they are'
complete -c sv -n '__fish_seen_subcommand_from show' -l version -x -d 'an older version'
complete -c sv -n '__fish_seen_subcommand_from show' -l reveal -d 'show values on a terminal'
complete -c sv -n '__fish_seen_subcommand_from show' -s f -l force -d 'with --reveal: into a pipe too'
complete -c sv -n '__fish_seen_subcommand_from ls' -s l -l long -d 'with variable, environment and expiry'
complete -c sv -n '__fish_seen_subcommand_from rm' -s y -l yes -d 'delete groups without asking'
complete -c sv -n '__fish_seen_subcommand_from mv' -l to-env -x -a '(__sv_environments)' -d 'into another environment'
complete -c sv -n '__fish_seen_subcommand_from mv' -s f -l force -d 'replace what is there'
complete -c sv -n '__fish_seen_subcommand_from cp' -l to-env -x -a '(__sv_environments)' -d 'into another environment'
complete -c sv -n '__fish_seen_subcommand_from cp' -s f -l force -d 'replace what is there'
complete -c sv -n '__fish_seen_subcommand_from undo' -s n -l dry-run -d 'say what would be taken back'
complete -c sv -n '__fish_seen_subcommand_from diff' -l reveal -d 'show both values on a terminal'
complete -c sv -n '__fish_seen_subcommand_from env' -l standalone -d 'create: does not inherit'
complete -c sv -n '__fish_seen_subcommand_from env' -s f -l force -d 'remove: with its secrets; copy: replace'
complete -c sv -n '__fish_seen_subcommand_from env' -s a -l all -d 'diff: also what is the same'
complete -c sv -n '__fish_seen_subcommand_from exec' -s s -l select -x -a '(__sv_selections)' -d 'NAME, VAR=NAME or GROUP/'
complete -c sv -n '__fish_seen_subcommand_from exec' -l all -d 'every secret of the environment'
complete -c sv -n '__fish_seen_subcommand_from exec' -l prefix -x -d 'secrets whose variable starts so'
complete -c sv -n '__fish_seen_subcommand_from exec' -l keep -d 'variables that are set stay'
complete -c sv -n '__fish_seen_subcommand_from exec' -l force -d 'allow PATH, LD_PRELOAD and the like'
complete -c sv -n '__fish_seen_subcommand_from exec' -l allow-empty -d 'allow empty values'
complete -c sv -n '__fish_seen_subcommand_from exec' -l dry-run -d 'list, run nothing'
complete -c sv -n '__fish_seen_subcommand_from passwd' -l passphrase-fd -x -d 'read the present passphrase from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from passwd' -l new-passphrase-fd -x -d 'read the new passphrase from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from passwd' -l recovery -d 'prove it with the recovery code'
complete -c sv -n '__fish_seen_subcommand_from passwd' -l kdf -x -a 'interactive moderate sensitive' -d 'cost of the key derivation'
complete -c sv -n '__fish_seen_subcommand_from passwd' -l recovery-fd -x -d 'write the recovery code to a descriptor'
complete -c sv -n '__fish_seen_subcommand_from passwd' -l no-recovery -d 'no recovery code afterwards'
complete -c sv -n '__fish_seen_subcommand_from keys' -l passphrase-fd -x -d 'read the passphrase from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from keys' -l recovery-fd -x -d 'write the recovery code to a descriptor'
complete -c sv -n '__fish_seen_subcommand_from backup' -s f -l force -d 'replace an existing file'
complete -c sv -n '__fish_seen_subcommand_from restore-backup' -l passphrase-fd -x -d 'read the backup\'s passphrase from a descriptor'
complete -c sv -n '__fish_seen_subcommand_from restore-backup' -l recovery -d 'open it with its recovery code'
complete -c sv -n '__fish_seen_subcommand_from get set add show ls rm mv cp history restore diff' -a '(__sv_names)'
complete -c sv -n '__fish_seen_subcommand_from env' -a 'list create rename remove copy diff (__sv_environments)'
complete -c sv -n '__fish_seen_subcommand_from keys' -a 'list recovery renew remove'
complete -c sv -n '__fish_seen_subcommand_from help' -a "$commands exit-codes"
complete -c sv -n '__fish_seen_subcommand_from backup restore-backup' -F
complete -c sv -n '__fish_seen_subcommand_from exec' -a '(__fish_complete_subcommand --fcs-skip=2)'

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Environments: layered over default, or standing alone.

. "${0%/*}/lib.sh"

init_vault || bail "init failed"
put db/password "$CANARY-default"
put db/host "$CANARY-host"
run sv env list
gave "there is default" 0 '*default*' ''
run sv env create dev
gave "env create" 0 '' '*'
run sv env create dev
gave "twice is refused" 7 '' 'sv: error: *'
run sv env create production --standalone
gave "env create --standalone" 0 '' '*'
run sv env list
gave "env list" 0 '*default*dev*production*' ''
put db/password "$CANARY-dev" -e dev
run sv -e dev get db/password
gave_exact "what is set in the environment wins" 0 "$CANARY-dev" ''
run sv -e dev get db/host
gave_exact "what it lacks comes from default" 0 "$CANARY-host" ''
run sv get db/password
gave_exact "default stays as it was" 0 "$CANARY-default" ''
run sv -e production get db/host
gave "a standalone one inherits nothing" 4 '' 'sv: error: *production*'
run sv -e production ls
gave_exact "and lists nothing" 0 '' ''
run sv -e dev ls
gave_exact "ls of dev has both" 0 "db/host${NL}db/password" ''
run env SV_ENV=dev sv get db/password
gave_exact "SV_ENV" 0 "$CANARY-dev" ''
run env SV_ENV=dev sv -e default get db/password
gave_exact "-e wins over SV_ENV" 0 "$CANARY-default" ''
run sv -e nowhere get db/host
gave "an unknown environment" 4 '' 'sv: error: *nowhere*'
run sv -e 'no/where' get db/host
gave "one that cannot be" 2 '' 'sv: error: *'
run sv env diff default dev
gave "diff of two environments names what differs" 0 '*db/password*' ''
case $OUT$ERR in *"$CANARY"*) not_ok "without values" ;; *) ok "without values" ;; esac
run sv -e dev rm db/password
run sv -e dev get db/password
gave_exact "removed in dev, default shows through again" 0 "$CANARY-default" ''
run sv undo
run sv -e dev get db/password
gave_exact "undo" 0 "$CANARY-dev" ''
run sv env remove dev
gave "removing an environment that holds secrets needs --force" 7 '' 'sv: error: *--force*'
run sv env remove --force dev
gave "env remove --force" 0 '' '*'
run sv -e dev get db/password
gave "is gone" 4 '' 'sv: error: *'
run sv undo
run sv -e dev get db/password
gave_exact "and undone" 0 "$CANARY-dev" ''
run sv env rename dev stage
gave "env rename" 0 '' '*'
run sv -e stage get db/password
gave_exact "with what is in it" 0 "$CANARY-dev" ''
run sv env remove default
same "default cannot be removed" "$([ "$STATUS" != 0 ] && echo refused)" refused
finish

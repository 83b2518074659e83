#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups that are consistent while others write, and vaults that someone altered: refused with 8, nothing modified.

. "${0%/*}/lib.sh"

PY=$(command -v /usr/bin/python3 || command -v python3) || PY=

init_vault || bail "init failed"
put keep "$CANARY"
put other "$CANARY-other"
run sv verify
gave "verify of a whole vault" 0 '*' '*'

# ---- backup
run sv backup "$HOME/b1.db"
gave "backup" 0 '*' '*'
same "the copy is for its owner only" "$(stat -c %a "$HOME/b1.db")" 600
run sv backup "$HOME/b1.db"
gave "backup does not overwrite" 7 '' 'sv: error: *'
run sv backup "$HOME/no/such/dir/b.db"
gave "nor invent directories" '1' '' 'sv: error: *'
(
	number=0
	while [ $number -lt 60 ]; do
		number=$((number + 1))
		put "w/$number" "$CANARY-w$number"
	done
) &
writer=$!
backups=0
while kill -0 "$writer" 2>/dev/null && [ $backups -lt 8 ]; do
	backups=$((backups + 1))
	sv -q backup "$HOME/w$backups.db" >/dev/null 2>&1 || echo "backup $backups failed" >>"$CAPTURE/wfail"
done
wait "$writer"
check "$backups backups while another writes all succeed" [ ! -e "$CAPTURE/wfail" ]
same "and nothing that was written is lost" "$(sv ls w/ | wc -l | tr -d ' ')" 60
whole=0
for number in $(seq 1 $backups); do
	SV_VAULT=$HOME/w$number.db SV_SOCKET=$XDG_RUNTIME_DIR/w/s XDG_STATE_HOME=$SCRATCH/w$number
	export SV_VAULT SV_SOCKET XDG_STATE_HOME
	unlock_vault >/dev/null 2>"$CAPTURE/err" && sv verify >/dev/null 2>&1 && [ "$(sv get keep)" = "$CANARY" ] && whole=$((whole + 1))
	stop_agent
	unset SV_VAULT SV_SOCKET
	XDG_STATE_HOME=$HOME/.local/state
done
same "each of them opens and is whole" "$whole" "$backups"

# ---- restore-backup
put keep "$CANARY-later"
printf '%s' "$PASS" | sv restore-backup --passphrase-fd 0 "$HOME/b1.db" >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "restore-backup" 0 '*' '*'
unlock_vault >/dev/null 2>&1
run sv get keep
gave_exact "the vault is the backup's" 0 "$CANARY" ''
check "and the former file is kept" [ "$(find "${VAULT%/*}" -name 'vault.db?*' -type f ! -name '*-journal' | wc -l)" -ge 1 ]
head -c 8192 /dev/urandom >"$HOME/junk.db"
chmod 600 "$HOME/junk.db"
printf '%s' "$PASS" | sv restore-backup --passphrase-fd 0 "$HOME/junk.db" >"$CAPTURE/out" 2>"$CAPTURE/err"
STATUS=$? OUT=$(cat "$CAPTURE/out") ERR=$(cat "$CAPTURE/err")
gave "a backup that is none is refused" 8 '' 'sv: error: *'
run sv get keep
gave_exact "and the vault stays" 0 "$CANARY" ''

# ---- altered files
sv lock
stop_agent
good=$CAPTURE/good.db
cp "$VAULT" "$good"
size=$(stat -c %s "$good")
# with FILE COMMAND...: an agent of its own, the state directory of this vault or of nobody
altered() {
	before=$(cksum <"$VAULT")
	feed "$PASS" sv --no-prompt unlock --passphrase-fd 0
	gave "$1: refused" 8 '' 'sv: error: *'
	like "$1: the advice names verify or a backup" "$ERR" '*sv *'
	run sv --no-prompt get keep
	same "$1: nothing is released" "$([ "$STATUS" != 0 ] && [ -z "$OUT" ] && echo nothing)" nothing
	stop_agent
	same "$1: the file is as it was" "$(cksum <"$VAULT")" "$before"
	cp "$good" "$VAULT"
}
flip() {
	flip_byte=$(od -An -tu1 -j"$2" -N1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059  # the format is an octal escape
	printf "\\$(printf %03o $((flip_byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
half=$((size / 8192))
head -c $((half * 4096)) "$good" >"$VAULT"
altered "cut in half"
flip "$VAULT" 100
altered "a flipped bit in the schema page"
if [ -n "$PY" ]; then
	"$PY" - "$VAULT" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
tables = [r[0] for r in db.execute("select name from sqlite_schema where type='table' and name not like 'sqlite_%'")]
best = None
for t in tables:
    cols = [c[1] for c in db.execute(f"pragma table_info({t})")]
    for c in cols:
        for (v,) in db.execute(f"select {c} from {t}"):
            if isinstance(v, bytes) and len(v) > 200 and (best is None or len(v) > best[2]):
                best = (t, c, len(v))
t, c, _ = best
key = db.execute(f"select {c} from {t} where length({c})=(select max(length({c})) from {t})").fetchone()[0]
new = bytearray(key)
new[len(new) // 2] ^= 1
db.execute(f"update {t} set {c}=? where {c}=?", (bytes(new), key))
db.commit()
PY
	altered "one bit of a sealed value"
	"$PY" - "$VAULT" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("create table extra(x)")
db.commit()
PY
	altered "a table that does not belong there"
	"$PY" - "$VAULT" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
tables = [r[0] for r in db.execute("select name from sqlite_schema where type='table' and name not like 'sqlite_%'")]
t = max(tables, key=lambda n: db.execute(f"select count(*) from {n}").fetchone()[0])
cols = [c[1] for c in db.execute(f"pragma table_info({t})")]
db.execute(f"delete from {t} where {cols[0]}=(select max({cols[0]}) from {t})")
db.commit()
PY
	altered "a row deleted"
else
	skip "altered rows" "needs python3"
fi

# ---- rolled back
unlock_vault >/dev/null 2>&1
put keep "$CANARY-new"
sv lock
stop_agent
cp "$good" "$VAULT"
feed "$PASS" sv --no-prompt unlock --passphrase-fd 0
gave "an older copy put in the vault's place is refused" 8 '' 'sv: error: *older*'
run sv --no-prompt get keep
same "and nothing is released" "$([ "$STATUS" != 0 ] && [ -z "$OUT" ] && echo nothing)" nothing
stop_agent
feed "$PASS" sv unlock --accept-rollback --passphrase-fd 0
gave "until the person says so" 0 '' '*'
run sv get keep
gave_exact "then it is the older state" 0 "$CANARY" ''
finish

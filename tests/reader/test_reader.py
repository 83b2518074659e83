#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares sv_reader.py with the golden vault and the known answers; run by test_reader.sh."""
import json
import os
import sqlite3
import sys

reader_dir, vectors, work = sys.argv[1:4]
sys.path.insert(0, reader_dir)
import sv_reader as sv  # noqa: E402

PASS = b"correct horse battery staple"
golden = os.path.join(vectors, "golden.db")
bad = 0


def check(what, ok):
    global bad
    print("%s - %s" % ("ok" if ok else "not ok", what))
    bad += not ok


def refused(what, path, want, passphrase=PASS):
    try:
        sv.Vault(path, passphrase).dump()
        check(what + ": refused", False)
    except sv.Refused as e:
        check("%s: %s" % (what, e.args), e.args[0] == want)
    except sqlite3.Error:
        check(what + ": refused by SQLite", want == "integrity")


def altered(name, *sql):
    path = os.path.join(work, name)
    with open(golden, "rb") as f, open(path, "wb") as g:
        g.write(f.read())
    db = sqlite3.connect(path)
    for s in sql:
        db.execute(s)
    db.commit()
    db.close()
    return path


v = sv.Vault(golden, PASS)
with open(os.path.join(vectors, "golden.json")) as f:
    for e in json.load(f):
        check("%s %s" % (e["env"], e["name"]), v.get(e["env"].encode(), e["name"].encode()).hex() == e["value_hex"])
check("inherited", v.get(b"dev", b"empty") == b"")
check("every seal opens", len(v.dump()["rows"]) == v.nrec)
for env, name in ((b"alone", b"empty"), (b"default", b"gone"), (b"none", b"empty")):
    try:
        v.get(env, name)
        check("%s %s is not there" % (env, name), False)
    except sv.Refused as e:
        check("%s %s is not there" % (env, name), e.args[0] == "not-found")

refused("wrong passphrase", golden, "passphrase", b"wrong")
refused("deleted row", altered("1",
                               "DELETE FROM rec WHERE id = (SELECT min(id) FROM rec)"), "integrity")
refused("value of another row", altered("2", "UPDATE rec SET val = (SELECT val FROM rec ORDER BY id DESC LIMIT 1)"),
        "integrity")
refused("seq", altered("3", "UPDATE vault SET seq = seq - 1"), "integrity")
refused("weaker parameters", altered("4", "UPDATE slot SET ops = 2"), "passphrase")
refused("absurd parameters", altered("5", "UPDATE slot SET mem = 1 << 40"), "limits")
refused("added table", altered("6", "CREATE TABLE x(y)"), "integrity")
refused("newer format", altered("7", "PRAGMA user_version = 2"), "unsupported")

known = {}
with open(os.path.join(vectors, "vectors.txt")) as f:
    for line in f:
        if not line.startswith("#"):
            k, h = line.split()
            known[k] = bytes.fromhex(h)
w = sv.Vault.__new__(sv.Vault)
w.id, w.suite, w.epoch = known["vault_id"], 1, 3
w.derive(known["vmk"])
check("subkeys", (w.kmac, w.krec, w.knam, w.kwit) == tuple(known[k] for k in ("kmac", "krec", "knam", "kwit")))
check("tag", w.tag(2, 0, known["env_id"], known["name"]) == known["tag"])
row = (known["rec_id"], 7, known["tag"], known["meta"], known["val"])
check("leaf", w.leaf(row) == known["leaf"])
check("branch", sv.mac(w.kmac, b"sv1.brch", sv.u8(0x10), sv.u64(1), known["leaf"]) == known["branch_10"])
r = w.open_row(row)
check("record", r["value"] == b"hello" and r["name"] == b"npm/read-token" and r["meta"]["tags"] == ["a", "bb"])
p = known["witness_place_1"]
check("witness", p[:8] == b"svwit001" and sv.mac(w.kwit, b"sv1.witn", p[:72]) == p[72:])
s = known["slot"]
w.slots = [(s[0], s[1], s[2], int.from_bytes(s[3:11], "little"), int.from_bytes(s[11:19], "little"),
            s[19:35], s[35:67], s[67:91], s[91:])]
check("slot", w.unwrap(PASS, 1) == known["vmk"])
w.rows, w.seq, w.nrec, w.root, w.head, w.mac = [row], 9, 1, known["root"], known["head"], known["mac"]
try:
    w.check_state()
    check("root, head, state MAC", w.secrets == 1)
except sv.Refused as e:
    check("root, head, state MAC: %s" % (e.args,), False)
sys.exit(bad != 0)

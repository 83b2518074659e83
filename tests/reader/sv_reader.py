#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An independent reader of vault files, written from vault/FORMAT.md alone.

Uses sqlite3 and hashlib of the standard library, libsodium's AEAD through PyNaCl, and Argon2 through argon2-cffi
(Debian: python3-nacl python3-argon2).  It reads quiescent vaults only: no journal, no witness.

    sv_reader.py VAULT get ENV NAME       passphrase on standard input; the value to standard output
    sv_reader.py VAULT dump               everything as JSON (values in base64)

Exit status 0; 1 refused (one line on standard error: class and reason); 2 usage.
"""
import base64
import hashlib
import hmac
import json
import sqlite3
import struct
import sys

from argon2.low_level import Type, hash_secret_raw
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open
from nacl.exceptions import CryptoError

SCHEMA = {
    "vault": "CREATE TABLE vault(k INTEGER PRIMARY KEY CHECK(k=1), vault_id BLOB NOT NULL, suite INTEGER NOT NULL, "
             "key_epoch INTEGER NOT NULL, seq INTEGER NOT NULL, nrec INTEGER NOT NULL, root BLOB NOT NULL, "
             "head BLOB NOT NULL, mac BLOB NOT NULL) STRICT",
    "slot": "CREATE TABLE slot(id INTEGER PRIMARY KEY CHECK(id BETWEEN 0 AND 7), kind INTEGER NOT NULL, "
            "alg INTEGER NOT NULL, ops INTEGER NOT NULL, mem INTEGER NOT NULL, salt BLOB NOT NULL, cmt BLOB NOT NULL, "
            "nonce BLOB NOT NULL, wrapped BLOB NOT NULL) STRICT",
    "rec": "CREATE TABLE rec(id BLOB NOT NULL, rev INTEGER NOT NULL, tag BLOB NOT NULL, meta BLOB NOT NULL, "
           "val BLOB NOT NULL, PRIMARY KEY(id, rev)) STRICT, WITHOUT ROWID",
}
NO_ENV = bytes(16)


class Refused(Exception):
    """A vault that is not to be believed: class and reason."""


def u8(n):
    return struct.pack("<B", n)


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def mac(key, *parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32, key=key).digest()


def kdf(number, context, key):
    salt, person = u64(number) + bytes(8), context + bytes(8)
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=salt, person=person).digest()


def opened(key, aad, blob, what):
    try:
        return aead_open(blob[24:], aad, blob[:24], key)
    except CryptoError:
        raise Refused("integrity", what + " does not open") from None


def bucket(size):
    if size <= 4096:
        b = 256
        while b < size:
            b *= 2
        return b
    if size <= 65536:
        return (size + 4095) // 4096 * 4096
    s = 65536
    while size > 2 * s:
        s *= 2
    step = s // 8
    return (size + step - 1) // step * step


def unpad(plain):
    n = struct.unpack_from("<I", plain)[0]
    if 4 + n > len(plain) or bucket(4 + n) != len(plain) or any(plain[4 + n:]):
        raise Refused("integrity", "padding")
    return plain[4:4 + n]


def fields(body, known):
    out, last = {}, 0
    while body:
        if len(body) < 4:
            raise Refused("integrity", "field list")
        t, n = struct.unpack_from("<HH", body)
        number = t & 0x7FFF
        if number <= last or 4 + n > len(body):
            raise Refused("integrity", "field list")
        if number not in known and t & 0x8000:
            raise Refused("unsupported", "critical field %d" % number)
        if number in known and bool(t & 0x8000) != (number < 32):
            raise Refused("integrity", "critical bit")
        last = number
        if number in known:
            out[number] = body[4:4 + n]
        body = body[4 + n:]
    return out


def text_list(body):
    out = []
    while body:
        n = struct.unpack_from("<H", body)[0]
        out.append(body[2:2 + n].decode())
        body = body[2 + n:]
    return out


META = set(range(1, 13)) | set(range(32, 41))
TEXTS = {32: "var", 33: "desc", 34: "owner", 35: "url", 36: "type"}


def record(plain):
    f = fields(unpad(plain), META)
    if not {1, 2, 4, 5, 6, 7, 8, 9, 11} <= f.keys() or (f[1] == b"\2") != (3 in f):
        raise Refused("integrity", "missing field")
    number = lambda k: int.from_bytes(f[k], "little")  # noqa: E731
    r = {"kind": number(1), "state": number(2), "env_id": f.get(3, NO_ENV), "name": f[4],
         "txn": number(5), "verb": number(6),
         "created": number(7), "changed": number(8), "origin": number(9), "undo_of": number(10) if 10 in f else 0,
         "value_len": number(11), "standalone": 12 in f, "meta": {}}
    for k, name in TEXTS.items():
        if k in f:
            r["meta"][name] = f[k].decode()
    for k, name in ((37, "tags"), (38, "scopes")):
        if k in f:
            r["meta"][name] = text_list(f[k])
    for k, name in ((39, "expires"), (40, "rotate")):
        if k in f:
            r["meta"][name] = number(k)
    return r


class Vault:
    def __init__(self, path, passphrase, slot_kind=1):
        self.check_header(path)
        db = sqlite3.connect("file:" + path.replace("?", "%3f").replace("#", "%23") + "?mode=ro&immutable=1", uri=True)
        schema = {(t, n, tn): s for t, n, tn, s in db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")}
        if schema != {("table", n, n): s for n, s in SCHEMA.items()}:
            raise Refused("integrity", "schema")
        states = db.execute("SELECT vault_id, suite, key_epoch, seq, nrec, root, head, mac FROM vault").fetchall()
        if len(states) != 1:
            raise Refused("integrity", "state row")
        self.id, self.suite, self.epoch, self.seq, self.nrec, self.root, self.head, self.mac = states[0]
        if self.suite != 1:
            raise Refused("unsupported", "suite %d" % self.suite)
        self.slots = db.execute("SELECT id, kind, alg, ops, mem, salt, cmt, nonce, wrapped FROM slot "
                                "ORDER BY id").fetchall()
        self.derive(self.unwrap(passphrase, slot_kind))
        self.rows = db.execute("SELECT id, rev, tag, meta, val FROM rec ORDER BY id, rev").fetchall()
        db.close()
        self.check_state()

    @staticmethod
    def check_header(path):
        with open(path, "rb") as f:
            h = f.read(100)
            size = f.seek(0, 2)
        be = lambda at: int.from_bytes(h[at:at + 4], "big")  # noqa: E731
        if len(h) < 100 or h[:16] != b"SQLite format 3\0" or be(68) != 0x53765631:
            raise Refused("not-a-vault", "header")
        if be(60) > 1:
            raise Refused("unsupported", "format %d" % be(60))
        if be(60) != 1 or h[16:21] != b"\x10\0\1\1\0" or be(56) != 1 or size != be(28) * 4096:
            raise Refused("not-a-vault", "header")

    def unwrap(self, passphrase, slot_kind):
        for number, kind, alg, ops, mem, salt, cmt, nonce, wrapped in self.slots:
            if kind != slot_kind:
                continue
            if alg != 2 or not 1 <= ops <= 32 or not 8 << 20 <= mem <= 1 << 30:
                raise Refused("limits", "key derivation")
            pk = hash_secret_raw(passphrase, salt, time_cost=ops, memory_cost=mem // 1024, parallelism=1,
                                 hash_len=32, type=Type.ID)
            if not hmac.compare_digest(kdf(2, b"svKScmit", pk), cmt):
                raise Refused("passphrase", "wrong passphrase")
            aad = (b"sv1.slot" + u32(1) + u32(self.suite) + self.id + u64(self.epoch) + u8(number) + u8(kind) +
                   u8(alg) + u64(ops) + u64(mem) + salt)
            return opened(kdf(1, b"svKSwrap", pk), aad, nonce + wrapped, "key slot")
        raise Refused("passphrase", "no such slot")

    def derive(self, vmk):
        self.kmac, self.krec, self.knam = kdf(1, b"sv1.vmac", vmk), kdf(2, b"sv1.recs", vmk), kdf(3, b"sv1.name", vmk)
        self.kwit = kdf(4, b"sv1.witn", vmk)

    def leaf(self, row):
        rid, rev, tag, meta, val = row
        return mac(self.kmac, b"sv1.leaf", rid, tag, u64(rev), u32(len(meta)), meta, u32(len(val)), val)

    def check_state(self):
        branches = [[] for _ in range(256)]
        for row in self.rows:
            branches[row[0][0]].append(self.leaf(row))
        hashes = [mac(self.kmac, b"sv1.brch", u8(b), u64(len(x)), *x) for b, x in enumerate(branches)]
        root = mac(self.kmac, b"sv1.root", u64(len(self.rows)), *hashes)
        if len(self.rows) != self.nrec or not hmac.compare_digest(root, self.root):
            raise Refused("integrity", "root")
        slots = [u8(i) + u8(k) + u8(a) + u64(o) + u64(m) + s + c + n + w for i, k, a, o, m, s, c, n, w in self.slots]
        state = mac(self.kmac, b"sv1.stat", u32(1), u32(self.suite), self.id, u64(self.epoch), u64(self.seq),
                    u64(self.nrec), root, u32(len(self.head)), self.head, u8(len(slots)), *slots)
        if not hmac.compare_digest(state, self.mac):
            raise Refused("integrity", "state MAC")
        person = b"sv1.head" + u64(self.seq)
        key = hashlib.blake2b(b"", digest_size=32, key=self.krec, salt=self.id, person=person).digest()
        aad = b"sv1.head" + u32(self.suite) + self.id + u64(self.epoch) + u64(self.seq)
        head = fields(unpad(opened(key, aad, self.head, "head")), {1, 2, 3, 4, 32})
        self.secrets = int.from_bytes(head[3], "little")

    def tag(self, kind, state, env_id, name):
        return mac(self.knam, b"sv1.ntag", self.id, u8(kind), u8(state), env_id, name)

    def open_row(self, row):
        rid, rev, tag, meta, val = row
        rk = hashlib.blake2b(b"", digest_size=64, key=self.krec, salt=rid, person=b"sv1.rkey" + u64(rev)).digest()
        front, back = b"sv1.recd" + u32(self.suite) + self.id + u64(self.epoch), rid + u64(rev) + tag
        r = record(opened(rk[:32], front + u8(1) + back, meta, "metadata"))
        r["value"] = unpad(opened(rk[32:], front + u8(2) + back, val, "value"))
        r["rev"], r["id"] = rev, rid
        if len(r["value"]) != r["value_len"]:
            raise Refused("integrity", "value length")
        if not hmac.compare_digest(tag, self.tag(r["kind"], r["state"], r["env_id"], r["name"])):
            raise Refused("integrity", "name tag")
        return r

    def current(self):
        out = {}
        for row in self.rows:
            out[row[0]] = row
        return out.values()

    def find(self, kind, env_id, name):
        want = self.tag(kind, 0, env_id, name)
        for row in self.current():
            if hmac.compare_digest(row[2], want):
                return self.open_row(row)
        return None

    def get(self, env, name):
        e = self.find(1, NO_ENV, env)
        if e is None:
            raise Refused("not-found", "environment")
        r = self.find(2, e["id"], name)
        if r is None and not e["standalone"]:
            r = self.find(2, self.find(1, NO_ENV, b"default")["id"], name)
        if r is None:
            raise Refused("not-found", "secret")
        return r["value"]

    def dump(self):
        rows = [self.open_row(row) for row in self.rows]
        names = {r["id"]: r["name"].decode() for r in rows if r["kind"] == 1}
        out = []
        for r in rows:
            if r["kind"] == 2:
                r["env"] = names.get(r["env_id"], "?")
            r["name"] = r["name"].decode()
            r["value"] = base64.b64encode(r["value"]).decode()
            del r["id"], r["env_id"]
            out.append(r)
        out.sort(key=lambda r: (r["kind"], r.get("env", ""), r["name"], r["rev"]))
        return {"seq": self.seq, "key_epoch": self.epoch, "secrets": self.secrets, "rows": out}


def main(argv):
    if not (len(argv) == 5 and argv[2] == "get") and not (len(argv) == 3 and argv[2] == "dump"):
        sys.stderr.write("usage: sv_reader.py VAULT get ENV NAME | sv_reader.py VAULT dump\n")
        return 2
    passphrase = sys.stdin.buffer.readline().rstrip(b"\n")
    try:
        v = Vault(argv[1], passphrase)
        if argv[2] == "get":
            sys.stdout.buffer.write(v.get(argv[3].encode(), argv[4].encode()))
        else:
            print(json.dumps(v.dump(), indent=1, sort_keys=True))
    except Refused as e:
        sys.stderr.write("sv_reader: %s: %s\n" % e.args)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

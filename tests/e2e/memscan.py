#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Look for byte strings in the memory of a process: memscan.py PID, one needle a line on stdin.

Prints `found NUMBER-OF-NEEDLE TIMES` for each needle that is there (and for its hex, base64 and reversed forms), then
`read BYTES unreadable BYTES`.  Needles come by stdin so that no argument vector holds them.  Needs the right to read
/proc/PID/mem (root).  Mappings of more than 4 GiB are the shadow of a sanitizer and are left out.
"""
import base64
import sys

HUGE = 4 << 30
STEP = 1 << 20


def forms(needle):
    yield needle
    yield needle.hex().encode()
    yield needle.hex().upper().encode()
    yield needle[::-1]
    for lead in range(3):
        text = base64.b64encode(b"x" * lead + needle)
        first = (lead * 8 + 5) // 6
        last = (lead + len(needle)) * 8 // 6
        yield text[first:last]


def main():
    pid = int(sys.argv[1])
    needles = [line for line in sys.stdin.buffer.read().split(b"\n") if line]
    patterns = [(number, form) for number, needle in enumerate(needles, 1) for form in set(forms(needle))]
    overlap = max(len(form) for _, form in patterns)
    found = {}
    read = unreadable = 0
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        regions = [line.split() for line in maps]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for fields in regions:
            start, end = (int(x, 16) for x in fields[0].split("-"))
            if end - start > HUGE or fields[-1] in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            tail = b""
            at = start
            while at < end:
                size = min(STEP, end - at)
                try:
                    mem.seek(at)
                    data = mem.read(size)
                except (OSError, ValueError, OverflowError):
                    data = b""
                if len(data) < size:
                    unreadable += size - len(data)
                read += len(data)
                block = tail + data
                for number, form in patterns:
                    hits = block.count(form)
                    if hits:
                        found[number] = found.get(number, 0) + hits
                tail = block[-(overlap - 1):] if data else b""
                at += size
    for number in sorted(found):
        print("found", number, found[number])
    print("read", read, "unreadable", unreadable)


main()

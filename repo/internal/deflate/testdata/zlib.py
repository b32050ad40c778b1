#!/usr/bin/env python3
"""Writes digests of zlib's streams: zlib.py FIRST COUNT > testdata/zlib.txt

A line has the number of a text, its size, and the beginning of the SHA-256 of the raw
stream at level 9. The texts are those of writer_test.go.
"""
import hashlib
import sys
import zlib


class Generator:
    def __init__(self, state):
        self.state = state

    def next(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        return (self.state >> 33) % n


EDGES = [0, 3, 258, 262, 4096, 16383, 32506, 32768, 65274, 65536, 98304, 131072]


def text(number):
    g = Generator(number)
    g.next(1)
    size = EDGES[g.next(len(EDGES))]
    size += g.next(600)
    kind = g.next(8)
    if kind == 0:
        size = g.next(40)
    elif kind == 1:
        size = g.next(300000)
    letters = 1 + g.next(256)
    start = g.next(256)
    if g.next(3) == 0:
        letters = 1 + g.next(4)
    copies = g.next(100)
    far = 1 + g.next(1 << (1 + g.next(17)))
    limits = [4095, 4096, 4097, 32505, 32506, 32507]
    at_limits = g.next(6) == 0
    out = bytearray()
    while len(out) < size:
        if out and g.next(100) < copies:
            at = max(0, len(out) - 1 - g.next(far))
            n = min(3 + g.next(1 << (1 + g.next(9))), size - len(out))
            if at_limits:
                at = max(0, len(out) - limits[g.next(len(limits))])
                n = min(3 + g.next(2), n)
            for i in range(n):
                out.append(out[at + i])
            continue
        out.append((start + g.next(letters)) & 255)
    return bytes(out)


def stream(content):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(content) + z.flush()


for number in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
    t = text(number)
    print(number, len(t), hashlib.sha256(stream(t)).hexdigest()[:16])

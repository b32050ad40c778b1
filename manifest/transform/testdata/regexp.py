#!/usr/bin/env python3
"""Writes what Python's re does with expressions, one record on a line.

regexp.py PATTERNS      those of a file: testdata/regexp.jsonl is made so
regexp.py SEED COUNT    random ones
"""
import json
import random
import re
import sys
import warnings

warnings.simplefilter("ignore")

VALUES = ['usr/bin/ls', '', 'aab', 'usr/lib/libfoo.so.1.2', 'abxd', 'a b  c', 'é à ü', 'A/a-_ \t1', 'USR/Bin', 'a{x}{a}', '[:alpha:]', 'b]a^', '٣4\xa0b', 'pcre2-config', 'a\n', 'a\nb\n', '\n', 'aaab', 'kKKſsS', 'iIİıßẞ', 'ΣσςÉ', '<ab>', '"x"', 'éé', 'AaBb', '$\\.#~']

REPLACED = ['(a)(b)?', '(?P<n>a)', 'a', '(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)']
REPLACED_IN = ["abac", "abcdefghijklmnop"]
REPLACEMENTS = ['', 'X', '[\\g<0>]', '\\1', '<\\1|\\2>', '\\\\1', '\\.', '\\&x', '\\g<n>', '\\g<1>0', '\\101', '\\0', '\\12', '\\q', '\\', '\\g', '\\g<', '\\g<>', '\\g<9>', '\\t', '$1', '\\400', '\\n\\x', '\\08', 'a\\\\']


def record(pattern):
    """The results of an expression with all values."""
    r = {"pattern": pattern}
    try:
        e = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        r["error"] = True
        return r
    r["match"], r["sub"] = [], []
    for value in VALUES:
        m = e.match(value)
        r["match"].append(m and [m.group()] + list(m.groups()))
        r["sub"].append(e.sub(r"<\g<0>>", value))
    return r


def replacements():
    for pattern in REPLACED:
        for repl in REPLACEMENTS:
            r = {"pattern": pattern, "repl": repl}
            try:
                r["sub"] = [re.sub(pattern, repl, v) for v in REPLACED_IN]
            except (re.error, IndexError):
                r["error"] = True
            yield r


def some(rand, depth=0):
    """A random expression."""
    if depth > 3 or rand.random() < 0.3:
        return rand.choice(["a", "b", "ab", ".", "[ab]", "[^a]", "\\w", "\\b", "^", "$", "\\1", "é", "[^\\W]", "/", "\\Z", "\\d", "\\s", "i"])
    one = lambda: some(rand, depth + 1)
    kind = rand.randrange(16)
    if kind < 6:
        return one() + one()
    if kind < 8:
        return one() + "|" + one()
    if kind < 10:
        return "(" + one() + ")"
    if kind < 13:
        # Python forgets groups of what it counts possessively.
        sign = rand.choice(["{2}", "{1,2}", "{,1}", "*", "+", "?", "*+", "++", "?+"]) + rand.choice(["", "", "?"])
        return "(" + rand.choice(["", "?:"]) + one() + ")" + sign
    return "(?" + rand.choice(["=", "!", ">", "i:", "s:", "a:", "<=", "<!"]) + one() + ")"


def main(args):
    print(json.dumps({"values": VALUES, "replaced": REPLACED_IN}, ensure_ascii=False))
    if len(args) == 2:
        rand = random.Random(int(args[0]))
        records = (record(some(rand)) for _ in range(int(args[1])))
    else:
        lines = [l for l in open(args[0]) if not l.startswith("#")]
        records = [record(json.loads(l)) for l in lines] + list(replacements())
    for r in records:
        print(json.dumps(r, ensure_ascii=False))


main(sys.argv[1:])

"""A second reader of repositories and archives, on zlib, json and tarfile.

    second_reader.py repository DIR
    second_reader.py archive FILE

It shares no line with the library and stands on the modules that the programs of the
reference stand on. It prints what it has read, and stops at the first thing that is not
as the formats say.
"""

import configparser
import datetime
import gzip
import hashlib
import json
import os
import re
import sys
import tarfile
import urllib.parse
import zlib

HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF])
ATTRIBUTE = re.compile(r"""([^\s=]+)=("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\S*)""")


def check(ok, *what):
    if not ok:
        sys.exit("second reader: " + " ".join(str(w) for w in what))


def sha1(data):
    return hashlib.sha1(data).hexdigest()


def escape(text):
    return urllib.parse.quote(text, safe="")


def serialise(value):
    """The text of a catalog file without its signature."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.replace("\\u007f", "\x7f").encode() + b"\n"


def signed(path, expected=None):
    """The content of a catalog file, which must be as the reference would write it."""
    with open(path, "rb") as f:
        data = f.read()
    content = json.loads(data)
    signature = content.pop("_SIGNATURE")
    text = serialise(content)
    check(signature == {"sha-1": sha1(text)}, path, "signature")
    check(expected in (None, signature["sha-1"]), path, "is not what catalog.attrs says")
    comma = b"," if content else b""
    tail = b'%s"_SIGNATURE":{"sha-1":"%s"}}\n' % (comma, sha1(text).encode())
    check(data == text[:-2] + tail, path, "is not canonical")
    return content


def publishers(content):
    """What a catalog file says of each publisher."""
    return [stems for name, stems in content.items() if not name.startswith("_")]


def when(text):
    form = "%Y%m%dT%H%M%S.%fZ" if "." in text else "%Y%m%dT%H%M%SZ"
    return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)


def actions(text):
    """The actions of a published manifest: kind, payload name, attributes."""
    for line in text.decode().splitlines():
        kind, _, rest = line.partition(" ")
        first = rest.split(" ", 1)[0]
        name = first if "=" not in first else None
        attributes = {}
        for key, value in ATTRIBUTE.findall(rest):
            if value[:1] in "\"'" and value:
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            attributes.setdefault(key, []).append(value)
        yield kind, name, attributes


def algorithm(name):
    return hashlib.new({"sha512t_256": "sha512_256"}.get(name, name))


def payload(name, stored, attributes):
    """Checks the stored form of a payload against its name and its action."""
    check(stored.startswith(HEADER), name, "has another gzip header")
    content = gzip.decompress(stored)
    inflater = zlib.decompressobj(wbits=31)
    check(inflater.decompress(stored) == content and inflater.eof and not inflater.unused_data, name, "has a tail")
    check(sha1(content) == name, name, "has other content")
    check(attributes["pkg.size"] == [str(len(content))], name, "pkg.size")
    check(attributes["pkg.csize"] == [str(len(stored))], name, "pkg.csize")
    check(attributes["chash"] == [sha1(stored)], name, "chash")
    for value in attributes.get("pkg.content-hash", []):
        form, how, digest = value.split(":")
        if form not in ("file", "gzip"):
            continue  # of a part of the file
        h = algorithm(how)
        h.update(content if form == "file" else stored)
        check(h.hexdigest() == digest, name, value)


def package(text, read):
    """Checks the payloads of a manifest and returns how many it names."""
    count = 0
    for kind, name, attributes in actions(text):
        if name and kind in ("file", "license"):
            payload(name, read(name), attributes)
            count += 1
    return count


def logs(catalog, attrs, versions):
    """Replays the update logs, which together must have made the catalog."""
    operations = []
    for name, entry in attrs["updates"].items():
        for stems in publishers(signed(os.path.join(catalog, name), entry["signature-sha-1"])):
            for stem, list in stems.items():
                for operation in list:
                    hour = when(operation["op-time"]).strftime("%Y%m%dT%HZ")
                    check(name.startswith("update." + hour + "."), name, "holds another hour")
                    if "catalog.base.C" in operation:
                        operations.append((when(operation["op-time"]), stem, operation))
    present = set()
    for _, stem, operation in sorted(operations, key=lambda o: o[0]):
        change = {"add": present.add, "remove": present.remove}[operation["op-type"]]
        change((stem, operation["version"]))
    check(present == versions, "update logs make", len(present), "of", len(versions), "versions")


def publisher(top):
    catalog = os.path.join(top, "catalog")
    attrs = signed(os.path.join(catalog, "catalog.attrs"))
    parts = {}
    for name, entry in attrs["parts"].items():
        path = os.path.join(catalog, name)
        parts[name] = signed(path, entry["signature-sha-1"])
        check(int(os.stat(path).st_mtime) == int(when(entry["last-modified"]).timestamp()), path, "has another mtime")
    files, versions = 0, set()
    (stems,) = publishers(parts["catalog.base.C"])
    for stem, entries in stems.items():
        for entry in entries:
            path = os.path.join(top, "pkg", escape(stem), escape(entry["version"]))
            with open(path, "rb") as f:
                text = f.read()
            check(sha1(text) == entry["signature-sha-1"], path, "is not what the catalog says")
            files += package(text, lambda name: open(os.path.join(top, "file", name[:2], name), "rb").read())
            versions.add((stem, entry["version"]))
    check(attrs["package-count"] == len(stems), "package-count")
    check(attrs["package-version-count"] == len(versions), "package-version-count")
    logs(catalog, attrs, versions)
    return len(versions), files


def repository(top):
    config = configparser.RawConfigParser()
    config.read(os.path.join(top, "pkg5.repository"))
    check(config.get("repository", "version") == "4", "repository/version")
    for prefix in sorted(os.listdir(os.path.join(top, "publisher"))):
        print(prefix, "%d versions, %d payloads" % publisher(os.path.join(top, "publisher", prefix)))


def index(tar, data_end):
    """The members that the index names, with offset and size."""
    first = tar.getmembers()[0]
    check(first.name == "pkg5.index.0.gz", "the first member is", first.name)
    check(first.pax_headers.get("comment") == "pkg5.archive.version.0", "comment of the index")
    stored = tar.extractfile(first).read()
    check(stored.startswith(HEADER), "the index has another gzip header")
    for record in gzip.decompress(stored).decode().split("\0\n")[:-1]:
        name, offset, entry, size, kind = record.split("\0")
        yield name, data_end + int(offset), int(entry), int(size), kind


def archive(path):
    with tarfile.open(path, "r:") as tar:
        members = tar.getmembers()
        first = members[0]
        end = first.offset_data + (first.size + 511) // 512 * 512
        records = list(index(tar, end))
        check(len(records) == len(members) - 1, "the index has", len(records), "of", len(members) - 1, "members")
        for member, (name, offset, entry, size, kind) in zip(members[1:], records):
            check((member.name, member.offset, member.size) == (name, offset, size), name, "is not where the index says")
            check(entry == member.offset_data - member.offset + (size + 511) // 512 * 512, name, "entry size")
            check((kind.strip("b'") == "5") == member.isdir() and (member.isdir() or member.isreg()), name, "kind")
            check((member.uid, member.gid, member.uname, member.gname) == (0, 0, "root", "root"), name, "owner")
            check(member.mode == (0o755 if member.isdir() else 0o644), name, "mode")
        check(os.path.getsize(path) % 10240 == 0, "size of the archive")
        names = {m.name: m for m in members}
        texts = [m for m in members if m.name.count("/") == 4 and m.name.split("/")[2] == "pkg"]
        files = 0
        for member in texts:
            top = "/".join(member.name.split("/")[:2])
            read = lambda name: tar.extractfile(names["%s/file/%s/%s" % (top, name[:2], name)]).read()
            files += package(tar.extractfile(member).read(), read)
        print("%d versions, %d payloads" % (len(texts), files))


{"repository": repository, "archive": archive}[sys.argv[1]](sys.argv[2])

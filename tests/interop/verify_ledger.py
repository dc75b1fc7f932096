#!/usr/bin/env python3
"""Recomputes the root of a live ledger from what its HTTP port publishes, with the standard library alone.

usage: verify_ledger.py BASE_URL        (file:///FOLDER for an export of the whole log)

Written from the formats (RFC 6962, C2SP tlog-checkpoint and tlog-tiles, the ledger's leaf), not from SENTINEL's code.
Checks that every leaf decodes, carries its own number and the hash of the leaf before it, that hash tiles of every level
hold what the leaves lead to, and that the root is the checkpoint's. The Ed25519 signature is for other tools.
Prints one JSON line. Exit status: 0 ok, 1 the log is not what its checkpoint says, 69 it could not be read.
"""

import base64
import hashlib
import json
import struct
import sys
import urllib.request

TILE = 256


class Wrong(Exception):
    pass


def get(base, path):
    with urllib.request.urlopen(f"{base}/{path}", timeout=10) as answer:
        return answer.read()


def tile_path(kind, index, width):
    digits = f"{index % 1000:03d}"
    index //= 1000
    while index > 0:
        digits = f"x{index % 1000:03d}/{digits}"
        index //= 1000
    return f"tile/{kind}/{digits}" + ("" if width == TILE else f".p/{width}")


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """Tree hash by folding level by level; a last hash without a partner is carried up (equal to RFC 6962's)."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:
        folded = [node(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        if len(hashes) % 2 == 1:
            folded.append(hashes[-1])
        hashes = folded
    return hashes[0]


def parse_checkpoint(text):
    lines = text.split("\n")
    return lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)


def split_bundle(bundle, count):
    entries = []
    offset = 0
    while offset < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, offset)
        entries.append(bundle[offset + 2 : offset + 2 + length])
        offset += 2 + length
    if offset != len(bundle) or len(entries) != count:
        raise Wrong(f"entry bundle does not hold {count} entries")
    return entries


def check_leaf(leaf, seq, prev, received_us):
    version, kind, flags, number, received, _event = struct.unpack_from(">BBHQQQ", leaf, 0)
    producer_end = 44 + 1 + leaf[44]
    gpu_end = producer_end + 1 + leaf[producer_end]
    if version != 1 or not 1 <= kind <= 7 or flags & ~3 or not flags & 1 or len(leaf) != gpu_end + 4 + 32 + 32:
        raise Wrong(f"entry {seq}: malformed leaf")
    if number != seq:
        raise Wrong(f"entry {seq}: says it is {number}")
    if leaf[-32:] != prev:
        raise Wrong(f"entry {seq}: does not link to the entry before")
    if received < received_us:
        raise Wrong(f"entry {seq}: the ledger's clock ran backwards")
    return received


def read_leaf_hashes(base, size):
    hashes = []
    prev, received = bytes(32), 0
    for index in range((size + TILE - 1) // TILE):
        width = min(TILE, size - index * TILE)
        for leaf in split_bundle(get(base, tile_path("entries", index, width)), width):
            received = check_leaf(leaf, len(hashes), prev, received)
            prev = hashlib.sha256(b"\x00" + leaf).digest()
            hashes.append(prev)
    return hashes


def check_tiles(base, hashes):
    tiles = 0
    level = 0
    while hashes:
        for index in range((len(hashes) + TILE - 1) // TILE):
            wanted = hashes[index * TILE : (index + 1) * TILE]
            if get(base, tile_path(level, index, len(wanted))) != b"".join(wanted):
                raise Wrong(f"hash tile {level}/{index} is not what the entries lead to")
            tiles += 1
        full = len(hashes) // TILE
        hashes = [root_of(hashes[i * TILE : (i + 1) * TILE]) for i in range(full)]
        level += 1
    return tiles


def main(base):
    origin, size, root = parse_checkpoint(get(base, "checkpoint").decode())
    hashes = read_leaf_hashes(base, size)
    if root_of(hashes) != root:
        raise Wrong(f"the {size} entries do not lead to the checkpoint's root")
    tiles = check_tiles(base, hashes)
    return {"ok": True, "origin": origin, "entries": size, "tiles": tiles, "root": root.hex()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: verify_ledger.py BASE_URL")
    try:
        print(json.dumps(main(sys.argv[1].rstrip("/"))))
    except Wrong as wrong:
        print(json.dumps({"ok": False, "why": str(wrong)}))
        sys.exit(1)
    except (OSError, ValueError, struct.error, IndexError) as error:
        print(json.dumps({"ok": False, "why": f"cannot read: {error}"}))
        sys.exit(69)

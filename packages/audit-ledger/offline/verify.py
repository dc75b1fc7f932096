#!/usr/bin/env python3
"""Verifies an export or an evidence pack of a SENTINEL audit log: offline, with Python 3.8 or newer and nothing else but
recount.py and definitions.json beside it. verify.mjs does the same with Node, check by check, and says the same sentence.

  python3 verify.py [PACK] [--key VERIFIER_KEY] [--attestation-key VERIFIER_KEY]

PACK is a folder or a .tar file; by default the folder that this file lies in. VERIFIER_KEY is the log's public key as text, and
the attestation key that of whoever makes packs. Get both from the operator by another way than the pack, and this file from a
release: whoever forges a pack forges all that is in it. Nothing in the pack is believed, its sizes and names neither.

What is checked, from the outside in, is told at the top of verify.mjs.
Exit status: 0 proven, 1 not what it claims to be, 2 wrong usage, 69 there is no pack to read.
"""
import base64
import bisect
import hashlib
import os
import re
import stat
import struct
import sys

sys.dont_write_bytecode = True  # or else the folder of the pack would get a file that is none of it
from recount import Recount, csv_of, definition_of, iso, json_file, parse_json, to_json, utf8  # noqa: E402

FORMAT = "sentinel-ledger-export/2"
TYPES = [None, "probe", "anomaly", "decision", "agreement", "configuration", "system", "approval"]
# Where a key of the log ever handed over to the next.
ROTATIONS = "rotations.jsonl"
PROGRAMS = ["verify.mjs", "recount.mjs", "verify.py", "recount.py", "definitions.json"]
REPORT = ["report.json", "report.csv", "report.pdf"]
# Files that the tree does not bind, and the manifest lists.
LISTED = ["checkpoint", "verifier-key", "proved.jsonl", "README.txt"] + PROGRAMS
# What no pack exceeds, so that a hostile one cannot exhaust this machine.
MAX_FILE_BYTES = 2**28
MAX_FILES = 2_000_000
MAX_DEPTH = 12
MAX_ENTRIES = 100_000_000
MAX_COUNT = 2**53 - 1
PROBLEMS_SHOWN = 20


class Problems:
    def __init__(self):
        self.shown, self.count, self.withheld_count = [], 0, 0

    def add(self, text):
        self.count += 1
        if len(self.shown) < PROBLEMS_SHOWN:
            self.shown.append(text)

    def withheld(self, text):
        self.withheld_count += 1
        self.add(text + " WITHHELD: no pruning that the log announced took it")


problems = Problems()
problem = problems.add


def printable(text):
    """Nothing from a pack moves the cursor of a terminal, or fills it."""
    return re.sub("[^\\x20-\\x7e]", "?", text)


class Hopeless(Exception):
    pass


# ---- Files: a folder, or a tar file of which every byte follows from the files in it.


def is_name(name):
    return re.match(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*\Z", name) and ".." not in name.split("/")


def add_file(files, name, size, read):
    if not is_name(name) or name in files:
        raise Hopeless("a file of the pack has a name that it cannot have: " + name)
    if size > MAX_FILE_BYTES:
        raise Hopeless(name + " is larger than any file of a pack")
    if len(files) >= MAX_FILES:
        raise Hopeless("the pack has more files than any pack")
    files[name] = read


def open_pack(place):
    return folder_files(place) if os.path.isdir(place) else tar_files(open(place, "rb"), os.stat(place).st_size)


def read_file(place):
    with open(place, "rb") as file:
        return file.read()


def folder_files(root):
    files = {}

    def walk(folder, prefix, depth):
        if depth > MAX_DEPTH:
            raise Hopeless("the folders of the pack are nested too deeply")
        for entry in os.scandir(folder):
            at = os.path.join(folder, entry.name)
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                walk(at, prefix + entry.name + "/", depth + 1)
            elif not stat.S_ISREG(status.st_mode):
                raise Hopeless(prefix + entry.name + " is no plain file")
            else:
                add_file(files, prefix + entry.name, status.st_size, lambda at=at: read_file(at))

    walk(root, "", 0)
    return files


def tar_header(name, size):
    """The one header that a file of this name and size has: owner 0, mode 0644, time 0."""
    mode = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"%011o\0" % 0
    header = bytearray(512)
    header[0 : len(name)] = name
    header[100:157] = mode + b"        0"
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def tar_files(file, total):
    def read(at, length):
        file.seek(at)
        got = file.read(length)
        if len(got) != length:
            raise Hopeless("the tar file is cut short")
        return got

    files, offset = {}, 0
    while offset < total - 1024:
        header = read(offset, 512)
        name = header[:100].split(b"\0")[0]
        size = int(header[124:135], 8) if re.match(rb"[0-7]{11}\Z", header[124:135]) else -1
        if size < 0 or tar_header(name, size) != header:
            raise Hopeless("the tar file is damaged at byte %d" % offset)
        at = offset + 512
        shown = name.decode("latin-1")
        add_file(files, shown, size, lambda at=at, size=size: read(at, size))
        padding = -size % 512
        if any(read(at + size, padding)):
            raise Hopeless("the tar file is damaged behind " + shown)
        offset = at + size + padding
    if offset != total - 1024 or any(read(offset, 1024)):
        raise Hopeless("the tar file does not end as it should")
    return files


# ---- Ed25519 (RFC 8032), verification alone: plain arithmetic, with nothing secret in it.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def point_of(encoded):
    """Extended coordinates (X, Y, Z, T); None where these 32 bytes are no point."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def add_points(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            total = add_points(total, point)
        point = add_points(point, point)
        scalar >>= 1
    return total


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_holds(key, message, signature):
    if len(signature) != 64:
        return False
    public, commitment = point_of(key), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if public is None or commitment is None or s >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = multiply(s, BASE), add_points(commitment, multiply(challenge, public))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


# ---- Hashes and the Merkle tree of RFC 6962.


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(leaf):
    return sha256(b"\0" + leaf)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def tree_hash(hashes):
    """Root over hashes; a last one without a partner is carried up."""
    level = hashes
    while len(level) > 1:
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = above + level[len(level) - 1 :] if len(level) % 2 == 1 else above
    return level[0]


def inclusion_holds(leaf, index, size, root, proof):
    """RFC 9162, 2.1.3.2."""
    fn, sn, node = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            node = node_hash(sibling, node)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            node = node_hash(node, sibling)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and node == root


# ---- Signed notes and checkpoints (C2SP).


def base64_bytes(text):
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        return None
    return data if data is not None and base64.b64encode(data).decode() == text else None


def hex_bytes(text):
    return bytes.fromhex(text) if isinstance(text, str) and re.match(r"([0-9a-f]{2})*\Z", text) else None


class Key:
    def __init__(self, text):
        match = re.match(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)\Z", text)
        data = base64_bytes(match.group(3)) if match else None
        if data is None or len(data) != 33 or data[0] != 1:
            raise Hopeless("this is no verifier key: " + text)
        self.text, self.name, self.id, self.public = text, match.group(1), match.group(2), data[1:]
        if sha256(self.name.encode() + b"\n" + data)[:4].hex() != self.id:
            raise Hopeless("the verifier key contradicts its own id")


def open_note(note, what, key):
    """The text that `key` signed."""
    split = note.rfind("\n\n")
    body, lines = note[: split + 1], note[split + 2 :].split("\n")
    if split < 0 or lines.pop() != "":
        raise Hopeless(what + " is no signed note")
    matches = [re.match("\u2014 ([^\\s+]+) (\\S+)\\Z", line) for line in lines]
    found = [base64_bytes(match.group(2)) for match in matches if match and match.group(1) == key.name]
    signatures = [data for data in found if data is not None and data[:4].hex() == key.id]
    if not signatures:
        raise Hopeless("%s is not signed by %s with this key" % (what, key.name))
    if not all(signature_holds(key.public, body.encode(), data[4:]) for data in signatures):
        raise Hopeless("the signature of %s does not verify" % what)
    return body


class Checkpoint:
    def __init__(self, note, key):
        parts = open_note(note, "the checkpoint", key).split("\n") + ["", ""]
        self.origin, self.root = parts[0], base64_bytes(parts[2])
        sized = re.match(r"(0|[1-9][0-9]{0,15})\Z", parts[1])
        if self.origin != key.name or not sized or self.root is None or len(self.root) != 32:
            raise Hopeless("the checkpoint is malformed")
        self.size = int(parts[1])


def next_key(note, given):
    """The key that `given` handed over to in a note that both signed, or None."""
    try:
        parts = open_note(note, "a rotation", given).split("\n") + [""] * 5
        following = Key(parts[4])
        open_note(note, "a rotation", following)
    except Hopeless:
        return None
    ours = parts[0] == "sentinel key rotation 1" and parts[3] == given.text and following.name == given.name
    return following if ours else None


def follow_rotations(pack, key):
    """The newest key that the given one leads to. Whether the entries are in the log is checked once the checkpoint is open."""
    for row in lines_of(pack.read(ROTATIONS), PROVED).values():
        detail = detail_of(row["detail"] if isinstance(row["detail"], str) else "") or {}
        note = detail.get("note")
        key = next_key(note if isinstance(note, str) else "", key) or key
    return key


# ---- Tiles (C2SP tlog-tiles).


def count_at(size, level):
    return size // 256**level


def width_of(size, level, index):
    return min(256, max(0, count_at(size, level) - index * 256))


def number_path(index):
    text = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        text = "x%03d/%s" % (index % 1000, text)
    return text


def tile_path(kind, index, width):
    return "tile/%s/%s%s" % (kind, number_path(index), ".p/%d" % width if width < 256 else "")


def bundle_path(size, index):
    return tile_path("entries", index, width_of(size, 0, index))


def expected_tiles(manifest):
    """Tiles over entries first to last, and at each level the partial one at the right edge."""
    size, level = manifest["size"], 0
    while count_at(size, level) > 0:
        span = 256 ** (level + 1)
        end = manifest["last"] // span
        for index in range(manifest["first"] // span, end + 1):
            if width_of(size, level, index) > 0:
                yield level, index
        edge = count_at(size, level) // 256
        if edge > end and width_of(size, level, edge) > 0:
            yield level, edge
        level += 1


class Pack:
    def __init__(self, files):
        self.files, self.used, self.tiles = files, set(), {}

    def has(self, name):
        return name in self.files

    def read(self, name):
        self.used.add(name)
        return self.files[name]() if name in self.files else None

    def need(self, name):
        data = self.read(name)
        if data is None:
            raise Hopeless(name + " is missing")
        return data

    def text(self, name):
        data = self.read(name)
        return None if data is None else data.decode("utf-8")

    def hashes(self, size, level, index):
        """Hashes of a tile; None where it is damaged. The newest of each level is kept."""
        kept = self.tiles.get(level)
        if kept is not None and kept[0] == index:
            return kept[1]
        width = width_of(size, level, index)
        data = self.read(tile_path(str(level), index, width))
        whole = data is not None and len(data) == width * 32
        hashes = [data[i * 32 : i * 32 + 32] for i in range(width)] if whole else None
        self.tiles[level] = (index, hashes)
        return hashes


def check_tiles(pack, manifest, root):
    """Every full tile by its hash in the tile above; the partial ones together by the root."""
    size = manifest["size"]
    for level, index in expected_tiles(manifest):
        hashes = pack.hashes(size, level, index)
        name = "hash tile %d/%d" % (level, index)
        if hashes is None:
            problem(name + " is missing or damaged")
        elif len(hashes) == 256:
            above = pack.hashes(size, level + 1, index // 256)
            if above is None or above[index % 256] != tree_hash(hashes):
                problem(name + " does not fit the tile above it")
    nodes, level = [], 0
    while count_at(size, level) > 0:
        partial = count_at(size, level) % 256
        hashes = (pack.hashes(size, level, count_at(size, level) // 256) or []) if partial else []
        # Right to left: the tree over these hashes, then what stands right of it.
        end = len(hashes)
        while end > 0:
            width = end & -end
            nodes.append(tree_hash(hashes[end - width : end]))
            end -= width
        level += 1
    computed = nodes[0] if nodes else None
    for left in nodes[1:]:
        computed = node_hash(left, computed)
    if computed != root:
        problem("the hash tiles do not add up to the root that was signed")


# ---- The manifest.


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


class Ranges:
    """Ascending ranges of entries, apart, and between `begin` and `end`."""

    def __init__(self, ranges, begin, end):
        self.sound, self.list = isinstance(ranges, list), ranges
        for each in ranges if self.sound else []:
            fits = isinstance(each, list) and len(each) == 2 and all(map(is_count, each))
            if not fits or not begin <= each[0] <= each[1] <= end:
                self.sound = False
                break
            begin = each[1] + 2
        self.lasts = [each[1] for each in ranges] if self.sound else []

    def hold(self, seq):
        at = bisect.bisect_left(self.lasts, seq)
        return at < len(self.lasts) and self.list[at][0] <= seq

    def count(self):
        return sum(last - first + 1 for first, last in self.list)


MEMBERS = "format origin size first last details missing_details pruned_leaves_end kept_leaves files".split()


def read_manifest(text, files_there):
    value = parse_json(text)
    if not isinstance(value, dict) or value.get("format") != FORMAT or list(value) != MEMBERS:
        raise Hopeless("the manifest is damaged or of another format")
    size, first, last, end = value["size"], value["first"], value["last"], value["pruned_leaves_end"]
    counted = all(map(is_count, (size, first, last, value["details"], end))) and first <= last < size and end <= size
    if counted:
        value["missing"] = Ranges(value["missing_details"], first, last)
        value["kept"] = Ranges(value["kept_leaves"], 0, end - 1)
    ranges = counted and value["missing"].sound and value["kept"].sound
    written = json_file({member: value[member] for member in MEMBERS})
    if not ranges or written != text or not isinstance(value["files"], dict):
        raise Hopeless("the manifest is damaged or of another format")
    if last - first >= MAX_ENTRIES or (last - first) / 256 > files_there:
        raise Hopeless("the manifest speaks of more entries than there can be")
    return value


def check_listed(pack, files):
    """Exactly the files that a pack has beside those of the log, as the manifest lists them."""
    listed = LISTED + (REPORT if pack.has("report.json") else []) + ([ROTATIONS] if pack.has(ROTATIONS) else [])
    for name in files:
        if name not in listed:
            problem(name + " does not belong to the pack")
    for name in listed:
        if not pack.has(name) or sha256(pack.read(name)).hex() != files.get(name):
            problem(name + " is missing or not the file that the manifest lists")
    for name in sorted(pack.files):
        if name not in pack.used:
            problem(name + " does not belong to the pack")


# ---- Entries: leaves out of bundles, kept leaves where bundles were pruned, and details.


class Leaf:
    def __init__(self, data, producer_end, gpu_end):
        self.type, self.injected = TYPES[data[1]], data[3] & 2 != 0
        self.seq, self.received_us, self.event_us = struct.unpack_from(">QQQ", data, 4)
        self.producer = data[45:producer_end].decode("utf-8", "replace")
        self.gpu = data[producer_end + 1 : gpu_end].decode("utf-8", "replace")
        self.commit, self.prev = data[gpu_end + 4 : gpu_end + 36], data[gpu_end + 36 :]


def decode_leaf(data):
    """None for what is no leaf."""
    if len(data) < 46:
        return None
    producer_end = 45 + data[44]
    gpu_end = producer_end + 1 + (data[producer_end] if producer_end < len(data) else 0)
    if data[0] != 1 or not 1 <= data[1] < len(TYPES) or len(data) != gpu_end + 68:
        return None
    return Leaf(data, producer_end, gpu_end)


def split_bundle(bundle, count):
    leaves, at = [], 0
    while bundle is not None and at + 2 <= len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        leaves.append(bundle[at + 2 : end])
        at = end
    return leaves if bundle is not None and at == len(bundle) and len(leaves) == count else None


def lines_of(data, members):
    """Lines of JSON with a seq each; a line that is not as an export writes it belongs to nobody."""
    rows = {}
    lines = (data or b"").decode("utf-8").split("\n")
    if lines.pop() != "":
        problem("a file of lines is cut short")
    for line in lines:
        try:
            row = parse_json(line)
        except ValueError:
            row = None
        whole = isinstance(row, dict) and list(row) == members and is_count(row["seq"]) and to_json(row) == line
        if not whole or row["seq"] in rows:
            problem("a line is damaged: " + line[:60])
        else:
            rows[row["seq"]] = row
    return rows


def commits_to(leaf, salt, detail):
    data = hex_bytes(salt)
    return (
        data is not None and len(data) == 16 and isinstance(detail, str)
        and sha256(b"\2" + data + utf8(detail)) == leaf.commit
    )


def detail_of(text):
    value = parse_json(text)
    return dict(enumerate(value)) if isinstance(value, list) else value if isinstance(value, dict) else None


# Of a line that proves an entry.
PROVED = ["seq", "leaf", "salt", "detail", "proof"]


def proved_entries(pack, name, checkpoint):
    """Entries that the pack proves to be in the tree, one by one: leaf and detail."""
    proved = {}
    for seq, row in lines_of(pack.read(name), PROVED).items():
        data = hex_bytes(row["leaf"])
        leaf = None if data is None else decode_leaf(data)
        proof = row["proof"] if isinstance(row["proof"], list) and len(row["proof"]) <= 64 else [None]
        hashes = [base64_bytes(each) for each in proof]
        whole = leaf is not None and leaf.seq == seq < checkpoint.size and all(h and len(h) == 32 for h in hashes)
        bare = row["salt"] == "" and row["detail"] == ""
        if (
            whole
            and inclusion_holds(data, seq, checkpoint.size, checkpoint.root, hashes)
            and (bare or commits_to(leaf, row["salt"], row["detail"]))
        ):
            proved[seq] = (leaf, None if bare else detail_of(row["detail"]))
        else:
            problem("%s: entry %d is not proved" % (name, seq))
    return proved


def check_rotations(pack, checkpoint):
    for seq, (leaf, detail) in proved_entries(pack, ROTATIONS, checkpoint).items():
        if leaf.type != "system" or leaf.producer != "ledger" or (detail or {}).get("event") != "key_rotation":
            problem("%s: entry %d is no rotation" % (ROTATIONS, seq))


# ---- What was pruned: an entry of the log announced exactly what went, and under which holds.


def is_scope(scope):
    if not isinstance(scope, dict) or not all(isinstance(scope.get(name), str) for name in ("gpu", "producer")):
        return False
    return is_count(scope.get("from_us")) and is_count(scope.get("to_us"))


def covers(scope, leaf):
    return (
        scope["gpu"] in ("", leaf.gpu)
        and scope["producer"] in ("", leaf.producer)
        and leaf.event_us >= scope["from_us"]
        and (scope["to_us"] == 0 or leaf.event_us < scope["to_us"])
    )


class Prunings:
    def __init__(self, proved, manifest):
        self.end, self.kept, self.list = manifest["pruned_leaves_end"], manifest["kept"], []
        for seq, (leaf, detail) in proved.items():
            detail = detail or {}
            ours = leaf.type == "system" and leaf.producer == "ledger"
            if not ours or detail.get("event") != "prune" or detail.get("phase") != "intent":
                continue
            details, leaves, holds = [detail.get(name) for name in ("details_end", "leaves_end", "holds")]
            sound = is_count(details) and is_count(leaves) and leaves <= details <= seq
            if sound and isinstance(holds, list) and all(map(is_scope, holds)):
                self.list.append(dict(detail, seq=seq))
        self.announced = self.end > 0 and self.kept_as_announced()
        if self.end > 0 and not self.announced:
            problem("manifest states that entries were pruned, which the log did not announce")

    def kept_as_announced(self):
        """Whether the entries that were kept are those of which the pruning states number and digest."""
        count = self.kept.count()
        by = [each for each in self.list if each["leaves_end"] == self.end and each.get("kept_count") == count]
        if not by or count > MAX_ENTRIES:
            return False
        digest = hashlib.sha256()
        for first, last in self.kept.list:
            for seq in range(first, last + 1):
                digest.update(struct.pack(">Q", seq))
        return any(each.get("kept_digest") == digest.hexdigest() for each in by)

    def took_leaf(self, seq):
        return self.announced and seq < self.end and not self.kept.hold(seq)

    def took_detail(self, seq, leaf):
        if leaf.producer == "ledger":
            return False
        return any(
            seq < each["details_end"] and not any(covers(scope, leaf) for scope in each["holds"]) for each in self.list
        )


# ---- The walk over all entries.


def leaves_of(pack, manifest, index):
    """Leaves of a bundle, None where one is not there; None where the bundle is damaged."""
    start, width = index * 256, width_of(manifest["size"], 0, index)
    if start >= manifest["pruned_leaves_end"]:
        return split_bundle(pack.read(bundle_path(manifest["size"], index)), width)
    name = "kept/%s.jsonl" % number_path(index)
    kept = lines_of(pack.read(name), ["seq", "leaf"])
    rows = [kept.pop(start + i, None) for i in range(width)]
    for seq in kept:
        problem("%s holds a line of entry %d" % (name, seq))
    return [None if row is None else hex_bytes(row["leaf"]) or b"" for row in rows]


def walk_entries(pack, manifest, prunings, take):
    """Calls `take` with each entry of the range, in order; leaf and detail are None where they are not there."""
    first, last, size = manifest["first"], manifest["last"], manifest["size"]
    before, latest, details = None, 0, 0
    for index in range(first // 256, last // 256 + 1):
        start, width = index * 256, width_of(size, 0, index)
        hashes = pack.hashes(size, 0, index) or [None] * width
        leaves = leaves_of(pack, manifest, index)
        if leaves is None:
            problem("entries %d to %d: their bundle is missing or damaged" % (start, start + width - 1))
        name = "details/%s.jsonl" % number_path(index)
        lines = lines_of(pack.read(name), ["seq", "salt", "detail"])
        for seq in range(start, start + width):
            data = None if leaves is None else leaves[seq - start]
            leaf = None if data is None else decode_leaf(data)
            if data is not None and (leaf is None or leaf.seq != seq or hashes[seq - start] != leaf_hash(data)):
                problem("entry %d was altered" % seq)
            follows = before is None or leaf is None or leaf.prev == before
            if not follows or (leaf is not None and leaf.received_us < latest):
                problem("entry %d does not follow the one before" % seq)
            before = None if leaf is None else leaf_hash(data)
            latest = latest if leaf is None else max(latest, leaf.received_us)
            if seq < first or seq > last:
                continue
            line = lines.pop(seq, None)
            if (line is None) != manifest["missing"].hold(seq):
                problem("entry %d: its detail is missing, or is said to be" % seq)
            if leaf is None and leaves is not None and not prunings.took_leaf(seq):
                problems.withheld("entry %d is" % seq)
            if leaf is not None and line is None and not prunings.took_detail(seq, leaf):
                problems.withheld("entry %d: its detail is" % seq)
            if line is not None:
                details += 1
                if leaf is not None and not commits_to(leaf, line["salt"], line["detail"]):
                    problem("entry %d: its detail was altered" % seq)
            take(seq, leaf, None if line is None else detail_of(line["detail"]))
        for seq in lines:
            problem("%s holds a line of entry %d" % (name, seq))
    if details != manifest["details"]:
        problem("the manifest states %d details, there are %d" % (manifest["details"], details))


# ---- The report: made again, and compared.


def check_report(pack, manifest, checkpoint, key, recount, claimed):
    log = {
        "origin": checkpoint.origin,
        "verifier_key": key.text,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
    bounds = claimed.get("period") if isinstance(claimed.get("period"), dict) else {}
    period = {name: bounds[name] if isinstance(bounds.get(name), str) else "" for name in ("from", "to")}
    title = definition_of(claimed)["title"]
    report = recount.report(claimed, title, log, period, manifest["first"], manifest["last"])
    for name in list(report) + [name for name in claimed if name not in report]:
        if name not in report or name not in claimed or to_json(report[name]) != to_json(claimed[name]):
            problem('the report\'s "%s" is not what the entries give' % name)
    if utf8(json_file(report)) != pack.read("report.json"):
        problem("report.json is not as the entries give it")
    if utf8(csv_of(report)) != pack.read("report.csv"):
        problem("report.csv is not as the entries give it")
    return report


def claimed_report(pack):
    """What the pack claims of a report, once it claims what figures this program knows."""
    if not pack.has("report.json"):
        return None
    claimed = parse_json(pack.text("report.json"))
    if definition_of(claimed) is None:
        raise Hopeless(
            "report.json is of a format, a framework or a version of definitions that this program does not know"
        )
    return claimed


def check_proofs(pack, manifest, checkpoint, note, cited):
    """Each entry that the report cites has a proof of its own, and no other."""
    index, leaves = -1, None
    for seq in [each["seq"] for each in cited]:
        name = "proofs/%d.tlog-proof" % seq
        if not pack.has(name):
            problem(name + " is missing")
            continue
        if seq // 256 != index:
            index, leaves = seq // 256, leaves_of(pack, manifest, seq // 256)
        leaf = None if leaves is None else leaves[seq % 256]
        lines = pack.text(name).split("\n")
        end = lines.index("") if "" in lines else -1
        proof = [base64_bytes(line) for line in lines[2 : max(end, 2)]]
        if (
            end < 2
            or lines[:2] != ["c2sp.org/tlog-proof@v1", "index %d" % seq]
            or not all(each and len(each) == 32 for each in proof)
            or "\n".join(lines[end + 1 :]) != note
            or leaf is None
            or not inclusion_holds(leaf, seq, checkpoint.size, checkpoint.root, proof)
        ):
            problem("%s does not prove entry %d" % (name, seq))
    return len(cited)


# ---- The period: no other entry of the log is of it.


def instant_us(text):
    """Microseconds since the Unix epoch; None where it is no instant."""
    from datetime import datetime, timedelta

    try:
        whole = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", text)
        taken = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") if whole else None
    except ValueError:
        taken = None
    if taken is None:
        problem("the period of the report is no instant")
        return None
    return (taken - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def check_period(period, manifest, checkpoint, proved, prunings, recount):
    """What of the claim cannot be proven."""
    first, last = manifest["first"], manifest["last"]
    beginning, end, still_open = period["from"], period["to"], []

    def outside(seq, is_outside):
        if seq in proved:
            if not is_outside(proved[seq][0].received_us):
                problem("entry %d is of the period, and WITHHELD" % seq)
        elif prunings.took_leaf(seq):
            still_open.append("that entry %d and what was pruned with it is not of the period" % seq)
        else:
            problem("nothing shows that entry %d is not of the period" % seq)

    begin_us = None if beginning == "" else instant_us(beginning)
    end_us = None if end == "" else instant_us(end)
    if begin_us is not None:
        if recount.times and recount.times[0] < begin_us:
            problem("entry %d was taken before the period" % first)
        if first > 0:
            outside(first - 1, lambda us: us < begin_us)
        if prunings.took_leaf(first):
            still_open.append("that entry %d and what was pruned with it is of the period" % first)
    if end_us is not None:
        newest = recount.times[1] if recount.times else 0
        if recount.times and newest >= end_us:
            problem("entry %d was taken after the period" % last)
        if last + 1 < checkpoint.size:
            outside(last + 1, lambda us: us >= end_us)
        else:
            still_open.append(
                "that nothing was logged from %s, when the newest entry was taken, until %s" % (iso(newest), end)
            )
        if prunings.took_leaf(last):
            still_open.append("that entry %d and what was pruned with it is of the period" % last)
    return still_open


# ---- Who made the pack: a DSSE envelope over the manifest, by a key that is not the log's.

STATEMENT = "application/vnd.in-toto+json"
ATTESTS = "urn:sentinel:audit-log-export:v1"


def check_attestation(pack, manifest_bytes, key_text):
    """Who made the pack, and when, as the attestation key says; None where nobody is to be asked."""
    text = pack.text("attestation.json")
    if key_text is None:
        return None
    if text is None:
        raise Hopeless("the pack is not signed: it has no attestation.json")
    key, envelope = Key(key_text), parse_json(text)
    payload, signatures = base64_bytes(envelope.get("payload")), envelope.get("signatures")
    if envelope.get("payloadType") != STATEMENT or payload is None or not isinstance(signatures, list):
        raise Hopeless("attestation.json is no statement of a pack")
    signed = ("DSSEv1 %d %s %d " % (len(STATEMENT), STATEMENT, len(payload))).encode() + payload
    ours = [each for each in signatures if isinstance(each, dict) and each.get("keyid") == key.id]
    if not ours or not all(signature_holds(key.public, signed, base64_bytes(each.get("sig")) or b"") for each in ours):
        raise Hopeless("attestation.json is not signed by %s with this attestation key" % key.name)
    statement = parse_json(payload.decode("utf-8"))
    about = [{"name": "manifest.json", "digest": {"sha256": sha256(manifest_bytes).hex()}}]
    if statement.get("predicateType") != ATTESTS or statement.get("subject") != about:
        raise Hopeless("attestation.json is signed, but speaks of another pack")
    return key.name, str(statement["predicate"].get("made_at", ""))


# ---- All together.

HERE = os.path.dirname(os.path.abspath(__file__))


class Found:
    """What is left once a pack was looked at from the outside in."""

    def __init__(self, place, key_text, attestation_key):
        self.pack = pack = Pack(open_pack(place))
        manifest_bytes = pack.need("manifest.json")
        self.manifest = manifest = read_manifest(manifest_bytes.decode("utf-8"), len(pack.files))
        own_key = re.sub("\n$", "", pack.need("verifier-key").decode("utf-8"))
        self.key = key = follow_rotations(pack, Key(own_key if key_text is None else key_text))
        if key.text != own_key:
            problem("the verifier key in the pack is not the one given, nor one that it handed over to")
        note = pack.need("checkpoint").decode("utf-8")
        self.checkpoint = checkpoint = Checkpoint(note, key)
        if manifest["size"] != checkpoint.size or manifest["origin"] != checkpoint.origin:
            raise Hopeless("the manifest speaks of another log or size than the checkpoint")
        self.attested = check_attestation(pack, manifest_bytes, attestation_key)
        check_tiles(pack, manifest, checkpoint.root)
        proved = proved_entries(pack, "proved.jsonl", checkpoint)
        check_rotations(pack, checkpoint)
        self.prunings = Prunings(proved, manifest)
        claimed = claimed_report(pack)
        controls = [] if claimed is None else definition_of(claimed)["controls"]
        self.recount = recount = Recount(controls, manifest["first"])
        walk_entries(pack, manifest, self.prunings, recount.take)
        self.report, self.open = None, []
        if claimed is not None:
            self.report = check_report(pack, manifest, checkpoint, key, recount, claimed)
            self.open = check_period(self.report["period"], manifest, checkpoint, proved, self.prunings, recount)
        cited = [] if self.report is None else self.report["cited"]
        self.proofs = check_proofs(pack, manifest, checkpoint, note, cited)
        if recount.seals["agree"] != recount.seals["inside"] or recount.seals["broken"] > 0:
            problem("seals do not agree with the entries")
        check_listed(pack, manifest["files"])

    def sentence(self, keys_given):
        """What was proven, and what was not."""
        signer = ", SIGNER NOT CHECKED" if keys_given[0] is None else ""
        told = (signer, "; ".join(self.proven()), "; ".join(self.not_proven(*keys_given)))
        return "PROVEN%s: %s. NOT PROVEN: %s." % told

    def proven(self):
        recount, manifest, checkpoint = self.recount, self.manifest, self.checkpoint
        there = (recount.total - recount.gone, recount.details, self.proofs, recount.seals["agree"])
        yield (
            "entries %d to %d are all there, in order, as %s signed them at %d entries"
            % (manifest["first"], manifest["last"], checkpoint.origin, checkpoint.size)
            + " (%d leaves, %d details, %d single proofs, %d seals)" % there
        )
        if self.report is not None:
            beginning, end = self.report["period"]["from"], self.report["period"]["to"]
            if beginning or end:
                yield "the log has no others of %s to %s" % (beginning or "its beginning", end or "its end")
            yield "report.json and report.csv follow from them, with all %d figures" % len(recount.figures)
        if self.attested is not None:
            yield "%s signed this pack with the attestation key given, by its clock at %s" % self.attested

    def not_proven(self, key_text, attestation_key):
        recount, pack = self.recount, self.pack
        total, gone, by_seals = recount.total, recount.gone, sum(recount.pruned.values())
        yield (
            "WHO signed: the key came with the pack; give the one you were told with --key"
            if key_text is None
            else "that the key is the log's, which you vouch for"
        )
        if attestation_key is None:
            signed = pack.has("attestation.json")
            told = ": give the key of attestation.json with --attestation-key" if signed else ", which is not signed"
            yield "who made the pack" + told
        yield from self.open
        if gone > 0:
            counted = (gone, by_seals, gone - by_seals)
            yield "what %d pruned entries said: %d are counted by seals alone, %d by nothing" % counted
        lacking = total - gone - recount.details
        if lacking > 0:
            announced = ", ".join(str(each["seq"]) for each in self.prunings.list)
            yield "what the details of %d entries said, which the log pruned, as its entries %s say" % (lacking, announced)
        if self.report is not None:
            digest = sha256(pack.read("report.json")).hex()
            yield (
                "report.pdf, which is to be read beside report.json alone, whose SHA-256 each of its pages must end with: "
                + digest
            )
        others = [name for name in PROGRAMS if pack.has(name) and not self.is_own(name)]
        if others:
            yield "what %s in the pack do, which are others than ran here" % " and ".join(others)
        yield "that the log was told of everything that happened, nor anything before and after these entries"

    def is_own(self, name):
        """Of programs in the pack that are not those beside this one nothing is said."""
        at = os.path.join(HERE, name)
        return os.path.exists(at) and read_file(at) == self.pack.read(name)


def parse_arguments(argv):
    flags, places = {"--key": None, "--attestation-key": None}, []
    given = iter(argv)
    for each in given:
        if each in flags:
            flags[each] = next(given, None)
            if flags[each] is None:
                return None
        elif each.startswith("--"):
            return None
        else:
            places.append(each)
    place = places[0] if places else HERE
    return None if len(places) > 1 else (place, flags["--key"], flags["--attestation-key"])


def main(argv):
    given = parse_arguments(argv)
    if given is None:
        print("usage: python3 verify.py [PACK] [--key VERIFIER_KEY] [--attestation-key VERIFIER_KEY]", file=sys.stderr)
        return 2
    try:
        for key_text in given[1:]:
            if key_text is not None:
                Key(key_text)
    except Hopeless as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    if not os.path.exists(given[0]):
        print(printable(given[0]) + " is not there", file=sys.stderr)
        return 69
    try:
        found = Found(*given)
    except Hopeless as error:
        problem(str(error))
    except Exception as error:  # whatever a hostile pack provokes, it is not proven
        problem("the pack cannot be read: %s" % error)
    if problems.count > 0:
        for each in problems.shown:
            print("  " + printable(each))
        if problems.count > len(problems.shown):
            print("  and %d more" % (problems.count - len(problems.shown)))
        hidden = ", of which %d WITHHELD" % problems.withheld_count if problems.withheld_count else ""
        wrong = "%d found wrong%s" % (problems.count, hidden)
        print("NOT PROVEN: %s is not what it claims to be (%s)." % (printable(given[0]), wrong))
        return 1
    print(printable(found.sentence(given[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

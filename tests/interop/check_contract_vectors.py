#!/usr/bin/env python3
"""Checks the wire contract's test vectors from the proto files' own text and the RFCs alone.

Shares no code with the services: keys by HKDF (RFC 5869) over hmac, messages by a reader that knows no more than the proto files
say and the protobuf encoding's documentation.

    check_contract_vectors.py VECTORS_FOLDER PROTO_FOLDER

Exit codes: 0 all as computed, 1 something differs, 2 usage or unreadable input.
"""

import hashlib
import hmac
import json
import os
import re
import struct
import sys


# Keys and MACs (proto/sentinel/v1/probe.proto and control.proto say what is covered) ----------------------------------------------

def hkdf_sha256(key, info, length):
    pseudorandom = hmac.new(b"\0" * 32, key, hashlib.sha256).digest()
    output, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(pseudorandom, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
    return output[:length]


def agent_key(fleet_key, node):
    return hkdf_sha256(fleet_key, b"sentinel/agent/v1|" + node.encode(), 32)


def named(domain, node):
    return domain + struct.pack(">H", len(node.encode())) + node.encode()


def batch_mac(key, node, spool_id, sequence, payload):
    covered = named(b"sentinel-batch-v1", node) + spool_id + struct.pack(">Q", sequence) + payload
    return hmac.new(key, covered, hashlib.sha256).digest()


def hello_mac(key, node, spool_id, nonce, hello):
    covered = named(b"sentinel-hello-v1", node) + spool_id + nonce + hashlib.sha256(hello).digest()
    return hmac.new(key, covered, hashlib.sha256).digest()


# Proto files: messages with their fields, enums by name ---------------------------------------------------------------------------

FIELD = re.compile(r"(repeated\s+|optional\s+)?(map\s*<\s*string\s*,\s*\w+\s*>|[\w.]+)\s+(\w+)\s*=\s*(\d+)$")
MAP = re.compile(r"map\s*<\s*string\s*,\s*(\w+)\s*>$")


class Schema:
    """messages: full name -> {number: (name, type, repeated, may_be_absent)}; enums: full names."""

    def __init__(self, folder):
        self.messages, self.enums = {}, set()
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                self._read(re.sub(r"//[^\n]*", "", file.read()))

    def _read(self, text):
        scope = []  # of (kind, full name or None)
        for statement, end in re.findall(r"([^{};]*)([{};])", text):
            words = statement.split()
            if end == "{":
                kind = words[0]
                outer = next((full for what, full in reversed(scope) if what == "message"), None)
                full = words[1] if outer is None or kind == "oneof" else f"{outer}.{words[1]}"
                scope.append((kind, full))
                if kind == "message":
                    self.messages[full] = {}
                elif kind == "enum":
                    self.enums.add(full)
            elif end == "}":
                scope.pop()
            elif scope and scope[-1][0] in ("message", "oneof"):
                match = FIELD.match(" ".join(words))
                if match:
                    owner = next(full for what, full in reversed(scope) if what == "message")
                    label, kind, field, number = match.groups()
                    label = (label or "").strip()
                    absent = scope[-1][0] == "oneof" or label == "optional"
                    self.messages[owner][int(number)] = (field, kind, label == "repeated", absent)

    def resolve(self, owner, kind):
        """Nested types hide outer ones of the same name."""
        for prefix in [owner] + [owner.rsplit(".", i)[0] for i in range(1, owner.count(".") + 1)]:
            if f"{prefix}.{kind}" in self.messages or f"{prefix}.{kind}" in self.enums:
                return f"{prefix}.{kind}"
        return kind


# Protobuf encoding ----------------------------------------------------------------------------------------------------------------

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
WIRE = {"string": LENGTH, "bytes": LENGTH, "fixed32": FIXED32, "double": FIXED64}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def raw(data, at, wire):
    """One value of a wire type, undecoded, and where the next one begins."""
    if wire == VARINT:
        return varint(data, at)
    if wire == LENGTH:
        length, at = varint(data, at)
    else:
        length = {FIXED64: 8, FIXED32: 4}[wire]
    if at + length > len(data):
        raise ValueError("the message ends within a field")
    return data[at:at + length], at + length


def scalar(kind, value):
    """As the vectors write it: 64-bit integers as decimal text, bytes in hexadecimal."""
    if kind == "string":
        return value.decode()
    if kind == "bytes":
        return value.hex()
    if kind == "fixed32":
        return struct.unpack("<I", value)[0]
    if kind == "double":
        return struct.unpack("<d", value)[0]
    if kind == "bool":
        return value != 0
    if kind == "uint64":
        return str(value)
    if kind == "sint32":
        return (value >> 1) ^ -(value & 1)
    return value & 0xFFFFFFFF


def zero(kind):
    return {"string": "", "bytes": "", "bool": False, "uint64": "0"}.get(kind, 0)


def decode(schema, message, data):
    fields = schema.messages[message]
    result = {}
    for name, kind, repeated, may_be_absent in fields.values():
        if repeated:
            result[name] = []
        elif MAP.match(kind):
            result[name] = {}
        elif not may_be_absent and schema.resolve(message, kind) not in schema.messages:
            result[name] = zero(kind)
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = raw(data, at, key & 7)
        if key >> 3 not in fields:
            continue
        name, kind, repeated, _ = fields[key >> 3]
        if MAP.match(kind):
            result[name].update([entry(MAP.match(kind).group(1), value)])
            continue
        decoded = values(schema, schema.resolve(message, kind), key & 7, value)
        if repeated:
            result[name] += decoded
        else:
            result[name] = decoded[-1]
    return result


def entry(kind, data):
    """Of a map with text keys: a message of field 1, the key, and field 2, the value."""
    pair, at = {1: "", 2: zero(kind)}, 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = raw(data, at, key & 7)
        pair[key >> 3] = scalar("string" if key >> 3 == 1 else kind, value)
    return pair[1], pair[2]


def values(schema, kind, wire, value):
    """A field's values: several where they are packed."""
    if kind in schema.messages:
        return [decode(schema, kind, value)]
    own = WIRE.get(kind, VARINT)
    if wire == own:
        return [scalar(kind, value)]
    if wire != LENGTH:
        raise ValueError(f"a {kind} has wire type {wire}")
    packed, at = [], 0
    while at < len(value):
        item, at = raw(value, at, own)
        packed.append(scalar(kind, item))
    return packed


# The vectors ----------------------------------------------------------------------------------------------------------------------

def check_key(_, vector):
    return agent_key(bytes.fromhex(vector["fleet_key"]), vector["node"]).hex() == vector["agent_key"]


def check_batch(schema, vector):
    key, spool_id, payload = (bytes.fromhex(vector[name]) for name in ("agent_key", "spool_id", "payload"))
    mac = batch_mac(key, vector["node"], spool_id, int(vector["sequence"]), payload).hex()
    envelope = decode(schema, "StreamProbeResultsRequest", bytes.fromhex(vector["envelope"]))
    carried = {name: vector[name] for name in ("node", "spool_id", "sequence", "payload", "mac")}
    return mac == vector["mac"] and carried == {name: envelope[name] for name in carried}


def check_hello(_, vector):
    key, spool_id, nonce, hello = (bytes.fromhex(vector[name]) for name in ("agent_key", "spool_id", "nonce", "hello"))
    return hello_mac(key, vector["node"], spool_id, nonce, hello).hex() == vector["mac"]


def check_message(schema, vector):
    return decode(schema, vector["message"], bytes.fromhex(vector["encoded"])) == vector["fields"]


CHECKS = {
    "agent-keys.json": check_key,
    "batch-macs.json": check_batch,
    "hello-macs.json": check_hello,
    "messages.json": check_message,
}


def holds(check, schema, vector):
    try:
        return check(schema, vector)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        print(f"unreadable: {error}")
        return False


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder, protos = arguments
    schema = Schema(protos)
    total = wrong = 0
    for name, check in CHECKS.items():
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            vectors = json.load(file)["vectors"]
        for number, vector in enumerate(vectors):
            total += 1
            if not holds(check, schema, vector):
                wrong += 1
                print(f"{name}: vector {number} ({vector.get('name', vector.get('node'))}) differs")
    print(f"{total} vectors, {wrong} differ")
    return 1 if wrong or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

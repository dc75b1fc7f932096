"""Digests of a checkpoint's tensors, and the file beside the checkpoint that keeps them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import xxhash

from ._kit.guard import log

# Names of tensors that differ are listed up to this number.
MAX_DIFFERING = 16
_VERSION = 3
# The name under which all values of a checkpoint that are no tensors are one part.
VALUES = "(values)"
# The name under which the file that says where the tensors of a sharded checkpoint lie is one part.
METADATA = "(metadata)"


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...
    def digest(self) -> bytes: ...


_ALGORITHMS: dict[str, Callable[[], _Hash]] = {"sha256": hashlib.sha256, "xxhash": xxhash.xxh3_128}


@dataclass(frozen=True)
class Part:
    """One tensor: its type and shape as text, and its bytes in C order."""

    name: str
    kind: str
    data: Any


@dataclass(frozen=True)
class Manifest:
    algorithm: str
    # Of the whole: over name, kind and digest of every tensor in order of names. Hexadecimal, as all digests here.
    digest: str
    bytes: int
    tensors: dict[str, str]
    # Tells this checkpoint from another that was written over it.
    identity: str
    # Digest over name and kind of every part: the same for the same set of parts.
    layout: str
    replica_checksum: str = ""
    step: int = 0


def digest_parts(
    parts: Iterable[Part], algorithm: str, identity: str, replica_checksum: bytes = b"", step: int = 0
) -> Manifest:
    whole, layout, tensors, size = _ALGORITHMS[algorithm](), hashlib.sha256(), {}, 0
    for part in sorted(parts, key=lambda one: one.name):
        one = _ALGORITHMS[algorithm]()
        for text in (part.name.encode(), part.kind.encode()):
            one.update(struct.pack(">I", len(text)) + text)
            layout.update(struct.pack(">I", len(text)) + text)
        data = memoryview(part.data).cast("B")
        one.update(data)
        size += len(data)
        tensors[part.name] = one.digest().hex()
        whole.update(one.digest())
    digest, named = whole.digest().hex(), layout.hexdigest()
    return Manifest(algorithm, digest, size, tensors, identity, named, replica_checksum.hex(), step)


def differing(now: Manifest, kept: Manifest) -> list[str]:
    """Tensors whose digests differ, or that only one of them has, at most MAX_DIFFERING."""
    names = sorted(now.tensors.keys() | kept.tensors.keys())
    return [name for name in names if now.tensors.get(name) != kept.tensors.get(name)][:MAX_DIFFERING]


def subject(manifest: Manifest, identity: str, whole: bool) -> bytes:
    """Two digests of one subject must be equal: it names the checkpoint as it was written once, the algorithm and, where that may be
    another when it is loaded, the set of parts. Changes with the form of the digests.

    `identity`: no checkpoint of other content has it. 16 bytes."""
    named = [_VERSION, manifest.algorithm, identity, "" if whole else manifest.layout]
    return hashlib.sha256(json.dumps(named).encode()).digest()[:16]


def write(path: Path, manifest: Manifest) -> None:
    partial = path.with_name(path.name + ".partial")
    content = {"version": _VERSION, **asdict(manifest)}
    partial.write_text(json.dumps({**content, "own": _own(content)}, indent=1), encoding="utf-8")
    partial.replace(path)


def read(path: Path) -> Manifest | None:
    """None where there is none; or none that can be trusted, which one line in the log says each time."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("own") == _own(content) and content.pop("version") == _VERSION:
            return Manifest(**content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as reason:
        log.debug("%s: %s", path, reason)
    log.warning("%s is damaged, or of another version of the library: its checkpoint is not compared", path)
    return None


def _own(content: Mapping[str, Any]) -> str:
    """Digest of the manifest itself."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

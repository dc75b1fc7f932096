"""Answers to questions of the analyser. No I/O."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from ._wire import inference_pb2 as wire

MAX_VALUES = 4096


def digest(tokens: Sequence[int], values: Sequence[float]) -> bytes:
    """SHA-256 of how many there are of each, the tokens (32 bits) and the values (double precision), little-endian."""
    numbers = struct.pack("<II", len(tokens), len(values)) + struct.pack(f"<{len(tokens)}I", *tokens)
    # Whatever kind of not a number it is.
    return hashlib.sha256(
        numbers + struct.pack(f"<{len(values)}d", *(value if value == value else float("nan") for value in values))
    ).digest()


def of(question: int, tokens: Sequence[int], values: Sequence[float]) -> wire.Answer:
    """`values`: logarithms of the probabilities of `tokens`."""
    return wire.Answer(id=question, digest=digest(tokens, values), values=list(values[:MAX_VALUES]), count=len(tokens))

"""Texts as the analyser takes them."""

from __future__ import annotations

MODEL_BYTES = 200
FRAMEWORK_BYTES = 64
NAME_BYTES = 100
TENSOR_BYTES = 256
FAILURE_BYTES = 500


def clipped(text: str, most: int) -> str:
    """At most `most` bytes of UTF-8 of `text`, with a space for each control character."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain.encode(errors="replace")[:most].decode(errors="ignore")

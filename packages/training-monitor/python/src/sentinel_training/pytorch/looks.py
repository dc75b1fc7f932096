"""Ranks take over the intervals that the first rank wishes, all in the same step."""

from __future__ import annotations

import struct

from .exchange import Exchange, ExchangeError

_MESSAGE = struct.Struct(">IQIII")
_MAGIC = 0x4C4F4F4B
_ORDER = ("statistics", "replicas", "replay")
_LARGEST = 2**32 - 1


def look(exchange: Exchange | None, step: int, wishes: dict[str, int]) -> dict[str, int]:
    """Raises ExchangeError where a rank is not at this step."""
    if exchange is None:
        return wishes
    answers = exchange.now(_MESSAGE.pack(_MAGIC, step, *(min(wishes[name], _LARGEST) for name in _ORDER)))
    for rank, answer in enumerate(answers):
        magic, at, *_ = _MESSAGE.unpack_from(answer)
        if magic != _MAGIC or at != step:
            raise ExchangeError(f"rank {rank} is not at step {step}")
    _, _, *intervals = _MESSAGE.unpack_from(answers[0])
    return dict(zip(_ORDER, intervals, strict=True))

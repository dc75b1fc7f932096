"""Ranks take over the intervals that the first rank wishes, all in the same step.

The first rank says them with each sample, and after a replay, in which ranks are together anyway.
"""

from __future__ import annotations

import struct

from ..pace import FIRST_LOOK, LOOK_INTERVAL
from .exchange import Exchange, ExchangeError

_MESSAGE = struct.Struct(">IQ12s")
_MAGIC = 0x4C4F4F4B
_ORDER = ("statistics", "replicas", "replay")
_LARGEST = 2**32 - 1
_INTERVALS = struct.Struct(">III")
INTERVALS_BYTES = _INTERVALS.size


class Looks:
    def __init__(self) -> None:
        self._next = FIRST_LOOK
        self._told: tuple[int, dict[str, int]] | None = None
        # Those of a replay.
        self.now: dict[str, int] | None = None

    def hear(self, sampled: int, told: bytes) -> None:
        """What the first rank told with the sample of this step: to be called on all ranks, in the order of samples."""
        if sampled >= self._next:
            self._next = (sampled // LOOK_INTERVAL + 1) * LOOK_INTERVAL
            self._told = sampled, dict(zip(_ORDER, _INTERVALS.unpack(told), strict=True))

    def new(self, heard: int) -> dict[str, int] | None:
        """Intervals to be taken over, once. `heard`: step up to which every rank has heard the first one's samples."""
        new, self.now = self.now, None
        if self._told is not None and self._told[0] <= heard:
            (_, intervals), self._told = self._told, None
            new = new or intervals
        return new


def told(wishes: dict[str, int]) -> bytes:
    return _INTERVALS.pack(*(min(wishes[name], _LARGEST) for name in _ORDER))


def look(exchange: Exchange | None, step: int, wishes: dict[str, int]) -> dict[str, int]:
    """Waits for the other ranks. Raises ExchangeError where a rank is not at this step."""
    if exchange is None:
        return wishes
    answers = exchange.now(_MESSAGE.pack(_MAGIC, step, told(wishes)))
    for rank, answer in answers.items():
        magic, at, *_ = _MESSAGE.unpack_from(answer)
        if magic != _MAGIC or at != step:
            raise ExchangeError(f"rank {rank} is not at step {step}")
    _, _, intervals = _MESSAGE.unpack_from(answers[exchange.ranks[0]])
    return dict(zip(_ORDER, _INTERVALS.unpack(intervals), strict=True))

"""Replays that the analyser asks for.

Each rank may hear of one at another time, or not at all. Whoever has heard says so in the next sample that ranks give each other
anyway, and all replay NOTICE_STEPS later, when every rank has that sample of every other.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# From the sample by which ranks tell each other to the replay.
NOTICE_STEPS = 8
# The analyser may ask more often.
MAX_AN_HOUR = 12
_HOUR_S = 3600.0


class Wishes:
    def __init__(self, *, on: bool, now: Callable[[], float] = time.monotonic) -> None:
        """`on`: false where the job cannot replay. `now`: seconds."""
        self.on = on
        self._now = now
        self._heard = False
        self._last: float | None = None
        self._step: int | None = None

    def hear(self) -> None:
        """From any thread: the analyser wants a replay."""
        self._heard = True

    def tells(self, least_s: float) -> bool:
        """Does this rank tell the others? Not sooner than `least_s` seconds after the last replay of this kind."""
        if not (self.on and self._heard):
            return False
        return self._last is None or self._now() - self._last >= max(least_s, _HOUR_S / MAX_AN_HOUR)

    def agree(self, sampled: int) -> None:
        """Some rank told it with the sample of this step: to be called on all ranks, in the order of samples."""
        if not self.on or (self._step is not None and sampled <= self._step):
            return
        self._step = sampled + NOTICE_STEPS
        self._last, self._heard = self._now(), False

    def due(self, step: int) -> bool:
        return self.on and step == self._step

    def stands_in(self, step: int, interval: int) -> bool:
        """Was there, within so many steps before, a replay that takes the place of the one in turn?"""
        return self._step is not None and 0 <= step - self._step < interval

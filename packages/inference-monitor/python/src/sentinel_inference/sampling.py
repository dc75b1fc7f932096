"""Which requests are looked at."""

from __future__ import annotations

import itertools
import random


class Sampling:
    """Each request with the same probability, so that nothing about a request decides."""

    def __init__(self, rate: float, chance: random.Random | None = None) -> None:
        self.rate = rate
        self._chance = chance or random.Random()
        self._seen = 0
        # Counts without a lock, which a forked child would find held.
        self._passed = itertools.count(1)

    @property
    def seen(self) -> int:
        """Requests that passed, sampled or not."""
        return self._seen

    def take(self) -> bool:
        self._seen = next(self._passed)
        return self._chance.random() < self.rate


class Spacing:
    """Says yes at most once in `interval_s`; 0 = never."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._next = 0.0

    def due(self, now_s: float) -> bool:
        """`now_s`: seconds of a clock that never goes back."""
        if self._interval_s <= 0 or now_s < self._next:
            return False
        self._next = now_s + self._interval_s
        return True

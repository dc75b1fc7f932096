"""How often a detector runs: as configured, or more seldom where it would take more than its share of the job's time."""

from __future__ import annotations

import math
import statistics
from collections import deque

# Shares of the budget; the rest is for what every step pays.
SHARES = {"statistics": 0.2, "replicas": 0.3, "replay": 0.4}
# Measurements that count; the median of them is what a run is expected to cost.
MEMORY = 9
# Steps of which the time is known before intervals are stretched, and steps between two looks at it.
FIRST_LOOK = 20
LOOK_INTERVAL = 1000
# A budget of the whole time of the job bounds nothing.
UNBOUNDED_PCT = 100


class Pace:
    def __init__(self, configured: dict[str, int], budget_pct: float) -> None:
        """`configured`: steps between two runs of each detector, at least; 0 = never. They are never stretched at UNBOUNDED_PCT."""
        self._configured = dict(configured)
        self._budget = budget_pct / 100 if budget_pct < UNBOUNDED_PCT else math.inf
        self._costs: dict[str, deque[float]] = {name: deque(maxlen=MEMORY) for name in configured}
        self._steps: deque[float] = deque(maxlen=2 * FIRST_LOOK + 1)
        self.intervals = dict(configured)

    def cost(self, detector: str, seconds: float) -> None:
        self._costs[detector].append(seconds)

    def step(self, seconds: float) -> None:
        """Of one step without what the library took of it."""
        self._steps.append(seconds)

    def wishes(self) -> dict[str, int]:
        """Intervals that hold the budget by what was measured until now."""
        return {name: self._wish(name) for name in self._configured}

    def forget(self, *detectors: str) -> None:
        """They run no more."""
        for name in detectors:
            self._configured[name] = self.intervals[name] = 0

    def least_seconds(self, detector: str) -> float:
        """Between two runs that come out of turn; 0 while it is not known what one costs."""
        costs = self._costs[detector]
        return statistics.median(costs) / (self._budget * SHARES[detector]) if costs else 0.0

    def due(self, detector: str, step: int) -> bool:
        interval = self.intervals[detector]
        return interval > 0 and step % interval == 0

    def _wish(self, name: str) -> int:
        least = self._configured[name]
        if least == 0 or not self._costs[name] or not self._steps:
            return least
        seconds = statistics.median(self._steps) * self._budget * SHARES[name]
        # A multiple of what was configured, so that runs of detectors fall together.
        return least * max(1, math.ceil(statistics.median(self._costs[name]) / seconds / least))

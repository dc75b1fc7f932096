"""What the library reads of sentinel.yaml: section `training_monitor`, under SENTINEL_TRAINING_MONITOR_… variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ._kit.settings import DEFAULT_PATH, ConfigError, Keys, choice, flag, integer, read, real, text

__all__ = ["ConfigError", "Settings", "load"]


@dataclass(frozen=True)
class Settings:
    path: str = DEFAULT_PATH
    socket_path: str = "/run/sentinel/training.sock"
    # Fraction of the steps of which statistics are taken.
    sampling_rate: float = 0.1
    cross_rank_enabled: bool = True
    # Steps between two comparisons of replicas, at least.
    comparison_interval_steps: int = 10
    # Steps between two replays, at least; 0 = never.
    replay_interval_steps: int = 200
    # What the library may take of the time of the job, percent. Intervals are stretched until it holds; at 100 never.
    overhead_budget_pct: float = 0.5
    verify_on_save: bool = True
    verify_on_load: bool = True
    hash_algorithm: str = "sha256"
    job_id: str = ""

    @property
    def statistics_interval_steps(self) -> int:
        """Steps between two samples; 0 = never."""
        return round(1 / self.sampling_rate) if self.sampling_rate > 0 else 0


_KEYS: Keys = {
    "socket_path": ("socket_path", text),
    "sampling_rate": ("sampling_rate", real(0, 1)),
    "job_id": ("job_id", text),
    "overhead_budget_pct": ("overhead_budget_pct", real(0.01, 100)),
    "cross_rank.enabled": ("cross_rank_enabled", flag),
    "cross_rank.comparison_interval_steps": ("comparison_interval_steps", integer(1, 1_000_000)),
    "replay.interval_steps": ("replay_interval_steps", integer(0, 1_000_000)),
    "checkpoint.verify_on_save": ("verify_on_save", flag),
    "checkpoint.verify_on_load": ("verify_on_load", flag),
    "checkpoint.hash_algorithm": ("hash_algorithm", choice("sha256", "xxhash")),
}


def load(path: str | os.PathLike[str] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """As `_kit.settings.read`.

    Raises:
        ConfigError: the file cannot be read, or a value is not allowed.
    """
    return Settings(**read("training_monitor", _KEYS, path, environment))

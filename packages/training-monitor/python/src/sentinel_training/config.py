"""What the library reads of sentinel.yaml: section `training_monitor`, under SENTINEL_TRAINING_MONITOR_… variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEFAULT_PATH = "/etc/sentinel/config/sentinel.yaml"
SECTION = "training_monitor"
VARIABLE = "SENTINEL_TRAINING_MONITOR_"


class ConfigError(ValueError):
    """A file that cannot be read, or a value that a key does not allow; the message names file, key and what is allowed."""


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
    # What the library may take of the time of the job, percent. Intervals are stretched until it holds.
    overhead_budget_pct: float = 0.5
    verify_on_save: bool = True
    verify_on_load: bool = True
    hash_algorithm: str = "sha256"
    job_id: str = ""

    @property
    def statistics_interval_steps(self) -> int:
        """Steps between two samples; 0 = never."""
        return round(1 / self.sampling_rate) if self.sampling_rate > 0 else 0


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError("true or false")


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = low - 1
        if isinstance(value, bool) or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return read


def _real(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return number

    return read


def _choice(*names: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return str(value)

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    return value


# Key in the file, by dots -> field of Settings and how its value is read.
_KEYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "socket_path": ("socket_path", _text),
    "sampling_rate": ("sampling_rate", _real(0, 1)),
    "job_id": ("job_id", _text),
    "overhead_budget_pct": ("overhead_budget_pct", _real(0.01, 100)),
    "cross_rank.enabled": ("cross_rank_enabled", _flag),
    "cross_rank.comparison_interval_steps": ("comparison_interval_steps", _integer(1, 1_000_000)),
    "replay.interval_steps": ("replay_interval_steps", _integer(0, 1_000_000)),
    "checkpoint.verify_on_save": ("verify_on_save", _flag),
    "checkpoint.verify_on_load": ("verify_on_load", _flag),
    "checkpoint.hash_algorithm": ("hash_algorithm", _choice("sha256", "xxhash")),
}


def load(path: str | os.PathLike[str] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the file at `path`; None = /etc/sentinel/config/sentinel.yaml where it exists, else the defaults.

    Later wins: the file, `sentinel.<environment>.yaml` beside it where SENTINEL_ENVIRONMENT names one, variables.
    Keys of the section that only the analyser acts on are left to it: it checks them all. A relative socket path starts at
    the folder of the file.

    Raises:
        ConfigError: the file cannot be read, or a value is not allowed.
    """
    place = Path(path) if path is not None else Path(DEFAULT_PATH)
    section = _section(place) if path is not None or place.exists() else {}
    overlay = place.with_name(f"sentinel.{environment.get('SENTINEL_ENVIRONMENT', '')}.yaml")
    over = _section(overlay) if environment.get("SENTINEL_ENVIRONMENT") and overlay.exists() else {}
    values: dict[str, Any] = {"path": str(place)}
    for key, (field, read) in _KEYS.items():
        variable = VARIABLE + key.replace(".", "_").upper()
        for where, value in (
            (f"{place}: {SECTION}.{key}", _find(section, key)),
            (f"{overlay}: {SECTION}.{key}", _find(over, key)),
            (variable, environment.get(variable)),
        ):
            if value is None:
                continue
            try:
                values[field] = read(value)
            except ValueError as allowed:
                raise ConfigError(f"{where} is {value!r}: give {allowed}") from None
    settings = Settings(**values)
    return Settings(**{**values, "socket_path": str(place.resolve().parent / settings.socket_path)})


def _section(place: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as reason:
        raise ConfigError(f"{place}: cannot be read: {reason}") from None
    section = (content or {}).get(SECTION, {}) if isinstance(content, dict | None) else None
    if section is None or not isinstance(section, dict):
        raise ConfigError(f"{place}: {SECTION} must be a mapping of keys")
    return section


def _find(section: Mapping[str, Any], key: str) -> Any:
    value: Any = section
    for part in key.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value

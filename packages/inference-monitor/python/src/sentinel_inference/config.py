"""What the library reads of sentinel.yaml: section `inference_monitor`, under SENTINEL_INFERENCE_MONITOR_… variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._kit.settings import DEFAULT_PATH, ConfigError, Keys, flag, integer, read, real, text

__all__ = ["ConfigError", "Settings", "load"]


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("a list of texts")
    return tuple(value)


@dataclass(frozen=True)
class Settings:
    path: str = DEFAULT_PATH
    enabled: bool = True
    socket_path: str = "/run/sentinel/inference.sock"
    # Share of the requests of which a record is sent; the analyser may change it.
    sampling_rate: float = 0.01
    # "" = the analyser names this replica.
    replica_name: str = ""
    # Devices by worker; () = as the framework says.
    gpu_uuids: tuple[str, ...] = ()
    # Seconds between two checksums of the weights; 0 = never.
    weights_interval_s: int = 600
    # "" = weights are compared with their first checksum.
    manifest_file: str = ""
    # Seconds between two requests that are sent with their tokens, for other replicas to compute again; 0 = never.
    replay_interval_s: int = 60


_KEYS: Keys = {
    "enabled": ("enabled", flag),
    "socket_path": ("socket_path", text),
    "sampling_rate": ("sampling_rate", real(0, 1)),
    "replica_name": ("replica_name", text),
    "gpu_uuids": ("gpu_uuids", _texts),
    "weights.interval_s": ("weights_interval_s", integer(0, 604_800)),
    "weights.manifest_file": ("manifest_file", text),
    "replay.interval_s": ("replay_interval_s", integer(0, 86_400)),
}


def load(path: str | os.PathLike[str] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """As `_kit.settings.read`; a relative path of the manifest starts at the folder of the file, too.

    Raises:
        ConfigError: the file cannot be read, or a value is not allowed.
    """
    values = read("inference_monitor", _KEYS, path, environment)
    if values.get("manifest_file"):
        values["manifest_file"] = str(Path(values["path"]).resolve().parent / values["manifest_file"])
    return Settings(**values)

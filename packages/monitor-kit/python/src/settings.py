"""Reads keys of one section of sentinel.yaml, under the variables that may replace them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

DEFAULT_PATH = "/etc/sentinel/config/sentinel.yaml"
# Key in the file, by dots -> field of a library's settings and how its value is read.
Keys = Mapping[str, tuple[str, Callable[[Any], Any]]]


class ConfigError(ValueError):
    """A file that cannot be read, or a value that a key does not allow; the message names file, key and what is allowed."""


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError("true or false")


def integer(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = low - 1
        if isinstance(value, bool) or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return read


def real(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return number

    return read


def choice(*names: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return str(value)

    return read


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def read(
    section: str, keys: Keys, path: str | os.PathLike[str] | None, environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Values by field, of the file at `path`; None = /etc/sentinel/config/sentinel.yaml where it exists, else none. Beside them `path`.

    Later wins: the file, `sentinel.<environment>.yaml` beside it where SENTINEL_ENVIRONMENT names one, variables
    SENTINEL_<SECTION>_<KEY>. Keys of the section that only the analyser acts on are left to it: it checks them all.
    The field `socket_path`, where it is relative, starts at the folder of the file.

    Raises:
        ConfigError: the file cannot be read, or a value is not allowed.
    """
    place = Path(path) if path is not None else Path(DEFAULT_PATH)
    content = _section(place, section) if path is not None or place.exists() else {}
    overlay = place.with_name(f"sentinel.{environment.get('SENTINEL_ENVIRONMENT', '')}.yaml")
    over = _section(overlay, section) if environment.get("SENTINEL_ENVIRONMENT") and overlay.exists() else {}
    values: dict[str, Any] = {"path": str(place)}
    for key, (field, reads) in keys.items():
        variable = f"SENTINEL_{section}_{key.replace('.', '_')}".upper()
        for where, value in (
            (f"{place}: {section}.{key}", _find(content, key)),
            (f"{overlay}: {section}.{key}", _find(over, key)),
            (variable, environment.get(variable)),
        ):
            if value is None:
                continue
            try:
                values[field] = reads(value)
            except ValueError as allowed:
                raise ConfigError(f"{where} is {value!r}: give {allowed}") from None
    if "socket_path" in values:
        values["socket_path"] = str(place.resolve().parent / values["socket_path"])
    return values


def _section(place: Path, name: str) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as reason:
        raise ConfigError(f"{place}: cannot be read: {reason}") from None
    section = (content or {}).get(name, {}) if isinstance(content, dict | None) else None
    if section is None or not isinstance(section, dict):
        raise ConfigError(f"{place}: {name} must be a mapping of keys")
    return section


def _find(section: Mapping[str, Any], key: str) -> Any:
    value: Any = section
    for part in key.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value

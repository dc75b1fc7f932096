"""Reads keys of one section of sentinel.yaml, under the variables that may replace them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

DEFAULT_PATH = "/etc/sentinel/config/sentinel.yaml"
# Key in the file, by dots -> field of a library's settings and how its value is read.
Keys = Mapping[str, tuple[str, Callable[[Any], Any]]]


# From how alike a key is to one of the library's it is taken for a mistyped one (difflib's ratio).
ALIKE = 0.9


class ConfigError(ValueError):
    """A file that cannot be read, or mistakes in it; the message names file, line, key and what is allowed, of each."""

    def __init__(self, message: str, values: Mapping[str, Any] | None = None) -> None:
        """`values`: by field, those that are as they should be."""
        super().__init__(message)
        self.values = dict(values or {})


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
        ConfigError: the file cannot be read, a value is not allowed, or a key is one of these but for a letter.
    """
    place = Path(path) if path is not None else Path(DEFAULT_PATH)
    overlay = place.with_name(f"sentinel.{environment.get('SENTINEL_ENVIRONMENT', '')}.yaml")
    given = [place] if path is not None or place.exists() else []
    given += [overlay] if environment.get("SENTINEL_ENVIRONMENT") and overlay.exists() else []
    found: list[tuple[str, str, Any]] = []
    mistakes: list[str] = []
    for file in given:
        for key, (line, value) in _section(file, section).items():
            where = f"{file}:{line}: {section}.{key}"
            if key in keys:
                found.append((key, where, value))
            elif (near := _alike(key, keys)) is not None:
                mistakes.append(f"{where} is no key: did you mean {section}.{near}?")
    for key in keys:
        variable = f"SENTINEL_{section}_{key.replace('.', '_')}".upper()
        if variable in environment:
            found.append((key, variable, environment[variable]))
    values: dict[str, Any] = {"path": str(place)}
    for key, where, value in found:
        field, reads = keys[key]
        try:
            if value is not None:
                values[field] = reads(value)
        except ValueError as allowed:
            mistakes.append(f"{where} is {value!r}: give {allowed}")
    if "socket_path" in values:
        values["socket_path"] = str(place.resolve().parent / values["socket_path"])
    if mistakes:
        raise ConfigError("; ".join(mistakes), values)
    return values


def _section(place: Path, name: str) -> dict[str, tuple[int, Any]]:
    """Line and value of each key of the section, by dots."""
    try:
        root = yaml.compose(place.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as reason:
        raise ConfigError(f"{place}: cannot be read: {' '.join(str(reason).split())}") from None
    try:
        sections = {} if root is None else _mapping(root)
        return dict(_leaves("", _mapping(sections[name][1]))) if name in sections else {}
    except TypeError:
        raise ConfigError(f"{place}: {name} must be a mapping of keys") from None


def _leaves(prefix: str, mapping: Mapping[str, tuple[int, yaml.Node]]) -> Iterator[tuple[str, tuple[int, Any]]]:
    for key, (line, node) in mapping.items():
        if isinstance(node, yaml.MappingNode):
            yield from _leaves(f"{prefix}{key}.", _mapping(node))
        else:
            yield f"{prefix}{key}", (line, _VALUES.construct_document(node))


_VALUES = yaml.SafeLoader("")


def _mapping(node: yaml.Node) -> dict[str, tuple[int, yaml.Node]]:
    """Raises TypeError where it is none."""
    if not isinstance(node, yaml.MappingNode):
        raise TypeError
    _VALUES.flatten_mapping(node)
    return {str(key.value): (key.start_mark.line + 1, value) for key, value in node.value}


def _alike(key: str, keys: Keys) -> str | None:
    near = difflib.get_close_matches(key, keys, 1, ALIKE)
    return near[0] if near else None

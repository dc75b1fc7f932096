"""What code reaches by the names that it mentions: globals, closures, methods, and what classes hold."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

# Code that is not looked into; what objects of its classes hold is.
_LIBRARIES = frozenset({*sys.stdlib_module_names, "torch", "numpy", "sentinel_training"} - {"__main__"})
_CALLED = ("forward", "__call__", "backward", "setup_context")


def of_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES


def closure(function: types.FunctionType) -> Iterator[tuple[str, types.CellType]]:
    return zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)


def global_names(function: types.FunctionType) -> list[tuple[dict[str, Any], list[str]]]:
    """Global dictionaries with the names in them that a function mentions: its own, and those of modules in it."""
    if of_library(function.__module__):
        return []
    mentioned, own = names(function.__code__), function.__globals__
    modules = [own[name] for name in mentioned if isinstance(own.get(name), types.ModuleType)]
    places = [own, *(vars(one) for one in modules if not of_library(one.__name__))]
    return [(place, [name for name in sorted(mentioned) if name in place]) for place in places]


def names(code: types.CodeType) -> set[str]:
    inner = (names(one) for one in code.co_consts if isinstance(one, types.CodeType))
    return set(code.co_names).union(*inner)


def methods(kind: type) -> Iterator[tuple[str, types.FunctionType]]:
    """What is called of an object of this class in a forward or a backward pass, and what that calls by name."""
    waiting, seen = list(_CALLED), set(_CALLED)
    while waiting:
        name = waiting.pop()
        for base in own_bases(kind):
            found = vars(base).get(name)
            found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
            if not isinstance(found, types.FunctionType):
                continue
            yield f"{base.__name__}.{name}", found
            more = {one for one in names(found.__code__) if hasattr(kind, one)} - seen
            seen |= more
            waiting += more


def own_bases(kind: type) -> list[type]:
    return [base for base in kind.__mro__ if not of_library(base.__module__)]


def class_data(base: type) -> list[str]:
    """Names of what a class itself holds, without methods and the like."""
    return [name for name, one in vars(base).items() if not name.startswith(("__", "_abc_")) and _is_data(one)]


def slots(kind: type) -> list[str]:
    found = vars(kind).get("__slots__", ())
    return [name for name in ((found,) if isinstance(found, str) else found) if name not in ("__dict__", "__weakref__")]


def _is_data(value: Any) -> bool:
    return not (callable(value) or hasattr(type(value), "__get__"))

"""Methods that do not keep alive whose they are."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


def weakly(method: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
    """Calls the method as long as its object lives, and gives back `otherwise` then."""
    held = weakref.WeakMethod(method)

    def call(*args: Any) -> Any:
        found = held()
        return otherwise if found is None else found(*args)

    return call

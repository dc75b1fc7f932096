"""Methods that do not keep alive whose they are, and what is done when a model that was watched is gone."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable
from typing import Any

from ..sender import Sender
from .checkpoint import Checkpoints


def weakly(method: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
    """Calls the method as long as its object lives, and gives back `otherwise` then."""
    held = weakref.WeakMethod(method)

    def call(*args: Any) -> Any:
        found = held()
        return otherwise if found is None else found(*args)

    return call


def let_go(checkpoints: Checkpoints, sender: Sender) -> None:
    """On a thread of its own: what waits is sent, and the garbage collector waits for nothing."""
    checkpoints.remove()
    with contextlib.suppress(RuntimeError):  # the interpreter ends, and has its sender closed
        threading.Thread(target=sender.close, name="sentinel-ends").start()

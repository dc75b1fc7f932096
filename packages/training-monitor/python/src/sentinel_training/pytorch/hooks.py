"""Functions that are hung on a user's model or optimizer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch


class BeforeUpdate:
    """Hung before an optimizer's step: calls a function once the gradients are there. Where a closure makes them that the user gives to the
    step, as PyTorch Lightning does, that is after its first call."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = Hook(function)

    def __call__(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What is given to the step instead; None = the same."""
        if torch.compiler.is_compiling():
            return None
        given = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if not callable(given):
            self._function()
            return None
        watched = _Closure(given, self._function)
        if "closure" in kwargs:
            return args, {**kwargs, "closure": watched}
        return (args[0], watched, *args[2:]), kwargs


class _Closure:
    def __init__(self, closure: Callable[[], Any], first: Callable[[], None]) -> None:
        self._closure, self._first = closure, first
        self._called = False
        functools.update_wrapper(self, closure, updated=())

    def __call__(self) -> Any:
        result = self._closure()
        if not self._called:
            self._called = True
            self._first()
        return result


class Hook:
    """Calls a function and returns nothing. A copy or a pickle of the model that it hangs on gets one that does nothing."""

    def __init__(self, function: Callable[..., None] | None = None) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        # torch.compile would trace what a hook does; nothing of it belongs into the compiled step.
        if self._function is not None and not torch.compiler.is_compiling():
            self._function(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Hook:
        return Hook()

    def __reduce__(self) -> tuple[type[Hook], tuple[()]]:
        return Hook, ()

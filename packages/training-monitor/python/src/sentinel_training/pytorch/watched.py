"""A function of a library with something called after it, in the library's place for it."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from typing import Any

import torch


class Watched:
    """Calls the function that was in the place before, then `then(result, *args, **kwargs)`, and gives back the result.

    What is pickled is the function itself, by its own name: another process, which may not have this library, gets what it would
    have got without it.
    """

    def __init__(self, owner: Any, name: str, then: Callable[..., None]) -> None:
        self._owner, self._name = owner, name
        self._then: Callable[..., None] | None = then
        self._original: Callable[..., Any] = getattr(owner, name)
        functools.update_wrapper(self, self._original)
        setattr(owner, name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self._original(*args, **kwargs)
        # torch.compile would trace it.
        if self._then is not None and not torch.compiler.is_compiling():
            self._then(result, *args, **kwargs)
        return result

    def remove(self) -> None:
        """Where somebody else's function came into the place since, that one stays, and this one only calls the original."""
        self._then = None
        here = getattr(self._owner, self._name)
        if here is not self:
            return
        while isinstance(here, Watched) and here._then is None:
            here = here._original
        setattr(self._owner, self._name, here)

    def __get__(self, instance: Any, _: type | None = None) -> Any:
        # As a function in a class's body becomes a method.
        return self if instance is None else functools.partial(self, instance)

    def __copy__(self) -> Watched:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Watched:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # typing.cast gives back what it is given.
        return typing.cast, (None, self._original)

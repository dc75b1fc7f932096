"""Wraps a callable as one of its own kind: servers ask whether it is a coroutine or a generator function, and call it accordingly."""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any

# Of one result, and when the call began, seconds of time.perf_counter. Raises nothing.
Look = Callable[[Any, float], None]


def wrapped(function: Any, look: Look) -> Any:
    """`function`, of which `look` is given each result: of a generator each that it yields."""
    own = inspect.isroutine(function) or isinstance(function, functools.partial)
    asked = function if own else getattr(type(function), "__call__", function)  # noqa: B004

    if inspect.isasyncgenfunction(asked):

        async def yields_later(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async with contextlib.aclosing(_each_later(function(*args, **kwargs), look)) as results:
                async for result in results:
                    yield result

        return functools.wraps(function)(yields_later)
    if inspect.iscoroutinefunction(asked):

        async def later(*args: Any, **kwargs: Any) -> Any:
            return await _one_later(function(*args, **kwargs), look)

        return functools.wraps(function)(later)
    if inspect.isgeneratorfunction(asked):

        def yields(*args: Any, **kwargs: Any) -> Iterator[Any]:
            yield from _each(function(*args, **kwargs), look)

        return functools.wraps(function)(yields)

    def now(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        return _looked(function(*args, **kwargs), began, look)

    return functools.wraps(function)(now)


def _looked(result: Any, began: float, look: Look) -> Any:
    """What a plain function returned, which may be what another one has begun."""
    if inspect.isgenerator(result):
        return _each(result, look)
    if inspect.iscoroutine(result):
        return _one_later(result, look)
    if inspect.isasyncgen(result):
        return _each_later(result, look)
    look(result, began)
    return result


def _each(results: Any, look: Look) -> Iterator[Any]:
    began = time.perf_counter()
    with contextlib.closing(results):
        for result in results:
            look(result, began)
            yield result


async def _one_later(result: Any, look: Look) -> Any:
    began = time.perf_counter()
    found = await result
    look(found, began)
    return found


async def _each_later(results: Any, look: Look) -> AsyncGenerator[Any, None]:
    began = time.perf_counter()
    async with contextlib.aclosing(results):
        async for result in results:
            look(result, began)
            yield result

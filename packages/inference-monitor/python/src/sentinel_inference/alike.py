"""Wraps a callable as one of its own kind: servers ask whether it is a coroutine or a generator function, and call it accordingly."""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

# What Python asks of an object's class, where that has it.
_SPECIAL = (
    *("__len__", "__bool__", "__iter__", "__next__", "__contains__", "__getitem__", "__setitem__", "__delitem__"),
    *("__enter__", "__exit__", "__aenter__", "__aexit__", "__str__"),
)
# Of one result, and when the call began, seconds of time.perf_counter. Raises nothing.
Look = Callable[[Any, float], None]


def wrapped(function: Any, look: Look) -> Any:
    """`function`, of which `look` is given each result: of a generator each that it yields."""
    if inspect.isroutine(function) or isinstance(function, functools.partial | type):
        return functools.wraps(function)(_calling(function, function, look))
    return _object(function, _calling(function, type(function).__call__, look))


def _calling(function: Any, kind: Any, look: Look) -> Any:
    """Calls `function`, and is what `kind` is."""
    if inspect.isasyncgenfunction(kind):
        return _stream(function, look)
    if inspect.iscoroutinefunction(kind):

        async def later(*args: Any, **kwargs: Any) -> Any:
            return await _one_later(function(*args, **kwargs), look)

        return later
    if inspect.isgeneratorfunction(kind):
        return _generator(function, look)

    def now(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        return _looked(function(*args, **kwargs), began, look)

    return now


class _Proxy:
    """Stands for an object that can be called, which has all that it had."""

    __wrapped__: Any

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if issubclass(type(other), _Proxy) else other))  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> Any:
        """A copy of it, or one in another process, is not looked at."""
        return _same, (self.__wrapped__,)


def _same(function: Any) -> Any:
    return function


def _object(function: Any, call: Any) -> Any:
    # The class has its own `__call__`: whether that is a coroutine function is what servers ask of an object.
    special = {name: _passed_on(name) for name in _SPECIAL if hasattr(type(function), name)}
    return type(
        type(function).__name__, (_Proxy,), special | {"__call__": staticmethod(call), "__wrapped__": function}
    )()


def _passed_on(name: str) -> Callable[..., Any]:
    return lambda proxy, *args: getattr(proxy.__wrapped__, name)(*args)


def _looked(result: Any, began: float, look: Look) -> Any:
    """What a plain function returned, which may be what another one has begun."""
    if inspect.isgenerator(result):
        return _generator(lambda: result, look)()
    if inspect.iscoroutine(result):
        return _one_later(result, look)
    if inspect.isasyncgen(result):
        return _stream(lambda: result, look)()
    look(result, began)
    return result


async def _one_later(result: Any, look: Look) -> Any:
    began = time.perf_counter()
    found = await result
    look(found, began)
    return found


def _generator(begin: Callable[..., Any], look: Look) -> Callable[..., Generator[Any, Any, Any]]:
    """What is sent and thrown into it reaches the generator that `begin` gives, and what that returns comes back (PEP 380)."""

    def yields(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        results = begin(*args, **kwargs)
        began = time.perf_counter()
        step = functools.partial(next, results)
        with contextlib.closing(results):
            while True:
                try:
                    result = step()
                except StopIteration as end:
                    return end.value
                look(result, began)
                try:
                    given = yield result
                    step = functools.partial(results.send, given)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = functools.partial(results.throw, error)

    return yields


def _stream(begin: Callable[..., Any], look: Look) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same of an asynchronous one."""

    async def yields_later(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        results = begin(*args, **kwargs)
        began = time.perf_counter()
        step = functools.partial(anext, results)
        async with contextlib.aclosing(results):
            while True:
                try:
                    result = await step()
                except StopAsyncIteration:
                    return
                look(result, began)
                try:
                    given = yield result
                    step = functools.partial(results.asend, given)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = functools.partial(results.athrow, error)

    return yields_later

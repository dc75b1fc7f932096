"""A server that asks what kind of function it has hears the same, and gets the same."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from sentinel_inference import alike


def plain(x: int) -> int:
    return x


def yields(x: int) -> Iterator[int]:
    yield x
    yield x + 1


async def later(x: int) -> int:
    return x


async def yields_later(x: int) -> AsyncIterator[int]:
    yield x
    yield x + 1


class Yields:
    def __call__(self, x: int) -> Iterator[int]:
        yield from yields(x)


class Later:
    async def __call__(self, x: int) -> int:
        return x


async def gathered(results: AsyncIterator[int]) -> list[int]:
    return [one async for one in results]


def got(result: Any) -> Any:
    if inspect.isasyncgen(result):
        return asyncio.run(gathered(result))
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    return list(result) if inspect.isgenerator(result) else result


KINDS: list[Callable[[Any], bool]] = [
    inspect.isgeneratorfunction,
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
]
EACH: list[tuple[Any, Any]] = [
    (plain, plain),
    (yields, yields),
    (later, later),
    (yields_later, yields_later),
    (Yields(), Yields.__call__),
    (Later(), Later.__call__),
    (functools.partial(later, 7), later),
    (lambda x: later(x), plain),
    (lambda x: yields(x), plain),
    (lambda x: yields_later(x), plain),
]


@pytest.mark.parametrize(("function", "kind"), EACH)
def test_the_same_kind_with_the_same_results(function: Any, kind: Any) -> None:
    looked: list[int] = []
    wrapped = alike.wrapped(function, lambda result, _: looked.append(result))
    assert [ask(wrapped) for ask in KINDS] == [ask(kind) for ask in KINDS]
    given = () if isinstance(function, functools.partial) else (7,)
    result = got(wrapped(*given))
    assert result == got(function(*given))
    assert looked == (result if isinstance(result, list) else [result])


def test_a_generator_that_nobody_reads_on_is_closed() -> None:
    closed = []

    def answers() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    results = alike.wrapped(answers, lambda *_: None)()
    assert next(results) == 1
    results.close()
    assert closed == [True]

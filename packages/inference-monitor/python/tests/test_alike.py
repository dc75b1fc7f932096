"""A server that asks what kind of function it has hears the same, and gets the same."""

from __future__ import annotations

import asyncio
import copy
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
    assert [ask(wrapped) for ask in KINDS] == [ask(function) for ask in KINDS]
    called = wrapped if function is kind or inspect.isroutine(function) else type(wrapped).__call__
    if not isinstance(function, functools.partial):
        assert [ask(called) for ask in KINDS] == [ask(kind) for ask in KINDS]
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


def answers() -> Any:
    """What is sent, what is thrown, and what is returned."""
    heard = [(yield 0)]
    try:
        yield 1
    except ValueError as error:
        heard.append(str(error))
    heard.append((yield 2))
    return heard


def talk(generator: Any) -> Any:
    said = [next(generator), generator.send("A"), generator.throw(ValueError("B"))]
    try:
        generator.send(None)
    except StopIteration as end:
        return said, end.value
    raise AssertionError


async def answers_later() -> Any:
    heard = [(yield [])]
    try:
        yield list(heard)
    except ValueError as error:
        heard.append(str(error))
    yield heard


async def talk_later(stream: Any) -> Any:
    return [await anext(stream), await stream.asend("A"), await stream.athrow(ValueError("B"))]


def test_generators_are_talked_with() -> None:
    for function in (answers, lambda: answers()):
        looked: list[int] = []
        wrapped = alike.wrapped(function, lambda result, _, to=looked: to.append(result))
        assert talk(wrapped()) == talk(answers()) == ([0, 1, 2], ["A", "B", None])
        assert looked == [0, 1, 2]
    later = alike.wrapped(answers_later, lambda *_: None)
    assert asyncio.run(talk_later(later())) == asyncio.run(talk_later(answers_later())) == [[], ["A"], ["A", "B"]]


def test_an_object_keeps_what_it_has() -> None:
    class Model:
        training = True

        def eval(self) -> Model:
            self.training = False
            return self

        def __call__(self, x: int) -> int:
            return x if self.training else -x

    model, looked = Model(), []
    wrapped = alike.wrapped(model, lambda result, _: looked.append(result))
    assert isinstance(wrapped, Model) and callable(wrapped)
    assert wrapped(1) == 1 and wrapped.eval() is model and wrapped(2) == -2
    wrapped.training = True
    assert model.training and looked == [1, -2]
    assert copy.copy(wrapped) is model
    assert wrapped == model and wrapped == wrapped and hash(wrapped) == hash(model)
    with pytest.raises(TypeError):
        len(wrapped)


def test_what_python_asks_of_a_class_reaches_the_object() -> None:
    class Layers(list[int]):
        def __call__(self, x: int) -> int:
            return x + sum(self)

        def __enter__(self) -> Layers:
            return self

        def __exit__(self, *_: object) -> None:
            self.append(9)

    wrapped = alike.wrapped(Layers([1, 2]), lambda *_: None)
    with wrapped as entered:
        assert (len(wrapped), wrapped[1], list(wrapped), 2 in wrapped, bool(wrapped)) == (2, 2, [1, 2], True, True)
    assert entered == [1, 2, 9] and wrapped(1) == 13

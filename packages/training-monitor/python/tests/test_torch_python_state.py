"""What Python objects hold is known, told when it changes, and put back; operators that would change a tensor do not run."""

from __future__ import annotations

import collections
import contextvars
import dataclasses
import functools
import queue
import random
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

from sentinel_training.pytorch.barrier import Barrier, RefusedError
from sentinel_training.pytorch.python_state import PythonState, UnknownStateError


@dataclasses.dataclass(slots=True)
class Held:
    number: int = 0
    last: Any = None


class Model(nn.Module):
    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(2))
        self.number, self.nested = 1.5, {"a": [1, {2}], "b": collections.deque([1])}
        self.held, self.array, self.fixed = Held(), numpy.zeros(3), torch.zeros(2)
        self.draw, self.generator = random.Random(0), numpy.random.default_rng(0)
        self.partial = functools.partial(int, base=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + Model.calls


CHANGES: dict[str, Callable[[Model], Any]] = {
    "number": lambda m: setattr(m, "number", 2.5),
    "nan": lambda m: setattr(m, "number", float("nan")),
    "new": lambda m: setattr(m, "other", 1),
    "gone": lambda m: delattr(m, "number"),
    "list in a dictionary": lambda m: m.nested["a"].append(2),
    "set": lambda m: m.nested["a"][1].add(3),
    "order": lambda m: m.nested.update(a=m.nested.pop("a")),
    "deque": lambda m: m.nested["b"].append(2),
    "slot": lambda m: setattr(m.held, "last", torch.ones(1)),
    "array": lambda m: m.array.__setitem__(1, 5),
    "random": lambda m: m.draw.random(),
    "numpy": lambda m: m.generator.random(),
    "class": lambda m: setattr(Model, "calls", 1),
    "mode": lambda m: m.layer.eval(),
    "hook": lambda m: m.layer.register_forward_hook(print),
    "another tensor": lambda m: setattr(m, "fixed", torch.ones(2)),
    "another parameter": lambda m: setattr(m.layer, "bias", nn.Parameter(torch.ones(2))),
    "another buffer name": lambda m: m.register_buffer("more", torch.ones(2)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_changes_are_put_back(what: str) -> None:
    model = Model()
    state = PythonState(model)
    assert state.changed() is None
    CHANGES[what](model)
    assert state.changed() is not None
    state.restore()
    assert state.changed() is None


def test_a_tensor_that_is_written_to() -> None:
    model = Model()
    state = PythonState(model)
    model.mean.add_(1)
    assert state.changed() is None
    model.fixed.add_(1)
    assert state.changed() == "Model.fixed"


@pytest.mark.parametrize("value", [iter([1]), queue.Queue(), (n for n in [1])])
def test_may_hold_anything(value: object) -> None:
    model = Model()
    model.value = value  # type: ignore[assignment]
    with pytest.raises(UnknownStateError, match=r"Model\.value"):
        PythonState(model)


def test_ranks_whose_models_hold_the_same_have_the_same_digest() -> None:
    class Model(nn.Module):
        def __init__(self, **held: Any) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)
            self.__dict__.update({"scale": 1.5, "names": {"a", "b", "c"}, "sizes": [(1, 2), [3]]} | held)

    def of(**held: Any) -> bytes:
        return PythonState(Model(**held)).digest()

    generator = torch.Generator().manual_seed(7)
    hooked = Model()
    hooked.register_forward_hook(len, with_kwargs=True)
    same = [of(names={"c", "b", "a"}), of(device=torch.device("cpu")), of(table=torch.ones(2)), of(generator=generator)]
    assert {of(), *same, PythonState(hooked).digest()} == {of()}
    others = [of(scale=1.25), of(names={"a", "b"}), of(sizes=[(1, 2), [4]]), of(sizes=[(1, 3), [3]]), of(task=None)]
    assert len({of(), *others}) == 1 + len(others)


def test_constants_are_the_tensors_that_are_neither_parameters_nor_buffers() -> None:
    model = nn.BatchNorm1d(2)
    model.table, model.more = torch.ones(3), [torch.zeros(2)]
    assert [one.tolist() for one in PythonState(model).constants()] == [[0, 0], [1, 1, 1]]


VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("VARIABLE", default=0)


def test_what_a_variable_of_the_context_holds_is_put_back() -> None:
    class Model(nn.Module):
        def forward(self, x: torch.Tensor | None) -> torch.Tensor | None:
            VARIABLE.set(VARIABLE.get() + 1)
            return x

    model = Model()
    state = PythonState(model)
    model(None)
    assert state.changed() is not None
    state.restore()
    assert VARIABLE.get() == 0 and state.changed() is None


HELD = torch.zeros(3)
REFUSED: dict[str, Callable[[], Any]] = {
    "in place": lambda: HELD.add_(1),
    "through data": lambda: HELD.data.add_(1),
    "a view": lambda: HELD[1:].mul_(2),
    "as an output": lambda: torch.add(torch.ones(3), 1, out=HELD),
    "a view made inside": lambda: HELD.view(3, 1).detach().fill_(2),
    "several at once": lambda: torch._foreach_add_([HELD], 1.0),
    "a generator": lambda: torch.rand(3, generator=torch.Generator()),
}


@pytest.mark.parametrize("what", REFUSED)
def test_does_not_run(what: str) -> None:
    with pytest.raises(RefusedError), Barrier([]) as barrier:
        REFUSED[what]()
    assert barrier.refused
    assert HELD.tolist() == [0, 0, 0]


def test_what_is_made_inside_may_be_written_to() -> None:
    given = torch.ones(3)
    with Barrier([given]) as barrier:
        given.add_(1)
        made = torch.tensor([1.0, 2.0, 3.0]).add_(given) + HELD
        made[0].mul_(5)
        torch.nn.functional.dropout(made.relu_(), 0.5, inplace=True)
    assert given.tolist() == [2, 2, 2]
    assert barrier.refused == ""

"""What a user gives as an optimizer."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import pytest
import torch
from torch import nn

from conftest import Configure
from jobs import Log, sentinel_training
from sentinel_training.pytorch.optimizers import optimizers_in


class Wrapper:
    """As other libraries make them."""

    def __init__(self, inner: Any) -> None:
        self.options, self.wrapped, self.param_groups = {"a": 1}, inner, inner.param_groups

    def step(self) -> None:
        self.wrapped.step()


class Derived(torch.optim.Optimizer):
    """As Accelerate's: an optimizer by its class, without what one has."""

    def __init__(self, inner: Any) -> None:
        self.optimizer = inner


def _sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)


def test_those_of_wrappers_are_found() -> None:
    a, b = _sgd(), _sgd()
    assert optimizers_in(a) == [a]
    assert optimizers_in([a, Wrapper(b)]) == [a, b]
    assert optimizers_in({"a": Derived(Wrapper(a))}) == [a]


@pytest.mark.parametrize("given", [None, [], "sgd", [None]], ids=str)
def test_what_is_none_costs_the_job_nothing(given: Any, configure: Configure) -> None:
    with pytest.raises(TypeError, match="optimizer"):
        optimizers_in(given)
    model, optimizer, log = nn.Linear(2, 2), _sgd(), Log()
    sentinel_training.pytorch.TrainingMonitor(config_path=configure()).attach(model, given)
    log.remove()
    (line,) = [line for line in log.lines if "the training monitor is off" in line]
    assert "optimizer" in line
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()


def test_a_model_that_is_let_go_goes(configure: Configure) -> None:
    """With its monitor, that monitor's threads, and what it put into the places of torch.save and torch.load."""
    save, threads = torch.save, threading.active_count()
    config, gone = configure(), []
    for _ in range(3):
        model = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        sentinel_training.pytorch.TrainingMonitor(config_path=config).attach(model, optimizer)
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        gone.append(weakref.ref(model))
        del model, optimizer
    gc.collect()
    assert [one() for one in gone] == [None] * 3
    deadline = time.monotonic() + 30
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= threads
    assert torch.save is save


def test_steps_of_a_wrapped_optimizer_are_seen(configure: Configure) -> None:
    model = nn.Linear(2, 2)
    optimizer = Wrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    monitor = sentinel_training.pytorch.TrainingMonitor(config_path=configure()).attach(model, optimizer)
    for _ in range(3):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    assert monitor._step == 3
    monitor.detach()

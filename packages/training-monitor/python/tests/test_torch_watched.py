"""torch.save and torch.load with the monitor attached are as usable as without it."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import sentinel_training
from conftest import Configure

SAVE, LOAD = torch.save, torch.load


@pytest.fixture
def monitor(configure: Configure) -> Iterator[sentinel_training.pytorch.TrainingMonitor]:
    model = torch.nn.Linear(2, 2)
    one = sentinel_training.pytorch.TrainingMonitor(config_path=configure())
    one.attach(model, torch.optim.SGD(model.parameters(), lr=0.1))
    assert torch.load is not LOAD
    yield one
    one.detach()
    assert (torch.save, torch.load) == (SAVE, LOAD)


class Files(Dataset[Any]):
    def __init__(self, paths: list[Path], loader: Any) -> None:
        self.paths, self.loader = paths, loader

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        return self.loader(self.paths[index])


@pytest.mark.usefixtures("monitor")
def test_workers_that_load(tmp_path: Path) -> None:
    torch.save(torch.ones(2), tmp_path / "a.pt")
    data = DataLoader(Files([tmp_path / "a.pt"], torch.load), num_workers=1, multiprocessing_context="spawn")
    assert [batch.tolist() for batch in data] == [[[1.0, 1.0]]]


@pytest.mark.usefixtures("monitor")
def test_another_process_that_saves(tmp_path: Path) -> None:
    path = tmp_path / "b.pt"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        pool.submit(torch.save, {"a": torch.ones(2)}, path).result(600)
    assert torch.load(path)["a"].tolist() == [1, 1]


@pytest.mark.usefixtures("monitor")
def test_a_pickle_is_of_the_original() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps((torch.save, torch.load, torch.load), protocol)
        assert b"sentinel" not in data
        assert pickle.loads(data) == (SAVE, LOAD, LOAD)


@pytest.mark.usefixtures("monitor")
def test_looks_like_the_original() -> None:
    for ours, theirs in ((torch.save, SAVE), (torch.load, LOAD)):
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert inspect.getsource(ours) == inspect.getsource(theirs)
        assert (ours.__name__, ours.__module__, ours.__doc__) == (theirs.__name__, theirs.__module__, theirs.__doc__)
        assert copy.copy(ours) is copy.deepcopy(ours) is ours


@pytest.mark.usefixtures("monitor")
def test_in_a_compiled_function(tmp_path: Path) -> None:
    def keep(x: torch.Tensor) -> torch.Tensor:
        y = x * 2
        torch.save(y, tmp_path / "c.pt")
        return torch.load(tmp_path / "c.pt") + 1

    assert torch.compile(keep, backend="eager")(torch.ones(2)).tolist() == [3, 3]


def test_somebody_elses_function_stays(configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def before(*args: Any, **kwargs: Any) -> None:
        calls.append("before")
        SAVE(*args, **kwargs)

    monkeypatch.setattr(torch, "save", before)
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first, second = (sentinel_training.pytorch.TrainingMonitor(config_path=configure()) for _ in range(2))
    first.attach(model, optimizer)
    second.attach(model, optimizer)
    ours = torch.save

    def after(*args: Any, **kwargs: Any) -> None:
        calls.append("after")
        ours(*args, **kwargs)

    torch.save = after
    first.detach()
    second.detach()
    assert torch.save is after
    torch.save(torch.ones(1), tmp_path / "d.pt")
    assert calls == ["after", "before"]
    assert [path.name for path in tmp_path.glob("d.pt*")] == ["d.pt"]
    torch.save = ours
    first.attach(model, optimizer)
    first.detach()
    assert torch.save is before

"""Ranks wait for each other only where the job itself has just brought them together."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import jobs
import sentinel_training
from analyser import Analyser
from conftest import Configure
from ranks import Ranks
from sentinel_training.pytorch.exchange import Exchange

STEPS = 200


def train(rank: int, *, config: str, kind: str, name: str) -> dict[str, Any]:
    """Ranks of the first half do all their steps before those of the other half do their first."""
    early = rank < 2
    pairs = [dist.new_group([0, 1]), dist.new_group([2, 3])]
    model: nn.Module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    if kind != "plain":
        model = DistributedDataParallel(model, process_group=pairs[not early] if kind == "pairs" else None)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    monitor = sentinel_training.pytorch.TrainingMonitor(config_path=config)
    store = dist.distributed_c10d._get_default_store()
    apart = kind != "local"
    if apart and not early:
        store.wait([f"{name}/0", f"{name}/1"])
    log, waits = jobs.Log(), Waits()
    monitor.attach(model, optimizer)
    with waits:
        if not apart and not early:
            store.wait([f"{name}/0", f"{name}/1"])
        for _ in range(STEPS if early else 10):
            with model.no_sync() if kind == "local" else contextlib.nullcontext():  # type: ignore[operator, attr-defined]
                loss = model(torch.randn(2, 4)).square().mean()
                loss.backward()
            monitor.log(loss=loss)
            optimizer.step()
            optimizer.zero_grad()
    store.set(f"{name}/{rank}", "done")
    dist.barrier()
    monitor.detach()
    log.remove()
    return {"log": log.lines, "waits": waits.count}


class Waits(contextlib.AbstractContextManager["Waits"]):
    """Counts how often this rank waits for another."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Waits:
        self._wait = Exchange.wait

        def wait(exchange: Exchange, work: dist.Work | None) -> None:
            self.count += work is not None and not work.is_completed()
            self._wait(exchange, work)

        Exchange.wait = wait  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Exchange.wait = self._wait  # type: ignore[method-assign]


def test_ranks_that_nothing_brings_together_do_not_know_each_other(
    ranks: Ranks, analyser: Analyser, configure: Configure
) -> None:
    """Not even `attach` waits: the first ranks have done all their steps when the others come to it."""
    done = ranks.run(train, config=configure(), kind="plain", name="sweep")
    assert [one["waits"] for one in done] == [0, 0, 0, 0]
    assert [line.split("(")[0] for one in done for line in one["log"]] == ["off in this job: comparison of ranks "] * 4
    assert len({hello.run_id for hello in analyser.of("hello")}) == 4
    assert not analyser.of("replicas")
    assert all(len(step.rank_losses) <= 1 for step in analyser.of("step"))


def test_two_groups_of_replicas_do_not_wait_for_each_other(
    ranks: Ranks, analyser: Analyser, configure: Configure
) -> None:
    done = ranks.run(train, config=configure(), kind="pairs", name="pairs")
    assert not any("is off" in line for one in done for line in one["log"])
    compared = analyser.of("replicas")
    assert {tuple(rank for rank, sums in enumerate(one.checksums) if sums) for one in compared} == {(0, 1), (2, 3)}
    assert all(len(set(one.checksums) - {b""}) == 1 for one in compared)
    assert {answer.rank for one in analyser.of("replay") for answer in one.answers} == {0, 1, 2, 3}
    assert max(one.step for one in analyser.of("replay")) > STEPS / 2


def test_replicas_without_shared_gradients_do_not_wait(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    """As in local SGD."""
    done = ranks.run(train, config=configure(), kind="local", name="local")
    assert [one["waits"] for one in done] == [0, 0, 0, 0]
    assert all(any("comparison of ranks is off" in line for line in one["log"]) for one in done[:2])


def keep_to_a_small_budget(rank: int, *, config: str) -> dict[str, int]:
    job = jobs.Job(rank, "ddp", config)
    for _ in range(40):
        job.step()
    assert job.monitor is not None
    intervals = dict(job.monitor._pace.intervals)
    assert not any("is off" in line for line in job.log.lines)
    job.end()
    return intervals


def test_ranks_take_over_the_same_intervals(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    done = ranks.run(keep_to_a_small_budget, config=configure(overhead_budget_pct=0.01, replay="{interval_steps: 0}"))
    assert all(one == done[0] for one in done)
    assert min(done[0]["statistics"], done[0]["replicas"]) > 40
    last = max(one.step for one in analyser.of("step"))
    assert 20 <= last < 40

"""Healthy jobs: the monitor changes no bit of them, and sees nothing wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import jobs
from analyser import Analyser
from conftest import Configure
from ranks import Ranks

JOBS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ddp": (jobs.train, {}),
    "accumulated in bfloat16": (jobs.train, {"accumulate": 3, "bf16": True}),
    "two optimizers": (jobs.train, {"kind": "two optimizers"}),
    "compiled": (jobs.train, {"kind": "compiled"}),
    "fsdp2": (jobs.train, {"kind": "fsdp2"}),
    "hsdp": (jobs.train, {"kind": "hsdp"}),
    "scaled": (jobs.train_scaled, {}),
    "uneven": (jobs.train_uneven, {}),
    "closures": (jobs.train_by_closures, {}),
    "LBFGS": (jobs.train_by_closures, {"optimizer": torch.optim.LBFGS}),
    "not wrapped": (jobs.train, {"kind": "plain"}),
    "hooks change gradients": (jobs.train_that_changes_gradients, {}),
    "tables of each rank": (jobs.train_with_tables_of_their_own, {}),
    "layers left out at random": (jobs.train_that_drops_layers, {}),
}


# Kinds of records, where a detector has nothing to work on.
SEEN = {
    "compiled": {"step", "replicas", "replay"},
    "fsdp2": {"step", "product"},
    "hsdp": {"step", "replicas", "product"},
    "not wrapped": {"step", "replay", "product"},
}


@pytest.mark.parametrize("name", JOBS)
def test_bit_for_bit(name: str, ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    job, options = JOBS[name]
    without = ranks.run(job, **options)
    with_monitor = ranks.run(job, config=configure(), **options)
    for plain, watched in zip(without, with_monitor, strict=True):
        assert watched["digest"] == plain["digest"]
        assert watched["losses"] == plain["losses"]
    nothing_wrong(analyser)
    seen = {kind for kind in ("step", "replicas", "replay", "product") if analyser.of(kind)}
    assert seen == SEEN.get(name, {"step", "replicas", "replay", "product"})


def test_compiled_by_inductor(analyser: Analyser, configure: Configure) -> None:
    """One process: four at once would compile for minutes. One thread: with several its kernels give other bits each time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        plain = jobs.train(0, kind="inductor")
        watched = jobs.train(0, kind="inductor", config=configure())
    finally:
        torch.set_num_threads(threads)
    assert watched["digest"] == plain["digest"]
    assert watched["losses"] == plain["losses"]
    nothing_wrong(analyser)
    assert analyser.of("step")
    # The eager module computes other bits than the compiled one, and no other rank is there to compare with.
    assert any("replay is off" in line for line in watched["log"])


def test_local_steps(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    """Replicas that differ meanwhile are not told, and those that are equal again are."""
    ranks.run(jobs.train_with_local_steps, config=configure())
    nothing_wrong(analyser)
    steps = {one.step for one in analyser.of("replicas")}
    assert {2, 4} <= steps and not {6} & steps and max(steps) > 8


def test_left_out_steps_do_not_count(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    done = ranks.run(jobs.train_scaled, config=configure(), steps=8)
    assert done[0]["scale"] < 2.0**127
    assert 0 < max(step.step for step in analyser.of("step")) < 8


def test_resumed(ranks: Ranks, analyser: Analyser, configure: Configure, tmp_path: Path) -> None:
    """A job that goes on from its checkpoint is the same job in another run."""
    for _ in range(2):
        ranks.run(jobs.train_and_keep, config=configure(), path=str(tmp_path / "kept.pt"))
    nothing_wrong(analyser)
    hellos = analyser.of("hello")
    assert len({hello.job_id for hello in hellos}) == 1
    assert len({hello.run_id for hello in hellos}) == 2


def test_a_rank_that_leaves(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    """Comparisons end with one line; the others train on."""
    logs = ranks.run(jobs.train_until_one_leaves, config=configure())
    nothing_wrong(analyser)
    assert all(any("comparison of ranks is off" in line for line in log) for log in logs[:3])


def test_a_rank_that_never_attaches(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    logs = ranks.run(jobs.train_where_one_does_not_attach, config=configure())
    nothing_wrong(analyser)
    assert analyser.of("replicas") == []
    assert all(any("not every rank attached" in line for line in log) for log in logs[:3])


def nothing_wrong(analyser: Analyser) -> None:
    groups = [place.replica_group for place in analyser.of("hello")[0].ranks]
    for replicas in analyser.of("replicas"):
        for group in set(groups) - {0}:
            same = {sums for sums, theirs in zip(replicas.checksums, groups, strict=True) if theirs == group}
            assert len(same) == 1 and same != {b""}
    for replay in analyser.of("replay"):
        assert len({answer.digest for answer in replay.answers}) == 1, replay
    for step in analyser.of("step"):
        assert step.nonfinite_gradients == step.nonfinite_weights == 0
    for product in analyser.of("product"):
        assert product.relative_error < 1e-2

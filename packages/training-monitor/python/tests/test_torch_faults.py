"""One flipped bit on one rank is in the record that it belongs into, with the right rank."""

from __future__ import annotations

from collections import Counter
from typing import Any

import faults
import jobs
from analyser import Analyser
from conftest import Configure
from ranks import Ranks


def minority(checksums: list[bytes], part: slice) -> list[int]:
    counts = Counter(sums[part] for sums in checksums)
    return [rank for rank, sums in enumerate(checksums) if counts[sums[part]] == 1]


PARAMETERS, STATE = slice(0, 16), slice(16, 32)


def test_weight_after_reduce(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    ranks.run(jobs.train, config=configure(), fault=faults.weight_after_step)
    rounds = {one.step: list(one.checksums) for one in analyser.of("replicas")}
    assert sorted(rounds) == [2, 4, 6, 8]
    assert minority(rounds[4], PARAMETERS) == []
    assert minority(rounds[6], PARAMETERS) == minority(rounds[8], PARAMETERS) == [faults.FAULTY]


def test_optimizer_state(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    ranks.run(jobs.train, config=configure(), steps=6, fault=faults.state_after_step)
    rounds = {one.step: list(one.checksums) for one in analyser.of("replicas")}
    assert minority(rounds[4], STATE) == []
    assert minority(rounds[6], STATE) == [faults.FAULTY]


def test_weights_of_two_ranks(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    ranks.run(jobs.train, config=configure(), fault=faults.weights_of_two)
    rounds = {one.step: one for one in analyser.of("replicas")}
    # Told only where replicas differ.
    assert [len(rounds[step].blocks) for step in (2, 4, 6, 8)] == [0, 0, 4, 4]
    for step in (6, 8):
        told = list(rounds[step].blocks)
        blocks = [slice(at, at + 8) for at in range(0, len(told[0]), 8)]
        alone = Counter(tuple(minority(told, block)) for block in blocks)
        # Neighbouring words: of one run, and of different columns.
        assert alone == {(1, 3): 1, (1,): 1, (3,): 1, (): 13}


def of_rank(analyser: Analyser, rank: int) -> Any:
    """One replay of the rank's micro-batch in the step of the fault; every rank tells the same."""
    found = [one for one in analyser.of("replay") if one.rank == rank and one.step == faults.STEP]
    assert len({tuple(one.answers[at].digest for at in range(len(one.answers))) for one in found}) == 1
    return found[0]


def test_product_once(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    ranks.run(jobs.train, config=configure(), steps=11, fault=faults.product_once)
    wrong = of_rank(analyser, faults.FAULTY)
    original, own, neighbour, third = wrong.answers
    assert [(a.rank, a.again) for a in wrong.answers] == [(2, False), (2, True), (3, True), (0, True)]
    assert original.digest != own.digest == neighbour.digest == third.digest
    assert not wrong.asked
    # The rank is asked in the steps that follow, and was wrong once only.
    again = [one for one in analyser.of("replay") if one.rank == faults.FAULTY and one.step > faults.STEP]
    assert [one.step for one in again] == [5, 6, 7, 8, 9]
    assert all(one.asked and len({answer.digest for answer in one.answers}) == 1 for one in again)
    assert not any(one.asked for one in analyser.of("replay") if one.rank != faults.FAULTY)
    for rank in {0, 1, 3}:
        assert len({answer.digest for answer in of_rank(analyser, rank).answers}) == 1
    # Ranks reduce the wrong gradient among all, so that their parameters stay equal: only the replay can tell.
    assert all(len(set(one.checksums)) == 1 for one in analyser.of("replicas"))


def test_convolution_that_pytorchfi_injects_into(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    logs = ranks.run(faults.train_injected_by_pytorchfi, config=configure())
    own = of_rank(analyser, faults.FAULTY)
    original, again, neighbour, third = (answer.digest for answer in own.answers)
    assert original == again != neighbour == third
    # It is as wrong about its neighbour's micro-batch, where the third rank agrees with the neighbour.
    other = of_rank(analyser, faults.FAULTY - 1)
    original, again, by_faulty, third = (answer.digest for answer in other.answers)
    assert original == again == third != by_faulty
    assert all(any("monitor.log(loss=" in line for line in log) for log in logs)


def test_ranks_with_other_weights_have_no_vote(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    """What replicas hold is compared by their checksums; replays compare those that hold the same."""
    ranks.run(jobs.train, config=configure(), steps=5, fault=faults.weights_alike)
    rounds = {one.step: list(one.checksums) for one in analyser.of("replicas")}
    assert len({sums[PARAMETERS] for sums in rounds[faults.STEP]}) == 2
    replays = {one.rank: one for one in analyser.of("replay") if one.step == faults.STEP}
    assert {rank: [answer.rank for answer in one.answers] for rank, one in replays.items()} == {
        0: [0, 0, 1],
        1: [1, 1],
        2: [2, 2, 3],
        3: [3, 3],
    }
    assert all(len({answer.digest for answer in one.answers}) == 1 for one in replays.values())


def test_a_rank_on_other_hardware_is_not_compared(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    done = ranks.run(jobs.train_on_other_threads, config=configure())
    pairs = {(one.rank, answer.rank) for one in analyser.of("replay") for answer in one.answers}
    assert pairs == {(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (3, 3)}
    assert [sum("other hardware" in line for line in one["log"]) for one in done] == [1, 1, 1, 1]

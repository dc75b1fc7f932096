"""Replays that the analyser asks for, on real ranks: one in turn never comes here."""

from __future__ import annotations

import math
from collections.abc import Callable

import faults
import jobs
from analyser import Analyser
from conftest import Configure
from ranks import Ranks
from sentinel_training._wire import training_pb2 as wire
from sentinel_training.pytorch.wishes import NOTICE_STEPS

NEVER_IN_TURN = {"replay": "{interval_steps: 1000000}"}


def once(wanted: Callable[[wire.StreamStepsRequest], bool]) -> Callable[[wire.StreamStepsRequest], bool]:
    told = False

    def first(record: wire.StreamStepsRequest) -> bool:
        nonlocal told
        tells, told = not told and wanted(record), told or wanted(record)
        return tells

    return first


def jumped(record: wire.StreamStepsRequest) -> bool:
    step = record.step
    return record.HasField("step") and step.step >= faults.STEP and not (math.isfinite(step.loss) and step.loss < 5)


def test_a_loss_that_jumps_asks_for_the_replay_that_names_the_rank(
    ranks: Ranks, analyser: Analyser, configure: Configure
) -> None:
    """One rank alone hears of the wish; all replay in the same step."""
    analyser.wants_replay = once(jumped)
    ranks.run(
        jobs.train,
        config=configure(**NEVER_IN_TURN),
        steps=8,
        fault=faults.product_that_makes_the_loss_jump,
        pause_s=0.02,
        until_wanted=True,
    )
    rounds = analyser.of("replay")
    first = min(one.step for one in rounds)
    assert all(one.asked for one in rounds if one.step == first)
    assert first > faults.STEP + NOTICE_STEPS
    own = next(one for one in rounds if one.step == first and one.rank == faults.FAULTY)
    original, again, neighbour, third = (answer.digest for answer in own.answers)
    assert original == again != neighbour == third
    assert {one.rank for one in rounds if one.step == first} == {0, 1, 2, 3}


def test_nobody_who_wants_one_means_none(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    ranks.run(jobs.train, config=configure(**NEVER_IN_TURN), steps=20)
    assert analyser.of("step") and not analyser.of("replay")


def test_wishes_without_end_are_bounded_and_change_no_bit(
    ranks: Ranks, analyser: Analyser, configure: Configure
) -> None:
    analyser.wants_replay = lambda _: True
    config = configure(**NEVER_IN_TURN)
    watched = ranks.run(jobs.train, config=config, steps=40, pause_s=0.02, until_wanted=True)
    plain = ranks.run(jobs.train, steps=len(watched[0]["losses"]))
    assert [one["digest"] for one in watched] == [one["digest"] for one in plain]
    assert len({one.step for one in analyser.of("replay")}) == 1


def test_a_rank_that_leaves_while_a_replay_is_wanted(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    analyser.wants_replay = lambda _: True
    logs = ranks.run(jobs.train_until_one_leaves, config=configure(**NEVER_IN_TURN))
    assert all(any("comparison of ranks is off" in line for line in log) for log in logs[:3])


def test_a_rank_that_is_alone_replays_by_itself(analyser: Analyser, configure: Configure) -> None:
    analyser.wants_replay = lambda _: True
    jobs.train(0, kind="single", config=configure(**NEVER_IN_TURN), steps=8, pause_s=0.02, until_wanted=True)
    rounds = analyser.of("replay")
    assert len(rounds) == 1 and rounds[0].asked
    assert len(rounds[0].answers) == 2 and len({answer.digest for answer in rounds[0].answers}) == 1


def test_where_replays_are_switched_off(ranks: Ranks, analyser: Analyser, configure: Configure) -> None:
    analyser.wants_replay = lambda _: True
    ranks.run(jobs.train, config=configure(replay="{interval_steps: 0}"), steps=24, pause_s=0.02)
    assert analyser.of("step")
    assert analyser.of("replay") == []

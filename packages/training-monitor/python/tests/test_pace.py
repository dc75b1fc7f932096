from __future__ import annotations

from sentinel_training.pace import Pace


def pace(budget_pct: float = 0.5) -> Pace:
    one = Pace({"statistics": 10, "replicas": 10, "replay": 200}, budget_pct)
    for _ in range(30):
        one.step(0.1)
    return one


def test_cheap_detectors_run_as_configured() -> None:
    one = pace()
    one.cost("replicas", 0.001)
    assert one.wishes() == {"statistics": 10, "replicas": 10, "replay": 200}


def test_an_expensive_one_runs_as_seldom_as_its_share_wants() -> None:
    one = pace()
    # 0.4 of 0.5 % of steps of 100 ms is 0.2 ms a step: 180 ms once in 900 steps, which is stretched to a multiple of 200.
    one.cost("replay", 0.18)
    assert one.wishes()["replay"] == 1000
    assert 0.18 / 1000 <= 0.1 * 0.005 * 0.4


def test_a_budget_of_everything_stretches_nothing() -> None:
    one = pace(budget_pct=100)
    # A hundred steps long: what a machine that has stalled measures.
    one.cost("statistics", 10)
    one.cost("replay", 10)
    assert one.wishes() == {"statistics": 10, "replicas": 10, "replay": 200}
    assert one.least_seconds("replay") == 0


def test_one_that_is_forgotten_never_runs() -> None:
    one = pace()
    one.forget("replay")
    assert not any(one.due("replay", step) for step in range(1, 2000))
    assert one.wishes()["replay"] == 0


def test_runs_out_of_turn_keep_the_same_share() -> None:
    one = pace()
    assert one.least_seconds("replay") == 0
    one.cost("replay", 0.2)
    assert one.least_seconds("replay") == 0.2 / (0.005 * 0.4)

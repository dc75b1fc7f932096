"""When ranks replay because the analyser wants it."""

from __future__ import annotations

from sentinel_training.pytorch.wishes import MAX_AN_HOUR, NOTICE_STEPS, Wishes


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_wish_is_told_until_ranks_agree() -> None:
    one = Wishes(on=True)
    assert not one.tells(0)
    one.hear()
    assert one.tells(0) and one.tells(0)
    one.agree(10)
    assert not one.tells(0)
    assert [step for step in range(40) if one.due(step)] == [10 + NOTICE_STEPS]


def test_a_wish_of_several_samples_is_one_replay() -> None:
    one = Wishes(on=True)
    for sampled in (10, 12, 10 + NOTICE_STEPS):
        one.agree(sampled)
    assert one.due(10 + NOTICE_STEPS)
    one.agree(11 + NOTICE_STEPS)
    assert one.due(11 + 2 * NOTICE_STEPS)


def test_wishes_are_bounded_by_the_hour_and_by_what_a_replay_costs() -> None:
    clock = Clock()
    one = Wishes(on=True, now=clock)
    one.agree(0)
    one.hear()
    clock.seconds = 3600 / MAX_AN_HOUR - 1
    assert not one.tells(0)
    clock.seconds += 1
    assert one.tells(0)
    assert not one.tells(1000)
    clock.seconds = 1000
    assert one.tells(1000)


def test_the_replay_in_turn_is_left_out_after_one_that_was_wanted() -> None:
    one = Wishes(on=True)
    assert not one.stands_in(200, 200)
    one.agree(150)
    assert one.stands_in(200, 200)
    assert not one.stands_in(400, 200)


def test_where_a_job_cannot_replay_nothing_is_told() -> None:
    one = Wishes(on=False)
    one.hear()
    one.agree(1)
    assert not one.tells(0)
    assert not one.due(1 + NOTICE_STEPS)

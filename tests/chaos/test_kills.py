"""What is killed, and when, follows from a seed."""

from __future__ import annotations

import random

from tests.chaos.checks import Finding, Wrong
from tests.chaos.kills import Bag, Killed
from tests.chaos.tally import Tally


def test_each_kind_is_killed_as_often_as_the_others() -> None:
    bag = Bag("abc", random.Random(5))
    plans = [bag.draw(2, 10.0) for _ in range(6)]
    assert sorted(planned.kind for plan in plans for planned in plan) == [*"aaaabbbbcccc"]
    assert all(plan == sorted(plan, key=lambda planned: planned.after) for plan in plans)


def test_what_was_not_killed_comes_first_next_time() -> None:
    bag = Bag("abc", random.Random(5))
    (planned,) = bag.draw(1, 10.0)
    bag.put_back([planned.kind])
    assert [each.kind for each in bag.draw(1, 10.0)] == [planned.kind]


def test_the_line_says_what_must_be_none() -> None:
    tally = Tally(runs=2)
    tally.killed([Killed("scheduler", 1, 0.5), Killed("database", 2, 0.7)])
    assert (str(tally), tally.good) == (
        "2 kills, 2 runs: 0 lost, 0 doubled, 0 wrongly promoted, 0 needed by hand",
        True,
    )
    said: list[str] = []
    tally.found([Finding(Wrong.DOUBLED, "2 versions of x")] * 2, said.append)
    assert (str(tally), tally.good, said) == (
        "2 kills, 2 runs: 0 lost, 1 doubled, 0 wrongly promoted, 0 needed by hand",
        False,
        ["WRONG, doubled: 2 versions of x"],
    )

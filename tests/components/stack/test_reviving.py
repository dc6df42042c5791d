from __future__ import annotations

from litegate.stack.reviving import HEALED_AFTER, LONGEST_WAIT, Revivals


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_server_that_keeps_dying_is_started_ever_later_and_never_given_up() -> None:
    clock = Clock()
    revivals = Revivals(clock)
    waits = []
    for _ in range(2000):
        revivals.started("mlflow")
        waits.append(revivals.died("mlflow")[2])
        clock.now += waits[-1]
        assert revivals.due() == ["mlflow"]

    assert waits[:5] == [0.5, 1, 2, 4, 8]
    assert set(waits[7:]) == {LONGEST_WAIT}


def test_the_count_heals_after_a_good_time_and_the_whole_is_remembered() -> None:
    clock = Clock()
    revivals = Revivals(clock)
    for _ in range(6):
        revivals.started("mlflow")
        revivals.died("mlflow")
    revivals.started("mlflow")
    clock.now += HEALED_AFTER

    assert revivals.died("mlflow") == (1, 7, 0.5)


def test_a_server_is_due_when_its_time_has_come_and_no_other_waits_for_it() -> None:
    clock = Clock()
    revivals = Revivals(clock)
    for name, deaths in (("mlflow", 4), ("s3", 1)):
        for _ in range(deaths):
            revivals.died(name)

    assert revivals.due() == []
    clock.now = 0.6
    assert revivals.due() == ["s3"]
    revivals.started("s3")
    assert revivals.due() == []
    clock.now = 4.1
    assert revivals.due() == ["mlflow"]

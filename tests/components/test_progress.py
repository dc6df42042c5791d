"""What a log says of a long piece of work, by a clock of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from litegate.progress import Progress


@dataclass
class Log:
    """Lines, and the time at which they are said."""

    now: float = 100.0
    lines: list[str] = field(default_factory=list)

    def say(self, message: str, *values: object) -> None:
        self.lines.append(message % values)

    def progress(self, total: int, **options: Any) -> Progress:
        return Progress(self.say, "evaluate int8", total, clock=lambda: self.now, **options)


@pytest.fixture
def log() -> Log:
    return Log()


def test_done_rate_and_time_left_are_said(log: Log) -> None:
    progress = log.progress(10_000)
    log.now += 60
    progress.add(200)  # the first of all; until then processes were starting
    log.now += 8
    progress.add(800)
    progress.add(600)  # too soon after the line before
    log.now += 8
    progress.add(1_800)
    assert log.lines == [
        "evaluate int8: 1,000 of 10,000 samples (10 %), 100/s, 1 min 30 s left",
        "evaluate int8: 3,400 of 10,000 samples (34 %), 200/s, 33 s left",
    ]
    assert progress.seconds == 76


def test_short_work_says_nothing(log: Log) -> None:
    progress = log.progress(100)
    for _ in range(100):
        log.now += 0.049
        progress.add()
    assert log.lines == []


def test_a_long_work_does_not_fill_its_log(log: Log) -> None:
    progress = log.progress(36_000)
    for _ in range(36_000):  # ten hours
        log.now += 1
        progress.add()
    minute = [line for line in log.lines if int(line.split()[2].replace(",", "")) <= 60]
    assert len(minute) == 11, "every five seconds at first"
    assert len(log.lines) < 160
    assert "h " in log.lines[100]


def test_nothing_is_said_before_there_is_a_rate(log: Log) -> None:
    progress = log.progress(101)
    log.now += 60
    progress.reach(0)
    assert progress.wait == 0
    progress.reach(1)
    assert progress.wait == 5
    log.now += 60
    progress.reach(1)  # nothing has happened since
    assert log.lines == []
    progress.reach(2)
    assert log.lines == ["evaluate int8: 2 of 101 samples (1 %), 0.017/s, 1 h 39 min left"]


def test_a_work_that_may_end_early_promises_no_more_than_it_knows(log: Log) -> None:
    progress = log.progress(100, at_most=True, unit="runs")
    progress.reach(10)
    log.now += 8
    progress.reach(50)
    assert log.lines == ["evaluate int8: 50 of 100 runs (50 %), 5/s, 10 s left at most"]


def test_what_is_done_again_is_not_counted_beyond_the_whole(log: Log) -> None:
    progress = log.progress(10)
    progress.reach(1)
    log.now += 10
    progress.reach(11)
    assert log.lines == []

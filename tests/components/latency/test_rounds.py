"""How files take turns: with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from litegate.latency.figures import LEAST_ROUNDS
from litegate.latency.rounds import plan, time_in_rounds


class Clock:
    """Goes on only while a file runs."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class File:
    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds, self.runs = clock, seconds, 0

    def invoke(self, quantized: Mapping[str, Any]) -> None:
        self.clock.now += self.seconds
        self.runs += 1


def timed(**seconds: float) -> tuple[Mapping[str, list[list[float]]], list[str], Clock]:
    clock, turns = Clock(), list[str]()
    files = {name: (File(clock, each), [{}, {}]) for name, each in seconds.items()}
    times = time_in_rounds(files, turns.append, lambda *_: None, clock)
    return times.rounds, turns[len(files) :], clock


def test_every_file_has_its_turn_in_every_round_in_an_order_that_changes() -> None:
    rounds, turns, _ = timed(float32=0.001, int8=0.0005, float16=0.002)
    count = len(rounds["int8"])
    assert {name: len(found) for name, found in rounds.items()} == dict.fromkeys(rounds, count)
    orders = [tuple(turns[start : start + 3]) for start in range(0, len(turns), 3)]
    assert len(orders) == count
    assert {frozenset(order) for order in orders} == {frozenset(rounds)}
    assert len(set(orders)) > 3


def test_what_is_timed_is_one_run() -> None:
    rounds, _, _ = timed(float32=0.001, int8=0.02)
    for name, seconds in {"float32": 0.001, "int8": 0.02}.items():
        assert [time for found in rounds[name] for time in found] == pytest.approx(
            [seconds] * sum(map(len, rounds[name]))
        )


class Interrupted(File):
    """Another process runs for some time in the first run that is timed."""

    def invoke(self, quantized: Mapping[str, Any]) -> None:
        super().invoke(quantized)
        if self.runs == 2:
            self.clock.now += 0.008


def test_an_interruption_is_not_taken_for_the_pace_of_a_file() -> None:
    clock = Clock()
    files = {"float32": (File(clock, 1e-5), [{}]), "int8": (Interrupted(clock, 1e-5), [{}])}
    found = time_in_rounds(files, lambda _: None, lambda *_: None, clock).rounds
    assert len(found["int8"][0]) == len(found["float32"][0]) == 100


def test_the_pace_of_a_slow_file_takes_one_run() -> None:
    clock = Clock()
    slow = File(clock, 0.5)
    rounds = time_in_rounds({"float32": (slow, [{}])}, lambda _: None, lambda *_: None, clock).rounds["float32"]
    assert slow.runs == 2 + len(rounds)


def test_a_slow_file_takes_few_rounds_and_no_more_than_one_run_in_each() -> None:
    slices = plan({"float32": 0.001, "int16x8": 0.5})
    assert slices.runs == {"float32": 2, "int16x8": 1}
    assert slices.rounds == LEAST_ROUNDS


@pytest.mark.parametrize("paces", [{"a": 1e-6, "b": 2e-6}, {"a": 0.001, "b": 0.1}, dict.fromkeys("abcdefgh", 0.002)])
def test_all_rounds_together_take_about_a_second_a_file_at_most(paces: dict[str, float]) -> None:
    _, _, clock = timed(**paces)
    assert clock.now < len(paces) * 1.0
    assert plan(paces).rounds > LEAST_ROUNDS

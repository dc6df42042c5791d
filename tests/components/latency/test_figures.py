"""What measured times come to: simulated times, of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.latency.figures import LEAST_ROUNDS, latency_ratio, median_interval, noise, percentiles
from litegate.latency.host import Load

STEADY = [[1.0, 1.01, 0.99]] * 9


def test_median_and_p95_are_of_all_runs_in_milliseconds() -> None:
    assert percentiles([[0.001, 0.002], [0.003]]) == pytest.approx((2.0, 2.9))


@pytest.mark.parametrize(("count", "ranks"), [(6, (0, 5)), (9, (1, 7)), (10, (1, 8)), (31, (9, 21))])
def test_the_interval_is_that_of_the_tables_of_the_sign_test(count: int, ranks: tuple[int, int]) -> None:
    """Conover, Practical Nonparametric Statistics (1999), table A3: at 95 %."""
    assert median_interval(range(count)[::-1], 0.95) == ranks


def test_too_few_rounds_have_no_interval() -> None:
    assert median_interval([1.0] * (LEAST_ROUNDS - 1), 0.95) is None
    assert latency_ratio(STEADY[:5], STEADY[:5]) is None


@pytest.mark.parametrize("rounds", [LEAST_ROUNDS, 13, 31])
def test_the_interval_holds_the_true_ratio_as_often_as_it_says(rounds: int) -> None:
    """The host slows both files of a round by up to eight times; their own noise is skewed, as that of times is."""
    random, trials, true = np.random.default_rng(5), 1000, 0.7
    held = 0
    for _ in range(trials):
        host = np.exp(random.uniform(0, np.log(8), rounds))
        ours = true * host * (1 + 0.1 * random.exponential(size=rounds))
        theirs = host * (1 + 0.1 * random.exponential(size=rounds))
        found = latency_ratio(ours[:, None].tolist(), theirs[:, None].tolist())
        assert found is not None
        held += found.low <= true <= found.high
    assert held / trials >= 0.94, "0.95, less what chance makes of a thousand trials"


def test_a_host_that_is_slow_for_a_while_hides_nothing_from_pairs() -> None:
    """Float32 measured in the busy half, and int8 in the other, was 70 % of it, where the truth is 138 %."""
    host = [2.0] * 15 + [1.0] * 16
    theirs, ours = [[each] for each in host], [[1.38 * each] for each in host]
    found = latency_ratio(ours, theirs)
    assert found is not None
    assert (found.low, found.estimate, found.high) == pytest.approx((1.38, 1.38, 1.38))
    assert (found.rounds, found.confidence) == (31, 0.95)


def test_a_clock_that_stands_still_tells_no_ratio() -> None:
    assert latency_ratio(STEADY, [[0.0]] * 9) is None
    assert latency_ratio([[0.0]] * 9, STEADY) is None


@pytest.mark.parametrize(
    ("load", "rounds", "says"),
    [
        (Load(), STEADY, ""),
        (Load(0.25, 0.05), STEADY, ""),
        (Load(0.5, 0.0), STEADY, "other processes used 50% of the host's processors"),
        (Load(0.0, 0.31), STEADY, "it waited for a processor 31% of the time"),
        (Load(0.0, 0.0), [[1.0], [1.5]] * 5, "float32's own rounds differ by 40%"),
        (Load(0.5, 0.31), None, "other processes used 50% of the host's processors; it waited for a processor 31%"),
    ],
)
def test_what_disturbed_the_measurement_is_said(load: Load, rounds: list[list[float]] | None, says: str) -> None:
    found = noise(rounds, load)
    assert found.startswith(says)
    assert bool(found) == bool(says)

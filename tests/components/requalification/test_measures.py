"""Measures of drift against numbers worked out by hand, and how often chance exceeds what it is said to give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from litegate.requalification.measures import (
    CHANCE,
    outside,
    outside_by_chance,
    psi,
    psi_by_chance,
    shift,
    shift_by_chance,
)
from litegate.requalification.statistics import shares_of

Array = np.ndarray[Any, np.dtype[Any]]


def test_values_at_the_ends_of_the_range_are_inside() -> None:
    assert outside(np.array([-1.0, 0.0, 1.0, 1.5, -3.0]), -1.0, 1.0) == pytest.approx(2 / 5)


def test_the_shift_is_in_standard_deviations_of_the_first_samples() -> None:
    assert shift(mean=10.0, std=4.0, now=7.0) == pytest.approx(0.75)
    assert shift(mean=1.0, std=0.0, now=5.0) == 0.0


def test_the_index_is_the_sum_of_both_divergences() -> None:
    # A million samples each, so that half a sample more says nothing: 0.5 -> 0.25 and 0.5 -> 0.75.
    expected = -0.25 * math.log(0.5) + 0.25 * math.log(1.5)
    assert psi([0.5, 0.5], [0.25, 0.75], (10**6, 10**6)) == pytest.approx(expected, rel=1e-4)
    assert psi([0.5, 0.5], [0.5, 0.5], (10, 10**6)) == pytest.approx(0, abs=1e-9)
    assert psi([0.2, 0.8], [0.6, 0.4], (7, 9)) == pytest.approx(psi([0.6, 0.4], [0.2, 0.8], (9, 7)))


def test_a_bin_that_was_empty_counts_as_half_a_sample() -> None:
    # (9.5, 0.5) / 10 of nine samples against (0.5, 9.5) / 10 of nine others.
    assert psi([1.0, 0.0], [0.0, 1.0], (9, 9)) == pytest.approx(2 * 0.9 * math.log(0.95 / 0.05))


def test_bins_reach_up_to_their_edge_and_values_that_come_often_have_one_of_their_own() -> None:
    values = np.array([0, 0, 0, 0, 0.5, 1, 2, 2])
    assert shares_of(values, np.array([0.0, 1.0])).tolist() == [0.5, 0.25, 0.25]


def test_one_of_two_samples_is_as_likely_outside_of_one_other_as_any_order() -> None:
    # Two samples span a range; a third one lies outside of it in 4 of the 6 orders, so no share below 1 is chance.
    assert outside_by_chance(2, 1) == 1.0
    # Of 2,999 and one more, that one is the least or the largest in 2 of 3,000, which is less than chance.
    assert outside_by_chance(2999, 1) == 0.0
    assert outside_by_chance(1000, 1) == 1.0
    assert outside_by_chance(1, 5) == 1.0


def test_chance_gets_smaller_with_more_samples() -> None:
    assert outside_by_chance(100, 2000) > outside_by_chance(200, 2000) > outside_by_chance(2000, 2000)
    assert shift_by_chance(100, 100) == pytest.approx(3.2905 * math.sqrt(0.02), rel=1e-4)
    assert psi_by_chance(10, 200, 2000) == pytest.approx(27.877 * (1 / 200 + 1 / 2000), rel=0.01)
    assert psi_by_chance(1, 10, 10) == 0.0


def test_chance_is_exceeded_as_rarely_as_it_is_said_to_be() -> None:
    rng = np.random.default_rng(3)
    first, second, rounds = 150, 400, 4000
    over = {"outside": 0, "shift": 0, "psi": 0}
    limits = outside_by_chance(first, second), shift_by_chance(first, second), psi_by_chance(10, first, second)
    for _ in range(rounds):
        then, now = rng.gumbel(size=first), rng.gumbel(size=second)
        edges = np.quantile(then, np.arange(1, 10) / 10)
        shares = shares_of(then, edges).tolist(), shares_of(now, edges).tolist()
        found = (
            outside(now, float(then.min()), float(then.max())),
            shift(float(then.mean()), float(then.std()), float(now.mean())),
            psi(*shares, (first, second)),
        )
        for name, value, limit in zip(over, found, limits, strict=True):
            over[name] += value > limit
    # 4 expected of 4,000; 14 or more would be one chance in ten thousand.
    assert rounds * CHANCE == 4
    assert max(over.values()) < 14, over

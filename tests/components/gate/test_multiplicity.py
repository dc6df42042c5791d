"""Holm's procedure against hand-computed examples."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.gate.multiplicity import holm, holm_levels


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_adjusted_p_values(p_values: list[float], adjusted: list[float]) -> None:
    assert holm(p_values) == pytest.approx(adjusted)


@pytest.mark.parametrize(
    ("p_values", "levels"),
    [
        ([], []),
        ([0.2], [0.05]),
        ([0.001, 0.001, 0.001], [0.05 / 3, 0.05 / 2, 0.05]),
        ([0.3, 0.001, 0.2], [0.025, 0.05 / 3, 0.025]),
        ([0.9, 0.8, 0.7], [0.05 / 3] * 3),
        ([0.04, 0.001], [0.05, 0.025]),
    ],
)
def test_each_claim_is_tested_at_the_level_of_its_step(p_values: list[float], levels: list[float]) -> None:
    assert sorted(holm_levels(p_values, 0.05)) == pytest.approx(sorted(levels))
    found = holm_levels(p_values, 0.05)
    held = [p_value <= level for p_value, level in zip(p_values, found, strict=True)]
    assert held == [value <= 0.05 for value in holm(p_values)]


def test_who_is_tested_later_takes_nothing_from_who_was_tested_before() -> None:
    draws = np.random.default_rng(17).beta(0.3, 1.0, (2000, 4)) / 10
    gained = 0
    for p_values in draws.tolist():
        early = holm_levels([*p_values[:3], 1.0], 0.05)[:3]
        late = holm_levels(p_values, 0.05)[:3]
        passed = [[p <= level for p, level in zip(p_values, levels, strict=False)] for levels in (early, late)]
        assert all(after or not before for before, after in zip(*passed, strict=True))
        gained += passed[0] != passed[1]
    assert gained, "or the last one makes no difference to begin with"

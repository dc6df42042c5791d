from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from litegate.gate.evidence import PairedProportions
from litegate.gate.planning import Plan, limit_decided, power, samples_needed

PLANS = (
    Plan(0.01, 0.02),
    Plan(0.01, 0.02, variants=4),
    Plan(0.02, 0.01, confidence=0.99),
    Plan(0.01, 0.002),
    Plan(0.05, 0.1, drop=0.02),
    Plan(0.005, 0.02, drop=-0.001),
)
_DATASETS = 4000


def simulated(plan: Plan, samples: int) -> float:
    """How often the gate's own test lets such a variant pass, on datasets that are drawn."""
    shares = [(plan.flips + plan.drop) / 2, (plan.flips - plan.drop) / 2, 1 - plan.flips]
    drawn = np.random.default_rng(7).multinomial(samples, shares, size=_DATASETS)
    passed = (
        times
        for (lost, gained), times in Counter(map(tuple, drawn[:, :2].tolist())).items()
        if PairedProportions(samples, lost, gained).p_within(plan.max_drop) <= plan.level
    )
    return sum(passed) / _DATASETS


@pytest.mark.parametrize("plan", PLANS, ids=repr)
@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95])
def test_on_as_many_samples_as_are_planned_the_gate_passes_as_often_as_planned(plan, wanted):
    samples = samples_needed(plan, wanted)
    few = samples * plan.flips < 8  # one flip more or less is then a large part of all

    assert simulated(plan, samples) == pytest.approx(wanted, abs=0.2 if few else 0.06)


@pytest.mark.parametrize("plan", PLANS[:3], ids=repr)
@pytest.mark.parametrize("samples", [200, 1000, 5000])
def test_the_power_of_a_number_of_samples_is_that_of_the_gate(plan, samples):
    assert power(plan, samples) == pytest.approx(simulated(plan, samples), abs=0.06)


@pytest.mark.parametrize("plan", PLANS, ids=repr)
def test_the_limit_that_so_many_samples_decide_needs_so_many(plan):
    limit = limit_decided(plan, 900, 0.8)

    assert samples_needed(replace(plan, max_drop=limit), 0.8) == pytest.approx(900, rel=0.02)


def test_more_flips_a_smaller_limit_a_real_loss_and_more_variants_need_more_samples():
    least = samples_needed(Plan(0.01, 0.02), 0.8)

    harder = (Plan(0.01, 0.04), Plan(0.005, 0.02), Plan(0.01, 0.02, drop=0.003), Plan(0.01, 0.02, variants=2))
    assert all(samples_needed(plan, 0.8) > least for plan in harder)
    assert samples_needed(Plan(0.01, 0.02), 0.9) > least


def test_without_any_flip_there_is_no_chance_and_still_a_need_for_samples():
    """Nothing seen among few samples proves nothing: about 360 for one point, as docs/gate.md says."""
    needed = samples_needed(Plan(0.01, 0.0), 0.8)

    assert 350 <= needed <= 370
    assert power(Plan(0.01, 0.0), needed) > 0.999
    assert power(Plan(0.01, 0.0), needed - 2) < 0.001

"""The short form of `make bench-gate`: how often the gate is wrong, on pairs whose true loss is known.

The seeds are fixed, so the counts are always the same. The bounds are those that a gate with exactly the stated
rate keeps in all but one of a thousand seeds.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binom

from tests.benchmarks.cases import CASES, NAIVE
from tests.benchmarks.clustered_cases import CLUSTERED
from tests.benchmarks.report import ALPHA
from tests.benchmarks.simulate import Case, simulate
from tests.benchmarks.two_phase_cases import TWO_PHASE

RARE = 1e-3
NAMED = {(case.metric, case.policy, case.samples): case for case in (*CASES, *CLUSTERED, *TWO_PHASE)}

AT_LIMIT = [
    ("top1", "absolute", 1_000, 400),
    ("top1, rare", "absolute", 1_000, 400),
    ("mae", "absolute", 1_000, 400),
    ("mae, rare losses", "absolute", 1_000, 400),
    ("iou, rare losses", "absolute", 300, 400),
    ("user's cost", "absolute", 1_000, 400),
    ("rmse", "absolute", 1_000, 20),
    ("top1", "relative", 1_000, 200),
    ("top1", "max_class_drop", 1_000, 400),
    ("top1", "max_slice_drop", 1_000, 200),
    ("top1", "lost class, 2 %", 1_000, 200),
    ("top1", "max_prediction_shift", 1_000, 400),
    ("top1", "max_drop_from_champion", 1_000, 400),
    ("top1", "min_value", 1_000, 400),
    ("top1", "8 variants", 1_000, 200),
    ("top1", "first_samples", 4_000, 200),
    ("top1", "first_samples, class 1 %", 10_000, 40),
    ("top1", "sequential", 10_000, 25),
    ("top1", "sequential, class 1 %", 10_000, 30),
]

CLUSTERS_AT_LIMIT = [
    ("top1", "1,000 x 2", 2_000, 300),
    ("top1", "100 x 100", 10_000, 100),
    ("top1", "groups of 10, 30 % alike", 5_000, 150),
    ("top1", "half are copies of one", 10_000, 30),
    ("top1", "few lost, groups of 10", 10_000, 150),
    ("top1", "largest lost, half in 20s", 10_000, 100),
    ("iou, rare losses", "1,000 x 2", 2_000, 150),
    ("mae, rare losses", "1,000 x 2", 2_000, 150),
    ("top1", "relative, x 2", 2_000, 40),
    ("top1", "max_class_drop, groups of 10", 10_000, 50),
    ("top1", "max_drop_from_champion, groups of 10", 10_000, 60),
    ("top1", "first_samples, groups of 10", 20_000, 40),
    ("top1", "sequential, largest lost, copies", 20_000, 8),
]

BESIDE_A_HOST = [
    ("top1", "host half", 1_000, 150),
    ("top1", "host keeps", 1_000, 100),
    ("top1, restless", "host keeps", 300, 100),
    ("iou, rare losses", "host keeps", 300, 100),
    ("mae", "host opposite", 1_000, 50),
    ("top1", "host keeps, max_class_drop", 2_000, 40),
    ("top1", "host half, x 2", 3_000, 20),
]

PERFECT = [
    ("top1", "absolute", 30),
    ("mae, heavy tails", "absolute", 30),
    ("iou, rare losses", "absolute", 30),
    ("top1", "relative", 20),
    ("top1", "max_class_drop", 20),
    ("top1", "max_slice_drop", 20),
    ("top1", "lost class, 2 %", 20),
    ("top1", "max_drop_from_champion", 20),
    ("top1", "8 variants", 5),
    ("top1", "sequential", 20),
]
POWER = 0.9
"""At 10,000 samples and a margin of one point."""


@pytest.mark.parametrize(("metric", "policy", "samples", "draws"), AT_LIMIT)
def test_a_variant_at_the_limit_passes_at_most_as_often_as_stated(
    metric: str, policy: str, samples: int, draws: int
) -> None:
    counts = simulate(NAMED[metric, policy, samples], perfect=False, seed=[1], draws=draws)
    assert counts.trials == draws
    assert counts.passed <= binom.isf(RARE, draws, ALPHA)
    assert counts.naive_passed >= binom.isf(1 - RARE, draws, 0.3), "the naive rule passes about every second one"


@pytest.mark.parametrize(("metric", "policy", "samples", "draws"), CLUSTERS_AT_LIMIT)
def test_samples_that_are_not_independent_pass_no_more_often(
    metric: str, policy: str, samples: int, draws: int
) -> None:
    counts = simulate(NAMED[metric, policy, samples], perfect=False, seed=[4], draws=draws)
    assert counts.passed <= binom.isf(RARE, draws, ALPHA)
    assert counts.naive_passed >= binom.isf(1 - RARE, draws, 0.3)


@pytest.mark.parametrize(("metric", "policy", "samples", "draws"), BESIDE_A_HOST)
def test_no_host_lets_a_variant_at_the_limit_pass_more_often(
    metric: str, policy: str, samples: int, draws: int
) -> None:
    counts = simulate(NAMED[metric, policy, samples], perfect=False, seed=[6], draws=draws)
    assert counts.passed <= binom.isf(RARE, draws, ALPHA)
    assert counts.naive_passed >= binom.isf(1 - RARE, draws, 0.3)


CLUSTERS_PERFECT = [
    ("top1", "x 2", 20_000, 30),
    ("top1", "groups of 10, 30 % alike", 20_000, 30),
    ("user's cost", "groups of 10", 20_000, 20),
    ("top1", "max_drop_from_champion, x 2", 20_000, 20),
    ("top1", "sequential, groups of 10, 30 % alike", 20_000, 10),
]


@pytest.mark.parametrize(("metric", "policy", "samples", "draws"), CLUSTERS_PERFECT)
def test_a_perfect_variant_passes_when_there_are_clusters_enough(
    metric: str, policy: str, samples: int, draws: int
) -> None:
    counts = simulate(NAMED[metric, policy, samples], perfect=True, seed=[5], draws=draws)
    assert counts.passed >= binom.isf(1 - RARE, counts.trials, POWER)


@pytest.mark.parametrize(("metric", "policy", "draws"), PERFECT)
def test_a_perfect_variant_passes_when_there_are_samples_enough(metric: str, policy: str, draws: int) -> None:
    counts = simulate(NAMED[metric, policy, 10_000], perfect=True, seed=[2], draws=draws)
    assert counts.passed >= binom.isf(1 - RARE, counts.trials, POWER)


def test_a_gate_that_is_wrong_twice_as_often_would_be_seen() -> None:
    lax: Case = replace(NAIVE, gate=NAIVE.gate.model_copy(update={"confidence": 0.85}))
    counts = simulate(lax, perfect=False, seed=[1], draws=400)
    assert counts.passed > binom.isf(RARE, 400, ALPHA)


def test_the_naive_rule_rejects_perfect_models() -> None:
    counts = simulate(NAIVE, perfect=True, seed=[3], draws=400)
    rejected = counts.trials - counts.naive_passed
    assert binom.isf(1 - RARE, 400, 0.06) <= rejected <= binom.isf(RARE, 400, 0.06)

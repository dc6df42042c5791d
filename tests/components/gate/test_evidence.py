"""Evidence against independent calculations: p-values and bounds agree with each other and with the literature."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from litegate.gate.betting import Betting
from litegate.gate.bootstrap import bootstrap
from litegate.gate.clustered import ClusteredMean, ClusteredProportions
from litegate.gate.composed import Relative, Repeated, Unanimous
from litegate.gate.contrasts import Design, mean_evidence
from litegate.gate.evidence import Approximate, Evidence, PairedProportions, needed
from litegate.gate.two_phase import FOLDS, Phases, TwoPhaseMean, TwoPhaseProportions
from litegate.outcomes.clusters import Clusters
from litegate.outcomes.columns import Outcomes


def ternary(samples: int, lost: int, gained: int) -> np.ndarray:
    return np.repeat(np.array([1.0, -1.0, 0.0]), [lost, gained, samples - lost - gained])


def relative(share: float) -> Evidence:
    """Of a first value of 0.8 and a second of 0.78 on 1,000 samples."""
    return Approximate(1000, 0.8 * (1 - share) - 0.78, 0.004, 0.5, 0.5)


GROUPS = Clusters(np.arange(1200) // 4, np.arange(1200) // 4)
CHANGES = np.random.default_rng(1).permutation(ternary(300, 9, 6))[GROUPS.number].astype(int)
REAL = np.random.default_rng(0).beta(2, 8, 300)[GROUPS.number]

BESIDE = Phases(
    target=np.random.default_rng(2).permutation(ternary(1000, 30, 20)).astype(int),
    host=np.random.default_rng(2).permutation(ternary(1000, 20, 15)).astype(int),
    folds=np.arange(1000) % FOLDS,
    slopes=np.full(FOLDS, 0.5),
    rest=ternary(9000, 180, 135).astype(int),
)

KINDS = {
    "paired": PairedProportions(1000, 30, 20),
    "approximate": Approximate(1000, 0.01, 0.002, 1.0, 1.0),
    "relative": Relative(relative, 0.025),
    "repeated": Repeated(PairedProportions(1000, 30, 20), 3),
    "betting": Betting.of(ternary(1000, 30, 20), -1.0, 1.0),
    "betting on real values": Betting.of(np.random.default_rng(0).beta(2, 8, 500), 0.0, 1.0),
    "clustered pairs": ClusteredProportions.of(CHANGES, GROUPS),
    "clustered values": ClusteredMean.of(REAL, 0.0, 1.0, 0.0, GROUPS),
    "clustered errors": ClusteredMean.of(REAL, 0.0, None, 1.0, GROUPS),
    "betting on clusters": Betting.of_sums(GROUPS.sums(CHANGES), GROUPS.sizes, -1.0, 1.0, 4),
    "two-phase pairs": TwoPhaseProportions.of(BESIDE),
    "two-phase clusters": TwoPhaseProportions.of(
        replace(BESIDE, numbers=(np.arange(1000) // 4, 250 + np.arange(9000) // 4))
    ),
    "two-phase values": TwoPhaseMean.of(BESIDE, 1.0, 1.0, unbounded=False),
    "unanimous": Unanimous((PairedProportions(1000, 30, 20), Betting.of(ternary(1000, 30, 20), -1.0, 1.0))),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_a_bound_is_where_the_test_just_decides(name: str, confidence: float) -> None:
    evidence = KINDS[name]
    low, high = evidence.bounds(confidence)
    assert low < evidence.estimate < high
    assert evidence.p_within(high) == pytest.approx(1 - confidence, rel=2e-2)
    assert evidence.p_beyond(low) == pytest.approx(1 - confidence, rel=2e-2)


@pytest.mark.parametrize("name", KINDS)
def test_evidence_grows_with_the_distance_and_with_the_samples(name: str) -> None:
    evidence = KINDS[name]
    limits = evidence.estimate + np.array([0.01, 0.03, 0.1])
    p_values = [evidence.p_within(limit) for limit in limits]
    assert p_values == sorted(p_values, reverse=True)
    assert evidence.scaled(4).p_within(limits[1]) < evidence.p_within(limits[1])
    assert evidence.scaled(4).samples == 4 * evidence.samples
    assert evidence.scaled(4).estimate == pytest.approx(evidence.estimate)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("distance", [-0.02, 0.02])
def test_the_number_that_is_needed_is_the_number_that_decides(name: str, distance: float) -> None:
    evidence = KINDS[name]
    limit = evidence.estimate + distance
    number = needed(evidence, limit, 1e-6)
    assert number is not None

    def p_value(samples: float) -> float:
        more = evidence.scaled(samples / evidence.samples)
        return (more.p_within if distance > 0 else more.p_beyond)(limit)

    assert p_value(number * 1.001) <= 1e-6 < p_value(number * 0.995)


def test_no_number_decides_an_estimate_that_equals_the_limit() -> None:
    assert needed(PairedProportions(1000, 20, 10), 0.01, 0.05) is None


@pytest.mark.parametrize(("samples", "lost", "gained"), [(44, 0, 1), (540, 7, 3), (1000, 19, 19), (10_000, 193, 187)])
@pytest.mark.parametrize("limit", [-0.02, 0.004, 0.03])
def test_the_score_is_tangos_with_a_continuity_correction(samples: int, lost: int, gained: int, limit: float) -> None:
    """With the constrained likelihood maximized by SciPy, independently of the closed form in the gate."""

    def unlikelihood(rare: float) -> float:
        both = 1 - 2 * rare - limit
        return -(lost * np.log(rare + limit) + gained * np.log(rare) + (samples - lost - gained) * np.log(both))

    edges = (max(0.0, -limit) + 1e-12, (1 - limit) / 2 - 1e-12)
    rare = minimize_scalar(unlikelihood, bounds=edges, method="bounded", options={"xatol": 1e-13}).x
    deviation = math.sqrt(samples * (2 * rare + limit * (1 - limit)))
    evidence = PairedProportions(samples, lost, gained)
    for correction, p_value in ((0.5, evidence.p_within(limit)), (-0.5, 1 - evidence.p_beyond(limit))):
        z = (lost - gained - samples * limit + correction) / deviation
        assert p_value == pytest.approx(stats.norm.cdf(z), abs=2e-3, rel=2e-2)


def test_where_nothing_is_gained_the_score_is_no_laxer_than_the_exact_binomial_where_it_matters() -> None:
    for lost in range(6):
        high = PairedProportions(1000, lost, 0).bounds(0.95)[1]
        assert high >= stats.binomtest(lost, 1000).proportion_ci(0.90, "exact").high - 1e-4


def test_swapping_the_models_mirrors_the_bounds() -> None:
    low, high = PairedProportions(500, 12, 5).bounds(0.95)
    assert PairedProportions(500, 5, 12).bounds(0.95) == pytest.approx((-high, -low), abs=1e-9)


def test_a_mean_without_spread_still_allows_for_what_was_not_seen() -> None:
    evidence = mean_evidence(np.zeros(1000), -1.0, 1.0, Design(), 0.0)
    assert evidence.bounds(0.95)[1] == pytest.approx(-math.log(0.05) / 1000), "the rule of three"


def test_with_many_samples_the_bound_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(0.01, 0.2, 50_000).clip(-1, 1)
    expected = values.mean() + stats.sem(values) * stats.norm.ppf(0.95)
    assert mean_evidence(values, -1.0, 1.0, Design(), 0.0).bounds(0.95)[1] == pytest.approx(expected, abs=1e-4)


def test_the_capital_is_a_product_over_the_samples_averaged_over_the_bets() -> None:
    values = np.array([0.5, -0.25, 0.0, 0.0, -1.0, 0.1] * 30)
    limit, sizes = 0.2, 0.99 * np.geomspace(2.0**-11, 1.0, 16) / 0.8
    capital = np.mean([np.prod(1 + size * (limit - values)) for size in sizes])
    assert Betting.of(values, -1.0, 1.0).p_within(limit) == pytest.approx(min(1, 1 / capital))


def test_the_capital_does_not_depend_on_the_order_or_the_form() -> None:
    values = ternary(400, 12, 9)
    shuffled = np.random.default_rng(0).permutation(values)
    plain = Betting(values, np.ones(400), -1.0, 1.0)
    for evidence in (Betting.of(values, -1.0, 1.0), Betting.of(shuffled, -1.0, 1.0)):
        assert evidence.p_within(0.05) == pytest.approx(plain.p_within(0.05), rel=1e-9)
        assert len(evidence.values) == 3


def test_the_paired_bootstrap_agrees_with_scipys() -> None:
    generator = np.random.default_rng(3)
    target = generator.normal(size=400)
    first, second = (target + generator.normal(scale=scale, size=400) for scale in (0.5, 0.6))
    rows = np.arange(400)
    pair = [Outcomes(rows, rows.astype("S"), output=output, target=target) for output in (first, second)]

    def rmse(output: np.ndarray, target: np.ndarray) -> float:
        return float(np.sqrt(np.mean((output - target) ** 2)))

    def loss(first: np.ndarray, second: np.ndarray, target: np.ndarray) -> float:
        return rmse(second, target) - rmse(first, target)

    expected = stats.bootstrap(
        (first, second, target), loss, paired=True, vectorized=False, n_resamples=2000, method="basic", rng=0
    )
    found = bootstrap(rmse, *pair, seed=1, jackknife=False).contrast(-1.0, 1.0, 0.0, 0.0)
    assert found.estimate == pytest.approx(loss(first, second, target))
    assert found.error == pytest.approx(expected.standard_error, rel=0.15)


@pytest.mark.parametrize("samples", [900, 5000])
def test_a_metric_without_a_range_allows_for_the_largest_influence_that_was_seen(samples: int) -> None:
    output = np.zeros(samples)
    output[17] = 40.0
    rows = np.arange(samples)
    outcomes = Outcomes(rows, rows.astype("S"), output=output, target=np.zeros(samples))
    found = bootstrap(lambda output, target: float(np.mean(output - target)), outcomes, outcomes, 3, jackknife=True)
    assert found.contrast(1.0, 0.0, 0.0, None).allowance_high == pytest.approx(40.0, rel=1e-2)
    assert found.contrast(1.0, -1.0, 0.0, None).allowance_high == 0.0


def test_fewer_resampled_than_there_are_scales_to_all() -> None:
    generator = np.random.default_rng(4)
    target = generator.normal(size=16_000)
    rows = np.arange(16_000)
    output = target + generator.normal(size=16_000)
    outcomes = Outcomes(rows, rows.astype("S"), output=output, target=target)
    found = bootstrap(
        lambda output, target: float(np.mean(output - target)), outcomes, outcomes, seed=2, jackknife=False
    )
    assert found.drawn < found.samples
    assert found.contrast(1.0, 0.0, 0.0, 0.0).error == pytest.approx(stats.sem(output - target), rel=0.15)

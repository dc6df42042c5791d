"""The gate as a table: every way in which it must not promote, and the ones in which it may."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from litegate.gate import Outcomes, Pairs, judge, pair, score_bounds
from litegate.records import Reason
from litegate.spec import Gate


def outcomes(correct: list[int] | np.ndarray, index: list[int] | None = None) -> Outcomes:
    correct = np.asarray(correct, bool)
    return Outcomes(np.arange(len(correct)) if index is None else np.array(index), correct)


def paired(samples: int, lost: int, gained: int) -> tuple[Outcomes, Outcomes]:
    before, after = np.ones(samples, bool), np.ones(samples, bool)
    after[:lost] = False
    before[lost : lost + gained] = False
    return outcomes(before), outcomes(after)


@dataclass(frozen=True)
class Row:
    name: str
    samples: int
    lost: int
    gained: int
    state: str
    code: str
    policy: Gate = field(default_factory=lambda: Gate(max_drop=0.01))


ROWS = [
    Row("all pairs equal, many", 1000, 0, 0, "passed", "within_max_drop"),
    Row("all pairs equal, too few to know", 100, 0, 0, "inconclusive", "undecided"),
    Row("one sample, equal", 1, 0, 0, "inconclusive", "undecided"),
    Row("one sample, lost", 1, 1, 0, "inconclusive", "undecided"),
    Row("all pairs flipped to wrong", 100, 100, 0, "failed", "above_max_drop"),
    Row("all pairs flipped to right", 100, 0, 100, "failed", "implausible_gain"),
    Row("the perfect ResNet-8 of the facts", 10_000, 193, 187, "passed", "within_max_drop"),
    Row("the same rates on a tenth", 1_000, 19, 19, "inconclusive", "undecided"),
    Row("exactly at the limit", 10_000, 200, 100, "inconclusive", "undecided"),
    Row("clearly above the limit", 10_000, 400, 100, "failed", "above_max_drop"),
    Row("a plausible gain", 10_000, 100, 150, "passed", "within_max_drop"),
    Row("nothing may be lost, nothing was", 10_000, 0, 0, "inconclusive", "undecided", Gate(max_drop=0.0)),
    Row("nothing may be lost, much was gained", 10_000, 0, 100, "passed", "within_max_drop", Gate(max_drop=0.0)),
    Row("everything may be lost", 100, 100, 0, "inconclusive", "undecided", Gate(max_drop=1.0)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_verdict_follows_the_paired_bounds(row: Row) -> None:
    verdict = judge("int8", "d" * 64, row.policy, *paired(row.samples, row.lost, row.gained))
    assert (verdict.state, verdict.reasons[-1].code) == (row.state, row.code), verdict
    assert verdict.drop == pytest.approx((row.lost - row.gained) / row.samples)
    assert verdict.drop_low <= verdict.drop <= verdict.drop_high


@pytest.mark.parametrize(
    ("baseline", "candidate", "code"),
    [
        (None, outcomes([1]), "not_measured"),
        (outcomes([1]), None, "not_measured"),
        (None, None, "not_measured"),
        (outcomes([]), outcomes([]), "no_samples"),
        (outcomes([1, 1]), outcomes([]), "no_samples"),
        (outcomes([1, 1]), outcomes([1, 1], [0, 2]), "unpaired"),
        (outcomes([1, 1]), outcomes([1, 1], [0, 0]), "unpaired"),
        (outcomes([1, 1], [3, 3]), outcomes([1], [3]), "unpaired"),
    ],
)
def test_what_was_not_measured_or_cannot_be_paired_fails(
    baseline: Outcomes | None, candidate: Outcomes | None, code: str
) -> None:
    verdict = judge("int8", None, Gate(), baseline, candidate)
    assert (verdict.state, verdict.reasons[-1].code) == ("failed", code)
    assert verdict.drop is None


def test_a_fact_against_the_variant_outweighs_a_perfect_score() -> None:
    refusal = Reason(code="wrong_target", message="gpu cannot run int8")
    verdict = judge("int8", "d" * 64, Gate(), *paired(10_000, 0, 0), (refusal,))
    assert verdict.state == "failed"
    assert verdict.reasons[0] == refusal
    assert verdict.drop == 0.0, "what was measured is still recorded"


def test_a_variant_that_saw_fewer_samples_is_paired_on_those() -> None:
    pairs = pair(outcomes([1, 0, 1, 0]), outcomes([0, 1], [2, 3]))
    assert pairs == Pairs(samples=2, lost=1, gained=1, correct=1)


def test_an_undecided_verdict_says_how_many_samples_would_decide_it() -> None:
    verdict = judge("int8", None, Gate(max_drop=0.01), *paired(1000, 19, 19))
    assert "about 1,029 samples would decide it" in verdict.reasons[-1].message
    assert judge("int8", None, Gate(max_drop=0.01), *paired(1100, 21, 21)).state == "passed"


def test_the_bounds_are_those_of_tango() -> None:
    # Closed form where nothing is discordant: z^2 / (n + z^2).
    z2 = 1.6448536269514722**2
    assert score_bounds(540, 0, 0, 0.95) == pytest.approx((-z2 / (540 + z2), z2 / (540 + z2)), abs=1e-9)


@pytest.mark.parametrize(("samples", "lost", "gained"), [(44, 0, 1), (540, 7, 3), (1000, 19, 19), (10_000, 193, 187)])
def test_the_score_statistic_at_the_bounds_is_the_normal_quantile(samples: int, lost: int, gained: int) -> None:
    """With the constrained likelihood maximized by SciPy, independently of the closed form in the gate."""
    low, high = score_bounds(samples, lost, gained, 0.975)
    for bound, expected in ((low, 1.959964), (high, -1.959964)):

        def unlikelihood(rare: float, bound: float = bound) -> float:
            both = 1 - 2 * rare - bound
            return -(lost * np.log(rare + bound) + gained * np.log(rare) + (samples - lost - gained) * np.log(both))

        edges = (max(0.0, -bound) + 1e-12, (1 - bound) / 2 - 1e-12)
        rare = minimize_scalar(unlikelihood, bounds=edges, method="bounded", options={"xatol": 1e-13}).x
        variance = samples * (2 * rare + bound * (1 - bound))
        assert (lost - gained - samples * bound) / variance**0.5 == pytest.approx(expected, abs=2e-3)


def test_swapping_the_models_mirrors_the_bounds() -> None:
    low, high = score_bounds(500, 12, 5, 0.95)
    assert score_bounds(500, 5, 12, 0.95) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(("samples", "discordance"), [(1000, 0.038), (2000, 0.05), (540, 0.03)])
def test_a_model_exactly_at_the_limit_passes_at_most_as_often_as_stated(samples: int, discordance: float) -> None:
    limit, draws = 0.01, 2000
    lost, gained = (discordance + limit) / 2, (discordance - limit) / 2
    tables = np.random.default_rng(0).multinomial(samples, [lost, gained, 1 - lost - gained], draws)
    passed = sum(score_bounds(samples, b, c, 0.95)[1] < limit for b, c, _ in tables.tolist())
    assert passed / draws < 0.05 + 3 * (0.05 * 0.95 / draws) ** 0.5

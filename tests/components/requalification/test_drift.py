"""What is called drift, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.lint.summary import Collector, Summary
from litegate.records import Drift, InputStatistics, Verdict
from litegate.requalification import (
    compared,
    drift_sentence,
    findings_of,
    of_predictions,
    predictions_psi,
    sentence_of,
    statistics_of,
)
from litegate.spec import Requalify

Array = np.ndarray[Any, np.dtype[Any]]
LIMITS = Requalify(uri="fresh.npz", format="npz")


def summary(samples: Array) -> Summary:
    collector = Collector()
    for sample in samples:
        collector.add(sample)
    return collector.summary()


def photos(count: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.2, 0.8, (count, 1, 1, 3)) + rng.normal(0, 0.15, (count, 16, 16, 3))
    return np.clip(base, 0, 1).astype(np.float32)


THEN = statistics_of(summary(photos(200, 1)))


def test_statistics_are_those_of_all_values_in_tenths() -> None:
    found = statistics_of(summary(np.arange(1, 101, dtype=np.float32).reshape(20, 5)))
    assert (found.samples, found.low, found.high, found.mean) == (20, 1, 100, 50.5)
    assert found.std == pytest.approx(np.std(np.arange(1, 101)))
    assert found.edges == pytest.approx(tuple(np.quantile(np.arange(1, 101), np.arange(1, 10) / 10)))
    assert found.shares == pytest.approx([0.1] * 10)


def test_statistics_survive_json() -> None:
    assert InputStatistics.model_validate_json(THEN.model_dump_json()) == THEN


def test_a_constant_input_has_one_edge() -> None:
    found = statistics_of(summary(np.full((30, 4), 2.0, np.float32)))
    assert (found.std, found.edges, found.shares) == (0, (2.0,), (1.0, 0.0))


@dataclass(frozen=True)
class Case:
    says: str
    now: Array
    found: tuple[str, ...]
    clipped: tuple[float, float] | None = None


CASES = [
    Case("the same kind of pictures", photos(1000, 2), ()),
    Case("few of the same kind", photos(30, 3), ()),
    Case("darkened", photos(1000, 2) * 0.4, ("shift", "psi")),
    Case("less contrast", (photos(1000, 2) - 0.5) * 0.3 + 0.5, ("psi",)),
    Case("0..255 for 0..1", photos(1000, 2) * 255, ("outside", "shift", "psi")),
    Case("beyond the range of the file", photos(1000, 2), ("outside",), (0.2, 0.8)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_drift_is_what_exceeds_the_limits_and_chance(case: Case) -> None:
    drift = compared("image", THEN, summary(case.now), case.clipped, identifiers=False)
    found = tuple(findings_of(drift, THEN, LIMITS))
    assert tuple(finding.measure for finding in found) == case.found, drift
    assert drift.clips == (case.clipped is not None)


def test_a_limit_of_null_is_not_asked_for() -> None:
    drift = compared("image", THEN, summary(photos(1000, 2) * 255), None, identifiers=False)
    none = LIMITS.model_copy(update={"max_outside": None, "max_shift": None, "max_psi": None})
    assert list(findings_of(drift, THEN, none)) == []


def test_few_samples_prove_no_drift_however_far_they_are() -> None:
    drift = compared("image", THEN, summary(photos(3, 2) * 0.7), None, identifiers=False)
    assert drift.shift > LIMITS.max_shift
    assert list(findings_of(drift, THEN, LIMITS)) == []


def test_of_identifiers_only_the_distribution_counts() -> None:
    rng = np.random.default_rng(5)
    then = statistics_of(summary(rng.integers(0, 50, (200, 8))))
    drift = compared("ids", then, summary(rng.integers(100, 900, (500, 8))), None, identifiers=True)
    assert drift.outside == 1.0
    assert [finding.measure for finding in findings_of(drift, then, LIMITS)] == ["psi"]


def test_messages_say_what_moved_and_what_is_allowed() -> None:
    drift = compared("image", THEN, summary(photos(1000, 2) * 255), (0.0, 1.0), identifiers=False)
    outside, shift, psi = (finding.message for finding in findings_of(drift, THEN, LIMITS))
    assert "% of the values of image are outside of 0 to 1, beyond which the file clips (5 % allowed)" in outside
    assert shift.startswith(f"the mean of image moved from {THEN.mean:.4g} to ")
    assert shift.endswith(" standard deviations (0.5 allowed)")
    assert psi.endswith("(0.25 allowed)")
    found = tuple(findings_of(drift, THEN, LIMITS))
    said = drift_sentence(Drift(samples=1000, inputs=(drift,), findings=found))
    assert said == f"the data drifted: {outside}; {shift}; {psi}"
    assert drift_sentence(Drift(samples=1000, inputs=())) == "no drift on 1,000 samples"


def test_predicted_classes_are_compared_by_their_shares() -> None:
    then, now = {0: 500, 1: 500}, {0: 250, 1: 740, 2: 10}
    index = predictions_psi(then, now)
    assert index is not None
    # Of 1,000 each, half a sample more in each of the three classes.
    p, q = np.array([500.5, 500.5, 0.5]) / 1001.5, np.array([250.5, 740.5, 10.5]) / 1001.5
    assert index == pytest.approx(float(((q - p) * np.log(q / p)).sum()))
    (finding,) = of_predictions(index, then, now, LIMITS)
    assert (finding.subject, finding.measure) == ("predictions", "psi")
    assert list(of_predictions(0.1, then, now, LIMITS)) == []
    assert predictions_psi({}, now) is None


def test_a_verdict_is_told_of_the_version_and_the_new_samples() -> None:
    verdict = Verdict(
        variant="int8",
        state="failed",
        samples=5000,
        sentence="int8 may not ship: it loses at least 2.10 points of top1 (1.00 allowed), with 95 % confidence",
    )
    expected = "version 3 (int8) fails on 5,000 new samples: it loses at least 2.10 points of top1 (1.00 allowed)"
    assert sentence_of(3, verdict) == f"{expected}, with 95 % confidence"

"""Evaluations that mean nothing, and those that do although they look odd."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.lint.evaluation import chance, constant_metric, label_coverage
from litegate.lint.near import NearCopies
from litegate.metrics.facts import built_in_facts

TOP1, IOU, MAE = (built_in_facts(name) for name in ("top1", "iou", "mae"))


def codes(findings: object) -> list[tuple[str, str]]:
    return [(each.severity, each.code) for each in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (np.zeros(100, int), 4, [("error", "one_class")]),
        (np.arange(400) % 2, 64, [("error", "classes")]),
        (np.arange(100) % 2, 64, [("warning", "classes")]),
        (np.arange(400) % 3, 4, [("warning", "classes")]),
        (np.arange(400) % 4, 4, []),
        (np.arange(400) % 4, None, []),
    ],
)
def test_labels_must_be_able_to_be_classes(labels: np.ndarray, classes: int | None, expected: list) -> None:
    assert codes(label_coverage(labels, classes)) == expected


def test_a_baseline_must_be_better_than_a_constant_answer() -> None:
    labels = np.arange(400) % 4
    for predictions, expected in (
        (labels, []),
        ((labels + 1) % 4, [("error", "chance")]),
        (np.zeros(400, int), [("error", "chance")]),
    ):
        assert codes(chance(labels, predictions, predictions == labels)) == expected
    rare = np.array([0] * 990 + [1] * 10)
    hardly = rare.copy()
    hardly[990:999] = 0
    assert codes(chance(rare, hardly, hardly == rare)) == [("warning", "chance")]
    assert codes(chance(rare, 1 - rare, None)) == [], "roc_auc does not count right answers"


@pytest.mark.parametrize(
    ("scores", "metric", "expected"),
    [
        (np.ones(50, bool), TOP1, []),
        (np.zeros(50, bool), TOP1, [("error", "constant_metric")]),
        (np.full(50, 0.5), IOU, [("error", "constant_metric")]),
        (np.ones(50), IOU, []),
        (np.zeros(50), MAE, []),
        (np.full(50, 2.0), MAE, [("error", "constant_metric")]),
        (np.arange(50.0), MAE, []),
    ],
)
def test_a_metric_must_tell_samples_apart_unless_all_are_perfect(
    scores: np.ndarray, metric: object, expected: list
) -> None:
    assert codes(constant_metric(scores, metric)) == expected  # type: ignore[arg-type]


def test_copies_with_a_little_noise_are_found_and_strangers_and_exact_copies_are_not() -> None:
    generator = np.random.default_rng(1)
    known = generator.normal(size=(100, 8, 8)).astype(np.float32)
    for batch, found in (
        (known + np.float32(1e-6), 100),
        (known, 0),
        (generator.normal(size=(100, 8, 8)).astype(np.float32), 0),
    ):
        near = NearCopies({"x": known})
        near.add({"x": batch})
        assert len(near.found) == found
    assert codes(NearCopies({"x": known}).findings(100)) == []

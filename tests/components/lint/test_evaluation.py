"""Evaluations that mean nothing, and those that do although they look odd."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from litegate.lint.evaluation import chance, constant_metric, label_coverage, undeclared
from litegate.outcomes.columns import Outcomes
from litegate.records import DataFinding
from litegate.spec.metric_facts import MetricFacts, built_in_facts

Array = np.ndarray[Any, np.dtype[Any]]
RANDOM = np.random.default_rng(7)
FOUR = np.arange(400) % 4
RARE = np.repeat([0, 1], [990, 10])


def facts(name: str) -> MetricFacts:
    return built_in_facts(name) or MetricFacts(name=name)


def outcomes(**columns: Array) -> Outcomes:
    size = len(next(iter(columns.values())))
    return Outcomes(index=np.arange(size), id=np.arange(size).astype("S"), **columns)


def codes(findings: Iterable[DataFinding]) -> list[tuple[str, str]]:
    return [(each.severity, each.code) for each in findings]


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (np.zeros(100, int), 4, [("error", "one_class")]),
        (np.arange(400) % 2, 64, [("error", "classes")]),
        (np.arange(100) % 2, 64, [("error", "classes")]),
        (np.arange(100) % 2 * 40, 64, [("warning", "classes")]),
        (np.arange(15) % 2, 64, [("warning", "classes")]),
        (np.arange(400) % 3, 4, [("warning", "classes")]),
        (np.arange(400) % 4, 4, []),
        (np.arange(400) % 4, None, []),
    ],
)
def test_labels_must_be_able_to_be_classes(labels: Array, classes: int | None, expected: list[Any]) -> None:
    assert codes(label_coverage(labels, classes)) == expected


@dataclass(frozen=True)
class Answers:
    name: str
    labels: Array
    predictions: Array
    part: str | None
    whole: str | None


def hardly(right: int, wrong: int) -> Array:
    """Predictions for `RARE` with so many of the rare class found, and so many of the other class mistaken for it."""
    found = np.zeros_like(RARE)
    found[990 : 990 + right] = found[:wrong] = 1
    return found


ANSWERS = [
    Answers("right", FOUR, FOUR, None, None),
    Answers("all wrong", FOUR, (FOUR + 1) % 4, "error", "error"),
    Answers("constant", FOUR, np.full(400, 2), "error", "error"),
    Answers("right for one in four", FOUR, np.repeat(np.arange(4), 100), "warning", "error"),
    Answers("a rare class is found", RARE, hardly(10, 0), None, None),
    Answers("a rare class is hardly found", RARE, hardly(1, 0), "warning", "warning"),
    Answers("a part has too few of a rare class to tell", RARE, hardly(0, 0), "warning", "error"),
    Answers("as many gained as lost", RARE, hardly(2, 2), "warning", "error"),
    Answers("all wrong, a class is rare", RARE, 1 - RARE, "error", "error"),
]


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case.name)
def test_right_answers_must_be_more_than_those_of_a_constant_answer(case: Answers) -> None:
    right = case.predictions == case.labels
    found = outcomes(score=right, label=case.labels, prediction=case.predictions)
    for complete, expected in ((False, case.part), (True, case.whole)):
        assert codes(chance(facts("top1"), found, complete)) == ([(expected, "chance")] if expected else [])


def test_top_k_is_compared_with_the_most_frequent_classes() -> None:
    labels = np.repeat(np.arange(10), [30, 30, 30, 2, 2, 2, 1, 1, 1, 1])
    three = outcomes(score=labels < 3, label=labels)
    assert codes(chance(facts("top3"), three, True)) == [("error", "chance")]
    assert codes(chance(facts("top2"), three, True)) == []


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_a_ranking_is_judged_as_a_ranking_whatever_the_most_frequent_answer(metric: str) -> None:
    labels = (np.arange(1000) % 20 == 9).astype(int)
    none, good = np.arange(1000.0), 0.1 * RANDOM.normal(size=1000) + 0.3 * labels
    for scores, expected in ((good, []), (-good, [("error", "chance")]), (none, [("warning", "chance")])):
        found = outcomes(output=scores, target=labels, prediction=np.zeros(1000, int))
        assert codes(chance(facts(metric), found, False)) == expected
    blind = outcomes(output=np.zeros(1000), target=labels)
    assert codes(chance(facts(metric), blind, True)) == [("error", "chance")]
    assert codes(constant_metric(facts(metric), blind, False)) == [("error", "constant_metric")]


def test_a_ranking_of_many_classes_is_the_mean_of_each_against_the_rest() -> None:
    scores = np.eye(4)[FOUR] + 0.1 * RANDOM.normal(size=(400, 4))
    for output, expected in ((scores, []), (scores[:, [1, 2, 3, 0]], [("error", "chance")])):
        assert codes(chance(facts("roc_auc"), outcomes(output=output, target=FOUR), False)) == expected


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [(FOUR, []), ((FOUR + 1) % 4, [("error", "chance")]), (np.zeros(400, int), [("error", "chance")])],
)
def test_macro_f1_must_be_more_than_that_of_a_constant_answer(predictions: Array, expected: list[Any]) -> None:
    assert codes(chance(facts("macro_f1"), outcomes(output=predictions, target=FOUR), False)) == expected


def test_a_users_metric_that_does_not_say_whether_it_judges_classes_is_named_where_it_may() -> None:
    scores = {"y": SimpleNamespace(shape=(-1, 4))}
    own, labels = MetricFacts(name="m:Own"), np.arange(100) % 4
    assert codes(undeclared(own, labels, scores)) == [("warning", "undeclared")]
    assert codes(undeclared(own, labels + 1, scores)) == []
    assert codes(undeclared(own, None, scores)) == []
    for says in (True, False):
        assert codes(undeclared(own.model_copy(update={"classifies": says}), labels, scores)) == []


def test_only_metrics_of_classes_have_a_chance() -> None:
    found = outcomes(score=np.zeros(400), label=FOUR, prediction=(FOUR + 1) % 4)
    for name in ("mse", "iou", "own:Metric"):
        assert codes(chance(facts(name), found, True)) == []


@pytest.mark.parametrize(
    ("metric", "scores", "tells", "expected"),
    [
        ("iou", np.full(50, 0.5), True, ["error"]),
        ("iou", np.ones(50), True, []),
        ("iou", np.ones(50), False, ["error"]),
        ("iou", np.zeros(50), True, ["error"]),
        ("mae", np.zeros(50), True, []),
        ("mae", np.full(50, 2.0), True, ["error"]),
        ("mae", np.arange(50.0), True, []),
        ("own:Metric", np.ones(50), False, ["error"]),
        ("top1", np.ones(50, bool), True, []),
    ],
)
def test_a_metric_must_tell_samples_apart_unless_all_are_perfect(
    metric: str, scores: Array, tells: bool, expected: list[str]
) -> None:
    found = codes(constant_metric(facts(metric), outcomes(score=scores), tells))
    assert found == [(severity, "constant_metric") for severity in expected]


def test_what_a_metric_of_a_whole_set_keeps_must_tell_samples_apart_too() -> None:
    for kept, expected in ((np.full(50, 0.7), 1), (np.zeros(50), 0), (np.arange(50.0), 0)):
        found = outcomes(output=kept, target=np.zeros(50))
        assert len(codes(constant_metric(facts("rmse"), found))) == expected

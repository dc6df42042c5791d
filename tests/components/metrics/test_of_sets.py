"""Set metrics: what is kept of the samples gives scikit-learn's value of the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn

from litegate.errors import DataError
from litegate.metrics.loading import load_metric

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(5)
BINARY = np.arange(300) % 3 == 0
SCORE = (BINARY + RNG.normal(size=300)).astype(np.float32)
LABEL = np.arange(300) % 4
SCORES = (2 * np.eye(4)[LABEL] + RNG.normal(size=(300, 4))).astype(np.float32)


def measured(name: str, output: Array, target: Array) -> float:
    """The value from what was kept of two batches."""
    metric = load_metric(name)
    batches = [metric.columns({"out": output[rows]}, target[rows]) for rows in (slice(0, 130), slice(130, None))]
    kept = {key: np.concatenate([batch[key] for batch in batches]) for key in ("output", "target")}
    assert len(kept["output"]) == len(kept["target"]) == len(output)
    return metric.value(kept["output"], kept["target"])


def each_class(score: Callable[..., float]) -> float:
    return float(np.mean([score(column == LABEL, scores) for column, scores in enumerate(SCORES.T)]))


TWO = np.stack([-SCORE, SCORE], axis=1)
ROWS = [
    ("roc_auc", SCORE, BINARY.astype(int), sklearn.roc_auc_score(BINARY, SCORE)),
    ("roc_auc", SCORE[:, np.newaxis], BINARY.astype(int), sklearn.roc_auc_score(BINARY, SCORE)),
    ("roc_auc", TWO, BINARY.astype(int), sklearn.roc_auc_score(BINARY, SCORE)),
    ("roc_auc", SCORES, LABEL, each_class(sklearn.roc_auc_score)),
    ("average_precision", TWO, BINARY.astype(int), sklearn.average_precision_score(BINARY, SCORE)),
    ("average_precision", SCORES, LABEL, each_class(sklearn.average_precision_score)),
    ("macro_f1", SCORES, LABEL, sklearn.f1_score(LABEL, SCORES.argmax(axis=1), average="macro")),
    ("rmse", SCORE, BINARY.astype(float), np.sqrt(np.mean((SCORE - BINARY) ** 2.0))),
    ("rmse", SCORES, SCORES + np.arange(4), np.sqrt(14 / 4)),
]


@pytest.mark.parametrize(("name", "output", "target", "value"), ROWS, ids=[f"{row[0]}{row[1].shape}" for row in ROWS])
def test_values(name: str, output: Array, target: Array, value: float) -> None:
    assert 0.2 < value < 2
    assert measured(name, output, target) == pytest.approx(value, rel=1e-5)
    assert isinstance(measured(name, output, target), float)


@pytest.mark.parametrize("levels", [1, 2, 3, 16])
def test_the_area_is_scikit_learns_however_many_scores_are_equal(levels: int) -> None:
    """A quantized output has few levels."""
    scores = np.round(SCORE * levels) / levels
    expected = sklearn.roc_auc_score(BINARY, scores)
    assert measured("roc_auc", scores, BINARY.astype(int)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("score", [np.nan, np.inf])
def test_scores_that_are_not_finite_have_no_area(score: float) -> None:
    scores = np.where(np.arange(len(SCORE)) == 3, score, SCORE)
    with pytest.raises(ValueError, match="not finite"):
        load_metric("roc_auc").value(scores, BINARY.astype(int))


@pytest.mark.parametrize(("name", "output"), [("roc_auc", TWO), ("macro_f1", SCORES)])
def test_raw_outputs_have_the_value_of_what_is_kept_of_them(name: str, output: Array) -> None:
    target = BINARY.astype(int) if output is TWO else LABEL
    assert load_metric(name).value(output, target) == measured(name, output, target)


def test_rmse_keeps_one_number_of_a_sample() -> None:
    kept = load_metric("rmse").columns({"out": np.ones((3, 8, 8))}, np.zeros((3, 8, 8)))
    assert kept["output"].shape == (3,)


def test_classes_without_samples_do_not_count() -> None:
    rows = LABEL != 2
    expected = np.mean([sklearn.roc_auc_score(LABEL[rows] == each, SCORES[rows, each]) for each in (0, 1, 3)])
    assert measured("roc_auc", SCORES[rows], LABEL[rows]) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize(("output", "label"), [(TWO, 0), (TWO, 1), (SCORES, 3)])
def test_one_class_has_no_ranking(name: str, output: Array, label: int) -> None:
    with pytest.raises(ValueError, match="300 samples of one class have no ranking"):
        load_metric(name).value(output, np.full(300, label))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "macro_f1", "rmse"])
def test_an_empty_set_has_no_value(name: str) -> None:
    with pytest.raises(ValueError, match=r"0 sample|minimum of 1 sample"):
        load_metric(name).value(np.zeros((0, 3)), np.zeros((0, 3)) if name == "rmse" else np.zeros(0, int))


@pytest.mark.parametrize(
    ("name", "output", "label", "message"),
    [
        ("roc_auc", SCORE, np.full(300, 2), "labels from 0 to 1, got 2"),
        ("roc_auc", SCORES, BINARY.astype(float), "integer labels"),
        ("average_precision", np.zeros((2, 3, 3)), np.zeros(2, int), r"or \(batch, 1\) for two classes, got"),
        ("macro_f1", SCORE, LABEL, "two classes at least"),
        ("rmse", SCORES, LABEL, "labels of the output's shape"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, output: Array, label: Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_metric(name).columns({"out": output}, label)

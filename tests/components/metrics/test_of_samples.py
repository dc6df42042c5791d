"""Metrics of single samples against values worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.errors import DataError
from litegate.metrics.loading import load_metric


@dataclass(frozen=True)
class Row:
    says: str
    metric: str
    output: Any
    label: Any
    score: Any


SCORES = [0.1, 0.5, 0.4]
ROWS = [
    Row("the largest is the label", "top1", [SCORES, SCORES], [1, 2], [True, False]),
    Row("the two largest hold the label", "top2", [SCORES, SCORES, SCORES], [0, 1, 2], [False, True, True]),
    Row("all classes", "top3", [SCORES], [0], [True]),
    Row("the first of equal ones counts, as with argmax", "top1", [[0.5, 0.5], [0.5, 0.5]], [0, 1], [True, False]),
    Row("the first two of equal ones", "top2", [[0, 0, 0]] * 3, [0, 1, 2], [True, True, False]),
    Row("mean over the elements", "mae", [[1, 2], [0, 0]], [[1, 4], [3, -1]], [1, 2]),
    Row("a single value of shape (n, 1) against (n,)", "mae", [[1.5], [2]], [1, 4], [0.5, 2]),
    Row("squares", "mse", [[1, 2], [0, 0]], [[1, 4], [3, -1]], [2, 5]),
    Row("images with a channel against images without", "mse", np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2)), [1]),
    Row("integer targets do not overflow", "mse", [[0.0]], np.array([[200]], np.uint8), [40000]),
    Row("angles", "cosine_similarity", [[1, 0], [1, 1], [2, 0], [1, 0]], [[0, 1], [2, 2], [-3, 0], [1, 1]],
        [0, 1, -1, np.sqrt(0.5)]),
    Row("zero vectors", "cosine_similarity", [[0, 0], [0, 0], [1, 0]], [[0, 0], [1, 0], [0, 0]], [1, 0, 0]),
    Row("tiny vectors", "cosine_similarity", [[1e-30, 0]], [[1e-25, 0]], [1]),
    Row("binary masks", "iou", [[0.9, 0.9, 0.1, 0.5], [0.1, 0, 0, 0]], [[1, 0, 1, 0], [0, 0, 0, 1]], [1 / 3, 0]),
    Row("both masks empty", "iou", [[0.1, 0.2]], [[0, 0]], [1]),
    Row("boolean masks with a channel", "iou", np.full((1, 2, 2, 1), 0.9), [[[True, True], [False, True]]], [0.75]),
    Row("mean over the classes in either mask, three of four", "iou",
        np.eye(4)[[[0, 0, 1, 2]]], [[0, 1, 1, 1]], [(1 / 2 + 1 / 3 + 0) / 3]),
    Row("a perfect mask of classes", "iou", np.eye(3)[[[0, 2], [1, 1]]], [[0, 2], [1, 1]], [1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.metric}: {row.says}")
def test_scores(row: Row) -> None:
    metric = load_metric(row.metric)
    columns = metric.columns({"out": np.asarray(row.output, np.float32)}, np.asarray(row.label))
    assert list(columns) == ["score"]
    score = columns["score"]
    assert score.dtype == (bool if row.metric.startswith("top") else np.float64)
    np.testing.assert_allclose(score, row.score, rtol=1e-6, atol=1e-12)
    assert metric.value is None


def test_top_k_agrees_with_sorting_where_nothing_is_equal() -> None:
    rng = np.random.default_rng(3)
    output, label = rng.normal(size=(200, 12)), rng.integers(0, 12, 200)
    largest = np.argsort(-output, axis=1)[:, :5]
    expected = (largest == label[:, np.newaxis]).any(axis=1)
    assert 0 < expected.sum() < 200
    assert load_metric("top5").columns({"out": output}, label)["score"].tolist() == expected.tolist()


def test_iou_of_classes_agrees_with_counting_pixels() -> None:
    rng = np.random.default_rng(4)
    output, target = rng.normal(size=(6, 5, 7, 4)), rng.integers(0, 4, (6, 5, 7))
    chosen = output.argmax(axis=-1)
    expected = []
    for one, other in zip(chosen, target, strict=True):
        pairs = [(one == each, other == each) for each in range(4)]
        expected.append(np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs if (a | b).any()]))
    np.testing.assert_allclose(load_metric("iou").columns({"out": output}, target)["score"], expected)


@dataclass(frozen=True)
class Wrong:
    metric: str
    output: Any
    label: Any
    said: str


WRONG = [
    Wrong("top4", [SCORES], [0], "at most top3 for a model with 3 classes, got top4"),
    Wrong("top1", [SCORES, SCORES], [0, 3], r"labels from 0 to 2, got 3 \(1 such"),
    Wrong("top1", [SCORES], [-1], "labels from 0 to 2, got -1"),
    Wrong("top1", [SCORES], [0.0], r"integer labels of shape \(samples,\), got float64 labels of shape \(batch\)"),
    Wrong(
        "top1",
        [[0.4]],
        [0],
        r"\(batch, classes\), two classes at least; for one score of two classes .*roc_auc.*, got \(batch, 1\)",
    ),
    Wrong("mae", [[1, 2]], [[1, 2, 3]], r"labels of the output's shape \(batch, 2\), got \(batch, 3\)"),
    Wrong("cosine_similarity", [[1, 2]], [0], r"got \(batch\)"),
    Wrong("iou", [[0.2, 0.9]], [[0, 2]], "whole numbers from 0 to 1 for iou, got 2"),
    Wrong("iou", [[0.2, 0.9]], [[0, 0.5]], "whole numbers from 0 to 1 for iou, got 0.5"),
    Wrong("iou", np.eye(3)[[[0, 1]]], [[0, 3]], "whole numbers from 0 to 2 for iou, got 3"),
    Wrong("iou", np.eye(3)[[[0, 1]]], [[0, 1, 1]], r"masks of the output's shape \(batch, 2, 3\), or of classes"),
    Wrong("iou", [[0.2, 0.9]], [0], r"masks of the output's shape"),
]


@pytest.mark.parametrize("row", WRONG, ids=lambda row: f"{row.metric}: {row.said}")
def test_what_does_not_fit_is_refused(row: Wrong) -> None:
    with pytest.raises(DataError, match=row.said):
        load_metric(row.metric).columns({"out": np.asarray(row.output, np.float32)}, np.asarray(row.label))


@pytest.mark.parametrize("name", ["top1", "mae", "iou", "roc_auc", "rmse"])
def test_a_model_with_several_outputs_needs_a_metric_of_the_users_own(name: str) -> None:
    outputs = {"a": np.zeros((1, 2)), "b": np.zeros((1, 2))}
    with pytest.raises(DataError, match=f"a model with one output for {name}, got outputs a, b"):
        load_metric(name).columns(outputs, np.zeros(1, int))

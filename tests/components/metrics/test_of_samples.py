"""Metrics of single samples against values worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from litegate.errors import DataError
from litegate.metrics.loading import load_metric
from litegate.records import Judged


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
    Row("a half means one", "binary_accuracy", [[0.5], [0.4], [0.9], [1.0]], [1, 1, 0, 1], [True, False, False, True]),
    Row("a single value of shape (n,)", "binary_accuracy", [0.1, 0.7], [0, 1], [True, True]),
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
    Row("binary masks in part", "iou", [[0.9, 0.9, 0.1, 0.5]], [[1, -1, 1, 0]], [0.5]),
    Row("maps of classes in part", "iou", np.eye(3)[[[0, 2, 1], [1, 1, 1]]], [[0, -1, 2], [-1, -1, -1]], [1 / 3, 1]),
    Row("a perfect mask of classes", "iou", np.eye(3)[[[0, 2], [1, 1]]], [[0, 2], [1, 1]], [1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.metric}: {row.says}")
def test_scores(row: Row) -> None:
    metric = load_metric(row.metric)
    columns = metric.columns({"out": np.asarray(row.output, np.float32)}, np.asarray(row.label))
    assert list(columns) == ["score"]
    score = columns["score"]
    assert score.dtype == (bool if row.metric.startswith(("top", "binary")) else np.float64)
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
    Wrong(
        "iou",
        [[0.2, 0.9]],
        [[0, 2]],
        "from 0 to 1, or -1 where nothing counts, for iou; of more classes if the output is of integers.*, got 2",
    ),
    Wrong("iou", [[0.2, 0.9]], [[0, 0.5]], "whole numbers from 0 to 1, .* for iou.*, got 0.5"),
    Wrong("iou", np.eye(3)[[[0, 1]]], [[0, 3]], "whole numbers from 0 to 2, .* for iou, got 3"),
    Wrong("iou", np.eye(3)[[[0, 1]]], [[0, 255]], r"got 255 \(pixels that do not count\? Make them -1 in `preprocess`"),
    Wrong("iou", np.eye(3)[[[0, 1]]], [[0, 1, 1]], r"masks of the output's shape \(batch, 2, 3\), or of classes"),
    Wrong("binary_accuracy", [[0.2, 0.8]], [0], r"\(batch, 1\) for binary_accuracy; for a score of each class top1"),
    Wrong("binary_accuracy", [[0.2]], [2], "labels from 0 to 1, got 2"),
    Wrong("binary_accuracy", [[-3.0]], [0], "probabilities from 0 to 1, as a sigmoid gives them, for .*, got -3"),
    Wrong("iou", [[0.2, 0.9]], [0], r"masks of the output's shape"),
]


@pytest.mark.parametrize("row", WRONG, ids=lambda row: f"{row.metric}: {row.said}")
def test_what_does_not_fit_is_refused(row: Wrong) -> None:
    with pytest.raises(DataError, match=row.said):
        load_metric(row.metric).columns({"out": np.asarray(row.output, np.float32)}, np.asarray(row.label))


@pytest.mark.parametrize("name", ["top1", "mae", "iou", "roc_auc", "rmse", "reconstruction_auc", "wer"])
def test_of_several_outputs_one_is_named(name: str) -> None:
    outputs = {"a": np.zeros((1, 2)), "b": np.zeros((1, 2))}
    said = f"evaluation.output: expected the one that {name} judges of the outputs a, b, got null"
    with pytest.raises(DataError, match=said):
        load_metric(name).columns(outputs, np.zeros(1, int))
    with pytest.raises(DataError, match=r"evaluation.output: expected one of the model's outputs a, b, got c"):
        load_metric(name, judged=Judged(output="c")).columns(outputs, np.zeros(1, int))


def test_the_named_output_is_judged() -> None:
    outputs = {"a": np.array([[1.0, 0.0]]), "b": np.array([[0.0, 1.0]])}
    found = [load_metric("top1", judged=Judged(output=name)).columns(outputs, np.array([1]))["score"] for name in "ab"]
    assert [score.tolist() for score in found] == [[False], [True]]


def test_iou_of_a_map_of_classes_is_that_of_the_channels_it_was_made_of() -> None:
    rng = np.random.default_rng(4)
    output, target = rng.normal(size=(6, 5, 7, 4)), rng.integers(0, 4, (6, 5, 7))
    inside = {"out": output.argmax(axis=-1)}
    for each in (target, target[..., np.newaxis], target.astype(float)):
        found = load_metric("iou").columns(inside, each)["score"]
        np.testing.assert_allclose(found, load_metric("iou").columns({"out": output}, target)["score"])
    pairs = zip(target.reshape(6, -1), inside["out"].reshape(6, -1), strict=True)
    mean = [jaccard_score(one, other, average="macro") for one, other in pairs]
    np.testing.assert_allclose(found, mean)
    with pytest.raises(DataError, match=r"masks of whole numbers from 0 to 999, .* for iou, got 1000"):
        load_metric("iou").columns(inside, np.full_like(target, 1000))

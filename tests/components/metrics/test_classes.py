"""Whether a model is a classifier follows from the metric, and never from the shape of an output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from litegate.errors import DataError
from litegate.metrics.classes import class_columns, number_of_classes
from litegate.metrics.loading import load_metric
from litegate.metrics.users import user_metric

LABELS = np.array([0, 1, 1])


class Users:
    higher_is_better, range, per_sample = True, (0, 1), True

    def score(self, outputs: Any, labels: Any) -> Any:
        return np.ones(len(labels))


class Declared(Users):
    classifies = True


def metric(name: str) -> Any:
    users = {"users": Users, "declared": Declared}
    return user_metric(f"m:{name}", users[name]()) if name in users else load_metric(name)


@dataclass(frozen=True)
class Row:
    metric: str
    shape: tuple[int, ...]
    classes: int | None


ROWS = [
    Row("top1", (-1, 10), 10),
    Row("top5", (1, 10), 10),
    Row("macro_f1", (-1, 2), 2),
    Row("roc_auc", (-1, 1), 2),
    Row("roc_auc", (-1,), 2),
    Row("average_precision", (-1, 3), 3),
    Row("top1", (-1, -1), None),
    Row("binary_accuracy", (-1, 1), 2),
    Row("reconstruction_auc", (-1, 784), None),
    Row("mse", (-1, 784), None),
    Row("mae", (-1, 2), None),
    Row("cosine_similarity", (-1, 128), None),
    Row("iou", (-1, 8, 8, 3), None),
    Row("rmse", (-1, 1), None),
    Row("users", (-1, 12), None),
    Row("declared", (-1, 12), 12),
    Row("declared", (-1, 1), 2),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.metric} {row.shape}")
def test_the_metric_says_what_a_classifier_is(row: Row) -> None:
    assert number_of_classes(metric(row.metric), {"y": row.shape}) == row.classes


@pytest.mark.parametrize("name", ["mse", "users"])
def test_several_outputs_are_no_classes_and_need_no_choice_where_the_metric_judges_none(name: str) -> None:
    shapes = {"boxes": (1, 10, 4), "scores": (1, 10)}
    assert number_of_classes(metric(name), shapes) is None
    assert class_columns(metric(name), {key: np.zeros((3, *shape[1:])) for key, shape in shapes.items()}, LABELS) == {}


REFUSED = [
    ("top1", {"y": (-1, 1)}, r"one score of two classes .*roc_auc or average_precision, got \(batch, 1\)"),
    ("binary_accuracy", {"y": (-1, 2)}, r"binary_accuracy; for a score of each class top1, got \(batch, 2\)"),
    ("macro_f1", {"y": (-1,)}, r"one score of two classes .*, got \(batch\)"),
    ("top1", {"y": (-1, 8, 8, 3)}, r"an output of shape \(batch, classes\), two .* got \(batch, 8, 8, 3\)"),
    ("roc_auc", {"y": (-1, 5, 2)}, r"an output of shape \(batch, classes\).* got \(batch, 5, 2\)"),
    ("declared", {"a": (-1, 2), "b": (-1, 2)}, "the one that m:declared judges of the outputs a, b, got null"),
]


@pytest.mark.parametrize(("name", "shapes", "said"), REFUSED, ids=lambda value: str(value)[:30])
def test_an_output_that_holds_no_classes_is_refused_for_a_metric_that_judges_them(
    name: str, shapes: dict[str, tuple[int, ...]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        number_of_classes(metric(name), shapes)


def test_the_prediction_is_the_class_with_the_first_of_the_largest_scores() -> None:
    scores = np.array([[0.5, 0.5], [0.1, 0.9], [0.8, 0.2]])
    found = class_columns(metric("roc_auc"), {"y": scores}, LABELS)
    assert found["prediction"].tolist() == [0, 1, 0]
    assert found["label"].tolist() == LABELS.tolist()


def test_one_score_is_a_prediction_where_the_metric_has_a_threshold() -> None:
    outputs = {"y": np.array([[0.2], [0.5], [0.7]])}
    assert class_columns(metric("roc_auc"), outputs, LABELS) == {}
    assert class_columns(metric("declared"), outputs, LABELS).keys() == {"label"}
    found = class_columns(replace(metric("declared"), threshold=0.5), outputs, LABELS)
    assert found["prediction"].tolist() == [0, 1, 1]

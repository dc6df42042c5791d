"""The reconstruction error as a score of anomaly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from litegate.errors import DataError
from litegate.metrics.loading import load_metric
from litegate.records import Judged

RNG = np.random.default_rng(8)
GIVEN = RNG.uniform(size=(60, 4, 4, 1))
LABELS = np.arange(60) % 3 // 2
OUTPUT = GIVEN + RNG.normal(0, 0.2, GIVEN.shape) * (1 + LABELS.reshape(-1, 1, 1, 1) / 4)


def test_the_value_is_that_of_each_samples_error() -> None:
    metric = load_metric("reconstruction_auc")
    kept = metric.columns({"y": OUTPUT}, LABELS, {"x": GIVEN})
    expected = roc_auc_score(LABELS, np.square(OUTPUT - GIVEN).mean(axis=(1, 2, 3)))
    assert 0.5 < expected < 1
    assert metric.value is not None
    assert metric.value(kept["output"], kept["target"]) == pytest.approx(expected)


def test_of_several_inputs_the_one_with_the_outputs_name_counts() -> None:
    metric = load_metric("reconstruction_auc", judged=Judged(output="x"))
    found = metric.columns({"x": OUTPUT, "other": OUTPUT}, LABELS, {"x": GIVEN, "z": LABELS})
    assert found["output"].tolist() == np.square(OUTPUT - GIVEN).mean(axis=(1, 2, 3)).tolist()


BAD: list[tuple[dict[str, Any], Any, dict[str, Any], str]] = [
    (
        {"y": OUTPUT[:, :2]},
        LABELS,
        {"x": GIVEN},
        r"the input's shape \(batch, 4, 4, 1\) .*, got \(batch, 2",
    ),
    ({"y": OUTPUT}, LABELS + 1, {"x": GIVEN}, "labels from 0 to 1, got 2"),
    ({"y": OUTPUT}, LABELS.astype(float), {"x": GIVEN}, "integer labels"),
    ({"y": OUTPUT}, LABELS, {"x": GIVEN, "z": GIVEN}, "a model with one input for reconstruction_auc.*got inputs x, z"),
]


@pytest.mark.parametrize(("outputs", "labels", "inputs", "said"), BAD, ids=lambda value: str(value)[:20])
def test_what_does_not_fit_is_refused(outputs: Any, labels: Any, inputs: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_metric("reconstruction_auc").columns(outputs, labels, inputs)

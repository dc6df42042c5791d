"""The evaluate step on a model with several outputs: each metric judges the one that the spec names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.execution.step_run import BadStepInput
from litegate.metrics.loading import load_metric

pytestmark = pytest.mark.e2e
Make = Callable[..., Any]
Array = np.ndarray[Any, np.dtype[Any]]
TEXTS = """
def decode(output, label):
    found = output.argmax(axis=-1)
    return "".join("abcd"[each] for each in found), "abcd"[label] * 2
"""
SEES_INPUTS = """
class Nearest:
    higher_is_better, range, per_sample = False, (0, 1), True
    def score(self, outputs, labels, inputs):
        return abs(outputs["picture"] - inputs["image"]).mean(axis=(1, 2, 3))
"""
DETECTION = {"boxes": "boxes", "classes": "classes", "scores": "scores"}


@dataclass(frozen=True)
class Row:
    evaluation: dict[str, Any]
    label: Callable[[Array], Array]
    value: float


def boxes(quarter: Array) -> Array:
    """The bright quarter, and a row for no box."""
    row, column = quarter // 2 / 2, quarter % 2 / 2
    own = np.stack([row, column, row + 0.5, column + 0.5, quarter], axis=1)
    return np.stack([own, np.full_like(own, -1)], axis=1)


def maps(quarter: Array) -> Array:
    one = np.eye(4, dtype=np.int64)[quarter].reshape(-1, 2, 2)
    return one.repeat(4, axis=1).repeat(4, axis=2)


ROWS = [
    Row({"metric": "binary_accuracy", "output": "probability"}, lambda quarter: quarter // 2, 1.0),
    Row({"metric": "roc_auc", "output": "probability"}, lambda quarter: 1 - quarter // 2, 0.0),
    Row({"metric": "top1", "output": "scores"}, lambda quarter: quarter, 1.0),
    Row({"metric": "iou", "output": "map"}, maps, 1.0),
    Row({"metric": "map50", "detection": DETECTION}, boxes, 1.0),
    Row({"metric": "map50_95", "detection": DETECTION}, boxes, 1.0),
    Row({"metric": "wer", "output": "tokens", "decoder": "texts:decode"}, lambda quarter: quarter, 0.0),
    Row({"metric": "cer", "output": "tokens", "decoder": "texts:decode"}, lambda quarter: (quarter + 1) % 4, 1.0),
]


def evaluated(pipeline: Make, models: Path, row: Row) -> float:
    with np.load(models / "test.npz") as arrays:
        np.savez(models / "own.npz", image=arrays["image"], label=row.label(arrays["label"]))
    (models / "texts.py").write_text(TEXTS)
    (models / "sees_inputs.py").write_text(SEES_INPUTS)
    steps = pipeline("many_outputs", evaluation="own.npz").but(evaluation=row.evaluation)
    outcomes = steps.outcomes(steps.evaluate(steps.convert().artifact))
    value = load_metric(row.evaluation["metric"]).value if ":" not in row.evaluation["metric"] else None
    return float(outcomes.score.mean()) if value is None else value(outcomes.output, outcomes.target)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.evaluation["metric"])
def test_the_named_output_is_judged(pipeline: Make, models: Path, row: Row) -> None:
    assert evaluated(pipeline, models, row) == pytest.approx(row.value)


def test_metrics_may_see_the_inputs(pipeline: Make, models: Path) -> None:
    with np.load(models / "test.npz") as arrays:
        image = arrays["image"]
    wide = image.reshape(-1, 2, 4, 2, 4).mean(axis=(2, 4)).repeat(4, axis=1).repeat(4, axis=2)[..., np.newaxis]
    row = Row({"metric": "sees_inputs:Nearest"}, lambda quarter: quarter, 0.0)
    assert evaluated(pipeline, models, row) == pytest.approx(np.abs(wide - image).mean(), rel=1e-4)
    error = np.square(wide - image).mean(axis=(1, 2, 3))
    own = {"metric": "reconstruction_auc", "output": "picture"}
    assert evaluated(pipeline, models, Row(own, lambda _: (error > np.median(error)).astype(int), 1.0)) == 1.0


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        ({"metric": "top1"}, "evaluation.output: expected the one that top1 judges of the outputs boxes, classes, map"),
        ({"metric": "iou", "output": "absent"}, "evaluation.output: expected one of the model's outputs boxes.*absent"),
        ({"metric": "top1", "output": "map"}, r"an output of shape \(batch, classes\).*got \(batch, 8, 8\)"),
        (
            {"metric": "map50", "detection": DETECTION | {"boxes": "scores"}},
            r"evaluation.detection.boxes: expected an output of shape \(batch, detections, 4\), got \(batch, 4\)",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_the_model_does_not_have_is_said(pipeline: Make, models: Path, evaluation: Any, said: str) -> None:
    with pytest.raises(BadStepInput, match=said):
        evaluated(pipeline, models, Row(evaluation, lambda quarter: quarter, 0.0))

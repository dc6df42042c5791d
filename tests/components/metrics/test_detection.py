"""Detection metrics: pycocotools' values, however boxes are written, and errors that name key and shape.

The expected values are those of pycocotools 2.0.11 (`COCOeval`, "bbox", `stats[1]` and `stats[0]`) for the data that
`detector` makes, with boxes as xywh, and image and class numbers from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.errors import DataError
from litegate.metrics.classes import number_of_classes
from litegate.metrics.loading import load_metric
from litegate.records import Judged
from litegate.spec import Detection

Array = np.ndarray[Any, np.dtype[Any]]
NAMES = {"boxes": "b", "scores": "s", "classes": "c", "count": "n"}


def detector(seed: int, samples: int, detections: int, classes: int) -> tuple[dict[str, Array], Array]:
    """Outputs and labels, boxes as two corners: some found, some twice, some beside, with tied scores."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 60, (samples, 5, 2))
    labels = np.concatenate([low, low + rng.uniform(8, 40, (samples, 5, 2)), np.zeros((samples, 5, 1))], axis=2)
    labels[..., 4] = np.where(rng.random((samples, 5)) < 0.3, -1, rng.integers(0, classes, (samples, 5)))
    chosen = labels[np.arange(samples)[:, np.newaxis], rng.integers(0, 5, (samples, detections))]
    boxes = chosen[..., :4] + rng.normal(0, 2.5, (samples, detections, 4))
    boxes[..., 2:] = np.maximum(boxes[..., 2:], boxes[..., :2] + 1)
    guessed = rng.integers(0, classes, (samples, detections))
    named = np.where((chosen[..., 4] >= 0) & (rng.random((samples, detections)) < 0.8), chosen[..., 4], guessed)
    scores = np.round(rng.uniform(0, 1, (samples, detections)), 2)
    count = rng.integers(detections // 2, detections + 1, samples)
    outputs = {"b": boxes, "s": scores, "c": named, "n": count}
    return {name: value.astype(np.float32) for name, value in outputs.items()}, labels


def value(name: str, outputs: dict[str, Array], labels: Array, **names: str) -> float:
    """From what was kept of two batches."""
    metric = load_metric(name, judged=Judged(detection=Detection(**(NAMES | {"box_format": "xyxy"} | names))))
    half = len(labels) // 2
    parts = [
        metric.columns({key: each[rows] for key, each in outputs.items()}, labels[rows])
        for rows in (slice(half), slice(half, None))
    ]
    kept = {key: np.concatenate([part[key] for part in parts]) for key in ("output", "target")}
    assert metric.value is not None
    return metric.value(kept["output"], kept["target"])


@dataclass(frozen=True)
class Coco:
    seed: int
    samples: int
    detections: int
    classes: int
    map50: float
    map50_95: float


COCO = [
    Coco(seed=1, samples=40, detections=8, classes=3, map50=0.3607316629677288, map50_95=0.15130097363817338),
    Coco(seed=2, samples=10, detections=30, classes=1, map50=0.2539891087167985, map50_95=0.11983596558466172),
    Coco(seed=3, samples=6, detections=260, classes=2, map50=0.5520994237364159, map50_95=0.30843518158682415),
]


@pytest.mark.parametrize("row", COCO)
def test_the_values_are_pycocotools(row: Coco) -> None:
    outputs, labels = detector(row.seed, row.samples, row.detections, row.classes)
    assert value("map50", outputs, labels) == pytest.approx(row.map50, abs=1e-9)
    assert value("map50_95", outputs, labels) == pytest.approx(row.map50_95, abs=1e-9)


@pytest.mark.parametrize("form", ["yxyx", "xywh", "cxcywh"])
def test_boxes_may_be_written_in_any_format(form: str) -> None:
    outputs, labels = detector(1, 40, 8, 3)

    def written(boxes: Array) -> Array:
        low, high = boxes[..., :2], boxes[..., 2:]
        parts = {
            "yxyx": (low[..., ::-1], high[..., ::-1]),
            "xywh": (low, high - low),
            "cxcywh": ((low + high) / 2, high - low),
        }
        return np.concatenate(parts[form], axis=-1)

    own = outputs | {"b": written(outputs["b"].astype(np.float64))}
    theirs = np.concatenate([written(labels[..., :4]), labels[..., 4:]], axis=-1)
    assert value("map50", own, theirs, box_format=form) == pytest.approx(COCO[0].map50, abs=1e-9)


def test_scores_of_every_class_name_the_class_themselves() -> None:
    outputs, labels = detector(1, 40, 8, 3)
    whole = outputs | {"s": outputs["s"][..., np.newaxis] * (outputs["c"][..., np.newaxis] == np.arange(3))}
    assert value("map50", whole, labels, classes=None) == pytest.approx(COCO[0].map50, abs=1e-9)


def test_a_perfect_detector_has_one_and_a_silent_one_zero() -> None:
    _, labels = detector(1, 40, 8, 3)
    found = {"b": labels[..., :4], "c": labels[..., 4], "s": np.where(labels[..., 4] >= 0, 0.9, 0.0)}
    names = {"count": None}
    assert value("map50_95", found, labels, **names) == 1.0
    assert value("map50_95", found | {"s": np.zeros((40, 5))}, labels, **names) == 0.0
    one = found["b"][:, 0]
    alone = {"b": one[:, np.newaxis], "c": np.zeros((40, 1)), "s": np.ones((40, 1))}
    assert value("map50", alone, np.concatenate([one, np.zeros((40, 1))], axis=1), **names) == 1.0


def test_without_any_box_there_is_no_value() -> None:
    outputs, labels = detector(1, 40, 8, 3)
    labels[..., 4] = -1
    with pytest.raises(ValueError, match="40 samples have no box to find"):
        value("map50", outputs, labels)


GOOD = detector(1, 4, 8, 3)
BAD = [
    ("outputs", {"b": np.zeros((4, 8, 5))}, r"evaluation.detection.boxes: expected an output of shape \(batch, detect"),
    ("outputs", {"s": np.zeros((4, 7))}, r"evaluation.detection.scores: .* with 8 detections.*\(batch, 7\)"),
    ("outputs", {"c": np.zeros((4, 8, 3))}, r"evaluation.detection.classes: .*\(batch, 8, 3\)"),
    ("outputs", {"n": np.zeros((4, 2))}, r"evaluation.detection.count: .*\(batch, 2\)"),
    ("labels", np.zeros((4, 5, 4)), r"labels of shape \(samples, boxes, 5\).*\(batch, 5, 4\)"),
    ("labels", np.zeros(4), r"labels of shape \(samples, boxes, 5\).*\(batch\)"),
    ("labels", np.full((4, 1, 5), 0.5), "whole numbers from 0, or -1 for none.*0.5"),
    ("labels", np.full((4, 1, 5), -2), "whole numbers from 0, or -1 for none.*-2"),
    ("labels", np.array([[[5, 5, 1, 1, 0]]] * 4), "boxes as xyxy of no negative size.*5, 5, 1, 1"),
]


@pytest.mark.parametrize(("what", "bad", "message"), BAD)
def test_what_is_wrong_is_said_with_key_and_shape(what: str, bad: Any, message: str) -> None:
    outputs, labels = GOOD
    with pytest.raises(DataError, match=message):
        value("map50", outputs | bad if what == "outputs" else outputs, bad if what == "labels" else labels)


def test_a_name_that_is_no_output_is_an_error_before_anything_is_run() -> None:
    metric = load_metric("map50", judged=Judged(detection=Detection(boxes="b", scores="absent")))
    with pytest.raises(DataError, match=r"evaluation.detection.scores: expected one of the model's outputs b, s"):
        number_of_classes(metric, {"b": (-1, 8, 4), "s": (-1, 8)})
    with pytest.raises(DataError, match="absent"):
        metric.columns(GOOD[0], GOOD[1])


def test_boxes_may_be_a_flat_list() -> None:
    outputs, labels = detector(1, 40, 8, 3)
    assert value("map50", outputs, labels.reshape(len(labels), -1)) == pytest.approx(COCO[0].map50, abs=1e-9)
    with pytest.raises(DataError, match=r"labels of shape \(samples, boxes, 5\), .* got \(batch, 24\)"):
        value("map50", outputs, labels.reshape(len(labels), -1)[:, :24])

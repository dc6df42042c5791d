"""Mean average precision of detected boxes, as COCO defines it; the values are pycocotools'.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and its evaluation of boxes: in each sample
the detections of a class, the surest first and at most `_MOST` of them, each take the box that they overlap most of
those that are left; precision is made to fall with recall and read at 101 recalls; classes without any box do not
count. Which box a detection takes does not depend on other samples, so it is found out once, and any set of samples
has its value from what is kept.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from litegate.errors import DataError, SpecError
from litegate.metrics.base import NO_INPUTS, WHERE, Inputs, Metric, Outputs, check_names, shape
from litegate.spec import Detection
from litegate.spec.metric_facts import MetricFacts

__all__ = ["detection_metric", "matched", "mean_average_precision", "overlaps"]

Array = np.ndarray[Any, np.dtype[Any]]
_SECTION = "evaluation.detection"
THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Of intersection over union, from where on a detection has found a box."""
RECALLS = np.linspace(0.0, 1.0, 101)
_MOST = 100
_NONE = -1
"""In the place of a class: there is no detection, or no box."""


def detection_metric(facts: MetricFacts, detection: Detection | None = None) -> Metric:
    """`map50`, at the first of `THRESHOLDS`, or `map50_95`, the mean over all of them.

    What is kept of a sample: `output`, (n, detections, 3), of each detection its class, its score and, as bits of one
    number, at which thresholds it has found a box; `target`, (n, boxes), the classes of its boxes, -1 for none.

    Args:
        detection: names of the outputs; only `value` works without it.
    """
    value = partial(mean_average_precision, thresholds=1 if facts.name == "map50" else len(THRESHOLDS))
    return Metric(facts, partial(_columns, facts.name, detection), value, needs=_needs(detection))


def mean_average_precision(output: Array, target: Array, thresholds: int = len(THRESHOLDS)) -> float:
    """Mean over the classes that have boxes, and over the first `thresholds`.

    Raises:
        ValueError: there are no boxes.
    """
    classes, boxes = np.unique(target[target != _NONE], return_counts=True)
    if not len(classes):
        raise ValueError(f"{len(target)} samples have no box to find")
    found = output.reshape(-1, 3)
    found = found[found[:, 0] != _NONE]
    found = found[np.argsort(-found[:, 1], kind="stable")]
    bits = 1 << np.arange(thresholds)
    precisions = []
    for each, count in zip(classes, boxes, strict=True):
        hits = (found[found[:, 0] == each, 2].astype(np.int64)[:, np.newaxis] & bits) > 0
        precisions += [_average_precision(column, int(count)) for column in hits.T]
    return float(np.mean(precisions))


def _average_precision(hits: Array, boxes: int) -> float:
    """Of detections of one class, the surest first: whether each has found one of the boxes."""
    if not len(hits):
        return 0.0
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / boxes, RECALLS, side="left")
    return float(np.sum(falling[at[at < len(hits)]])) / len(RECALLS)


def matched(found: Array, boxes: Array) -> Array:
    """At which of `THRESHOLDS` each detection of one class has found a box, (detections, thresholds).

    Args:
        found: (detections, 4) corners, the surest first.
        boxes: (boxes, 4) corners.
    """
    hits = np.zeros((len(found), len(THRESHOLDS)), bool)
    if not len(boxes):
        return hits
    shares = overlaps(found, boxes)
    for column, threshold in enumerate(THRESHOLDS):
        left = np.ones(len(boxes), bool)
        for row, share in enumerate(shares):
            best = len(boxes) - 1 - int(np.argmax(np.where(left, share, -1.0)[::-1]))  # the last of equal ones
            if left[best] and share[best] >= threshold:
                hits[row, column], left[best] = True, False
    return hits


def overlaps(found: Array, boxes: Array) -> Array:
    """Intersection over union of each of (n, 4) with each of (m, 4) boxes, by their corners."""
    low = np.maximum(found[:, np.newaxis, :2], boxes[:, :2])
    high = np.minimum(found[:, np.newaxis, 2:], boxes[:, 2:])
    both = np.prod(np.maximum(high - low, 0.0), axis=-1)
    areas = [np.prod(np.maximum(each[:, 2:] - each[:, :2], 0.0), axis=-1) for each in (found, boxes)]
    either = areas[0][:, np.newaxis] + areas[1] - both
    shares: Array = both / np.where(either > 0, either, 1.0)
    return shares


def _needs(detection: Detection | None) -> dict[str, str]:
    if detection is None:
        return {}
    names = {key: getattr(detection, key) for key in ("boxes", "scores", "classes", "count")}
    return {name: f"{_SECTION}.{key}" for key, name in names.items() if name is not None}


def _columns(
    name: str, detection: Detection | None, outputs: Outputs, labels: Array, _: Inputs = NO_INPUTS, /
) -> dict[str, Array]:
    if detection is None:
        raise SpecError(_SECTION, f"the outputs that {name} judges", "null")
    check_names(outputs, _needs(detection))
    corners, classes, scores = _detections(detection, outputs)
    boxes, right = _boxes(detection, labels)
    output = np.stack([classes, scores, np.zeros_like(scores)], axis=-1)
    for sample in range(len(labels)):
        _match(output[sample], corners[sample], boxes[sample], right[sample])
    return {"output": output.astype(np.float32), "target": right}


def _match(output: Array, corners: Array, boxes: Array, right: Array) -> None:
    """Write which detections of one sample have found a box; those beyond `_MOST` of a class are none."""
    bits = 1 << np.arange(len(THRESHOLDS))
    for each in np.unique(output[output[:, 0] != _NONE, 0]):
        rows = np.flatnonzero(output[:, 0] == each)
        rows = rows[np.argsort(-output[rows, 1], kind="stable")]
        output[rows[_MOST:], 0] = _NONE
        rows = rows[:_MOST]
        output[rows, 2] = matched(corners[rows], boxes[right == each]) @ bits


def _detections(detection: Detection, outputs: Outputs) -> tuple[Array, Array, Array]:
    """Corners, (n, detections, 4), classes and scores, (n, detections) each."""
    boxes, scores = (outputs[name].astype(np.float64) for name in (detection.boxes, detection.scores))
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise DataError(f"{_SECTION}.boxes", "an output of shape (batch, detections, 4)", shape(boxes))
    if detection.classes is None:
        _check_shape("scores", scores, (boxes.shape[1], None), "detections, classes")
        classes, scores = scores.argmax(axis=2).astype(np.float64), scores.max(axis=2)
    else:
        classes = np.rint(outputs[detection.classes].astype(np.float64))
        _check_shape("scores", scores, (boxes.shape[1],), "detections")
        _check_shape("classes", classes, (boxes.shape[1],), "detections")
    counts = np.full(len(boxes), boxes.shape[1])
    if detection.count is not None:
        counts = np.rint(outputs[detection.count])
        if counts.size != len(boxes):
            raise DataError(f"{_SECTION}.count", "an output of shape (batch,)", shape(counts))
    counted = np.arange(boxes.shape[1]) < counts.reshape(-1, 1)
    return _corners(boxes, detection.box_format), np.where(counted & (scores > 0), classes, _NONE), scores


def _check_shape(key: str, output: Array, wanted: tuple[int | None, ...], said: str) -> None:
    found = output.shape[1:]
    if len(found) != len(wanted) or any(asked not in (None, got) for asked, got in zip(wanted, found, strict=True)):
        expected = f"an output of shape (batch, {said}) with {wanted[0]} detections, as there are boxes"
        raise DataError(f"{_SECTION}.{key}", expected, shape(output))


def _boxes(detection: Detection, labels: Array) -> tuple[Array, Array]:
    """Corners, (n, boxes, 4), and classes, (n, boxes), of what there is to find."""
    if not (labels.ndim == 2 and labels.shape[1] % 5 == 0) and not (labels.ndim == 3 and labels.shape[2] == 5):
        expected = "labels of shape (samples, boxes, 5), four numbers of a box and its class, -1 where there is none"
        raise DataError(WHERE, expected, shape(labels))
    labels = labels.reshape(len(labels), -1, 5).astype(np.float64)
    classes, corners = labels[..., 4], _corners(labels[..., :4], detection.box_format)
    wrong = (classes != np.floor(classes)) | (classes < _NONE)
    if wrong.any():
        raise DataError(
            WHERE, "classes of boxes that are whole numbers from 0, or -1 for none", f"{classes[wrong][0]:g}"
        )
    turned = (classes != _NONE) & (corners[..., 2:] < corners[..., :2]).any(axis=-1)
    if turned.any():
        found = ", ".join(f"{value:g}" for value in labels[turned][0, :4])
        raise DataError(WHERE, f"boxes as {detection.box_format} of no negative size", found)
    return corners, classes


def _corners(boxes: Array, form: str) -> Array:
    """Two corners of each box, (..., 4)."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if form == "xywh":
        second = first + second
    elif form == "cxcywh":
        first, second = first - second / 2, first + second / 2
    return np.concatenate([first, second], axis=-1)

"""What a first spec judges a model by: a metric, the output that it judges, and a limit, from outputs and labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litegate.errors import DataError, SpecError
from litegate.records import DataField, Signature, TensorSpec
from litegate.spec.metric_facts import DETECTIONS, built_in_facts

__all__ = ["Asked", "Judged", "judged_by", "size_of"]


_ONE_POINT = {"max_drop": 0.01}
_ONE_PERCENT = {"max_drop": 0.01, "drop": "relative"}
_AS_INTEGERS = "save them as integers, which {} judges"
_NUMBERS = ("bool", "int", "uint", "float")
_SEVERAL = (
    "labels of 0 and 1 are taken for several labels of a sample, whose scores are compared; a metric of your own is "
    "named by --metric, and one-hot labels of classes are saved by label.argmax(axis=1), which top1 judges"
)
_PARTS = {"boxes": ("box",), "scores": ("score", "conf"), "classes": ("class", "label"), "count": ("num", "count")}
"""How people call a detector's outputs."""


@dataclass(frozen=True)
class Asked:
    """What a person says of a model, where it cannot be told.

    Attributes:
        metric: a metric by name, or `package.module:Class`.
        output: the output that it judges.
        detection: for a detector, which outputs are `boxes`, `scores`, `classes` and `count`.
    """

    metric: str | None = None
    output: str | None = None
    detection: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """Keys of a spec's sections `evaluation` and `gate`.

    Attributes:
        unit: what `max_drop` is, as a comment.
        notes: what a person should know of the choice.
    """

    evaluation: dict[str, Any]
    gate: dict[str, Any]
    unit: str
    notes: tuple[str, ...] = ()


def judged_by(signature: Signature, label: DataField | None, asked: Asked, where: str) -> Judged:
    """Decide on a metric.

    Args:
        label: what a sample should give; None where folders are the classes.
        where: the data with the labels, for messages.

    Raises:
        DataError: outputs and labels do not tell which metric there is to be; the message names the option that does.
        SpecError: an output that a person names is none of the model's.
    """
    label, outputs = _numbers(label, where), signature.outputs
    for name in filter(None, (asked.output, *asked.detection.values())):
        if name not in outputs:
            raise SpecError("evaluation", f"one of the outputs {', '.join(outputs)}", repr(name))
    detection = dict(asked.detection) or _detection(outputs, label)
    if asked.metric in DETECTIONS or (asked.metric is None and asked.output is None and detection):
        return _detector(asked.metric or "map50", detection, outputs)
    metric, extra = asked.metric, {}
    name = asked.output or _only(outputs, label, metric, where)
    if len(outputs) > 1:
        extra = {"output": name}
    if metric is not None:
        return _named(metric, extra)
    found = _metric(signature, outputs[name], label, where)
    return Judged({"metric": found.evaluation["metric"]} | extra, found.gate, found.unit, found.notes)


def _numbers(label: DataField | None, where: str) -> DataField | None:
    """A label as the metric gets it: of an image its mask."""
    if label is None or label.dtype.startswith(_NUMBERS):
        return label
    if label.dtype == "image":
        return label.model_copy(update={"shape": label.shape[:2]})
    raise DataError(where, "labels that are numbers", f"{label.dtype}: number the classes from 0, or --label FIELD")


def _detector(metric: str, detection: dict[str, str], outputs: Mapping[str, TensorSpec]) -> Judged:
    known = {"boxes", "scores"} <= set(detection)
    if not known or ("classes" not in detection and len(outputs[detection["scores"]].shape) != 3):
        expected = f"--detection boxes=OUTPUT,scores=OUTPUT,classes=OUTPUT to say which outputs are what, for {metric}"
        raise DataError("MODEL", expected, f"outputs {', '.join(outputs)}")
    note = "evaluation.detection.box_format is yxyx, as TensorFlow has boxes; say so if it is another"
    return Judged(
        {"metric": metric, "detection": detection}, dict(_ONE_POINT), "the largest allowed loss of mAP", (note,)
    )


def _detection(outputs: Mapping[str, TensorSpec], label: DataField | None) -> dict[str, str]:
    """The outputs of a detector by their names and shapes, where the labels are boxes; empty where it is none."""
    if len(outputs) < 2 or label is None or len(label.shape) != 2 or label.shape[-1] < 4:
        return {}
    found = {
        part: [name for name in outputs if any(word in name.lower() for word in words)]
        for part, words in _PARTS.items()
    }
    boxes = [name for name, tensor in outputs.items() if len(tensor.shape) == 3 and tensor.shape[-1] == 4]
    named = {part: names[0] for part, names in found.items() if len(names) == 1 and part != "boxes"}
    return ({"boxes": boxes[0]} if len(boxes) == 1 else {}) | (named if len(boxes) == 1 else {})


def _only(outputs: Mapping[str, TensorSpec], label: DataField | None, metric: str | None, where: str) -> str:
    """The output that is judged: the only one, or the only one that the labels fit."""
    if len(outputs) == 1:
        return next(iter(outputs))
    fitting = [name for name, tensor in outputs.items() if label is not None and _fits(tensor, label)]
    if len(fitting) == 1:
        return fitting[0]
    what = f"the metric {metric}" if metric else "the labels"
    expected = f"--judged OUTPUT to say which output {what} {'judges' if metric else 'are for'}, or --detection"
    raise DataError(where, expected, f"outputs {', '.join(f'{n} {t.shape[1:]}' for n, t in outputs.items())}")


def _fits(tensor: TensorSpec, label: DataField) -> bool:
    output, target = _plain(tensor.shape[1:]), _plain(label.shape)
    if label.dtype.startswith("float") or not output or target != output[:-1]:
        return output == target
    return label.high is None or output[-1] < 0 or label.high < output[-1]


def _named(metric: str, extra: dict[str, Any]) -> Judged:
    """A metric that a person names: a loss in its unit where it has a range, else a share of float32's value."""
    facts = built_in_facts(metric)
    if facts is None:
        return Judged({"metric": metric} | extra, dict(_ONE_POINT), "the largest allowed loss, in the metric's unit")
    if facts.width is not None:
        return Judged({"metric": metric} | extra, dict(_ONE_POINT), f"the largest allowed loss of {metric}")
    return Judged(
        {"metric": metric} | extra, dict(_ONE_PERCENT), "the error may grow by one percent of what float32 has"
    )


def _metric(signature: Signature, tensor: TensorSpec, label: DataField | None, where: str) -> Judged:
    """A metric for an output and labels."""
    output, target = _plain(tensor.shape[1:]), _plain(label.shape if label else ())
    high = None if label is None else label.high
    if label is not None and label.dtype.startswith("float"):
        if _is(output, target):
            return _of_values(label)
        raise _unknown(tensor, label, where)
    if label is not None and tensor.dtype.startswith("int") and not output:
        raise _unknown(tensor, label, where)
    if not target:
        return _of_numbers(signature, tensor, label, high, where)
    if _is(output, target):
        return _alike(output, high)
    if _is(output[:-1], target) and len(output) > 1:
        return _named("iou", {})
    raise _unknown(tensor, label, where)


def _of_numbers(
    signature: Signature, tensor: TensorSpec, label: DataField | None, high: int | None, where: str
) -> Judged:
    """Where a sample's label is one whole number: a class, or a value."""
    output, two = _plain(tensor.shape[1:]), high is None or high <= 1
    if label is not None and label.low is not None and label.low < 0:
        two = False
    if not output:
        if not two:
            return _with(
                "mae", "labels beyond 0 and 1 for one output are taken for values; --metric names another metric"
            )
        unit = "the largest allowed loss of the area under the curve; binary_accuracy where the output is a probability"
        return Judged({"metric": "roc_auc"}, dict(_ONE_POINT), unit)
    if high is not None and two and any(_plain(each.shape[1:]) == output for each in signature.inputs.values()):
        note = (
            "the model gives back its input, so 0 and 1 are taken for usual and unusual samples; --metric names another"
        )
        return _with("reconstruction_auc", note)
    if len(output) == 1 and (high is None or output[0] < 0 or high < output[0]):
        return Judged({"metric": "top1"}, dict(_ONE_POINT), "the largest allowed loss: one point of accuracy")
    raise _unknown(tensor, label, where)


def _of_values(label: DataField) -> Judged:
    """Where a sample's label is decimal numbers of the output's shape, which may hold whole ones only."""
    two, axes = (label.low, label.high) == (0, 1), len(_plain(label.shape))
    if two and not axes:
        return _with(
            "mae",
            f"labels of 0 and 1 are {label.dtype}, so they are taken for values; {_AS_INTEGERS}".format("roc_auc"),
        )
    return _with("mae", _SEVERAL) if two and axes == 1 else _named("mae", {})


def _alike(output: tuple[int, ...], high: int | None) -> Judged:
    """Where whole numbers have the output's shape: masks, several labels of a sample, or values."""
    if len(output) > 1:
        return _named("iou", {})
    return _named("mae", {}) if high is not None and high > 1 else _with("mae", _SEVERAL)


def _with(metric: str, note: str) -> Judged:
    found = _named(metric, {})
    return Judged(found.evaluation, found.gate, found.unit, (note,))


def _unknown(tensor: TensorSpec, label: DataField | None, where: str) -> DataError:
    values = "" if label is None or label.high is None else f" from {label.low} to {label.high}"
    found = "classes" if label is None else f"labels of {label.dtype} {label.shape}{values}"
    expected = "labels that tell the metric, or --metric NAME (--label FIELD if the labels are another field)"
    return DataError(where, expected, f"{found} for an output of shape {tensor.shape[1:]}{_hint(tensor, label)}")


def _hint(tensor: TensorSpec, label: DataField | None) -> str:
    """What is often the case, and what to do about it."""
    output = _plain(tensor.shape[1:])
    if label is None or label.high is None or _plain(label.shape):
        return ""
    if tensor.dtype.startswith("int") and not output:
        return ": an argmax inside the model? Save it with the scores of its classes, which top1 judges"
    if len(output) == 1 and (label.low, label.high) == (1, output[0]):
        return ": numbered from 1? Number the classes from 0"
    if len(output) == 1 and label.dtype.startswith("float") and 0 <= (label.low or 0) <= label.high < output[0]:
        return f": classes? {_AS_INTEGERS}".format("top1")
    return ""


def _is(output: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a shape, which may leave lengths free, is another."""
    return len(output) == len(target) and all(own in (-1, other) for own, other in zip(output, target, strict=True))


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without axes of length one."""
    return tuple(size for size in shape if size != 1)


def size_of(tensor: TensorSpec) -> int:
    """Numbers in one sample, as far as the signature says."""
    return math.prod(size for size in tensor.shape[1:] if size > 0)

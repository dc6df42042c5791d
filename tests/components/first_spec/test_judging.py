"""What a model of each kind is judged by, and what is asked, by the name of an option, where that cannot be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from litegate.errors import DataError, SpecError
from litegate.first_spec.judging import Asked, Judged, judged_by
from litegate.records import DataField, Signature, TensorSpec

Shape = tuple[int, ...]
VECTOR = {"x": (16,)}


def tensors(shapes: dict[str, Shape], dtype: str = "float32") -> dict[str, TensorSpec]:
    return {name: TensorSpec(shape=(-1, *shape), dtype=dtype) for name, shape in shapes.items()}


@dataclass(frozen=True)
class Kind:
    """A model and the labels of its samples: their type, shape, and range where they are whole numbers."""

    name: str
    outputs: dict[str, Shape]
    label: tuple[str, Shape] | None
    metric: str
    inputs: dict[str, Shape] = field(default_factory=lambda: VECTOR)
    low: int = 0
    high: int | None = None
    type: str = "float32"
    keys: dict[str, Any] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    note: str = ""


def judge(kind: Kind) -> Judged:
    low = None if kind.high is None else kind.low
    label = kind.label and DataField(dtype=kind.label[0], shape=kind.label[1], low=low, high=kind.high)
    return judged_by(
        Signature(inputs=tensors(kind.inputs), outputs=tensors(kind.outputs, kind.type)), label, kind.asked, "test.npz"
    )


BOXES = {"boxes": (20, 4), "scores": (20,), "classes": (20,), "num_detections": (1,)}
PARTS = {"boxes": "boxes", "scores": "scores", "classes": "classes", "count": "num_detections"}
UNNAMED = {f"output_{place}": shape for place, shape in enumerate(BOXES.values())}
IDENTITY = Asked(output="identity")
TWO = {"pose": (6,), "identity": (40,)}

KINDS = [
    Kind("classifier", {"p": (10,)}, ("int64", ()), "top1", high=9),
    Kind("labels of shape (n, 1)", {"p": (10,)}, ("int64", (1,)), "top1", high=9),
    Kind("folders", {"p": (10,)}, None, "top1"),
    Kind("sigmoid", {"p": (1,)}, ("int64", ()), "roc_auc", high=1),
    Kind("two inputs, one score", {"p": (1,)}, ("uint8", ()), "roc_auc", {"a": (8, 8, 1), "b": (8, 8, 1)}, high=1),
    Kind("whole numbers", {"age": (1,)}, ("int64", ()), "mae", high=87, note="taken for values"),
    Kind("regression", {"y": (1,)}, ("float64", ()), "mae"),
    Kind("several values", {"y": (3,)}, ("float32", (3,)), "mae"),
    Kind("autoencoder", {"y": (16,)}, ("float32", (16,)), "mae"),
    Kind("unusual samples", {"y": (16,)}, ("int64", ()), "reconstruction_auc", high=1, note="unusual"),
    Kind("several labels", {"p": (12,)}, ("uint8", (12,)), "mae", high=1, note="several labels of a sample"),
    Kind("one-hot classes", {"p": (10,)}, ("float32", (10,)), "mae", high=1, note="label.argmax"),
    Kind("two classes as decimals", {"p": (1,)}, ("float32", (1,)), "mae", high=1, note="as integers, which roc_auc"),
    Kind("counts as decimals", {"y": (1,)}, ("float32", ()), "mae", high=40),
    Kind("images of masks", {"m": (8, 8, 5)}, ("image", (8, 8, 3)), "iou"),
    Kind("masks of any size", {"m": (-1, -1, 5)}, ("uint8", (8, 8)), "iou", high=4),
    Kind("masks", {"m": (8, 8, 1)}, ("uint8", (8, 8)), "iou", high=1),
    Kind("maps of classes", {"m": (8, 8, 5)}, ("uint8", (8, 8)), "iou", high=4),
    Kind("detector", BOXES, ("float32", (7, 5)), "map50", keys={"detection": PARTS}),
    Kind(
        "detector without names",
        UNNAMED,
        ("float32", (7, 5)),
        "map50_95",
        keys={"detection": {"boxes": "output_0", "scores": "output_1", "classes": "output_2"}},
        asked=Asked("map50_95", None, {"boxes": "output_0", "scores": "output_1", "classes": "output_2"}),
    ),
    Kind("the output that labels fit", TWO, ("float32", (6,)), "mae", keys={"output": "pose"}),
    Kind("the output that classes fit", TWO, ("int64", ()), "top1", high=39, keys={"output": "identity"}),
    Kind(
        "the output of classes",
        TWO,
        ("int64", ()),
        "top1",
        high=39,
        keys={"output": "identity"},
        asked=Asked(output="identity"),
    ),
    Kind("an own metric", {"y": (4, 4)}, ("int64", ()), "my:Metric", high=3, asked=Asked("my:Metric")),
    Kind("a metric by name", {"p": (1,)}, ("int64", ()), "binary_accuracy", high=1, asked=Asked("binary_accuracy")),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_model_has_a_metric(kind: Kind) -> None:
    found = judge(kind)
    assert found.evaluation == {"metric": kind.metric} | kind.keys
    assert found.gate["max_drop"] == 0.01
    assert (found.gate.get("drop") == "relative") is (kind.metric == "mae")
    assert kind.note in " ".join(found.notes)


ASKED = [
    (Kind("more labels than classes", {"p": (10,)}, ("int64", ()), "", high=37), "--metric NAME", "from 0 to 37"),
    (Kind("values for classes", {"p": (10,)}, ("float32", ()), ""), "--metric NAME", "labels of float32"),
    (Kind("classes as decimals", {"p": (10,)}, ("float32", ()), "", high=9), "--metric NAME", "integers, which top1"),
    (Kind("classes from one", {"p": (10,)}, ("int64", ()), "", low=1, high=10), "--metric NAME", "numbered from 1"),
    (Kind("text", {"p": (10,)}, ("str64", ()), ""), "numbers", "str64: number the classes from 0, or --label FIELD"),
    (Kind("an argmax", {"p": ()}, ("int64", ()), "", high=9, type="int64"), "--metric NAME", "Save it with the scores"),
    (Kind("an image for a class", {"p": (4, 4, 3)}, ("int64", ()), "", high=3), "--metric NAME", r"\(4, 4, 3\)"),
    (Kind("which output", TWO, ("float32", (9,)), ""), "--judged OUTPUT", r"pose \(6,\), identity \(40,\)"),
    (
        Kind("which of two alike", {"a": (6,), "b": (6,)}, ("float32", (6,)), ""),
        "--judged OUTPUT",
        r"a \(6,\), b \(6,\)",
    ),
    (
        Kind("a detector without classes", {"boxes": (9, 4), "scores": (9,)}, ("float32", (7, 5)), ""),
        "--detection boxes=OUTPUT,scores=OUTPUT,classes=OUTPUT",
        "boxes, scores",
    ),
    (
        Kind("a detector without names", UNNAMED, ("float32", (7, 5)), "", asked=Asked("map50")),
        "--detection boxes=OUTPUT,scores=OUTPUT,classes=OUTPUT",
        "output_0, output_1, output_2, output_3",
    ),
]


@pytest.mark.parametrize(("kind", "option", "got"), ASKED, ids=lambda each: each.name if isinstance(each, Kind) else "")
def test_what_cannot_be_told_is_asked_by_naming_the_option(kind: Kind, option: str, got: str) -> None:
    with pytest.raises(DataError, match=f"{option}.*{got}"):
        judge(kind)


def test_an_output_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match="one of the outputs pose, identity, got 'poze'"):
        judge(Kind("typo", TWO, ("float32", (6,)), "", asked=Asked(output="poze")))

"""What a first spec says of models and datasets of every kind."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from litegate.errors import DataError
from litegate.first_spec.choices import DataSet, first_spec
from litegate.first_spec.judging import Asked
from litegate.first_spec.text import FirstSpec
from litegate.gate.evidence import PairedProportions
from litegate.records import DataField, InferredSchema, Signature, TensorSpec
from litegate.spec import parse_spec

IMAGE = {"image": TensorSpec(shape=(-1, 8, 8, 1), dtype="float32")}
SCORES = {"scores": TensorSpec(shape=(-1, 10), dtype="float32")}
Fields = dict[str, tuple[str, tuple[int, ...]]]


def floats(*shape: int) -> TensorSpec:
    return TensorSpec(shape=(-1, *shape), dtype="float32")


def data(form: str, fields: Fields, uri: str = "train", samples: int = 5000) -> DataSet:
    named = {name: DataField(dtype=dtype, shape=shape) for name, (dtype, shape) in fields.items()}
    return DataSet(uri, form, InferredSchema(samples=samples, fields=named))


def made(form: str, fields: Fields, *, inputs: Any = None, outputs: Any = None, **options: Any) -> FirstSpec:
    signature = Signature(inputs=inputs or IMAGE, outputs=outputs or SCORES)
    spec = first_spec("m", "m.keras", signature, data(form, fields), data(form, fields, "test"), **options)
    assert yaml.safe_load(spec.text) == spec.keys, "comments change nothing"
    parse_spec(spec.keys)
    return spec


ARRAYS: Fields = {"image": ("float32", (8, 8, 1)), "label": ("int64", ())}


def test_arrays_named_like_the_inputs_need_nothing_more() -> None:
    spec = made("npz", ARRAYS)
    assert spec.keys["calibration"] == {"uri": "train", "format": "npz", "samples": 200}
    assert spec.keys["evaluation"] == {"uri": "test", "format": "npz", "metric": "top1"}
    assert spec.keys["gate"] == {"max_drop": 0.01, "confidence": 0.95}
    assert (spec.keys["target"], spec.notes) == ("cpu", [])


def test_one_data_set_for_both_is_allowed_and_said() -> None:
    both = data("npz", ARRAYS)
    spec = first_spec("m", "m.keras", Signature(inputs=IMAGE, outputs=SCORES), both, both)
    assert spec.keys["calibration"]["allow"] == ["leakage"]
    assert "# Note: the same samples calibrate and evaluate" in spec.text


def test_few_samples_are_all_taken() -> None:
    few = data("npz", ARRAYS, samples=60)
    spec = first_spec("m", "m.keras", Signature(inputs=IMAGE, outputs=SCORES), few, few)
    assert spec.keys["calibration"]["samples"] == 60


@pytest.mark.parametrize(("samples", "enough"), [(600, False), (5000, True)])
def test_too_few_samples_for_a_verdict_are_noted(samples: int, enough: bool) -> None:
    some = data("npz", ARRAYS, samples=samples)
    spec = first_spec("m", "m.keras", Signature(inputs=IMAGE, outputs=SCORES), data("npz", ARRAYS, "cal"), some)
    notes = [note for note in spec.notes if "to decide on gate.max_drop 0.01" in note]
    assert len(notes) == (0 if enough else 1)
    if notes:
        (needs, _have, _missing) = map(
            int, re.findall(r" (\d+)(?: samples are|\. Add| or more)", notes[0].replace(",", ""))
        )
        share = PairedProportions(needs, 0.01 * needs, 0.01 * needs)
        assert share.p_within(0.01) <= 0.05 / 4 < PairedProportions(600, 6, 6).p_within(0.01)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (("float64", (8, 8, 1)), "is float64 (8, 8, 1), and image takes float32 (8, 8, 1)"),
        (("float32", (8, 8)), "is float32 (8, 8), and image takes float32 (8, 8, 1)"),
        (("uint8", (8, 8, 1)), "is uint8 (8, 8, 1)"),
    ],
)
def test_arrays_that_the_model_does_not_take_are_noted(found: Any, said: str) -> None:
    notes = made("npz", ARRAYS | {"image": found}).notes
    assert len(notes) == 2
    assert said in notes[0]
    assert "name a `preprocess`" in notes[1]


def test_images_of_another_size_need_a_preprocess() -> None:
    images = DataSet(
        "a", "images", InferredSchema(samples=9, fields={"image": DataField(dtype="image", shape=(32, 32, 1))})
    )
    spec = first_spec("m", "m.keras", Signature(inputs=IMAGE, outputs=SCORES), images, images)
    assert "label" not in spec.keys["evaluation"]
    assert "image (32, 32, 1), and image takes float32 (8, 8, 1)" in spec.notes[0]


def test_fields_of_other_names_are_mapped_by_what_fits() -> None:
    fields: Fields = {"pixels": ("float32", (64,)), "id": ("int64", (1,)), "class": ("int64", (1,))}
    spec = made("tfrecord", fields)
    assert spec.keys["calibration"]["features"] == {"image": "pixels"}
    assert spec.keys["evaluation"]["label"] == "class"
    assert spec.notes == []


def test_columns_of_numbers_need_no_names() -> None:
    fields: Fields = dict.fromkeys(("age", "weight", "height"), ("float64", ())) | {"label": ("int64", ())}
    spec = made("csv", fields, inputs={"x": TensorSpec(shape=(-1, 3), dtype="float32")})
    assert "features" not in spec.keys["calibration"]


@pytest.mark.parametrize(
    ("label", "outputs", "metric", "gate"),
    [
        (("int64", ()), SCORES, "top1", {"max_drop": 0.01}),
        (("int64", ()), {"p": TensorSpec(shape=(-1, 1), dtype="float32")}, "roc_auc", {"max_drop": 0.01}),
        (("uint8", (8, 8)), {"mask": TensorSpec(shape=(-1, 8, 8, 3), dtype="float32")}, "iou", {"max_drop": 0.01}),
        (("float32", (10,)), SCORES, "mae", {"max_drop": 0.01, "drop": "relative"}),
    ],
)
def test_the_metric_is_that_of_the_labels(label: Any, outputs: Any, metric: str, gate: dict[str, Any]) -> None:
    spec = made("npz", ARRAYS | {"label": label}, outputs=outputs)
    assert spec.keys["evaluation"]["metric"] == metric
    assert spec.keys["gate"] == gate | {"confidence": 0.95}


def test_a_label_can_be_named() -> None:
    fields = ARRAYS | {"truth": ("int64", ())}
    del fields["label"]
    assert made("npz", fields | {"weight": ("float32", ())}, label="truth").keys["evaluation"]["label"] == "truth"


@pytest.mark.parametrize(
    ("fields", "label", "says"),
    [
        ({"image": ("float32", (8, 8, 1))}, None, "test: expected a field with the labels: .*--label names it"),
        (ARRAYS, "truth", "expected a field with the labels: truth, got the fields image, label"),
        ({"x": ("float32", (8, 8, 2)), "y": ("int64", ()), "z": ("int64", ())}, None, "expected a field 'image'"),
    ],
)
def test_what_cannot_be_told_is_asked_for(fields: Fields, label: str | None, says: str) -> None:
    with pytest.raises(DataError, match=says):
        made("npz", fields, label=label)


def test_the_targets_own_variants_are_written_out() -> None:
    spec = made("npz", ARRAYS, target="microcontroller")
    assert (spec.keys["target"], spec.keys["variants"]) == ("microcontroller", ["int8", "uint8"])


@pytest.mark.parametrize(
    ("outputs", "label", "options", "evaluation"),
    [
        (
            SCORES | {"mask": TensorSpec(shape=(-1, 8, 8, 3), dtype="float32")},
            ("uint8", (8, 8)),
            {},
            {"output": "mask"},
        ),
        (
            {
                "boxes": TensorSpec(shape=(-1, 9, 4), dtype="float32"),
                "scores": TensorSpec(shape=(-1, 9, 3), dtype="float32"),
            },
            ("float32", (3, 5)),
            {},
            {"detection": {"boxes": "boxes", "scores": "scores"}},
        ),
        (SCORES, ("int64", ()), {"asked": Asked("average_precision")}, {"metric": "average_precision"}),
    ],
)
def test_a_spec_of_every_kind_is_a_good_one(outputs: Any, label: Any, options: Any, evaluation: dict[str, Any]) -> None:
    spec = made("npz", ARRAYS | {"label": label}, outputs=outputs, **options)  # which parses it
    assert evaluation.items() <= spec.keys["evaluation"].items()


def test_inputs_of_whole_numbers_are_not_quantized_to_sixteen_bits() -> None:
    ids = {"ids": TensorSpec(shape=(-1, 12), dtype="int32")}
    fields: Fields = {"ids": ("int32", (12,)), "label": ("int64", ())}
    assert "int16x8" in made("npz", ARRAYS, target="high_precision_integer").keys["variants"]
    assert "dynamic_range" in made("npz", fields, inputs=ids).keys["variants"]
    none_left = made("npz", fields, inputs=ids, target="high_precision_integer")
    assert none_left.keys["variants"] == ["int16x8", "int16x8_float_fallback"]
    assert "the converter refuses 16x8" in none_left.notes[0]


@pytest.mark.parametrize(
    ("fields", "features"),
    [
        (ARRAYS, None),
        ({"arr_0": ARRAYS["image"], "label": ARRAYS["label"]}, None),
        ({"x_test": ARRAYS["image"], "y": ARRAYS["label"]}, {"image": "x_test"}),
        ({"x": ARRAYS["image"], "label": ARRAYS["label"], "weight": ("float32", ())}, {"image": "x"}),
        (ARRAYS | {"site": ("text", ())}, {"image": "image"}),
    ],
)
def test_arrays_of_other_names_are_mapped_and_others_left_out(fields: Fields, features: dict[str, str] | None) -> None:
    assert made("npz", fields).keys["evaluation"].get("features") == features


@pytest.mark.parametrize("form", ["npz", "parquet"])
def test_without_labels_a_model_that_gives_back_its_input_is_to_give_it_back(form: str) -> None:
    pixels = {"pixels": TensorSpec(shape=(-1, 16), dtype="float32")}
    fields: Fields = {"pixels": ("float32", (16,))}
    keys = made(form, fields, inputs=pixels, outputs=pixels).keys["evaluation"]
    assert (keys["label"], keys["features"], keys["metric"]) == ("pixels", {"pixels": "pixels"}, "mae")


def test_a_model_without_a_batch_axis_is_noted() -> None:
    whole = {"image": TensorSpec(shape=(8, 8, 1), dtype="float32")}
    assert any("without a batch axis" in note for note in made("npz", ARRAYS, inputs=whole).notes)

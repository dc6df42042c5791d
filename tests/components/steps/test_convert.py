"""Models of all kinds through every variant, or to a reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets.sampling import choose
from litegate.errors import StepFailed
from litegate.execution.step_run import BadStepInput
from litegate.source.signatures import signatures_of

pytestmark = pytest.mark.e2e

Make = Callable[..., Any]

UNROLLED, BATCH_OF_ONE = "unrolled recurrent layers", "a batch of one"
LOOP = "the calibrator of TensorFlow cannot run this model, because of WHILE"
MODELS = [
    ("lstm3.keras", "steps.npz", UNROLLED, {}),
    ("gru3.keras", "steps.npz", UNROLLED, {}),
    ("lstm2.h5", "steps.npz", BATCH_OF_ONE, {"int16x8": "not yet supported for op: 'UNIDIRECTIONAL_SEQUENCE_LSTM'"}),
    ("tokens.keras", "tokens.npz", UNROLLED, {"int16x8": "Empty min/max for tensor serving_default_ids"}),
    ("any_length.keras", "steps.npz", BATCH_OF_ONE, {"int8": LOOP, "int16x8": LOOP}),
    ("any_size.keras", "calibration.npz", None, {}),
    ("two_inputs.keras", "pair.npz", None, {}),
    ("two_signatures", "signatures.npz", None, {}),
]
SAVED_AGAIN = "its variables saved again"
LEFT = {"features": {"x": "left"}}
VARIANTS = ("dynamic_range", "int8", "int16x8")  # what holds for these holds for the others of their kind
CASES = [(name, data, variant, reasons.get(variant)) for name, data, _, reasons in MODELS for variant in VARIANTS]


def steps_for(pipeline: Make, source: str, data: str) -> Any:
    steps = pipeline(source, calibration=data, evaluation=data)
    return steps.but(evaluation={"signature": "decode"}) if source == "two_signatures" else steps


@pytest.mark.parametrize(("source", "data", "change"), [row[:3] for row in MODELS], ids=[row[0] for row in MODELS])
def test_a_model_is_converted_as_it_is_or_in_a_form_that_agrees_with_it(
    pipeline: Make, source: str, data: str, change: str | None
) -> None:
    steps = steps_for(pipeline, source, data)
    assert steps.convert().tools.get("converted_with") == change
    conversion_check = steps.conversion_check()
    assert conversion_check.agreement == 1.0
    assert conversion_check.max_abs_difference < 1e-4


def test_a_model_whose_variables_the_converter_does_not_find_is_saved_again(pipeline: Make) -> None:
    steps = pipeline("wrapped", calibration="pair.npz", evaluation="pair.npz").but(calibration=LEFT, evaluation=LEFT)
    assert steps.convert().tools.get("converted_with") == SAVED_AGAIN
    assert steps.conversion_check().agreement == 1.0


@pytest.mark.parametrize(("source", "data", "variant", "reason"), CASES, ids=[f"{row[0]}-{row[2]}" for row in CASES])
def test_every_variant_of_every_kind_of_model_is_built_and_measured_or_says_why_not(
    pipeline: Make, source: str, data: str, variant: str, reason: str | None
) -> None:
    steps = steps_for(pipeline, source, data)
    if reason is not None:
        with pytest.raises(StepFailed, match=reason) as caught:
            steps.quantize(variant)
        assert caught.value.kind == "unsupported"
        return
    artifact = steps.quantize(variant)
    baseline, found = (steps.score(steps.evaluate(each)) for each in (steps.convert().artifact, artifact))
    assert found > baseline - 0.1


@pytest.mark.parametrize(
    ("source", "data"),
    [("two_signatures", "signatures.npz"), ("many_outputs", "test.npz"), ("keras3_saved_model", "test.npz")],
)
def test_a_saved_model_says_without_conversion_what_the_converted_file_has(
    pipeline: Make, models: Path, source: str, data: str
) -> None:
    steps = steps_for(pipeline, source, data)
    converted = steps.convert().artifact.signatures
    assert signatures_of(models / source, "model.uri") == converted


def test_wrong_labels_are_said_before_a_conversion_begins(pipeline: Make, models: Path, tmp_path: Path) -> None:
    """Of a model that nobody can convert, because the values of its variables are gone."""
    hollow = shutil.copytree(models / "keras3_saved_model", models / f"hollow-{tmp_path.name}")
    for path in (hollow / "variables").iterdir():
        path.unlink()
    with np.load(models / "test.npz") as arrays:
        np.savez(models / "from_one.npz", image=arrays["image"], label=arrays["label"] + 1)
    with pytest.raises(BadStepInput, match="variables are missing or damaged"):
        pipeline(hollow.name, calibration="test.npz", evaluation="test.npz").convert_for_data()
    with pytest.raises(BadStepInput, match=r"labels from 0 to 3, got 4 for sample .*numbered from 1"):
        pipeline(hollow.name, calibration="test.npz", evaluation="from_one.npz").convert_for_data()


def test_other_data_find_the_conversion_and_another_preprocess_does_not(pipeline: Make, models: Path) -> None:
    (models / "halved.py").write_text("def halve(features, label):\n    return features, label\n")
    image, label = (np.load(models / "test.npz")[name] for name in ("image", "label"))
    np.savez(models / "part.npz", image=image[:300], label=label[:300])
    keys = []
    for evaluation, more in (("test.npz", {}), ("part.npz", {}), ("test.npz", {"preprocess": "halved:halve"})):
        steps = pipeline("keras3.keras", evaluation=evaluation, **more)
        steps.resolve()
        keys.append(steps.request("convert").keyed())
    assert keys[0] == keys[1] != keys[2]


def test_not_a_number_is_said_with_the_sample_that_gives_it(pipeline: Make, models: Path) -> None:
    with np.load(models / "calibration.npz") as arrays:
        image, label = arrays["image"], arrays["label"]
    first = int(choose([str(at) for at in range(len(image))], len(image) - 1, seed=17)[0])
    image[first] = 3e38
    np.savez(models / "overflow.npz", image=image, label=label)
    steps = pipeline("keras3.keras", {"uri": str(models / "overflow.npz"), "format": "npz", "samples": len(image)})
    for check in (steps.conversion_check, lambda: steps.smoke(steps.convert().artifact)):
        with pytest.raises(BadStepInput, match=rf"for calibration sample {first}\b"):
            check()


def test_a_function_that_says_what_it_implements_is_compared_where_its_body_is_converted(pipeline: Make) -> None:
    found = pipeline("implementing", calibration="fours.npz", evaluation="fours.npz").conversion_check()
    assert (found.not_compared, found.agreement) == ({}, 1.0)
    assert found.max_abs_difference < 1e-4
    assert found.warnings == ("the model takes 4 samples at a time, and a latency is that of all of them together",)

"""Models of all kinds through every variant, or to a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from litegate.errors import StepFailed

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

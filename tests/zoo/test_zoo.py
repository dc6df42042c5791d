"""Architectures that people ship, and models whose trouble litegate is to name, through all variants."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.zoo.make_table import PAGE, TITLES, page, results

pytestmark = pytest.mark.e2e

UNSOUND = ("dead_scores", "raw_table", "masked", "masking", "spectrum")
Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return results(tmp_path_factory.mktemp("zoo"), (*TITLES, *UNSOUND))


def codes(found: Found, model: str, variant: str) -> list[str]:
    return [reason["code"] for reason in found[model]["variants"][variant]["reasons"]]


def said(found: Found, model: str, variant: str) -> str:
    return " ".join(reason["message"] for reason in found[model]["variants"][variant]["reasons"])


def warned(found: Found, model: str) -> dict[str, str]:
    return {each["code"]: each["input"] for each in found[model]["lint"]}


def test_the_page_says_what_the_pipeline_gives(found: Found) -> None:
    assert PAGE.read_text() == page(found), "`make zoo` writes it anew"


@pytest.mark.parametrize("model", TITLES)
def test_a_sound_model_is_refused_only_where_no_kernel_or_converter_takes_it(found: Found, model: str) -> None:
    assert "error" not in found[model]
    refused = {code for variant in found[model]["variants"] for code in codes(found, model, variant)}
    assert refused <= {"quantize_unsupported", "inspect_wrong_scheme", "smoke_not_runnable"}
    assert found[model]["variants"]["float16"]["state"] == "passed"
    assert not {"uneven_columns", "large_values", "large_constant"} & warned(found, model).keys()


def test_an_operator_that_kept_its_weights_in_float_is_named(found: Found) -> None:
    (warning,) = found["conv3d"]["variants"]["int8_float_fallback"]["warnings"]
    assert warning.startswith("float_weights: CONV_3D kept 13,824 bytes of weights in float32")
    assert "CONV_3D kept 13,824 bytes in float32" in said(found, "conv3d", "dynamic_range")


@pytest.mark.parametrize("variant", ["int16x8", "int16x8_float_fallback"])
def test_16x8_refuses_ids_that_are_computed_with_in_words(found: Found, variant: str) -> None:
    message = said(found, "embedding", variant)
    named = ", ".join(rf"{name} \(layer functional\w*/embedding\w*\)" for name in ("LESS", "ADD", "SELECT_V2"))
    assert re.search(f"the int32 input ids have none: {named} compute with it; take int8", message)


def test_16x8_names_each_operator_that_it_lacks_once(found: Found) -> None:
    layers = r"CONV_3D \(layers functional\w*/conv3d\w*, functional\w*/conv3d\w*\)"
    refused = f"refused int16x8: {layers} cannot compute on 16-bit activations; take"
    assert re.search(refused, said(found, "conv3d", "int16x8"))


@pytest.mark.parametrize("model", ["lstm", "gru"])
def test_the_first_state_of_a_recurrent_layer_may_have_the_scale_zero(found: Found, model: str) -> None:
    assert found[model]["variants"]["int16x8"]["state"] == "passed"


@pytest.mark.parametrize("variant", ["int8", "uint8", "int8_float_fallback"])
def test_scores_that_are_gone_fail_although_the_metric_of_the_boxes_passes(found: Found, variant: str) -> None:
    assert codes(found, "dead_scores", variant) == ["dead_output"]
    assert said(found, "dead_scores", variant).startswith("its output scores is the same for all of 32")
    assert codes(found, "dead_scores", "dynamic_range") == []


@pytest.mark.parametrize(
    ("model", "code", "where"),
    [
        ("raw_table", "uneven_columns", "serving_default/row"),
        ("masked", "large_values", "serving_default/mask"),
        ("masking", "large_constant", ""),
    ],
)
def test_what_one_scale_cannot_hold_is_said_before_int8_loses_it(
    found: Found, model: str, code: str, where: str
) -> None:
    assert warned(found, model)[code] == where
    assert found[model]["variants"]["int8"]["state"] == "failed"


def test_a_conversion_that_answers_for_too_few_samples_is_bad_input(found: Found) -> None:
    assert "expected a float32 conversion that LiteRT can run, got " in found["spectrum"]["error"]

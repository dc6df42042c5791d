"""Names of files: variants of the documentation, those of a second engine, and files that were given."""

from __future__ import annotations

from typing import get_args

import pytest

from litegate.spec.choices import TargetName
from litegate.variants import (
    DOCUMENTED,
    ETHOS_U,
    FINE_TUNED,
    LITERT_QUANTIZER,
    RECOVERED,
    TARGETS,
    TF_CONVERTER,
    VARIANTS,
    in_order,
    makers,
    may_run,
    usual_engine,
    variant_of,
)

BOTH = (TF_CONVERTER, LITERT_QUANTIZER)


def test_the_file_of_a_second_engine_is_the_same_variant() -> None:
    assert variant_of("int8.litert_quantizer") is VARIANTS["int8"]
    assert variant_of("int4") is VARIANTS["int4"]


@pytest.mark.parametrize("name", ["mine", "int8.mine", "mine.litert_quantizer", "int9"])
def test_any_other_name_is_that_of_a_file_that_was_given(name: str) -> None:
    variant = variant_of(name)
    assert (variant.name, variant.recipe, variant.calibrated) == (name, None, False)


@pytest.mark.parametrize("name", [RECOVERED, FINE_TUNED])
def test_what_is_searched_or_trained_is_no_file_that_was_given(name: str) -> None:
    assert variant_of(name).title != variant_of("mine").title
    assert (variant_of(name).recipe, variant_of(name).calibrated) == (None, True)
    assert name not in VARIANTS, "so that `all` does not ask for it"


def test_names_stand_in_one_order() -> None:
    names = ["zebra", "int8.litert_quantizer", "apple", "int8", "dynamic_range"]
    assert in_order(names) == ["dynamic_range", "int8", "int8.litert_quantizer", "apple", "zebra"]


def test_the_first_engine_that_can_make_a_variant_has_its_plain_name() -> None:
    assert makers(["uint8", "int8", "int4"], BOTH) == {
        "uint8": TF_CONVERTER,
        "int8": TF_CONVERTER,
        "int8.litert_quantizer": LITERT_QUANTIZER,
        "int4": LITERT_QUANTIZER,
    }
    assert makers(["int8"], BOTH[::-1]) == {"int8": LITERT_QUANTIZER, "int8.tf_converter": TF_CONVERTER}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_what_it_is_given_if_its_bytes_allow(target: str) -> None:
    assert may_run(target, "mine")
    assert may_run(target, "int8.litert_quantizer") == ("int8" in TARGETS[target].runnable)
    assert TARGETS[target].default, "and something is made for it"
    assert set(TARGETS[target].default) <= set(DOCUMENTED)


def test_a_spec_may_name_every_target() -> None:
    assert set(get_args(TargetName)) == set(TARGETS)
    assert {name: target.accelerator for name, target in TARGETS.items() if target.accelerator} == {
        name: name for name in ETHOS_U
    }


def test_a_tflite_file_is_beyond_the_converter_of_tensorflow() -> None:
    assert usual_engine("s3://b/m.tflite") == LITERT_QUANTIZER
    assert usual_engine("m.keras") == usual_engine("folder") == TF_CONVERTER

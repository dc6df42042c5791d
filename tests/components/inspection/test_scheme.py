"""What a file is called and what it is: every scheme, and every way not to be the variant that was asked for."""

from __future__ import annotations

from collections import Counter

import pytest

from litegate.inspection.scheme import Counts, io_mismatch, mismatch, not_a_baseline, scheme_of
from litegate.records import Signature, TensorSpec
from litegate.variants import VARIANTS, variant_of


def counts(
    real: int = 0, hybrid: int = 0, int8: int = 0, int16: int = 0, half: int = 0, large: int = 0, weights: int = 0
) -> Counts:
    integer = Counter(int8=int8, int16=int16, int32=1)
    return Counts(
        +Counter(SIN=real), +Counter(CONV_2D=hybrid), +integer, half, weights or hybrid, +Counter(CONV_3D=large)
    )


GOOD = [
    ("dynamic_range", counts(hybrid=1, real=5)),
    ("dynamic_range", counts(real=5)),  # all weights are too small to be worth it: so the variant is defined
    ("float16", counts(real=5, half=2)),
    ("int8_float_fallback", counts(int8=1, real=5)),
    ("int8", counts(int8=3)),
    ("uint8", counts(int8=3)),
    ("int16x8", counts(int16=3)),
    ("int16x8_float_fallback", counts(int16=1, real=1)),
]
BAD = [
    ("dynamic_range", counts(real=5, large=2)),
    ("float16", counts(real=5)),
    ("int8_float_fallback", counts(real=5)),
    ("int8_float_fallback", counts(hybrid=5)),
    ("int8", counts(int8=3, real=1)),
    ("int8", counts(int8=3, hybrid=1)),
    ("int8", counts()),
    ("uint8", counts(real=3)),
    ("int16x8", counts(int16=3, real=1)),
    ("int16x8", counts(int8=3)),
    ("int16x8_float_fallback", counts(hybrid=3)),
]


@pytest.mark.parametrize(("variant", "found"), GOOD)
def test_a_file_is_its_variant(variant: str, found: Counts) -> None:
    assert mismatch(found, VARIANTS[variant]) is None


@pytest.mark.parametrize(("variant", "found"), BAD)
def test_a_file_is_not_its_variant(variant: str, found: Counts) -> None:
    assert mismatch(found, VARIANTS[variant])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("float32", counts()),
        ("float32", counts(real=3, large=1)),
        ("float16", counts(real=3, half=1)),
        ("dynamic_range", counts(real=3, hybrid=1)),
        ("weight_only", counts(real=3, weights=1)),
        ("int8", counts(int8=1, weights=1)),
        ("int16x8", counts(int16=1)),
        ("mixed", counts(int16=1, int8=1)),
        ("mixed", counts(int8=1, real=1)),
        ("mixed", counts(hybrid=1, half=1)),
    ],
)
def test_every_scheme_has_its_name(name: str, found: Counts) -> None:
    assert scheme_of(found) == name


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (counts(real=9, large=3), None),
        (counts(), None),
        (counts(real=1, weights=2), "2 quantized weights"),
        (counts(real=1, half=2), "2 float16 weights"),
        (counts(int8=1), "operators that compute on quantized values"),
        (Counts({}, {}, {}, rounding=2), "2 operators that round"),
    ],
)
def test_a_baseline_has_lost_nothing_to_quantization(found: Counts, problem: str | None) -> None:
    said = not_a_baseline(found)
    assert said is None if problem is None else said is not None and said.startswith(problem)


def signatures(inputs: dict[str, str], outputs: dict[str, str], key: str = "serve") -> dict[str, Signature]:
    def specs(types: dict[str, str]) -> dict[str, TensorSpec]:
        return {name: TensorSpec(shape=(1,), dtype=dtype) for name, dtype in types.items()}

    return {key: Signature(inputs=specs(inputs), outputs=specs(outputs))}


BASELINE = signatures({"x": "float32", "ids": "int32"}, {"y": "float32"})


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (signatures({"x": "int8", "ids": "int32"}, {"y": "int8"}), None),
        (signatures({"x": "float32", "ids": "int32"}, {"y": "int8"}), "serve/x was asked to be int8 and is float32"),
        (signatures({"x": "int8", "ids": "int32"}, {"y": "uint8"}), "serve/y was asked to be int8 and is uint8"),
        (signatures({"x": "int8", "ids": "int8"}, {"y": "int8"}), "serve/ids was asked to be int32 and is int8"),
        (signatures({"x": "int8"}, {"y": "int8"}), "signature serve lost inputs or outputs"),
        (signatures({"x": "int8", "ids": "int32"}, {}), "signature serve lost inputs or outputs"),
        (signatures({"x": "int8", "ids": "int32"}, {"y": "int8"}, "other"), "signature serve lost"),
    ],
)
def test_inputs_and_outputs_are_those_of_the_baseline_in_the_type_asked_for(
    found: dict[str, Signature], problem: str | None
) -> None:
    said = io_mismatch(found, BASELINE, VARIANTS["int8"])
    assert said is None if problem is None else said is not None and said.startswith(problem)


@pytest.mark.parametrize(
    ("variant", "found", "said"),
    [
        ("int4", Counts({}, {"CONV_2D": 1}, {}, stored={"int4": 90, "float32": 10}), None),
        ("int4", Counts({}, {"CONV_2D": 1}, {}, stored={"int4": 40, "float32": 60}), "40% of its weights are int4"),
        ("int4", Counts({}, {"CONV_2D": 1}, {}, stored={"int8": 100}), "0% of its weights are int4"),
        ("int4", Counts({}, {}, {}), "0% of its weights are int4"),
        ("int4", Counts({"CONV_2D": 1}, {}, {}, stored={"int4": 90}), "none of its operators computes on int4 weights"),
        ("weight_only_int8", Counts({"CONV_2D": 1}, {}, {}, stored={"int8": 90}), None),
        (
            "weight_only_int8",
            Counts({}, {"CONV_2D": 1}, {}, stored={"int8": 90}),
            "operators compute on integer weights",
        ),
    ],
)
def test_weights_are_stored_as_the_variant_says(variant: str, found: Counts, said: str | None) -> None:
    problem = mismatch(found, VARIANTS[variant])
    assert problem is None if said is None else said in str(problem)


def test_a_file_that_was_given_is_called_nothing() -> None:
    assert mismatch(Counts({"CONV_2D": 1}, {}, {}), variant_of("mine")) is None


@pytest.mark.parametrize(("dtype", "fits"), [("int8", True), ("uint8", True), ("int16", True), ("int32", False)])
def test_a_file_that_was_given_may_take_what_floats_are_quantized_to(dtype: str, fits: bool) -> None:
    def signature(kind: str) -> dict[str, Signature]:
        tensor = {"x": TensorSpec(shape=(-1, 4), dtype=kind)}
        return {"serving_default": Signature(inputs=tensor, outputs={"y": TensorSpec(shape=(-1, 2), dtype=kind)})}

    problem = io_mismatch(signature(dtype), signature("float32"), variant_of("mine"))
    assert (problem is None) == fits

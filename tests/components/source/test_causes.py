"""The table of causes: each row with what the converter or Keras really said (TensorFlow 2.21, Keras 3.15)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from litegate.source.causes import CAUSES, RANDOM, not_converted, not_loaded

PLACE = 'loc(callsite(fused["{0}:", "model/head/{0}@__inference_h_9"] at fused["PartitionedCall:", "PartitionedCall"]))'
REFUSED = "ConverterError: Could not translate MLIR to FlatBuffer.<unknown>:0: error: {place}: 'tf.{0}' op is neither"
SELECT = """ a custom op nor a flex op
<unknown>:0: note: {place}: Error code: ERROR_NEEDS_{kind}_OPS
<unknown>:0: error: failed while converting: 'main':
Some ops {some}
{listed} ops: {0}
Details:
\ttf.{0}({types}) -> ({types}) : {{device = ""}}

<unknown>:0: note: see current operation: a thousand lines
"""


def refused(operator: str, types: str = "tensor<?x4xf32>", flex: bool = True) -> str:
    """What the converter says of an operator that it cannot convert."""
    some = (
        "are not supported by the native TFLite runtime, you can enable TF kernels fallback using TF Select."
        if flex
        else "in the model are custom ops, See instructions to implement custom ops"
    )
    return (REFUSED + SELECT).format(
        operator,
        place=PLACE.format(operator),
        types=types,
        some=some,
        kind="FLEX" if flex else "CUSTOM",
        listed="TF Select" if flex else "Custom",
    )


@dataclass(frozen=True)
class Row:
    cause: str
    said: str
    first: str
    second: str


ROWS = (
    Row(
        "half precision",
        refused("MatMul", "tensor<?x4xf16>, tensor<3x4xf16>"),
        "MatMul (layer model/head) in float16 (mixed precision)",
        "keras.config.set_dtype_policy('float32')",
    ),
    Row("half precision", refused("Conv2D", "tensor<4xbf16>"), "Conv2D (layer model/head) in bfloat16", ".keras file"),
    Row("float64", refused("MatMul", "tensor<?x4xf64>"), "MatMul (layer model/head) in float64", "float32"),
    Row("complex", refused("MatMul", "tensor<4xcomplex<f32>>"), "MatMul (layer model/head) of complex", "apart"),
    Row(
        "strings",
        refused("StringToNumber", "tensor<?x!tf_type.string>"),
        "StringToNumber (layer model/head), which takes strings",
        "`preprocess`",
    ),
    Row("random numbers", refused("RandomShuffle"), "RandomShuffle (layer model/head), which draws", "training=False"),
    Row(
        "custom operators", refused("Betainc", flex=False), "Betainc (layer model/head), which LiteRT lacks", "Replace"
    ),
    Row("an argmax of Keras", refused("BitwiseAnd"), "keras.ops.argmax and argmin come to it", "with its scores"),
    Row("Flex operators", refused("MatrixInverse"), "MatrixInverse (layer model/head), which LiteRT lacks", "(Flex)"),
    Row(
        "recurrent layers",
        "ConverterError: requires element_shape to be static: 'tf.TensorListReserve' op requires element_shape",
        "recurrent layers for a batch of any size",
        ".keras file",
    ),
    Row(
        "damaged variables",
        "DataLossError: TensorBundle at shard 0 offset 4 bytes 64: Checksum does not match",
        "variables are missing or damaged",
        "Copy the whole folder anew",
    ),
    Row(
        "no signature",
        "ValueError: Only support at least one signature key.",
        "a SavedModel without a signature",
        "signatures={'serving_default'",
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.cause}-{number}" for number, row in enumerate(ROWS)])
def test_a_refusal_names_what_is_wrong_then_the_cure_then_what_was_said(row: Row) -> None:
    assert next(cause.name for cause in CAUSES if cause.fits(row.said)) == row.cause
    first, second, said = str(not_converted(row.said, "model.uri x")).splitlines()
    assert first.startswith("model.uri x: expected a model that LiteRT's converter accepts, got ")
    assert row.first in first
    assert row.second in second
    assert said.startswith("The converter: ")
    assert "a thousand lines" not in said


def test_every_cause_has_a_row() -> None:
    assert {row.cause for row in ROWS} == {cause.name for cause in CAUSES}


def test_several_operators_are_named_up_to_three() -> None:
    said = "\n".join(map(refused, ("Conv2D", "Conv2D", "Svd", "Qr", "Lu")))
    layers = ", ".join(f"{name} (layer model/head)" for name in ("Conv2D", "Svd", "Qr"))
    assert f"got {layers} and 1 more, which LiteRT lacks" in str(not_converted(said, "model.uri x"))


def test_what_is_in_no_row_is_said_as_it_is() -> None:
    assert str(not_converted("ValueError: what\n  now", "model.uri x")).endswith("got ValueError: what now")


LOADED = [
    (ValueError("Unknown layer: 'Mine'. Please ensure you are using a `custom_objects`"), "the custom class 'Mine'"),
    (TypeError("Could not locate class 'Mine'. Make sure custom classes are decorated"), "the custom class 'Mine'"),
    (
        TypeError("<class 'keras.layers.Dense'> could not be deserialized properly. Unrecognized keyword arguments"),
        "a layer of another version of Keras: keras.layers.Dense",
    ),
]


@pytest.mark.parametrize(("error", "first"), LOADED)
def test_what_cannot_be_loaded_is_named_with_the_cure(error: Exception, first: str) -> None:
    lines = str(not_loaded({"keras": error, "tf_keras": ValueError("no")}, "model.uri x")).splitlines()
    assert lines[0].endswith(first)
    assert "model.export(folder)" in lines[1]
    assert lines[2].startswith(f"keras: {type(error).__name__}")


def test_a_file_that_neither_library_reads_is_said_as_it_is() -> None:
    assert str(not_loaded({"keras": OSError("broken")}, "x")) == (
        "x: expected a model that Keras 3 or Keras 2 can load, got keras: OSError: broken"
    )


@pytest.mark.parametrize("name", ["RandomStandardNormal", "Multinomial", "StatefulUniformInt", "RandomShuffle"])
def test_operators_that_draw_random_numbers_are_known(name: str) -> None:
    assert RANDOM.fullmatch(name)


@pytest.mark.parametrize("name", ["Relu", "Range", "UniformQuantize", "UniformDequantize", "RightShift"])
def test_others_are_not_taken_for_them(name: str) -> None:
    assert not RANDOM.fullmatch(name)

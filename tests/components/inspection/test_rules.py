"""The 8-bit specification: good files keep it, and each rule is shown by one number changed in a good file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.inspection.flatbuffer import read_file
from litegate.inspection.report import findings
from litegate.inspection.rules import breaches
from litegate.variants import DOCUMENTED
from tests.models.unpacking import Model

pytestmark = pytest.mark.e2e

Unpack = Callable[[str], Model]
CODE = re.compile("`([a-z_]+)`")
INT16 = "many.int16x8"
INT8 = "many.int8"


def broken_rules(content: bytes) -> set[tuple[str, str]]:
    return {(finding.severity, finding.code) for finding in findings(breaches(read_file(content)))}


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_what_the_converter_gives_keeps_the_specification(inspected: Path, variant: str) -> None:
    assert broken_rules((inspected / f"many.{variant}.tflite").read_bytes()) == set()


def test_a_recurrent_network_keeps_it_too(inspected: Path) -> None:
    assert broken_rules((inspected / "lstm.int8.tflite").read_bytes()) == set()


def test_a_file_that_is_packed_again_is_still_good(unpacked: Unpack) -> None:
    assert broken_rules(unpacked(INT8).packed()) == set()


def scale(tensor: Any, factor: float) -> None:
    tensor.quantization.scale = (tensor.quantization.scale * np.float32(factor)).astype(np.float32)


def one_scale(tensor: Any) -> None:
    tensor.quantization.scale = tensor.quantization.scale[:1].copy()
    tensor.quantization.zeroPoint = tensor.quantization.zeroPoint[:1].copy()


def zero_point(tensor: Any, value: int) -> None:
    tensor.quantization.zeroPoint = np.full_like(tensor.quantization.zeroPoint, value)


def axis(tensor: Any, value: int) -> None:
    tensor.quantization.quantizedDimension = value


def first_byte(model: Model, tensor: Any, value: int) -> None:
    model.data(tensor)[0] = value


def saturated(model: Model, tensor: Any) -> None:
    model.data(tensor)[:4] = [255, 255, 255, 127]


def heavy(model: Model, tensor: Any) -> None:
    """A layer so wide that 127 times 255 overflows 32 bits."""
    tensor.shape = [1, 70_000]
    one_scale(tensor)
    model.model.buffers[tensor.buffer].data = np.full(70_000, 127, np.uint8)


def biased_int64(model: Model, tensor: Any) -> None:
    buffer = model.model.buffers[tensor.buffer]
    buffer.data = buffer.data.view(np.int32).astype(np.int64).view(np.uint8)
    tensor.type = 4


def biased_int32(model: Model, tensor: Any) -> None:
    buffer = model.model.buffers[tensor.buffer]
    buffer.data = buffer.data.view(np.int64).astype(np.int32).view(np.uint8)
    tensor.type = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    code: str
    change: Callable[[Model], object]
    severity: str = "error"
    file: str = INT8
    also: tuple[str, ...] = ()
    """Rules that the same number breaks too."""


ROWS = (
    Row(code="weight_range", change=lambda m: first_byte(m, m.input("CONV_2D", 1), 128)),
    Row(code="weight_range", change=lambda m: first_byte(m, m.input("FULLY_CONNECTED", 1), 128), file="many.uint8"),
    Row(code="weight_zero_point", change=lambda m: zero_point(m.input("DEPTHWISE_CONV_2D", 1), 1)),
    Row(code="weight_zero_point", change=lambda m: zero_point(m.input("CONV_2D", 1), -1), file=INT16),
    Row(code="weight_axis", change=lambda m: axis(m.input("CONV_2D", 1, number=1), 3)),
    Row(code="weight_axis", change=lambda m: axis(m.input("DEPTHWISE_CONV_2D", 1), 0), also=("scale_count",)),
    Row(code="weight_axis", change=lambda m: axis(m.input("FULLY_CONNECTED", 1), 1), also=("scale_count",)),
    Row(code="weight_type", change=lambda m: setattr(m.input("CONV_2D", 1), "type", 3)),
    Row(
        code="weight_per_tensor",
        severity="warning",
        change=lambda m: one_scale(m.input("CONV_2D", 1)),
        also=("bias_scale",),
    ),
    Row(code="scale_count", change=lambda m: scale_of_two(m.input("CONV_2D", 1)), also=("bias_scale",)),
    Row(code="scale_not_positive", change=lambda m: scale(m.output("CONV_2D"), -1), also=("same_scale",)),
    Row(code="scale_not_positive", change=lambda m: scale(m.input("CONV_2D", 1), 0), also=("bias_scale",)),
    Row(code="scale_not_finite", change=lambda m: scale(m.output("TANH"), np.nan), also=("bias_scale", "fixed_output")),
    Row(code="scale_not_finite", change=lambda m: scale(m.output("FULLY_CONNECTED"), np.inf)),
    Row(code="scale_degenerate", severity="warning", change=lambda m: scale(m.output("FULLY_CONNECTED"), 1e-9)),
    Row(code="zero_point_range", change=lambda m: zero_point(m.output("FULLY_CONNECTED"), 128)),
    Row(code="zero_point_range", change=lambda m: zero_point(m.output("FULLY_CONNECTED"), -129)),
    Row(code="zero_point_range", change=lambda m: zero_point(m.output("FULLY_CONNECTED"), 1), file=INT16),
    Row(code="activation_per_axis", change=lambda m: scale_of_two(m.output("FULLY_CONNECTED")), also=("scale_count",)),
    Row(
        code="bias_type",
        change=lambda m: biased_int64(m, m.input("CONV_2D", 2)),
    ),
    Row(code="bias_type", severity="warning", change=lambda m: biased_int32(m, m.input("CONV_2D", 2)), file=INT16),
    Row(code="bias_zero_point", change=lambda m: zero_point(m.input("CONV_2D", 2), 1)),
    Row(code="bias_scale", change=lambda m: scale(m.input("CONV_2D", 2), 1.001)),
    Row(code="bias_scale", change=lambda m: scale(m.input("FULLY_CONNECTED", 2), 2), file=INT16),
    Row(
        code="bias_saturated",
        severity="warning",
        change=lambda m: saturated(m, m.input("CONV_2D", 2)),
        also=("accumulator_overflow",),
    ),
    Row(
        code="accumulator_overflow",
        severity="warning",
        change=lambda m: heavy(m, m.input("FULLY_CONNECTED", 1)),
        also=("bias_scale",),
    ),
    Row(code="fixed_output", change=lambda m: scale(m.output("SOFTMAX"), 1.01)),
    Row(code="fixed_output", change=lambda m: zero_point(m.output("SOFTMAX"), 0)),
    Row(code="fixed_output", change=lambda m: zero_point(m.output("LOGISTIC"), -127), also=("same_scale",)),
    Row(code="fixed_output", change=lambda m: scale(m.output("TANH"), 1.5), also=("bias_scale",)),
    Row(code="fixed_output", change=lambda m: scale(m.output("TANH"), 2), file=INT16, also=("bias_scale",)),
    Row(code="same_scale", change=lambda m: scale(m.output("MAX_POOL_2D"), 1.01)),
    Row(code="same_scale", change=lambda m: zero_point(m.output("AVERAGE_POOL_2D"), 0)),
    Row(code="same_scale", change=lambda m: scale(m.output("RESHAPE"), 1.1), also=("bias_scale",)),
    Row(code="same_scale", change=lambda m: scale(m.output("MAX_POOL_2D"), 1.01), file=INT16),
)


def scale_of_two(tensor: Any) -> None:
    scales, zero_points = tensor.quantization.scale, tensor.quantization.zeroPoint
    tensor.quantization.scale = np.repeat(scales[:1], 2)
    tensor.quantization.zeroPoint = np.repeat(zero_points[:1], 2)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.severity}-{row.code}")
def test_each_rule_is_broken_by_one_number(unpacked: Unpack, row: Row) -> None:
    model = unpacked(row.file)
    row.change(model)
    found = broken_rules(model.packed())
    assert (row.severity, row.code) in found
    assert {code for _, code in found} == {row.code, *row.also}


def test_layers_may_share_a_bias_of_zeros_whatever_its_scale(unpacked: Unpack) -> None:
    model = unpacked(INT8)
    bias = model.input("CONV_2D", 2)
    scale(bias, 3)
    model.data(bias)[:] = 0
    assert broken_rules(model.packed()) == set()


def test_breaches_of_one_rule_are_told_together_with_a_few_examples(unpacked: Unpack) -> None:
    model = unpacked(INT8)
    for tensor in model.graph.tensors:
        if tensor.quantization is not None and tensor.quantization.scale is not None and tensor.type == 2:
            zero_point(tensor, 5)
    (finding,) = findings(breaches(read_file(model.packed())))
    assert (finding.code, finding.count) == ("bias_zero_point", 6)
    assert finding.message == "a zero point of a bias is not 0 (and 5 more)"
    assert len(finding.examples) == 5


def test_every_rule_is_shown_here_and_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "inspection.md").read_text()
    table = page[page.index("## The specification") : page.index("## Kernels")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {code for row in rows for code in CODE.findall(row)}
    assert documented == {row.code for row in ROWS} | {"weight_error"}

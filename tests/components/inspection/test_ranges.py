"""Which values of its inputs a file clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from litegate.inspection import input_ranges
from litegate.runtimes.litert import LiteRTModel


def test_a_quantized_input_has_the_range_of_its_type(tflite_files: dict[str, Path]) -> None:
    content = tflite_files["int8"].read_bytes()
    tensor = LiteRTModel(content).inputs["image"]
    (low, high) = input_ranges(content, "serving_default")["image"]
    assert low == pytest.approx((-128 - tensor.zero_point - 0.5) * tensor.scale)
    assert high == pytest.approx((127 - tensor.zero_point + 0.5) * tensor.scale)
    # What is just inside is rounded to the last integer, what is a step beyond is clipped to it.
    inside, beyond = (np.full(1, high + by * tensor.scale, np.float32) for by in (-0.01, 1.0))
    assert tensor.quantize(inside) == tensor.quantize(beyond) == 127
    assert abs(tensor.dequantize(tensor.quantize(inside)) - inside) <= 0.51 * tensor.scale
    assert abs(tensor.dequantize(tensor.quantize(beyond)) - beyond) > tensor.scale


@pytest.mark.e2e
def test_a_float_input_has_the_range_of_the_first_quantization(inspected: Path) -> None:
    for name in ("int8_float_fallback", "int16x8"):
        content = (inspected / f"many.{name}.tflite").read_bytes()
        whole = (inspected / "many.int8.tflite").read_bytes()
        (found,) = input_ranges(content, "serving_default").values()
        (expected,) = input_ranges(whole, "serving_default").values()
        width = expected[1] - expected[0]
        reach = found[1] - found[0]
        assert reach == pytest.approx(width, rel=0.02) if name == "int8_float_fallback" else reach >= 0.9 * width


@pytest.mark.parametrize("variant", ["float32", "dynamic_range"])
def test_inputs_that_are_never_quantized_have_none(tflite_files: dict[str, Path], variant: str) -> None:
    assert input_ranges(tflite_files[variant].read_bytes(), "serving_default") == {}


def test_a_signature_that_is_not_there_is_an_error(tflite_files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="signature"):
        input_ranges(tflite_files["int8"].read_bytes(), "other")

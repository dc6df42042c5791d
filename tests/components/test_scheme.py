"""What a file is, told from its bytes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from litegate.scheme import Scheme, mismatch, read_scheme
from litegate.variants import VARIANTS


@pytest.mark.e2e
def test_the_scheme_is_read_from_real_files(tflite_files: dict[str, Path]) -> None:
    schemes = {name: read_scheme(path.read_bytes()) for name, path in tflite_files.items()}
    assert schemes["float32"].real["FULLY_CONNECTED"] == 2
    assert not schemes["float32"].hybrid
    assert schemes["float32"].large_weights == 1
    assert schemes["dynamic_range"].hybrid["FULLY_CONNECTED"] >= 1
    assert schemes["int8"].integer["FULLY_CONNECTED int8"] == 2
    assert not schemes["int8"].real
    assert str(schemes["int8"]).endswith("0 hybrid, 0 float operators")


def scheme(real: int = 0, hybrid: int = 0, int8: int = 0, int16: int = 0, half: int = 0, large: int = 0) -> Scheme:
    integer = Counter({"CONV_2D int8": int8, "CONV_2D int16": int16})
    return Scheme(+Counter({"SIN": real}), +Counter({"CONV_2D": hybrid}), +integer, half, large)


GOOD = [
    ("dynamic_range", scheme(hybrid=1, real=5)),
    ("dynamic_range", scheme(real=5)),  # all weights are too small to be worth it: so the variant is defined
    ("float16", scheme(real=5, half=2)),
    ("int8_float_fallback", scheme(int8=1, real=5)),
    ("int8", scheme(int8=3)),
    ("uint8", scheme(int8=3)),
    ("int16x8", scheme(int16=3)),
    ("int16x8_float_fallback", scheme(int16=1, real=1)),
]
BAD = [
    ("dynamic_range", scheme(real=5, large=2)),
    ("float16", scheme(real=5)),
    ("int8_float_fallback", scheme(real=5)),
    ("int8_float_fallback", scheme(hybrid=5)),
    ("int8", scheme(int8=3, real=1)),
    ("int8", scheme(int8=3, hybrid=1)),
    ("int8", scheme()),
    ("uint8", scheme(real=3)),
    ("int16x8", scheme(int16=3, real=1)),
    ("int16x8", scheme(int8=3)),
    ("int16x8_float_fallback", scheme(hybrid=3)),
]


@pytest.mark.parametrize(("variant", "found"), GOOD)
def test_a_file_is_its_variant(variant: str, found: Scheme) -> None:
    assert mismatch(found, VARIANTS[variant]) is None


@pytest.mark.parametrize(("variant", "found"), BAD)
def test_a_file_is_not_its_variant(variant: str, found: Scheme) -> None:
    assert mismatch(found, VARIANTS[variant])

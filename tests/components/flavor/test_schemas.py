"""Input examples from signatures."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.flavor.schemas import model_signature, zeros
from litegate.records import Signature, TensorSpec

SCORES = {"scores": TensorSpec(shape=(-1, 4), dtype="int8", scale=0.1, zero_point=-128)}


@pytest.mark.parametrize(
    ("spec", "shape", "dtype"),
    [
        (TensorSpec(shape=(-1, 8, 8, 3), dtype="float32"), (1, 8, 8, 3), np.float32),
        (TensorSpec(shape=(1, 49), dtype="uint8", scale=0.5, zero_point=3), (1, 49), np.float32),
        (TensorSpec(shape=(-1, -1), dtype="int32"), (1, 1), np.int32),
        (TensorSpec(shape=(4, 2), dtype="float32"), (1, 2), np.float32),
    ],
)
def test_the_example_is_one_sample_of_zeros_in_real_values(spec, shape, dtype):
    tensors = Signature(inputs={"x": spec}, outputs=SCORES)
    example = zeros(tensors)["x"]
    assert (example.shape, example.dtype, example.any()) == (shape, dtype, False)
    schema = model_signature(tensors).inputs.inputs[0]
    assert (schema.type, schema.shape[0]) == (dtype, -1)


def test_a_huge_example_is_left_out():
    spec = TensorSpec(shape=(-1, 1024, 1024, 3), dtype="float32")
    assert zeros(Signature(inputs={"x": spec}, outputs=SCORES)) is None

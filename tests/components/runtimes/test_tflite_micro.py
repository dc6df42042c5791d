"""A microcontroller's kernels: the same tensors, one sample at a time, and what they need and refuse."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from litegate.runtimes import RUNTIMES, load_runtime

if not RUNTIMES["tflite_micro"].installed:
    pytest.skip("tflite-micro has no wheel for this machine", allow_module_level=True)

from litegate.runtimes import reference, tflite_micro

IMAGES = np.random.default_rng(3).normal(size=(7, 8, 8, 1)).astype(np.float32)


@pytest.mark.e2e
@pytest.mark.parametrize("variant", ["float32", "int8"])
def test_it_answers_what_the_reference_kernels_answer(tflite_files: dict[str, Path], variant: str) -> None:
    content = tflite_files[variant].read_bytes()
    micro, litert = (load_runtime(name).load(content) for name in ("tflite_micro", "litert_reference"))
    assert (micro.signature, micro.inputs, micro.outputs) == (litert.signature, litert.inputs, litert.outputs)
    found, expected = (model.predict({"image": IMAGES})["scores"] for model in (micro, litert))
    assert found.shape == expected.shape == (7, 4)
    step = max(micro.outputs["scores"].scale, 1e-5)
    assert np.abs(found - expected).max() <= 1.5 * step
    assert np.ptp(found, axis=0).max() > 0.1, "a sample of its own in each row"


@pytest.mark.e2e
def test_the_arena_is_measured_and_smaller_in_eight_bits(tflite_files: dict[str, Path]) -> None:
    arenas = {name: tflite_micro.facts(tflite_files[name].read_bytes()).arena for name in ("float32", "int8")}
    assert all(arena and 0 < arena.activations < arena.total < 100_000 for arena in arenas.values())
    assert arenas["int8"].activations < arenas["float32"].activations
    assert reference.facts(tflite_files["int8"].read_bytes()).arena is None


@pytest.mark.e2e
def test_what_it_refuses_it_refuses_with_its_own_reason(
    tflite_files: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    content = tflite_files["dynamic_range"].read_bytes()
    facts = tflite_micro.facts(content)
    assert facts.refused is not None
    assert "Node FULLY_CONNECTED (number 1) failed to prepare" in facts.refused
    with pytest.raises(RuntimeError, match="FLOAT32 with filter type: INT8 not supported"):
        tflite_micro.load(content)
    os.write(2, b"still heard")
    assert capfd.readouterr().err.strip() == "still heard"


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(ValueError, match="Flatbuffer"):
        tflite_micro.load(b"no model")

"""LiteRT's GPU accelerator: in which arithmetic it computes, what it refuses, and what does not fit into float16."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from litegate.runtimes import load_runtime, vulkan
from litegate.runtimes.gpu import arithmetic_of
from litegate.settings import settings
from tests.components.runtimes import on_gpu
from tests.components.runtimes.altered import altered, with_an_operator_that_no_gpu_has
from tests.components.runtimes.on_gpu import in_child, needs_gpu

BESIDE_TENSORFLOW = """
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from litegate.runtimes.gpu import load

(scores,) = load(Path(sys.argv[1]).read_bytes()).predict({"image": np.ones((2, 8, 8, 1), np.float32)}).values()
print(tf.reduce_sum(tf.constant(scores)).numpy().round())
"""
IMAGES = np.random.default_rng(3).normal(size=(7, 8, 8, 1)).astype(np.float32)


def without_signature(model: schema.ModelT) -> None:
    model.signatureDefs = None


def of_four(model: schema.ModelT) -> None:
    """For exactly four samples."""
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shape, tensor.shapeSignature = [4, 8, 8, 1], None


def scaled(model: schema.ModelT, *factors: float) -> None:
    """The weights of each dense layer times a factor."""
    graph = model.subgraphs[0]
    dense = [each for each in graph.operators if each.builtinOptionsType == schema.BuiltinOptions.FullyConnectedOptions]
    for operator, factor in zip(dense, factors, strict=True):
        buffer = model.buffers[graph.tensors[operator.inputs[1]].buffer]
        weights = np.frombuffer(bytes(buffer.data), np.float32) * np.float32(factor)
        buffer.data = np.frombuffer(weights.tobytes(), np.uint8)


def beyond_float16_inside(model: schema.ModelT) -> None:
    """The same function, whose hidden values pass 65,504 on the way."""
    scaled(model, 3e4, 1 / 3e4)


def beyond_float16_in_the_end(model: schema.ModelT) -> None:
    """Scores before the softmax, and larger than 65,504."""
    scaled(model, 1, 3e4)
    graph = model.subgraphs[0]
    last = graph.operators.pop()
    model.signatureDefs[0].outputs[0].tensorIndex = last.inputs[0]
    graph.outputs = [last.inputs[0]]


def of_any_width(model: schema.ModelT) -> None:
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shapeSignature = [-1, 8, -1, 1]


@pytest.mark.parametrize(
    ("variant", "arithmetic"), [("float32", "float32"), ("int8", "float16"), ("dynamic_range", "float16")]
)
def test_what_is_float32_as_a_whole_is_computed_so_and_all_else_as_litert_does_it(
    tflite_files: dict[str, Path], variant: str, arithmetic: str
) -> None:
    assert arithmetic_of(tflite_files[variant].read_bytes()) == arithmetic


@needs_gpu
def test_the_float32_baseline_is_exact_and_float16_shows_in_every_output(tflite_files: dict[str, Path]) -> None:
    content = tflite_files["float32"].read_bytes()
    (expected,) = load_runtime("litert").load(content).predict({"image": IMAGES}).values()
    kernels, exact = in_child(on_gpu.predicted, content, IMAGES)
    half_kernels, half = in_child(on_gpu.predicted, content, IMAGES, "float16")
    devices = [str(device) for device in vulkan.devices()]
    assert kernels in [f"webgpu float32 on {device}" for device in devices]
    assert half_kernels in [f"webgpu float16 on {device}" for device in devices]
    assert exact.shape == half.shape == (7, 4)
    assert np.abs(exact - expected).max() < 1e-5
    assert 1e-5 < np.abs(half - expected).max() < 0.05
    assert (half == half.astype(np.float16)).all(), "no float32 kernel gives that"
    assert not (exact == exact.astype(np.float16)).all()


@needs_gpu
@pytest.mark.parametrize("change", [beyond_float16_in_the_end, beyond_float16_inside])
def test_what_passes_the_end_of_float16_is_not_finite_on_the_gpu_and_fine_elsewhere(
    tflite_files: dict[str, Path], change: Callable[[schema.ModelT], None]
) -> None:
    content = altered(tflite_files["float32"].read_bytes(), change)
    (expected,) = load_runtime("litert").load(content).predict({"image": IMAGES}).values()
    _, exact = in_child(on_gpu.predicted, content, IMAGES)
    _, half = in_child(on_gpu.predicted, content, IMAGES, "float16")
    np.testing.assert_allclose(exact, expected, rtol=1e-4, atol=1e-5)
    assert not np.isfinite(half).all()
    finite = half[np.isfinite(half).all(axis=1)]
    assert (finite == finite[:, :1]).all(), "a softmax makes of infinity what looks like an answer"


@needs_gpu
def test_whatever_the_batch_and_the_signatures_each_sample_gets_its_own_answer(tflite_files: dict[str, Path]) -> None:
    path = tflite_files["float32"]
    _, expected = in_child(on_gpu.predicted, path.read_bytes(), IMAGES)
    assert np.ptp(expected, axis=0).max() > 0.1
    for change in (of_four, without_signature):
        _, found = in_child(on_gpu.predicted, altered(path.read_bytes(), change), IMAGES)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@needs_gpu
def test_a_file_is_refused_for_a_single_operator_that_the_gpu_leaves_to_the_processor(
    tflite_files: dict[str, Path],
) -> None:
    path = tflite_files["float32"]
    odd = altered(path.read_bytes(), with_an_operator_that_no_gpu_has)
    assert in_child(on_gpu.fully_accelerated, path.read_bytes())
    assert not in_child(on_gpu.fully_accelerated, odd)
    version, kernels, refused = in_child(on_gpu.said, odd)
    assert version
    assert kernels == f"webgpu on {', '.join(map(str, vulkan.devices()))}"
    assert refused == "operators that are not supported by the GPU: ZEROS_LIKE: Operation is not supported."


@needs_gpu
def test_what_would_kill_the_accelerator_is_refused_before_it_sees_it(tflite_files: dict[str, Path]) -> None:
    whole = tflite_files["float32"].read_bytes()
    cut = [whole[:size] for size in range(0, len(whole), len(whole) // 50)]
    found = in_child(on_gpu.refusals, *cut, altered(whole, of_any_width), whole)
    assert all(each.startswith("ValueError") for each in found[:-2])
    assert found[-2].startswith("RuntimeError: it needs inputs of fixed sizes")
    assert found[-1] == "", "and the process goes on"


@needs_gpu
@pytest.mark.e2e
def test_a_driver_keeps_its_own_compiler_where_tensorflow_is_loaded(
    tflite_files: dict[str, Path],
) -> None:
    command = [settings().pythons["tensorflow"], "-c", BESIDE_TENSORFLOW, tflite_files["float32"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stdout.strip()) == (0, "2.0"), done.stderr[-2000:]

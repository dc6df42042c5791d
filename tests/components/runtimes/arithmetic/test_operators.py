"""Every operator, bit by bit what TensorFlow Lite Micro gives for it: many types, scales, shapes and options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from litegate.runtimes import RUNTIMES

if not RUNTIMES["tflite_micro"].installed:
    pytest.skip("tflite-micro has no wheel for this machine", allow_module_level=True)

from litegate.runtimes import tflite_micro
from litegate.runtimes.arithmetic import load
from litegate.runtimes.arithmetic.operators import OPERATORS
from tests.components.runtimes.arithmetic.one_operator import Given, file_of

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
SAMPLES, FILES = 6, 10
VALID, SAME = 1, 0
PADDINGS, ACTIVATIONS = (SAME, VALID), (0, 1, 2, 3)


def quantized(rng: Random, dtype: str, shape: tuple[int, ...], low: float = 0.01, high: float = 0.2) -> Given:
    """An activation; one of 16 bits has no zero point."""
    zero_point = int(rng.integers(-128, 128)) if dtype == "int8" else int(rng.integers(0, 256))
    scale = rng.uniform(low, high) / (1 if dtype != "int16" else 256)
    return Given(dtype, shape, (float(scale),), (0 if dtype == "int16" else zero_point,))


def weights(rng: Random, shape: tuple[int, ...], axis: int, channels: int) -> Given:
    values = rng.integers(-127, 128, shape)
    return Given("int8", shape, tuple(rng.uniform(0.002, 0.02, channels).tolist()), (), axis, values)


def bias(rng: Random, dtype: str, channels: int) -> Given:
    kind = "int64" if dtype == "int16" else "int32"
    return Given(kind, (channels,), (1.0,) * channels, values=rng.integers(-3_000, 3_000, channels))


def convolution(rng: Random, dtype: str) -> bytes:
    height, width, depth, channels = rng.integers(5, 10), rng.integers(5, 10), rng.integers(1, 5), rng.integers(1, 9)
    size, stride, dilation = rng.integers(1, 4, 2), rng.integers(1, 3, 2), rng.integers(1, 3, 2)
    padding = int(rng.choice(PADDINGS))
    options = {"padding": padding, "strideH": int(stride[0]), "strideW": int(stride[1])}
    options |= {"dilationHFactor": int(dilation[0]), "dilationWFactor": int(dilation[1])}
    places = placed((height, width), size, stride, dilation, padding)
    filters = weights(rng, (int(channels), *map(int, size), int(depth)), 0, int(channels))
    inputs = [quantized(rng, dtype, (1, int(height), int(width), int(depth))), filters, bias(rng, dtype, int(channels))]
    output = quantized(rng, dtype, (1, *places, int(channels)))
    return file_of("CONV_2D", inputs, output, fusedActivationFunction=int(rng.choice(ACTIVATIONS)), **options)


def depthwise(rng: Random, dtype: str) -> bytes:
    height, width, depth, times = (int(each) for each in rng.integers((5, 5, 1, 1), (10, 10, 6, 3)))
    size, stride = rng.integers(1, 4, 2), np.full(2, rng.integers(1, 3))
    padding, channels = int(rng.choice(PADDINGS)), depth * times
    places = placed((height, width), size, stride, (1, 1), padding)
    filters = weights(rng, (1, int(size[0]), int(size[1]), channels), 3, channels)
    inputs = [quantized(rng, dtype, (1, height, width, depth)), filters, bias(rng, dtype, channels)]
    output = quantized(rng, dtype, (1, *places, channels))
    options = {"padding": padding, "strideH": int(stride[0]), "strideW": int(stride[1]), "depthMultiplier": times}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    return file_of("DEPTHWISE_CONV_2D", inputs, output, fusedActivationFunction=int(rng.choice(ACTIVATIONS)), **options)


def placed(whole: Any, size: Any, stride: Any, dilation: Any, padding: int) -> tuple[int, int]:
    reach = [(size[axis] - 1) * dilation[axis] + 1 for axis in (0, 1)]
    room = [whole[axis] if padding == SAME else whole[axis] - reach[axis] + 1 for axis in (0, 1)]
    assert min(room) > 0
    return int(-(-room[0] // stride[0])), int(-(-room[1] // stride[1]))


def connected(rng: Random, dtype: str) -> bytes:
    depth, channels = int(rng.integers(3, 700)), int(rng.integers(1, 12))
    scales = channels if dtype == "int8" and rng.random() < 0.5 else 1
    one, filters = quantized(rng, dtype, (1, depth)), weights(rng, (channels, depth), 0, scales)
    products = tuple(one.scales[0] * scale for scale in filters.scales)  # which is checked there
    inputs = [one, filters, replace(bias(rng, dtype, channels), scales=products)]
    inputs = inputs if rng.random() < 0.8 else inputs[:2]
    activation = int(rng.choice((0, 1, 3)))
    output = quantized(rng, dtype, (1, channels), 0.05, 0.4)
    return file_of("FULLY_CONNECTED", inputs, output, fusedActivationFunction=activation)


def of_two(name: str, one_quantization: bool = False) -> Callable[[Random, str], bytes]:
    def made(rng: Random, dtype: str) -> bytes:
        one, other, output = (quantized(rng, dtype, (1, 4, 3)) for _ in range(3))
        if one_quantization:
            return file_of(name, [one, one], one)
        if rng.random() < 0.4:
            low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
            values = rng.integers(low, high, (3,), endpoint=True)
            other = Given(dtype, (3,), other.scales, other.zero_points, values=values)
        activation = int(rng.choice((0, 1, 3)))
        return file_of(name, [one, other], output, fusedActivationFunction=activation)

    return made


def pool(name: str) -> Callable[[Random, str], bytes]:
    def made(rng: Random, dtype: str) -> bytes:
        whole, depth = rng.integers(5, 10, 2), int(rng.integers(1, 5))
        size, stride, padding = rng.integers(1, 5, 2), rng.integers(1, 4, 2), int(rng.choice(PADDINGS))
        one = quantized(rng, dtype, (1, int(whole[0]), int(whole[1]), depth))
        places = placed(whole, size, stride, (1, 1), padding)
        output = Given(dtype, (1, *places, depth), one.scales, one.zero_points)
        options = {"filterHeight": int(size[0]), "filterWidth": int(size[1])}
        options |= {"strideH": int(stride[0]), "strideW": int(stride[1]), "padding": padding}
        return file_of(name, [one], output, fusedActivationFunction=int(rng.choice((0, 1, 3))), **options)

    return made


def mean(rng: Random, dtype: str) -> bytes:
    shape, keep = tuple(int(each) for each in (1, *rng.integers(2, 9, 3))), bool(rng.random() < 0.5)
    axes = [(1, 2), (1,), (3,), (2, 3)][rng.integers(4)]
    left = tuple(1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes)
    which = Given("int32", (len(axes),), values=np.array(axes))
    return file_of("MEAN", [quantized(rng, dtype, shape), which], quantized(rng, dtype, left), keepDims=keep)


def softmax(rng: Random, dtype: str) -> bytes:
    shape = (1, int(rng.integers(2, 30)))
    output = Given(dtype, shape, (1 / 256,), (-128,)) if dtype == "int8" else Given(dtype, shape, (1 / 32768,), (0,))
    one = quantized(rng, dtype, shape, 0.005, 0.6)
    return file_of("SOFTMAX", [one], output, beta=float(rng.choice((0.5, 1.0))))


def curve(name: str, output: Given) -> Callable[[Random, str], bytes]:
    return lambda rng, dtype: file_of(name, [quantized(rng, dtype, (1, 40), 0.002, 0.2)], output)


def relu(rng: Random, dtype: str) -> bytes:
    return file_of("RELU", [quantized(rng, dtype, (1, 40))], quantized(rng, dtype, (1, 40)))


def relu6(rng: Random, dtype: str) -> bytes:
    one = quantized(rng, dtype, (1, 40))
    return file_of("RELU6", [one], one)


def requantized(to: str) -> Callable[[Random, str], bytes]:
    def made(rng: Random, dtype: str) -> bytes:
        one = Given("float32", (1, 40)) if dtype == "float32" else quantized(rng, dtype, (1, 40))
        return file_of("QUANTIZE", [one], quantized(rng, to, (1, 40)))

    return made


def dequantized(rng: Random, dtype: str) -> bytes:
    return file_of("DEQUANTIZE", [quantized(rng, dtype, (1, 40))], Given("float32", (1, 40)))


def pad(name: str) -> Callable[[Random, str], bytes]:
    def made(rng: Random, dtype: str) -> bytes:
        one, around = quantized(rng, dtype, (1, 4, 3, 2)), rng.integers(0, 3, (4, 2))
        around[0] = 0
        shape = tuple(int(each) for each in np.array((1, 4, 3, 2)) + around.sum(axis=1))
        widths = Given("int32", (4, 2), values=around)
        fill = [Given(dtype, (1,), one.scales, one.zero_points, values=np.array([7]))] if name == "PADV2" else []
        return file_of(name, [one, widths, *fill], Given(dtype, shape, one.scales, one.zero_points))

    return made


def concatenation(rng: Random, dtype: str) -> bytes:
    one = quantized(rng, dtype, (1, 4, 3))
    inputs = [Given(dtype, (1, 4, size), one.scales, one.zero_points) for size in (3, 1, 2)]
    return file_of("CONCATENATION", inputs, Given(dtype, (1, 4, 6), one.scales, one.zero_points), axis=2)


def moved(name: str, shape: tuple[int, ...], to: tuple[int, ...], how: tuple[int, ...], **options: Any) -> Any:
    def made(rng: Random, dtype: str) -> bytes:
        one = quantized(rng, dtype, shape)
        second = [Given("int32", (len(how),), values=np.array(how))] if how else []
        return file_of(name, [one, *second], Given(dtype, to, one.scales, one.zero_points), **options)

    return made


BOTH, EIGHT = ("int8", "int16"), ("int8",)
CASES: tuple[tuple[str, Callable[[Random, str], bytes], tuple[str, ...]], ...] = (
    ("CONV_2D", convolution, BOTH),
    ("DEPTHWISE_CONV_2D", depthwise, BOTH),
    ("FULLY_CONNECTED", connected, BOTH),
    ("ADD", of_two("ADD"), BOTH),
    ("SUB", of_two("SUB"), BOTH),
    ("MUL", of_two("MUL"), BOTH),
    ("MAXIMUM", of_two("MAXIMUM", one_quantization=True), BOTH),
    ("MINIMUM", of_two("MINIMUM", one_quantization=True), BOTH),
    ("AVERAGE_POOL_2D", pool("AVERAGE_POOL_2D"), BOTH),
    ("MAX_POOL_2D", pool("MAX_POOL_2D"), BOTH),
    ("MEAN", mean, BOTH),
    ("SOFTMAX", softmax, BOTH),
    ("LOGISTIC", curve("LOGISTIC", Given("int8", (1, 40), (1 / 256,), (-128,))), EIGHT),
    ("TANH", curve("TANH", Given("int8", (1, 40), (1 / 128,), (0,))), EIGHT),
    ("RELU", relu, BOTH),
    ("RELU6", relu6, BOTH),
    ("QUANTIZE", requantized("int8"), ("float32", "int8", "uint8", "int16")),
    ("QUANTIZE", requantized("int16"), ("float32", "int8", "int16")),
    ("QUANTIZE", requantized("uint8"), EIGHT),
    ("DEQUANTIZE", dequantized, ("int8", "uint8", "int16")),
    ("PAD", pad("PAD"), BOTH),
    ("PADV2", pad("PADV2"), BOTH),
    ("CONCATENATION", concatenation, BOTH),
    ("RESHAPE", moved("RESHAPE", (1, 4, 6), (1, 3, 8), (1, 3, 8)), BOTH),
    ("TRANSPOSE", moved("TRANSPOSE", (1, 4, 6, 2), (1, 2, 4, 6), (0, 3, 1, 2)), BOTH),
    ("EXPAND_DIMS", moved("EXPAND_DIMS", (1, 4, 6), (1, 4, 1, 6), (2,)), BOTH),
    ("SQUEEZE", moved("SQUEEZE", (1, 4, 1, 6), (1, 4, 6), (), squeezeDims=[2]), BOTH),
)


def named() -> Iterator[Any]:
    for place, (name, make, types) in enumerate(CASES):
        for dtype in types:
            yield pytest.param(make, dtype, place, id=f"{name}-{dtype}-{place}")


def fed(rng: Random, model: Any) -> dict[str, Array]:
    """Values over the whole range of each input, as the file holds them."""
    found = {}
    for name, tensor in model.inputs.items():
        shape = (SAMPLES, *tensor.shape[1:])
        if tensor.dtype == np.dtype(np.float32):
            found[name] = rng.normal(0, 5, shape).astype(np.float32)
        else:
            limits = np.iinfo(tensor.dtype)
            found[name] = rng.integers(limits.min, limits.max, shape, tensor.dtype, endpoint=True)
    return found


@pytest.mark.parametrize(("make", "dtype", "seed"), list(named()))
def test_it_gives_the_bits_of_tensorflow_lite_micro(
    make: Callable[[Random, str], bytes], dtype: str, seed: int
) -> None:
    for number in range(FILES):
        rng = np.random.default_rng([17, seed, number])
        content = make(rng, dtype)
        ours, theirs = load(content), tflite_micro.load(content)
        values = fed(rng, ours)
        found = ours.invoke(values)["y"]
        rows = [theirs.invoke({name: each[row : row + 1] for name, each in values.items()}) for row in range(SAMPLES)]
        expected = np.concatenate([row["y"] for row in rows])
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        differ = int((found != expected).sum())
        assert not differ, f"file {number}: {differ} of {found.size} values, by up to {np.ptp(found - expected)}"


def test_every_operator_is_among_them() -> None:
    assert {name for name, _, _ in CASES} == set(OPERATORS)

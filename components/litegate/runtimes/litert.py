"""The one way litegate runs a .tflite file: real values in, real values out, or raw ones; any batch size.

This module needs nothing but numpy and `ai_edge_litert`, because its source is also what travels with
every registered model. Quantized inputs and outputs are mapped by `real = (q - zero_point) * scale`
(https://ai.google.dev/edge/litert/models/quantization_spec).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 256
"""Samples of one `invoke` at most: with more, memory grows and speed does not."""
_CACHE = 1 << 20
"""Bytes of what a layer takes and gives in one `invoke`, if it is of several samples: with more it no longer fits the
cache of a processor core, and MobileNetV2 then takes half as long again."""


class Misfit(ValueError):
    """Arrays that do not fit a signature: what is wrong, what would be right, and what is there."""

    def __init__(self, what: str, expected: str, got: str) -> None:
        super().__init__(what, expected, got)
        self.what, self.expected, self.got = what, expected, got

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, got {self.got}"


class WrongType(Misfit, TypeError):
    """Arrays of a type that a signature does not have."""


@dataclass(frozen=True)
class Tensor:
    """An input or output of a signature.

    Attributes:
        shape: -1 where a dimension is free.
        dtype: what the file holds.
        scale, zero_point: per-tensor quantization; `scale` is 0 for what is not quantized.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    @property
    def real_dtype(self) -> np.dtype[Any]:
        """The type of the real values that stand for this tensor: float32 where it is quantized."""
        return np.dtype(np.float32) if self.scale else self.dtype

    def quantize(self, values: Array) -> Array:
        """Real values as the file wants them: rounded and clipped to the type's range."""
        if not self.scale:
            return values
        limits = np.iinfo(self.dtype)
        scaled = values / np.float32(self.scale)
        np.rint(scaled, out=scaled)  # in place: a new array for every step takes longer than the arithmetic
        scaled += self.zero_point
        np.clip(scaled, limits.min, limits.max, out=scaled)
        return scaled.astype(self.dtype)

    def dequantize(self, values: Array) -> Array:
        """The real values of what the file gave."""
        if not self.scale:
            return values
        real = values.astype(np.float32)
        real -= self.zero_point
        real *= np.float32(self.scale)
        return real


class LiteRTModel:
    """One signature of a .tflite file in one interpreter; use it from one thread at a time.

    Args:
        content: the file's bytes; never a path, for a file that changes under a memory map kills the process.
        signature: its key; may be left out if there is one, or one called `serving_default`, or none at all:
            then the whole graph is run, and its tensors go by their own names.
        threads: how many threads the kernels may use.
        reference_kernels: run the plain reference kernels rather than XNNPACK and the optimized ones.

    Raises:
        ValueError: the bytes are no model, or there is no such signature.
    """

    def __init__(
        self, content: bytes, signature: str | None = None, threads: int = 1, reference_kernels: bool = False
    ) -> None:
        resolver = OpResolverType.BUILTIN_REF if reference_kernels else OpResolverType.AUTO
        self._interpreter = Interpreter(
            model_content=content, num_threads=threads, experimental_op_resolver_type=resolver
        )
        self.kernels = "reference" if reference_kernels else "xnnpack"
        self.signatures = tuple(self._interpreter.get_signature_list())
        whole = not self.signatures and not signature
        self.signature = "" if whole else choose_signature(self.signatures, signature)
        self._runner = (
            _WholeGraph(self._interpreter) if whole else self._interpreter.get_signature_runner(self.signature)
        )
        self.inputs = {name: tensor_of(detail) for name, detail in self._runner.get_input_details().items()}
        self.outputs = {name: tensor_of(detail) for name, detail in self._runner.get_output_details().items()}
        self._fixed = max([1, *(tensor.shape[0] for tensor in self.inputs.values() if tensor.shape)])
        self._batches = all(tensor.shape[:1] == (-1,) for tensor in self.inputs.values())
        self._rows = rows_at_once(map(tensor_of, self._interpreter.get_tensor_details()))

    def predict(self, features: Mapping[str, Array], raw: bool = False) -> dict[str, Array]:
        """Outputs for a batch of any size, as many samples at a time as are fastest, and at most `ROWS`.

        Args:
            features: by input name, values of shape (batch, ...): real ones of the tensor's `real_dtype`,
                or raw ones of its `dtype`.
            raw: take and give what the file holds, neither quantized nor dequantized here.

        Returns:
            By output name, values of shape (batch, ...).

        Raises:
            ValueError: names or shapes do not fit the signature, or the batch is empty.
            TypeError: an array has another type than its tensor's.
        """
        size = check_features(features, self.inputs, raw)
        if self._batches and size > 1:
            try:
                return self._in_blocks(features, size, self._rows, raw)
            except RuntimeError:
                self._batches = False  # a constant batch of 1 is baked into the graph
        return self._in_blocks(features, size, self._fixed, raw)

    def invoke(self, quantized: Mapping[str, Array]) -> dict[str, Array]:
        """One `invoke` on arrays that are as the file wants them; nothing is checked or converted."""
        outputs: dict[str, Array] = self._runner(**quantized)
        return outputs

    def quantize(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values as the file's inputs want them."""
        return {name: tensor.quantize(features[name]) for name, tensor in self.inputs.items()}

    def _in_blocks(self, features: Mapping[str, Array], size: int, rows: int, raw: bool) -> dict[str, Array]:
        if size == rows or (self._batches and size < rows):
            return self._run(features, raw)
        blocks = [
            self._run({name: self._block(value, start, rows) for name, value in features.items()}, raw)
            for start in range(0, size, rows)
        ]
        return {name: np.concatenate([block[name] for block in blocks])[:size] for name in self.outputs}

    def _block(self, values: Array, start: int, rows: int) -> Array:
        """Some samples; where the file wants a fixed number of them, the last one stands in for what is missing."""
        block = values[start : start + rows]
        if self._batches or len(block) == rows:
            return block
        return np.concatenate([block, np.repeat(block[-1:], rows - len(block), axis=0)])

    def _run(self, features: Mapping[str, Array], raw: bool) -> dict[str, Array]:
        outputs = self.invoke(features if raw else self.quantize(features))
        check_rows(outputs)
        self._interpreter.reset_all_variables()  # or an LSTM goes on where the sample before has ended
        if self._batches:
            rows = len(next(iter(features.values())))
            free = (name for name, tensor in self.outputs.items() if tensor.shape[:1] == (-1,))
            if any(len(outputs[name]) != rows for name in free):
                raise RuntimeError("the outputs are not one for each sample")  # of a graph with one of its batch
        return outputs if raw else {name: tensor.dequantize(outputs[name]) for name, tensor in self.outputs.items()}


def rows_at_once(tensors: Iterable[Tensor]) -> int:
    """Samples of one `invoke`: so many that the largest tensor of them fits the cache twice, as input and as output.

    A power of 2, so that batches of 32 are not followed by odd ends of another shape.

    Args:
        tensors: those of a model; its weights, which have no free first axis, do not count.
    """
    sizes = (math.prod(map(abs, each.shape)) * each.dtype.itemsize for each in tensors if each.shape[:1] == (-1,))
    fitting = _CACHE // (2 * max((1, *sizes)))
    return min(ROWS, 1 << max(0, fitting.bit_length() - 1))


def check_rows(outputs: Mapping[str, Array]) -> None:
    """Check that outputs have an axis of samples, whatever the file says of their shapes.

    Raises:
        RuntimeError: one has not.
    """
    for name, value in outputs.items():
        if np.ndim(value) == 0:
            found = f"the output {name!r} is one number for all samples"
            raise RuntimeError(f"{found}: save the model without it, or with a row for each")


class _WholeGraph:
    """Runs a file without signatures as a signature runner runs one with them."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._inputs = {detail["name"]: detail for detail in interpreter.get_input_details()}
        self._outputs = {detail["name"]: detail for detail in interpreter.get_output_details()}

    def get_input_details(self) -> dict[str, dict[str, Any]]:
        return self._inputs

    def get_output_details(self) -> dict[str, dict[str, Any]]:
        return self._outputs

    def __call__(self, **arrays: Array) -> dict[str, Array]:
        for name, value in arrays.items():
            self._interpreter.resize_tensor_input(self._inputs[name]["index"], value.shape)
        self._interpreter.allocate_tensors()
        for name, value in arrays.items():
            self._interpreter.set_tensor(self._inputs[name]["index"], value)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(detail["index"]) for name, detail in self._outputs.items()}


def choose_signature(keys: tuple[str, ...], wanted: str | None) -> str:
    """The signature to run: the one asked for, else `serving_default`, else the only one.

    Raises:
        ValueError: there is no such signature, or several and none was named.
    """
    if wanted is None and "serving_default" in keys:
        return "serving_default"
    if wanted is None and len(keys) == 1:
        return keys[0]
    if wanted in keys:
        assert wanted is not None
        return wanted
    raise ValueError(f"signature: expected one of {', '.join(keys)}, got {wanted}")


def check_features(features: Mapping[str, Array], inputs: Mapping[str, Tensor], raw: bool = False) -> int:
    """Check that arrays fit a signature's inputs, and return how many samples they hold.

    Args:
        raw: they are what the file holds, rather than real values.

    Raises:
        Misfit: names, shapes or numbers of samples are wrong, or there are no samples.
        WrongType: a type is wrong; it is a `TypeError` too.
    """
    if set(features) != set(inputs):
        raise Misfit("inputs", _names(inputs), _names(features))
    for name, tensor in inputs.items():
        value = features[name]
        dtype = tensor.dtype if raw else tensor.real_dtype
        if value.dtype != dtype:
            raise WrongType(f"input {name!r}", f"type {dtype}", str(value.dtype))
        expected = ("batch", *tensor.shape[1:])
        if value.ndim != len(tensor.shape) or any(
            wanted not in (-1, found) for wanted, found in zip(tensor.shape[1:], value.shape[1:], strict=True)
        ):
            raise Misfit(f"input {name!r}", f"shape {_shape(expected)}", _shape(value.shape))
    sizes = {value.shape[0] for value in features.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise Misfit("inputs", "one number of samples, at least 1", str(sorted(sizes)))
    return int(sizes.pop())


def tensor_of(detail: dict[str, Any]) -> Tensor:
    """A tensor as the interpreter describes it."""
    scale, zero_point = detail["quantization"]
    dtype = np.dtype(detail["dtype"])
    quantized = np.issubdtype(dtype, np.integer) and dtype.itemsize <= 2
    shape = tuple(int(size) for size in detail["shape_signature"])
    return Tensor(shape, dtype, float(scale) if quantized else 0.0, int(zero_point) if quantized else 0)


def _names(values: Mapping[str, object]) -> str:
    return ", ".join(sorted(values)) or "none"


def _shape(sizes: tuple[object, ...]) -> str:
    return "(" + ", ".join("any" if size == -1 else str(size) for size in sizes) + ")"

"""A file run by integer arithmetic in numpy, any number of samples at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.graph import Compute, Graph, Operator, Tensor, Unsupported, read_graph
from litegate.runtimes.arithmetic.operators import FIRST_ALONE, OF_TWO, OPERATORS, RESHAPING
from litegate.runtimes.arithmetic.threads import one_thread
from litegate.runtimes.batches import in_batches
from litegate.runtimes.litert import LiteRTModel, check_features
from litegate.runtimes.runtime import Facts

__all__ = ["KERNELS", "ArithmeticModel", "facts", "load"]

Array = np.ndarray[Any, np.dtype[Any]]

KERNELS = "reference arithmetic, vectorized"
_ROWS = 32
"""Samples at once: with more, what an operator gives has left the cache before the next one takes it."""


@dataclass(frozen=True)
class _Step:
    """An operator, what it takes (constants as they are) and the number of the tensor that it gives."""

    compute: Compute
    inputs: tuple[Tensor, ...]
    output: int


class ArithmeticModel:
    """One signature of a .tflite file; use it from one thread at a time.

    Args:
        content: the file's bytes.
        signature: its key; may be left out if there is one, or one called `serving_default`, or none at all.

    Raises:
        ValueError: the bytes are no model, or there is no such signature.
        RuntimeError: there is something in it that this arithmetic does not know; says what.
    """

    kernels = KERNELS

    def __init__(self, content: bytes, signature: str | None = None) -> None:
        one_thread()
        litert = LiteRTModel(content, signature)  # knows which signature is meant, and what it takes
        self.signature, self.inputs, self.outputs = litert.signature, litert.inputs, litert.outputs
        self._graph = read_graph(content, self.signature)
        self._steps = _plan(self._graph)
        self._last = {tensor.index: place for place, step in enumerate(self._steps) for tensor in step.inputs}
        self._try()

    def predict(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """See `litegate.runtimes.runtime.Model`."""
        check_features(features, self.inputs)
        return in_batches(self._run, features, _ROWS, fill=False)

    def quantize(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values as the file's inputs want them."""
        return {name: tensor.quantize(features[name]) for name, tensor in self.inputs.items()}

    def invoke(self, quantized: Mapping[str, Array]) -> dict[str, Array]:
        """One run on arrays that are as the file wants them; nothing is checked or converted."""
        values = {index: quantized[name] for name, index in self._graph.inputs.items()}
        wanted = set(self._graph.outputs.values())
        for place, step in enumerate(self._steps):
            values[step.output] = step.compute(*(_value(tensor, values) for tensor in step.inputs))
            for tensor in step.inputs:
                if self._last[tensor.index] == place and tensor.index not in wanted:
                    values.pop(tensor.index, None)
        return {name: values[index] for name, index in self._graph.outputs.items()}

    def _run(self, features: Mapping[str, Array]) -> dict[str, Array]:
        outputs = self.invoke(self.quantize(features))
        return {name: tensor.dequantize(outputs[name]) for name, tensor in self.outputs.items()}

    def _try(self) -> None:
        """Two samples of zeros, so that what cannot be run is refused before any sample is."""
        zeros = {name: np.zeros((2, *each.shape[1:]), each.real_dtype) for name, each in self.inputs.items()}
        try:
            outputs = self._run(zeros)
        except (ValueError, IndexError, TypeError, AttributeError) as error:
            raise Unsupported(f"{type(error).__name__}: {error}") from error
        for name, found in outputs.items():
            if found.shape[1:] != tuple(self.outputs[name].shape[1:]) or len(found) != 2:
                raise Unsupported(f"the output {name!r} has the shape {found.shape}")


def load(content: bytes, signature: str | None = None) -> ArithmeticModel:
    """See `litegate.runtimes.runtime.Runtime`."""
    return ArithmeticModel(content, signature)


def facts(content: bytes) -> Facts:
    """See `litegate.runtimes.runtime.Runtime`."""
    refused = None
    try:
        ArithmeticModel(content)
    except (RuntimeError, ValueError) as error:
        refused = " ".join(str(error).split())[:500]
    return Facts(np.__version__, KERNELS, refused)


def _value(tensor: Tensor, values: Mapping[int, Array]) -> Array:
    return values[tensor.index] if tensor.values is None else tensor.values


def _plan(graph: Graph) -> list[_Step]:
    """The operators that the outputs need, each made ready.

    Raises:
        Unsupported: one of them, or one of their tensors, is not known here.
    """
    needed, kept = set(graph.outputs.values()), list[Operator]()
    for operator in reversed(graph.operators):
        if needed.intersection(each.index for each in operator.outputs):
            kept.append(operator)
            needed.update(tensor.index for tensor in _taken(operator))
    _check_samples(graph, needed)
    return [_step(operator) for operator in reversed(kept)]


def _step(operator: Operator) -> _Step:
    if operator.name not in OPERATORS:
        raise Unsupported(f"the operator {operator.name}")
    if operator.name not in RESHAPING:
        for tensor in _taken(operator):
            _check_rows(operator, tensor)
    return _Step(OPERATORS[operator.name](operator), tuple(_taken(operator)), operator.output.index)


def _taken(operator: Operator) -> Iterator[Tensor]:
    inputs = operator.inputs[:1] if operator.name in FIRST_ALONE else operator.inputs
    return (tensor for tensor in inputs if tensor is not None)


def _check_samples(graph: Graph, needed: set[int]) -> None:
    """All that is computed has samples along its first axis: a row, or as many rows of each."""
    (samples, *others) = {graph.tensors[index].shape[:1] for index in graph.inputs.values()}
    for tensor in (graph.tensors[index] for index in sorted(needed)):
        alone = tensor.values is None and (not tensor.shape or tensor.shape[0] % max(*samples, 1))
        if others or not samples or alone:
            raise Unsupported(f"the tensor {tensor.name!r} has no axis of samples")


def _check_rows(operator: Operator, tensor: Tensor) -> None:
    """An operator keeps the rows as they are; a constant that it takes beside values is the same for all of them."""
    output, of_two = operator.output.shape, operator.name in OF_TWO
    same_rank = len(tensor.shape) == len(output)
    if tensor.values is None:
        wrong = tensor.shape[:1] != output[:1] or (of_two and not same_rank)
    else:
        wrong = of_two and same_rank and tensor.shape[0] != 1
    if wrong:
        raise Unsupported(f"{operator.name} of the shape {tensor.shape} to {output}")

"""The content of a .tflite file as plain objects, read by LiteRT's own flatbuffer schema.

Nothing is copied: constants are views of the file's bytes. The reader raises on damaged bytes and never crashes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

__all__ = ["File", "Graph", "Operator", "Tensor", "read_file"]

Array = np.ndarray[Any, np.dtype[Any]]

_NUMPY = {
    "float16": "<f2",
    "float32": "<f4",
    "float64": "<f8",
    "int8": "i1",
    "uint8": "u1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
}


@dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """A tensor of a graph.

    Attributes:
        shape: -1 where a dimension is free.
        buffer: index of the buffer that holds its bytes.
        data: its bytes; None where it is no constant.
        scales, zero_points: one value, or one for each index of `axis`; empty where it is not quantized.
        variable: whether it keeps its value from one `invoke` to the next.
        block: values that share a scale, which is then in another tensor; 0 where that is not how it is quantized.
    """

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    buffer: int
    data: Array | None
    scales: Array
    zero_points: Array
    axis: int
    variable: bool
    block: int = 0

    @property
    def constant(self) -> bool:
        """Whether the file holds its value."""
        return self.data is not None

    @property
    def quantized(self) -> bool:
        """Whether its integers stand for real values, by scales of its own."""
        return len(self.scales) > 0

    @property
    def stands_for_reals(self) -> bool:
        """Whether its integers do so by any scales."""
        return self.quantized or self.block > 0

    @property
    def elements(self) -> int:
        """How many values it holds; a free dimension counts as 1."""
        return math.prod(1 if size < 0 else size for size in self.shape)

    def values(self) -> Array | None:
        """The constant's values in its shape; None for other tensors, and for types that numpy does not have."""
        if self.data is None or self.type not in _NUMPY:
            return None
        return self.data.view(_NUMPY[self.type]).reshape(self.shape)

    def real_values(self) -> Array | None:
        """`(q - zero_point) * scale` of a quantized constant, as float64 in its shape."""
        values = self.values()
        if values is None or not self.quantized:
            return None
        return (values.astype(np.float64) - self.spread(self.zero_points)) * self.spread(self.scales)

    def spread(self, parameters: Array) -> Array:
        """Scales or zero points in a shape that fits the values."""
        if len(parameters) == 1 or not self.shape:
            return parameters.reshape(())
        return parameters.reshape([-1 if index == self.axis else 1 for index in range(len(self.shape))])


@dataclass(frozen=True, eq=False, slots=True)
class Operator:
    """An operator; an optional input that is left out is None.

    Attributes:
        custom: whether it is none of LiteRT's own.
        place: where it stands, for messages.
    """

    name: str
    custom: bool
    place: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    def input(self, index: int | None) -> Tensor | None:
        """The input at a position, if there is one."""
        return self.inputs[index] if index is not None and index < len(self.inputs) else None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All inputs and outputs that are there."""
        return (*(tensor for tensor in self.inputs if tensor is not None), *self.outputs)

    @property
    def activations(self) -> tuple[Tensor, ...]:
        """Inputs and outputs that are no constants."""
        return tuple(tensor for tensor in self.tensors if not tensor.constant)


@dataclass(frozen=True, eq=False, slots=True)
class Graph:
    """A subgraph: the model's own, or the body of a loop or branch."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, eq=False, slots=True)
class File:
    """A whole file: `size` in bytes, `metadata` the bytes of its metadata buffers."""

    size: int
    graphs: tuple[Graph, ...]
    metadata: int

    def operators(self) -> Iterator[Operator]:
        """The operators of all graphs, those in the bodies of loops and branches included."""
        for graph in self.graphs:
            yield from graph.operators

    def constants(self) -> Iterator[Tensor]:
        """The constant tensors of all graphs."""
        for graph in self.graphs:
            yield from (tensor for tensor in graph.tensors if tensor.constant)


def read_file(content: bytes) -> File:
    """Read a .tflite file.

    Raises:
        ValueError: the bytes are no LiteRT model, or damaged.
    """
    if content[4:8] != b"TFL3":
        raise ValueError("the bytes are no LiteRT model")
    try:
        return _read(content)
    except Exception as error:
        raise ValueError(f"the model's bytes are damaged: {type(error).__name__}: {error}") from error


def _read(content: bytes) -> File:
    model = schema.Model.GetRootAs(content, 0)
    codes = [_operator_name(code) for code in map(model.OperatorCodes, range(model.OperatorCodesLength()))]
    buffers = [_data(buffer, content) for buffer in map(model.Buffers, range(model.BuffersLength()))]
    graphs = tuple(_graph(graph, codes, buffers) for graph in map(model.Subgraphs, range(model.SubgraphsLength())))
    notes = [buffers[note.Buffer()] for note in map(model.Metadata, range(model.MetadataLength()))]
    return File(len(content), graphs, sum(note.nbytes for note in notes if note is not None))


def _graph(graph: Any, codes: list[tuple[str, bool]], buffers: list[Array | None]) -> Graph:
    tensors = tuple(_tensor(index, graph.Tensors(index), buffers) for index in range(graph.TensorsLength()))
    name = _text(graph.Name())
    operators = []
    for index, operator in enumerate(map(graph.Operators, range(graph.OperatorsLength()))):
        inputs = tuple(tensors[i] if i >= 0 else None for i in map(operator.Inputs, range(operator.InputsLength())))
        outputs = tuple(tensors[i] for i in map(operator.Outputs, range(operator.OutputsLength())) if i >= 0)
        code, custom = codes[operator.OpcodeIndex()]
        operators.append(Operator(code, custom, f"{code} #{index} of {name or 'main'}", inputs, outputs))
    return Graph(name, tensors, tuple(operators))


def _tensor(index: int, tensor: Any, buffers: list[Array | None]) -> Tensor:
    free = tuple(map(tensor.ShapeSignature, range(tensor.ShapeSignatureLength())))
    data = None if tensor.IsVariable() else buffers[tensor.Buffer()]
    shape = tuple(map(tensor.Shape, range(tensor.ShapeLength())))
    scales, zero_points, axis = _quantization(tensor.Quantization())
    return Tensor(
        index,
        _text(tensor.Name()),
        _names(schema.TensorType)[tensor.Type()].lower(),
        tuple(int(size) for size in (free if data is None and len(free) == len(shape) else shape)),
        tensor.Buffer(),
        data,
        scales,
        zero_points,
        axis,
        bool(tensor.IsVariable()),
        _block(tensor.Quantization()),
    )


def _quantization(found: Any) -> tuple[Array, Array, int]:
    if found is None or not found.ScaleLength():
        return np.zeros(0), np.zeros(0, np.int64), 0
    zero_points = found.ZeroPointAsNumpy() if found.ZeroPointLength() else np.zeros(found.ScaleLength(), np.int64)
    return found.ScaleAsNumpy().astype(np.float64), zero_points.astype(np.int64), found.QuantizedDimension()


def _block(found: Any) -> int:
    if found is None or found.DetailsType() != schema.QuantizationDetails.BlockwiseQuantization:
        return 0
    details = schema.BlockwiseQuantization()
    table = found.Details()
    details.Init(table.Bytes, table.Pos)
    return int(details.BlockSize())


def _data(buffer: Any, content: bytes) -> Array | None:
    """A buffer's bytes, which in files beyond 2 GB lie behind the flatbuffer; None if it is empty."""
    if buffer.Size() > 1:
        return np.frombuffer(content, np.uint8, buffer.Size(), buffer.Offset())
    data: Array | None = buffer.DataAsNumpy() if buffer.DataLength() else None
    return data


def _operator_name(code: Any) -> tuple[str, bool]:
    # Old files hold the number in a field of one byte, new ones in both.
    name = _names(schema.BuiltinOperator)[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    return (_text(code.CustomCode()), True) if name == "CUSTOM" else (name, False)


def _text(value: bytes | None) -> str:
    return value.decode(errors="replace") if value else ""


@cache
def _names(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}

"""The graph of a .tflite file, as far as integer arithmetic needs it, read by LiteRT's own flatbuffer schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

__all__ = ["Compute", "Graph", "Operator", "Tensor", "Unsupported", "read_graph"]

Array = np.ndarray[Any, np.dtype[Any]]
Compute = Callable[..., Array]
"""An operator on the values of its inputs, the samples along the first axis."""

_TYPES = {
    schema.TensorType.FLOAT32: "<f4",
    schema.TensorType.INT8: "i1",
    schema.TensorType.UINT8: "u1",
    schema.TensorType.INT16: "<i2",
    schema.TensorType.INT32: "<i4",
    schema.TensorType.INT64: "<i8",
}


class Unsupported(RuntimeError):
    """Something in the file that this arithmetic does not know."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the graph.

    Attributes:
        index: its number in the graph.
        dtype: None for a type that is not known here.
        scales: float32, one or one for each index of `axis`; empty where it is not quantized.
        zero_points: int64, as many.
        values: in its shape; None where it is no constant.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    scales: Array
    zero_points: Array
    axis: int
    values: Array | None

    @property
    def scale(self) -> np.float32:
        """Of the whole tensor.

        Raises:
            Unsupported: it has none, or several.
        """
        return np.float32(self._only(self.scales))

    @property
    def zero_point(self) -> int:
        """As `scale`."""
        return int(self._only(self.zero_points))

    @property
    def bits(self) -> int:
        """8 or 16 for what is quantized so, else 0."""
        return 8 * self.dtype.itemsize if self.dtype in (np.dtype(np.int8), np.dtype(np.int16)) else 0

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest integer of its type."""
        found = np.iinfo(self.dtype or np.int8)
        return int(found.min), int(found.max)

    def _only(self, values: Array) -> Any:
        if len(values) != 1:
            raise Unsupported(f"the tensor {self.name!r} has {len(values)} scales")
        return values[0]


@dataclass(frozen=True, eq=False)
class Operator:
    """An operator, by its name in the schema; an optional input that is left out is None."""

    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any

    @property
    def output(self) -> Tensor:
        """The only one.

        Raises:
            Unsupported: there are several.
        """
        if len(self.outputs) != 1:
            raise Unsupported(f"{self.name} with {len(self.outputs)} outputs")
        return self.outputs[0]

    def input(self, place: int = 0) -> Tensor:
        """One that must be there.

        Raises:
            Unsupported: it is not.
        """
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None:
            raise Unsupported(f"{self.name} without input {place}")
        return found

    def constant(self, place: int) -> Array:
        """The value of an input.

        Raises:
            Unsupported: it is no constant.
        """
        values = self.input(place).values
        if values is None:
            raise Unsupported(f"{self.name} whose input {place} is computed")
        return values

    def check_types(self, *allowed: str) -> None:
        """All tensors of input 0 and the output have one of these types.

        Raises:
            Unsupported: one has not.
        """
        for tensor in (self.input(), self.output):
            if str(tensor.dtype) not in allowed:
                raise Unsupported(f"{self.name} on {tensor.dtype or 'another type'}")


@dataclass(frozen=True, eq=False)
class Graph:
    """One signature's graph.

    Attributes:
        inputs, outputs: numbers of tensors by the signature's names.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


def read_graph(content: bytes, signature: str) -> Graph:
    """The graph that a signature runs; that of a file without any by an empty key, by its tensors' own names."""
    model = schema.Model.GetRootAs(content, 0)
    definition = _definition(model, signature)
    graph = model.Subgraphs(0 if definition is None else definition.SubgraphIndex())
    tensors = tuple(_tensor(model, graph.Tensors(index), index) for index in range(graph.TensorsLength()))
    operators = tuple(_operator(model, graph.Operators(place), tensors) for place in range(graph.OperatorsLength()))
    if definition is None:
        inputs = {tensors[index].name: int(index) for index in graph.InputsAsNumpy()}
        outputs = {tensors[index].name: int(index) for index in graph.OutputsAsNumpy()}
        return Graph(tensors, operators, inputs, outputs)
    inputs = _named(definition.Inputs, definition.InputsLength())
    return Graph(tensors, operators, inputs, _named(definition.Outputs, definition.OutputsLength()))


def _definition(model: Any, signature: str) -> Any:
    found = map(model.SignatureDefs, range(model.SignatureDefsLength()))
    return next((each for each in found if each.SignatureKey().decode() == signature), None)


def _named(entry: Callable[[int], Any], length: int) -> dict[str, int]:
    return {each.Name().decode(): int(each.TensorIndex()) for each in map(entry, range(length))}


def _tensor(model: Any, tensor: Any, index: int) -> Tensor:
    shape = tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else ()
    found = _TYPES.get(tensor.Type())
    dtype = None if found is None else np.dtype(found)
    data = model.Buffers(tensor.Buffer()).DataAsNumpy() if tensor.Buffer() else 0
    values = None
    if isinstance(data, np.ndarray) and len(data) and dtype is not None:
        values = data.view(dtype).reshape(shape)
    quantization = tensor.Quantization()
    scaled = quantization is not None and quantization.ScaleLength() > 0
    scales = quantization.ScaleAsNumpy() if scaled else np.zeros(0, np.float32)
    zero_points = np.zeros(len(scales), np.int64)
    if scaled and quantization.ZeroPointLength():
        zero_points += quantization.ZeroPointAsNumpy()
    axis = quantization.QuantizedDimension() if scaled else 0
    return Tensor(index, (tensor.Name() or b"").decode(), shape, dtype, scales, zero_points, axis, values)


def _operator(model: Any, operator: Any, tensors: tuple[Tensor, ...]) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    inputs = operator.InputsAsNumpy() if operator.InputsLength() else ()
    return Operator(
        name=_names("BuiltinOperator")[number],
        inputs=tuple(None if index < 0 else tensors[index] for index in inputs),
        outputs=tuple(tensors[index] for index in (operator.OutputsAsNumpy() if operator.OutputsLength() else ())),
        options=_options(operator),
    )


def _options(operator: Any) -> Any:
    """The operator's own table of options, by the schema's class for it; None where it has none."""
    table, kind = operator.BuiltinOptions(), operator.BuiltinOptionsType()
    if table is None or not kind:
        return None
    found = getattr(schema, _names("BuiltinOptions")[kind])()
    found.Init(table.Bytes, table.Pos)
    return found


@cache
def _names(enumeration: str) -> dict[int, str]:
    return {number: name for name, number in vars(getattr(schema, enumeration)).items() if not name.startswith("_")}

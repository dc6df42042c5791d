"""Files with a single operator, made by LiteRT's own schema: any operator, type, scale and shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

__all__ = ["Given", "file_of"]

Array = np.ndarray[Any, np.dtype[Any]]

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
}


@dataclass(frozen=True)
class Given:
    """A tensor; a constant where it has values, else computed or fed, for a batch of one."""

    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    values: Array | None = field(default=None, compare=False)


def file_of(operator: str, inputs: list[Given], output: Given, **options: Any) -> bytes:
    """The file; its inputs are `x0`, `x1`, ... as far as they are no constants, and its output `y`.

    Args:
        options: those of the operator, by their names in the schema's object.
    """
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers = 3, [schema.BufferT()]
    graph.tensors = [_tensor(model, f"x{place}", given) for place, given in enumerate(inputs)]
    graph.tensors.append(_tensor(model, "y", output))
    graph.inputs = [place for place, given in enumerate(inputs) if given.values is None]
    graph.outputs = [len(inputs)]
    graph.operators = [_operator(operator, len(inputs), options)]
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, operator)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(model: Any, name: str, given: Given) -> Any:
    tensor, buffer = schema.TensorT(), schema.BufferT()
    tensor.name, tensor.shape, tensor.type = name, list(given.shape), _TYPES[given.dtype]
    tensor.buffer = len(model.buffers)
    if given.values is not None:
        buffer.data = np.ascontiguousarray(given.values, given.dtype).view(np.uint8).reshape(-1)
    model.buffers.append(buffer)
    if given.scales:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = list(given.scales)
        tensor.quantization.zeroPoint = list(given.zero_points or (0,) * len(given.scales))
        tensor.quantization.quantizedDimension = given.axis
    return tensor


def _operator(name: str, inputs: int, options: dict[str, Any]) -> Any:
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = list(range(inputs)), [inputs]
    kind = _OPTIONS.get(name, f"{name.title().replace('_', '')}Options")
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind, 0)
    if operator.builtinOptionsType:
        operator.builtinOptions = getattr(schema, f"{kind}T")()
        for option, value in options.items():
            assert hasattr(operator.builtinOptions, option), f"{kind} has no {option}"
            setattr(operator.builtinOptions, option, value)
    return operator


_OPTIONS = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MEAN": "ReducerOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "PADV2": "PadV2Options",
}

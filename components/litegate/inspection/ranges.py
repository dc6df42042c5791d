"""The range that a .tflite file gives to each of its inputs, and beyond which it clips."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from litegate.inspection.flatbuffer import Graph, Tensor, read_file

__all__ = ["input_ranges"]


def input_ranges(content: bytes, signature: str) -> dict[str, tuple[float, float]]:
    """By input of a signature, the real values that are not clipped; inputs that are never quantized are left out.

    An input that is quantized itself says so; a float one is quantized by the first QUANTIZE that reads it. A value
    is clipped if it rounds to an integer beyond the type's: (q - zero_point +- 0.5) * scale at both ends
    (https://ai.google.dev/edge/litert/models/quantization_spec).
    """
    graphs = read_file(content).graphs
    number, tensors = _signature(content, signature)
    quantized = {name: _quantized(graphs[number], index) for name, index in tensors.items()}
    return {name: _range(tensor) for name, tensor in quantized.items() if tensor is not None}


def _signature(content: bytes, wanted: str) -> tuple[int, dict[str, int]]:
    """The graph of a signature, and the tensor of each of its inputs."""
    model = schema.Model.GetRootAs(content, 0)
    for signature in map(model.SignatureDefs, range(model.SignatureDefsLength())):
        if signature.SignatureKey().decode() == wanted:
            inputs = map(signature.Inputs, range(signature.InputsLength()))
            return signature.SubgraphIndex(), {each.Name().decode(): each.TensorIndex() for each in inputs}
    raise ValueError(f"signature: expected one of the file's, got {wanted}")


def _quantized(graph: Graph, index: int) -> Tensor | None:
    if _is_quantized(graph.tensors[index]):
        return graph.tensors[index]
    for operator in graph.operators:
        first = operator.input(0)
        if operator.name == "QUANTIZE" and first is not None and first.index == index:
            return operator.outputs[0]
    return None


def _is_quantized(tensor: Tensor) -> bool:
    return tensor.quantized and tensor.type in ("int8", "uint8", "int16")


def _range(tensor: Tensor) -> tuple[float, float]:
    limits, scale, zero = np.iinfo(tensor.type), float(tensor.scales[0]), int(tensor.zero_points[0])
    return (limits.min - zero - 0.5) * scale, (limits.max - zero + 0.5) * scale

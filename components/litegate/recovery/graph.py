"""The graph of a .tflite file with its constants, which can be read and replaced."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

__all__ = ["CHANNEL_IN", "CHANNEL_OUT", "Graph", "packed", "unpacked"]

Array = np.ndarray[Any, np.dtype[Any]]

_IDENTIFIER = b"TFL3"
_OF = schema.BuiltinOperator
CHANNEL_OUT = {_OF.CONV_2D: 0, _OF.FULLY_CONNECTED: 0, _OF.DEPTHWISE_CONV_2D: 3}
"""By the kind of a layer, the axis of its weights that is the channel of its output."""
CHANNEL_IN = {_OF.CONV_2D: 3, _OF.FULLY_CONNECTED: 1, _OF.DEPTHWISE_CONV_2D: 3}
"""The axis that is the channel of its input."""


class Graph:
    """A graph of a model, whose constants can be read and replaced."""

    def __init__(self, model: Any, index: int) -> None:
        self.model, self.graph = model, model.subgraphs[index]
        self.takers: dict[int, list[int]] = {}
        for number, operator in enumerate(self.graph.operators):
            for tensor in operator.inputs:
                self.takers.setdefault(int(tensor), []).append(number)
        self._buffers = [tensor.buffer for graph in model.subgraphs for tensor in graph.tensors]

    def kind(self, number: int) -> int:
        """Of an operator."""
        code = self.model.operatorCodes[self.graph.operators[number].opcodeIndex]
        return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))

    def constant(self, number: int, place: int) -> Array | None:
        """An input of an operator as float32 values; None where there is none, or others use it too."""
        inputs = self.graph.operators[number].inputs
        if place >= len(inputs) or inputs[place] < 0:
            return None
        tensor = self.graph.tensors[inputs[place]]
        data = self.model.buffers[tensor.buffer].data
        alone = self._buffers.count(tensor.buffer) == 1 and len(self.takers[int(inputs[place])]) == 1
        if tensor.type != schema.TensorType.FLOAT32 or data is None or not alone:
            return None
        return np.frombuffer(bytes(bytearray(data)), np.float32).reshape(tensor.shape)

    def replace(self, number: int, place: int, values: Array) -> None:
        """Put other values in the place of a constant."""
        tensor = self.graph.tensors[self.graph.operators[number].inputs[place]]
        self.model.buffers[tensor.buffer].data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)

    def output(self, number: int) -> str:
        """The name of the first tensor that an operator gives."""
        name: bytes = self.graph.tensors[self.graph.operators[number].outputs[0]].name
        return name.decode()

    def activation(self, number: int) -> int:
        """The function that an operator ends with."""
        return int(getattr(self.graph.operators[number].builtinOptions, "fusedActivationFunction", 0))


def unpacked(content: bytes) -> Any:
    """A file as objects."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(content), 0))


def packed(model: Any) -> bytes:
    """The bytes of a file."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())

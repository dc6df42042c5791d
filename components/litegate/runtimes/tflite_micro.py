"""TensorFlow Lite Micro: the kernels of a microcontroller, one sample at a time, in an arena of fixed size.

Its Python package has the reference kernels, which Arm says that CMSIS-NN equals bit by bit. What it cannot run it
tells on standard error alone, which is therefore read while a file is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter as LiteRT
from tflite_micro import runtime as tflm

from litegate.runtimes.batches import fixed_batch, in_batches
from litegate.runtimes.litert import Tensor, check_features, choose_signature, tensor_of
from litegate.runtimes.runtime import Arena, Facts
from litegate.runtimes.said import saying

__all__ = ["KERNELS", "MicroModel", "facts", "load"]

Array = np.ndarray[Any, np.dtype[Any]]

KERNELS = "tflite-micro reference"

_ARENA = 1 << 28
"""Bytes, more than any microcontroller has: what a model needs is measured, and the rest is never touched."""
_ALLOCATED = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


class MicroModel:
    """The first subgraph of a .tflite file; use it from one thread at a time.

    Args:
        content: the file's bytes.
        signature: its key; may be left out if there is one, or one called `serving_default`, or none at all: then
            tensors go by their own names.

    Raises:
        ValueError: the bytes are no model, or there is no such signature.
        RuntimeError: TensorFlow Lite Micro cannot run it; with its own reason.
    """

    kernels = KERNELS

    def __init__(self, content: bytes, signature: str | None = None) -> None:
        litert = LiteRT(model_content=content)  # knows signatures and names, which a microcontroller does not
        keys = tuple(litert.get_signature_list())
        whole = not keys and not signature
        self.signature = "" if whole else choose_signature(keys, signature)
        _check_subgraph(content, self.signature)
        runner = None if whole else litert.get_signature_runner(self.signature)
        inputs, outputs = litert.get_input_details(), litert.get_output_details()
        self._inputs = _places(inputs, runner.get_input_details() if runner else None)
        self._outputs = _places(outputs, runner.get_output_details() if runner else None)
        self.inputs = {name: tensor_of(inputs[place]) for name, place in self._inputs.items()}
        self.outputs = {name: tensor_of(outputs[place]) for name, place in self._outputs.items()}
        _check_sizes(self.inputs)
        self._size = fixed_batch([tensor.shape for tensor in self.inputs.values()]) or 1
        self._interpreter = _interpreter(content)

    def predict(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """See `litegate.runtimes.runtime.Model`."""
        check_features(features, self.inputs)
        return in_batches(self._run, features, self._size)

    def quantize(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values as the file's inputs want them."""
        return {name: tensor.quantize(features[name]) for name, tensor in self.inputs.items()}

    def invoke(self, quantized: Mapping[str, Array]) -> dict[str, Array]:
        """One run on arrays that are as the file wants them; nothing is checked or converted."""
        for name, place in self._inputs.items():
            self._interpreter.set_input(quantized[name], place)
        self._interpreter.invoke()
        return {name: self._interpreter.get_output(place) for name, place in self._outputs.items()}

    def arena(self) -> Arena:
        """What it needs, after what has been allocated so far."""
        with saying() as said:
            self._interpreter.print_allocations()
            found = {part: int(size) for part, size in _ALLOCATED.findall(said())}
        return Arena(total=found["total"], activations=found["head"])

    def _run(self, features: Mapping[str, Array]) -> dict[str, Array]:
        outputs = self.invoke(self.quantize(features))
        self._interpreter.reset()  # or an LSTM goes on where the sample before has ended
        return {name: tensor.dequantize(outputs[name]) for name, tensor in self.outputs.items()}


def load(content: bytes, signature: str | None = None) -> MicroModel:
    """See `litegate.runtimes.runtime.Runtime`."""
    return MicroModel(content, signature)


def facts(content: bytes) -> Facts:
    """See `litegate.runtimes.runtime.Runtime`."""
    refused, arena = None, None
    try:
        arena = MicroModel(content).arena()
    except (RuntimeError, ValueError) as error:
        refused = " ".join(str(error).split())[:500]
    return Facts(version("tflite-micro"), KERNELS, refused, arena)


def _places(details: list[dict[str, Any]], named: Mapping[str, dict[str, Any]] | None) -> dict[str, int]:
    """Where the tensors of each name stand among the graph's own."""
    if named is None:
        return {detail["name"]: place for place, detail in enumerate(details)}
    places = {detail["index"]: place for place, detail in enumerate(details)}
    return {name: places[detail["index"]] for name, detail in named.items()}


def _check_subgraph(content: bytes, signature: str) -> None:
    model = schema.Model.GetRootAs(content, 0)
    found = [model.SignatureDefs(number) for number in range(model.SignatureDefsLength())]
    if any(each.SignatureKey().decode() == signature and each.SubgraphIndex() for each in found):
        raise RuntimeError(f"it runs the first subgraph of a file, and the signature {signature} is another one")


def _check_sizes(inputs: Mapping[str, Tensor]) -> None:
    for name, tensor in inputs.items():
        if -1 in tensor.shape[1:]:
            raise RuntimeError(f"it needs inputs of fixed sizes, and {name!r} has the shape {tensor.shape}")


def _interpreter(content: bytes) -> tflm.Interpreter:
    with saying() as said:
        try:
            return tflm.Interpreter.from_bytes(content, arena_size=_ARENA)
        except RuntimeError as error:
            why = " ".join(said().split()) or str(error)
            raise RuntimeError(why) from None

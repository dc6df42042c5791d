"""LiteRT's GPU accelerator, on the Vulkan device that it selects.

It computes in float16 unless it is told otherwise, and so it is here for every file but one whose weights are all
float32: that is the model before anything was made smaller, and is computed in float32, so that what is lost against it
is all that shipping the other costs. No processor is named beside the GPU: LiteRT then refuses a file of which it would
leave a single operator to the CPU, and says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from litegate.runtimes import vulkan
from litegate.runtimes.batches import fixed_batch, in_batches
from litegate.runtimes.litert import Tensor, check_features, choose_signature, tensor_of
from litegate.runtimes.runtime import Facts
from litegate.runtimes.said import saying

if TYPE_CHECKING:
    from ai_edge_litert.compiled_model import CompiledModel

__all__ = ["GpuModel", "arithmetic_of", "facts", "load"]

Array = np.ndarray[Any, np.dtype[Any]]

_SELECTED = re.compile(r"Selected adapter: (.*?), arch=")
_REFUSED = re.compile(r"not supported by GPU delegate:\n((?:[A-Z]\w*: .*\n)+)")
_NOT_TAKEN = "Failed to modify graph with delegate"
_SMALLER = (schema.TensorType.FLOAT16, schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16)
_selected: list[str] = []
"""The device that LiteRT has selected in this process: it says so once."""


class GpuModel:
    """One signature of a .tflite file on the GPU; use it from one thread at a time, and load it after any fork.

    Args:
        content: the file's bytes.
        signature: its key; may be left out if there is one, or one called `serving_default`, or none at all: then
            tensors go by their own names.
        arithmetic: `float16` or `float32`; None for that of `arithmetic_of`.

    Raises:
        ValueError: the bytes are no model, or there is no such signature.
        RuntimeError: the GPU cannot run all of it; with LiteRT's own reasons.
        BadInput: there is no Vulkan device.
    """

    def __init__(self, content: bytes, signature: str | None = None, arithmetic: str | None = None) -> None:
        litert = Interpreter(model_content=content)  # which proves that the bytes are whole; the accelerator does not
        keys = tuple(litert.get_signature_list())
        whole = not keys and not signature
        self.signature = "" if whole else choose_signature(keys, signature)
        graph = litert if whole else litert.get_signature_runner(self.signature)
        self.inputs, self.outputs = _tensors(graph.get_input_details()), _tensors(graph.get_output_details())
        _check_sizes(self.inputs)
        self._size = fixed_batch([tensor.shape for tensor in self.inputs.values()]) or 1
        arithmetic = arithmetic or arithmetic_of(content)
        self._model, device = _compiled(content, arithmetic)
        self.kernels = f"webgpu {arithmetic} on {device}"
        self._key = self.signature or next(iter(self._model.get_signature_list()))
        self._feeds = {name: self._model.create_input_buffer_by_name(self._key, name) for name in self.inputs}
        self._gives = {name: self._model.create_output_buffer_by_name(self._key, name) for name in self.outputs}
        self._shapes = {name: (self._size, *tensor.shape[1:]) for name, tensor in self.outputs.items()}

    def predict(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """See `litegate.runtimes.runtime.Model`."""
        check_features(features, self.inputs)
        return in_batches(self._run, features, self._size)

    def quantize(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values as the file's inputs want them."""
        return {name: tensor.quantize(features[name]) for name, tensor in self.inputs.items()}

    def invoke(self, quantized: Mapping[str, Array]) -> dict[str, Array]:
        """One run on arrays that are as the file wants them; nothing is checked or converted."""
        for name, buffer in self._feeds.items():
            buffer.write(quantized[name])
        self._model.run_by_name(self._key, self._feeds, self._gives)
        return {name: self._read(name, buffer) for name, buffer in self._gives.items()}

    def _run(self, features: Mapping[str, Array]) -> dict[str, Array]:
        outputs = self.invoke(self.quantize(features))
        return {name: tensor.dequantize(outputs[name]) for name, tensor in self.outputs.items()}

    def _read(self, name: str, buffer: Any) -> Array:
        shape = self._shapes[name]
        found: Array = buffer.read(int(np.prod(shape)), self.outputs[name].dtype.type).reshape(shape)
        return found


def load(content: bytes, signature: str | None = None) -> GpuModel:
    """See `litegate.runtimes.runtime.Runtime`."""
    return GpuModel(content, signature)


def facts(content: bytes) -> Facts:
    """See `litegate.runtimes.runtime.Runtime`."""
    refused, kernels = None, f"webgpu on {', '.join(map(str, vulkan.devices())) or 'no device'}"
    try:
        kernels = GpuModel(content).kernels
    except (RuntimeError, ValueError) as error:
        refused = " ".join(str(error).split())[:500]
    return Facts(version("ai-edge-litert"), kernels, refused)


def arithmetic_of(content: bytes) -> str:
    """In which a file is computed: `float32` where nothing of it is smaller, else LiteRT's default, `float16`."""
    model = schema.Model.GetRootAs(content, 0)
    graphs = (model.Subgraphs(number) for number in range(model.SubgraphsLength()))
    kinds = {graph.Tensors(number).Type() for graph in graphs for number in range(graph.TensorsLength())}
    return "float16" if kinds & set(_SMALLER) else "float32"


def _compiled(content: bytes, arithmetic: str) -> tuple[CompiledModel, str]:
    """The file on the GPU alone, and the device."""
    from ai_edge_litert.compiled_model import CompiledModel, GpuOptions, HardwareAccelerator, Options

    there = {device.name: device for device in vulkan.needed()}
    vulkan.load_drivers()
    options = Options(HardwareAccelerator.GPU, gpu_options=GpuOptions(enforce_f32=arithmetic == "float32"))
    with saying() as said:
        try:
            model = CompiledModel.from_buffer(content, options=options)
        except RuntimeError as error:
            raise RuntimeError(_reason(said(), str(error))) from None
        _selected.extend(_SELECTED.findall(said()))
    if not _selected or _selected[0] not in there:
        found = ", ".join(_selected) or "none"
        raise RuntimeError(f"expected LiteRT to select one of {', '.join(there)}, got {found}")
    return model, str(there[_selected[0]])


def _reason(said: str, raised: str) -> str:
    """Why it refuses a file, of all that it says and of what it raises."""
    if refused := _REFUSED.search(said):
        return f"operators that are not supported by the GPU: {'; '.join(refused[1].split(chr(10))).strip('; ')}"
    if _NOT_TAKEN in raised:  # the reason is told for the first file of a process alone
        return f"{_NOT_TAKEN}, as where the sizes of tensors depend on the values or the number of samples"
    return " ".join([raised, *(line for line in said.splitlines() if line.startswith("ERROR"))])


def _tensors(details: Any) -> dict[str, Tensor]:
    """By name: those of a signature have one each, those of a whole graph bear their own."""
    named = details if isinstance(details, dict) else {detail["name"]: detail for detail in details}
    return {name: tensor_of(detail) for name, detail in named.items()}


def _check_sizes(inputs: Mapping[str, Tensor]) -> None:
    for name, tensor in inputs.items():
        if -1 in tensor.shape[1:]:
            raise RuntimeError(f"it needs inputs of fixed sizes, and {name!r} has the shape {tensor.shape}")

"""A file run with all its tensors kept, so that what each operator gives can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from litegate.runtimes.litert import tensor_of

__all__ = ["Activations"]

Array = np.ndarray[Any, np.dtype[Any]]


class Activations:
    """One signature of a file, on LiteRT's own kernels: a delegate would compute several operators at once.

    Args:
        content: the file's bytes.
        signature: its key.
        graph: index of the graph that it runs.
        names: of the tensors that are read, as far as the file has them.
    """

    def __init__(self, content: bytes, signature: str, graph: int, names: Iterable[str]) -> None:
        self._interpreter = Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        self._runner = self._interpreter.get_signature_runner(signature)
        self._inputs = {name: tensor_of(each) for name, each in self._runner.get_input_details().items()}
        self._graph, wanted = graph, set(names)
        details = [each for each in self._interpreter.get_tensor_details(graph) if each["name"] in wanted]
        self._read = {each["name"]: (int(each["index"]), tensor_of(each)) for each in details}

    @property
    def steps(self) -> dict[str, float]:
        """The quantization step of each tensor that is read and quantized."""
        return {name: tensor.scale for name, (_, tensor) in self._read.items() if tensor.scale}

    def run(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values of the tensors by name, for real values of shape (batch, ...) by input name.

        Raises:
            RuntimeError: the file cannot be run.
        """
        self._runner(**{name: tensor.quantize(features[name]) for name, tensor in self._inputs.items()})
        self._interpreter.reset_all_variables()  # no sample is to go on where the one before has ended
        return {
            name: tensor.dequantize(self._interpreter.get_tensor(index, self._graph))
            for name, (index, tensor) in self._read.items()
        }

"""The published rules of the Edge TPU, checked on a file: a check of rules, and not a compilation.

Source: https://coral.ai/docs/edgetpu/models-intro/ (requirements of a model, table of operators). Limits of single
operators that depend on their options (dilations, axes, fused activations) are not read, so a file without findings
may still have operators that the compiler leaves on the CPU; what is found here it does leave there.
"""

from __future__ import annotations

from collections.abc import Iterator

from litegate.inspection.flatbuffer import File, Graph, Tensor
from litegate.inspection.rules import Breach

__all__ = ["OPERATORS", "edge_tpu_breaches"]

OPERATORS = frozenset(
    {
        *("ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS"),
        *("FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "UNIDIRECTIONAL_SEQUENCE_LSTM", "MAXIMUM"),
        *("MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN"),
        *("RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE"),
        *("SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM"),
        *("TANH", "TRANSPOSE", "TRANSPOSE_CONV"),
    }
)
"""Those that it runs, by their names in a file."""

_TYPES, _INNER = frozenset({"int8", "uint8"}), 3
_SAID = "by the published rules of the Edge TPU"


def edge_tpu_breaches(file: File) -> Iterator[Breach]:
    """Every rule that a file breaks; none is an error, for what the Edge TPU does not run, the CPU beside it does."""
    if len(file.graphs) > 1:
        message = f"{len(file.graphs)} subgraphs, of which only the first is compiled, {_SAID}"
        yield Breach("warning", "edgetpu_subgraphs", file.graphs[1].name or "the second", message)
    for graph in file.graphs[:1]:
        yield from _operators(graph)
        yield from _tensors(graph)


def _operators(graph: Graph) -> Iterator[Breach]:
    """The compiler parts a model once: from the first operator that stays behind on, all do."""
    left = [place for place, operator in enumerate(graph.operators) if operator.name not in OPERATORS]
    if not left:
        return
    first, after = graph.operators[left[0]], len(graph.operators) - left[0] - 1
    names = ", ".join(dict.fromkeys(graph.operators[place].name for place in left))
    message = f"left to the CPU: {names}, and what follows the first of them, {after:,} operators, {_SAID}"
    yield Breach("warning", "edgetpu_operators", first.place, message)


def _tensors(graph: Graph) -> Iterator[Breach]:
    seen: dict[int, Tensor] = {tensor.index: tensor for operator in graph.operators for tensor in operator.activations}
    for tensor in seen.values():
        outer = tensor.shape[:-_INNER]
        if any(size > 1 for size in outer):
            message = f"a tensor of shape {list(tensor.shape)}: only the {_INNER} innermost may be above 1, {_SAID}"
            yield Breach("warning", "edgetpu_rank", tensor.name, message)
        if -1 in tensor.shape[1:]:
            message = f"a tensor of shape {list(tensor.shape)}: sizes must be known when it is compiled, {_SAID}"
            yield Breach("warning", "edgetpu_dynamic", tensor.name, message)
        if tensor.type not in _TYPES:
            message = f"a tensor of {tensor.type}: int8 and uint8 alone are computed on, {_SAID}"
            yield Breach("warning", "edgetpu_type", tensor.name, message)

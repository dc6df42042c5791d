"""How each operator computes, where the multiply-accumulates are, and which float operators sit among integer ones."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from litegate.inspection.flatbuffer import File, Graph, Operator, Tensor
from litegate.records import Computing, OperatorUse

__all__ = ["FLOATS", "computes", "islands", "macs", "operator_uses", "width"]

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})

_CONVERSIONS = {"QUANTIZE", "DEQUANTIZE"}
_SMALL_INTEGERS = {"int2", "uint4", "int4", "int8", "uint8", "int16"}
_RECURRENT = {"LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN", "RNN", "SVDF"}


def computes(operator: Operator) -> Computing:
    """How an operator computes; conversions between types do not compute."""
    if operator.name in _CONVERSIONS:
        return "conversion"
    if not any(tensor.type in FLOATS for tensor in operator.tensors):
        return "integer"
    constants = {tensor.type for tensor in operator.tensors if tensor.constant and tensor.stands_for_reals}
    return "hybrid" if constants & _SMALL_INTEGERS else "float"


def width(operator: Operator) -> str:
    """The type that an integer operator computes in: that of its output, or else of its first activation."""
    outputs = [tensor.type for tensor in operator.outputs]
    found = [kind for kind in (*outputs, *(tensor.type for tensor in operator.activations)) if kind in _SMALL_INTEGERS]
    return found[0].replace("uint8", "int8") if found else "int32"


def macs(operator: Operator) -> int:
    """Multiply-accumulates of one `invoke`; free dimensions count as 1, loop bodies once, all others as none."""
    first, second = operator.input(0), operator.input(1)
    if first is None or second is None or not operator.outputs:
        return 0
    given, made, weights = first.elements, operator.outputs[0].elements, second.shape
    match operator.name:
        case "CONV_2D" | "FULLY_CONNECTED":
            return made * math.prod(weights[1:])
        case "DEPTHWISE_CONV_2D":
            return made * math.prod(weights[1:3])
        case "TRANSPOSE_CONV":
            image = operator.input(2)
            return math.prod(weights[:3]) * (image.elements if image else 0)
        case "CONV_3D":
            return made * math.prod(weights[:4])
        case "CONV_3D_TRANSPOSE":
            image = operator.input(2)
            return math.prod(weights[:4]) * (image.elements if image else 0)
        case "BATCH_MATMUL":
            return made * _inner(first, operator.outputs[0])
        case name if name in _RECURRENT:
            steps = given // max(first.shape[-1], 1) if first.shape else 1
            return steps * sum(
                tensor.elements for tensor in operator.tensors if tensor.constant and len(tensor.shape) == 2
            )
    return 0


def operator_uses(operators: Iterable[Operator]) -> tuple[OperatorUse, ...]:
    """Operators of equal name and types together, those with the most multiply-accumulates first."""
    counts: Counter[tuple[str, Computing, tuple[str, ...], tuple[str, ...]]] = Counter()
    work: Counter[tuple[str, Computing, tuple[str, ...], tuple[str, ...]]] = Counter()
    for operator in operators:
        inputs = tuple(_kind(tensor) for tensor in operator.inputs)
        key = (operator.name, computes(operator), inputs, tuple(_kind(tensor) for tensor in operator.outputs))
        counts[key] += 1
        work[key] += macs(operator)
    uses = [
        OperatorUse(name=key[0], computes=key[1], inputs=key[2], outputs=key[3], count=count, macs=work[key])
        for key, count in counts.items()
    ]
    return tuple(sorted(uses, key=lambda use: (-use.macs, -use.count, use.name)))


def islands(file: File) -> list[tuple[str, ...]]:
    """Names of the float operators of each connected group, the largest first; none where no operator is integer."""
    if not any(computes(operator) == "integer" and width(operator) != "int32" for operator in file.operators()):
        return []
    groups = [group for graph in file.graphs for group in _float_groups(graph)]
    return sorted((tuple(operator.name for operator in group) for group in groups), key=len, reverse=True)


def _float_groups(graph: Graph) -> list[list[Operator]]:
    """Float operators that hand float values to each other, by union of the tensors that they share."""
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        while parent.setdefault(index, index) != index:
            index = parent[index]
        return index

    found = [operator for operator in graph.operators if computes(operator) in ("float", "hybrid")]
    for operator in found:
        first, *others = [tensor.index for tensor in operator.activations if tensor.type in FLOATS] or [-1]
        for other in others:
            parent[root(other)] = root(first)
    groups: defaultdict[int, list[Operator]] = defaultdict(list)
    for operator in found:
        shared = [tensor.index for tensor in operator.activations if tensor.type in FLOATS]
        groups[root(shared[0]) if shared else -1].append(operator)
    return list(groups.values())


def _inner(left: Tensor, product: Tensor) -> int:
    """The dimension that a matrix product sums over, whether or not the left side is transposed."""
    if len(left.shape) < 2 or len(product.shape) < 2:
        return 1
    rows, columns = left.shape[-2:]
    return max(columns if rows == product.shape[-2] else rows, 1)


def _kind(tensor: Tensor | None) -> str:
    return "none" if tensor is None else f"{tensor.type} constant" if tensor.constant else tensor.type

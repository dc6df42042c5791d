"""What a .tflite file is, read from its bytes: which operators compute in float, in integers, or in both.

The converter does not always give what it is asked for: `TFLITE_BUILTINS_INT8` does not forbid float operators,
small tensors stay float under dynamic range quantization, and nothing says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ai_edge_litert import schema_py_generated as schema

from litegate.variants import Variant

__all__ = ["Scheme", "mismatch", "read_scheme"]

_FLOAT = {"FLOAT32", "FLOAT64"}
# The converter leaves smaller weights float under dynamic range quantization.
_LARGE = 1024
_CONVERSIONS = {"QUANTIZE", "DEQUANTIZE"}


@dataclass(frozen=True)
class Scheme:
    """Operators by how they compute, with how often each occurs; conversions between types do not compute.

    Attributes:
        real: on float values alone.
        hybrid: on float activations with 8-bit weights.
        integer: on integers, by the type of their activations: `CONV_2D int8`.
        half_weights: how many constants are float16.
        large_weights: how many float32 constants dynamic range quantization would not find too small.
    """

    real: Counter[str]
    hybrid: Counter[str]
    integer: Counter[str]
    half_weights: int
    large_weights: int

    def __str__(self) -> str:
        parts = [(self.integer, "integer"), (self.hybrid, "hybrid"), (self.real, "float")]
        return ", ".join(f"{sum(counts.values())} {name}" for counts, name in parts) + " operators"


def read_scheme(content: bytes) -> Scheme:
    """Read every operator of every subgraph, by LiteRT's own flatbuffer schema."""
    model = schema.Model.GetRootAs(content, 0)
    constants = Counter(_constants(model))
    large = sum(count for (kind, size), count in constants.items() if kind == "FLOAT32" and size >= _LARGE)
    half = sum(count for (kind, _), count in constants.items() if kind == "FLOAT16")
    scheme = Scheme(Counter(), Counter(), Counter(), half, large)
    for name, tensors in _operators(model):
        types = {kind for kind, _ in tensors}
        activations = {kind for kind, constant in tensors if not constant}
        if name in _CONVERSIONS:
            continue
        if types & _FLOAT:
            (scheme.hybrid if "INT8" in types - activations else scheme.real)[name] += 1
        else:
            width = "int16" if "INT16" in activations else "int8" if activations & {"INT8", "UINT8"} else "int32"
            scheme.integer[f"{name} {width}"] += 1
    return scheme


def mismatch(scheme: Scheme, variant: Variant) -> str | None:
    """Why the file is not the variant that was asked for, or None."""
    if variant.float16:
        return None if scheme.half_weights else "none of its weights is float16"
    if not variant.calibrated:
        stayed = f"none of its weights is quantized, and {scheme.large_weights} are large enough to be"
        return stayed if scheme.large_weights and not scheme.hybrid else None
    width = "int16" if variant.name.startswith("int16x8") else "int8"
    if not any(name.endswith(width) for name in scheme.integer):
        return f"none of its operators computes in {width}"
    if "TFLITE_BUILTINS" not in variant.ops and (scheme.real or scheme.hybrid):
        names = ", ".join(f"{name} ({count})" for name, count in (scheme.real + scheme.hybrid).items())
        return f"operators that compute in float: {names}; it is not integer only"
    return None


def _operators(model: schema.Model) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Name of each operator, and of each of its tensors the type and whether it is constant."""
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for operator in map(graph.Operators, range(graph.OperatorsLength())):
            indices = [*map(operator.Inputs, range(operator.InputsLength()))]
            indices += [*map(operator.Outputs, range(operator.OutputsLength()))]
            tensors = [graph.Tensors(index) for index in indices if index >= 0]
            yield _operator_name(model.OperatorCodes(operator.OpcodeIndex())), [_kind(model, each) for each in tensors]


def _kind(model: schema.Model, tensor: schema.Tensor) -> tuple[str, bool]:
    return _names(schema.TensorType)[tensor.Type()], model.Buffers(tensor.Buffer()).DataLength() > 0


def _operator_name(code: schema.OperatorCode) -> str:
    # Old files hold the number in a field of one byte, new ones in both.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = _names(schema.BuiltinOperator)[number]
    return code.CustomCode().decode(errors="replace") if name == "CUSTOM" else name


def _constants(model: schema.Model) -> Iterator[tuple[str, int]]:
    """Type and number of elements of every constant."""
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            kind, constant = _kind(model, tensor)
            if constant:
                yield kind, math.prod(map(tensor.Shape, range(tensor.ShapeLength())))


@cache
def _names(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}

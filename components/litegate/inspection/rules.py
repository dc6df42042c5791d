"""The 8-bit quantization specification as rules on single operators and tensors.

Source: https://ai.google.dev/edge/litert/models/quantization_spec, and what the LiteRT 2.3 kernels accept. The
interpreter itself runs nearly every file that breaks a rule, and gives other numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from litegate.inspection.computing import computes
from litegate.inspection.flatbuffer import File, Graph, Operator, Tensor
from litegate.inspection.specification import FIXED_OUTPUTS, LAYERS, SAME_SCALE, ZERO_POINTS, Layer, layers_of

__all__ = ["Breach", "breaches"]

_TOLERANCE = 1e-5
"""Relative; the converter's own scales, products in float32, are exact to 1e-7."""
_DEGENERATE = 1e-9
"""No real activation is so small; the converter gives it to tensors that were always zero in calibration."""


@dataclass(frozen=True)
class Breach:
    """A rule that is broken in one place."""

    severity: Literal["error", "warning"]
    code: str
    where: str
    message: str


def breaches(file: File) -> Iterator[Breach]:
    """Every rule that a file breaks, place by place."""
    for graph in file.graphs:
        zeros = _zeros(graph)
        for tensor in graph.tensors:
            yield from _scales(tensor, tensor.index in zeros)
        for operator in graph.operators:
            yield from _layers(operator)
            if computes(operator) == "integer":
                yield from _activations(operator)
                yield from _fixed_output(operator)
                yield from _same_scale(operator)


def _zeros(graph: Graph) -> set[int]:
    """Indices of tensors that are zero whatever the input, as the first state of a recurrent layer is."""
    flat = (tensor for tensor in graph.tensors if (tensor.scales == 0).any())
    found = {tensor.index for tensor in flat if (values := tensor.values()) is not None and not values.any()}
    filled = (operator for operator in graph.operators if operator.name == "FILL")
    return found | {op.outputs[0].index for op in filled if (value := op.input(1)) and value.index in found}


def _scales(tensor: Tensor, zero: bool) -> Iterator[Breach]:
    """Scales are positive and finite, and as many as they are for; 0 stands for what is `zero` as well as any."""
    if not tensor.quantized:
        return
    scales, where = tensor.scales, tensor.name
    if not np.isfinite(scales).all():
        yield Breach("error", "scale_not_finite", where, "a scale is NaN or infinite")
    elif (scales < 0).any() or ((scales == 0).any() and not zero):
        yield Breach("error", "scale_not_positive", where, f"a scale is {scales.min():g}, which must be above 0")
    elif not tensor.constant and not zero and (scales < _DEGENERATE).any():
        message = f"a scale is {scales.min():.3g}: was the tensor always zero in calibration?"
        yield Breach("warning", "scale_degenerate", where, message)
    sized = tensor.shape[tensor.axis] if tensor.axis < len(tensor.shape) else 1
    if len(scales) not in (1, sized) or len(tensor.zero_points) not in (1, len(scales)):
        message = f"{len(scales)} scales and {len(tensor.zero_points)} zero points for {sized} channels"
        yield Breach("error", "scale_count", where, message)


def _layers(operator: Operator) -> Iterator[Breach]:
    how = computes(operator)
    for given, weights, bias, layer in layers_of(operator):
        if weights.quantized:
            yield from _weights(weights, layer, operator)
        if how == "integer" and weights.quantized and given is not None and bias is not None:
            yield from _bias(given, weights, bias)
        if weights.quantized:
            yield from _accumulator(given, weights, bias, layer)


def _weights(weights: Tensor, layer: Layer, operator: Operator) -> Iterator[Breach]:
    """int8 in [-127, 127] around zero, scaled for each output channel."""
    where = weights.name
    if weights.type not in ("int8", "int4"):
        yield Breach("error", "weight_type", where, f"weights of {operator.name} are {weights.type}, not int8")
    if weights.zero_points.any():
        yield Breach("error", "weight_zero_point", where, "a zero point of weights is not 0")
    values = weights.values()
    if weights.type == "int8" and values is not None and values.size and values.min() < -127:
        yield Breach("error", "weight_range", where, "a weight is -128, they must be within -127 and 127")
    channels = 1 if layer.axis is None or layer.axis >= len(weights.shape) else weights.shape[layer.axis]
    if len(weights.scales) > 1 and weights.axis != layer.axis:
        message = f"weights of {operator.name} are scaled along dimension {weights.axis}, it must be {layer.axis}"
        yield Breach("error", "weight_axis", where, message)
    elif len(weights.scales) == 1 and channels > 1 and operator.name != "FULLY_CONNECTED":
        message = f"one scale for the {channels} output channels of {operator.name}: accuracy may suffer"
        yield Breach("warning", "weight_per_tensor", where, message)


def _bias(given: Tensor, weights: Tensor, bias: Tensor) -> Iterator[Breach]:
    """int32 (int64 beside 16-bit activations), scaled by input times weights, around zero."""
    where, wanted = bias.name, "int64" if given.type == "int16" else "int32"
    if bias.type not in (wanted, "int32"):
        yield Breach("error", "bias_type", where, f"a bias is {bias.type}, it must be {wanted}")
    elif bias.type != wanted:
        yield Breach("warning", "bias_type", where, f"a bias beside 16-bit activations is {bias.type}, not {wanted}")
    if bias.zero_points.any():
        yield Breach("error", "bias_zero_point", where, "a zero point of a bias is not 0")
    if not (bias.quantized and given.quantized):
        return
    values, expected = bias.values(), given.scales[0] * weights.scales
    fits = len(bias.scales) in (1, len(expected)) and np.allclose(bias.scales, expected, rtol=_TOLERANCE, atol=0)
    # The converter lets layers without a bias share one of zeros, with the scale of the first.
    if not fits and (values is None or values.any()):
        yield Breach("error", "bias_scale", where, "a bias is not scaled by its input's scale times its weights'")
    if bias.type == "int32" and values is not None and (np.abs(values.astype(np.int64)) >= 2**31 - 1).any():
        yield Breach("warning", "bias_saturated", where, "a bias is at the limit of int32")


def _accumulator(given: Tensor | None, weights: Tensor, bias: Tensor | None, layer: Layer) -> Iterator[Breach]:
    """The largest sum of products that inputs can make fits into 32 bits; 16-bit inputs are summed in 64."""
    values = weights.values()
    if given is None or values is None or given.type == "int16" or len(weights.shape) < 2:
        return
    zero_point = int(given.zero_points[0]) if given.type == "int8" and given.quantized else -128
    axes = tuple(index for index in range(values.ndim) if index != (layer.axis or 0))
    bound = np.abs(values, dtype=np.int64).sum(axes) * max(128 + zero_point, 127 - zero_point)
    offsets = bias.values() if bias is not None and bias.type == "int32" else None
    worst = int((bound + (0 if offsets is None else np.abs(offsets.astype(np.int64)))).max(initial=0))
    if worst >= 2**31:
        message = f"a sum of products can reach {worst:.3g}, beyond the 32 bits that it is kept in"
        yield Breach("warning", "accumulator_overflow", weights.name, message)


def _activations(operator: Operator) -> Iterator[Breach]:
    """Per tensor, with a zero point of the type."""
    weights = {id(operator.input(index)) for layer in LAYERS.get(operator.name, ()) for index in _constants(layer)}
    for tensor in operator.tensors:
        if not tensor.quantized or id(tensor) in weights:
            continue
        if len(tensor.scales) > 1:
            yield Breach("error", "activation_per_axis", tensor.name, "an activation has more than one scale")
        low, high = ZERO_POINTS.get(tensor.type, (0, 0))
        if tensor.zero_points.min() < low or tensor.zero_points.max() > high:
            message = f"a zero point of {tensor.type} is {tensor.zero_points[0]}, it must be from {low} to {high}"
            yield Breach("error", "zero_point_range", tensor.name, message)


def _constants(layer: Layer) -> tuple[int, ...]:
    return (layer.weights,) if layer.bias is None else (layer.weights, layer.bias)


def _fixed_output(operator: Operator) -> Iterator[Breach]:
    for output in operator.outputs:
        expected = FIXED_OUTPUTS.get(operator.name, {}).get(output.type)
        if expected is None or not output.quantized:
            continue
        scale, zero_point = expected
        if not np.isclose(output.scales[0], scale, rtol=_TOLERANCE, atol=0) or output.zero_points[0] != zero_point:
            found = f"scale {output.scales[0]:g} and zero point {output.zero_points[0]}"
            message = f"the output of {operator.name} has {found}, it must be {scale:g} and {zero_point}"
            yield Breach("error", "fixed_output", output.name, message)


def _same_scale(operator: Operator) -> Iterator[Breach]:
    if operator.name not in SAME_SCALE:
        return
    found = [tensor for tensor in operator.tensors if tensor.quantized]
    for tensor in found[1:]:
        same = np.isclose(tensor.scales[0], found[0].scales[0], rtol=_TOLERANCE, atol=0)
        if not same or tensor.zero_points[0] != found[0].zero_points[0]:
            message = f"{operator.name} only moves or compares values, but its inputs and outputs are scaled otherwise"
            yield Breach("error", "same_scale", operator.place, message)
            return

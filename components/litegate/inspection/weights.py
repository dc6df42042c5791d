"""The weights of a quantized file against the baseline's: `real = (q - zero_point) * scale` on the actual bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from litegate.inspection.flatbuffer import File, Tensor
from litegate.inspection.specification import layers_of

__all__ = ["WEIGHT_TOLERANCE", "WeightMatch", "compare_weights"]

WEIGHT_TOLERANCE = 0.5 + 1e-3
"""Quantization steps: rounding costs half a step."""

_FLOAT32 = 2.0**-22
"""The converter rounds quotients of float32 numbers, so large 64-bit biases are off by their own precision too."""

_NUMBERED = ("arith.constant", "tfl.pseudo")
"""Names that the converter counts up: in another file the same name is another tensor."""


@dataclass(frozen=True)
class WeightMatch:
    """How far a file's quantized weights and biases are from the baseline's.

    Attributes:
        compared: how many were found in the baseline by name, of equal shape.
        error: the largest difference, in quantization steps of its own channel; None where nothing was compared.
        far: names of those that differ by more than rounding, the worst first, with their errors.
    """

    compared: int
    error: float | None
    far: tuple[tuple[str, float], ...]


def compare_weights(file: File, baseline: File) -> WeightMatch:
    """Compare every quantized weight and bias of a layer that has its namesake in the float32 baseline."""
    originals = _by_name(baseline.constants())
    errors: dict[str, float] = {}
    for name, tensor in _by_name(_of_layers(file)).items():
        original = originals.get(name)
        if original is not None and original.type == "float32" and original.shape == tensor.shape:
            error = _error(tensor, original)
            if error is not None:
                errors[name] = error
    far = [(name, error) for name, error in errors.items() if error > WEIGHT_TOLERANCE]
    far.sort(key=lambda item: -item[1])
    return WeightMatch(len(errors), max(errors.values(), default=None), tuple(far))


def _error(tensor: Tensor, original: Tensor) -> float | None:
    """Largest difference in steps, less what float32 cannot tell apart; None where the scales are no scales."""
    real, expected = tensor.real_values(), original.values()
    if real is None or expected is None or not real.size or not _sound(tensor):
        return None
    scales = tensor.spread(tensor.scales)
    steps = np.abs(real - expected) / scales - _FLOAT32 * np.abs(expected) / scales
    return max(float(np.max(steps)), 0.0)


def _sound(tensor: Tensor) -> bool:
    """The rules have their say where this is not so."""
    fits = len(tensor.scales) == 1 or (
        tensor.axis < len(tensor.shape) and len(tensor.scales) == tensor.shape[tensor.axis]
    )
    counted = len(tensor.zero_points) in (1, len(tensor.scales))
    return bool(fits and counted and np.isfinite(tensor.scales).all() and (tensor.scales > 0).all())


def _of_layers(file: File) -> Iterator[Tensor]:
    for operator in file.operators():
        for _, weights, bias, _ in layers_of(operator):
            yield from (tensor for tensor in (weights, bias) if tensor is not None and tensor.quantized)


def _by_name(tensors: Iterator[Tensor]) -> dict[str, Tensor]:
    """Tensors whose name is theirs alone, and means the same in another file."""
    found = {id(tensor): tensor for tensor in tensors if tensor.name and not tensor.name.startswith(_NUMBERED)}
    counts = Counter(tensor.name for tensor in found.values())
    return {tensor.name: tensor for tensor in found.values() if counts[tensor.name] == 1}

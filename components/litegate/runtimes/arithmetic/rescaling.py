"""From sums of products to quantized outputs: exactly what the kernels' integers give, in float64, which is faster.

A product of a sum and a factor has at most 31 bits behind the point, so float64 holds it as long as it is below 2^22.
What is larger is beyond an output of 8 bits by far, if no more than 13 bits are shifted away, and there the last bit
does not matter. Where more are, and for outputs of 16 bits that round in 32, the integers themselves are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.fixed_point import BITS, Factor
from litegate.runtimes.arithmetic.graph import Operator, Tensor, Unsupported

__all__ = ["Rescaling", "activation_range", "kept"]

Array = np.ndarray[Any, np.dtype[Any]]

_MOST_BITS = 13
_AWAY = 1 + 2.0**-40
"""Moves halves, and nothing else, off the middle between two integers: away from zero, where the kernels round them."""
_NONE, _RELU, _RELU_N1_TO_1, _RELU6 = 0, 1, 2, 3
"""`ActivationFunctionType` of the schema."""


def activation_range(output: Tensor, activation: int) -> tuple[int, int]:
    """The integers that an operator with a fused activation may give.

    Raises:
        Unsupported: it is another activation.
    """
    low, high = output.limits

    def quantized(real: float) -> int:
        share = np.float32(real) / output.scale
        return output.zero_point + int(np.copysign(np.floor(np.abs(share) + np.float32(0.5)), share))

    ends = {_NONE: (low, high), _RELU: (quantized(0), high)}
    ends |= {_RELU_N1_TO_1: (quantized(-1), quantized(1)), _RELU6: (quantized(0), quantized(6))}
    if activation not in ends:
        raise Unsupported(f"a fused activation of kind {activation}")
    least, most = ends[activation]
    return max(low, least), min(high, most)


def kept(values: Array, ends: tuple[int, int], dtype: np.dtype[Any] | None) -> Array:
    """Values of an output, no smaller and no larger than its ends."""
    found: Array = np.clip(values, *ends).astype(dtype)
    return found


@dataclass(frozen=True, eq=False)
class Rescaling:
    """What becomes of the sums of an operator: the factors of its channels, offset and ends of the output.

    Attributes:
        wide: whether sums have 64 bits in the kernels, and are then rounded once.
    """

    factor: Factor
    zero_point: int
    low: int
    high: int
    dtype: np.dtype[Any]
    wide: bool

    @classmethod
    def of(cls, operator: Operator, real: Any, activation: int, wide: bool) -> Rescaling:
        """Of an operator's output.

        Args:
            real: the factors.
        """
        output = operator.output
        assert output.dtype is not None
        ends = activation_range(output, activation)
        return cls(Factor.of(real), output.zero_point, *ends, output.dtype, wide)

    def apply(self, sums: Array) -> Array:
        """The outputs for sums of shape (..., positions, channels), float32 or float64 with whole numbers."""
        shape = sums.shape[-2:]
        if self.wide:
            found = self._times(sums, self.factor.short, 15 - self.factor.exponents, shape)
        elif self._fits:
            found = self._twice(sums, shape)
        else:
            found = self.factor.times(sums.astype(np.int64))
        found += self.zero_point
        np.clip(found, self.low, self.high, out=found)
        return found.astype(self.dtype)

    @property
    def _fits(self) -> bool:
        return self.dtype.itemsize == 1 and bool((self.factor.exponents >= -_MOST_BITS).all())

    def _twice(self, sums: Array, shape: tuple[int, ...]) -> Array:
        """Rounded to whole numbers, and once more after the shift to the right."""
        exponents = self.factor.exponents
        found = self._times(sums, self.factor.mantissas, BITS - np.maximum(exponents, 0), shape)
        if (exponents < 0).any():
            shifted = np.where(exponents < 0, 2.0 ** np.minimum(exponents, 0) * _AWAY, 1.0)
            found *= _spread(shifted, shape)
            np.rint(found, out=found)
        return found

    def _times(self, sums: Array, mantissas: Array, shift: Array, shape: tuple[int, ...]) -> Array:
        """The product shifted to the right and rounded, a half upwards."""
        found: Array = np.multiply(sums, _spread(mantissas * 2.0**-shift, shape), dtype=np.float64)
        found += 0.5
        return np.floor(found, out=found)


def _spread(factors: Array, shape: tuple[int, ...]) -> Array:
    """A value for each channel at each position: with few channels, numpy is far slower on a row of them alone."""
    return factors if len(factors) == 1 else np.ascontiguousarray(np.broadcast_to(factors, shape))

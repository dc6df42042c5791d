"""Where the windows of convolutions and pools lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.lib.stride_tricks import sliding_window_view

from litegate.runtimes.arithmetic.graph import Operator

__all__ = ["Window"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Window:
    """The windows of an operator over (samples, height, width, channels).

    Attributes:
        size, stride, dilation: by height and width.
        before, after: what is padded there; it counts as the real 0.
        places: of windows.
        zero_point: of the input.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    places: tuple[int, int]
    zero_point: int

    @classmethod
    def of(cls, operator: Operator, size: tuple[int, int]) -> Window:
        """Of an operator whose windows have this size.

        Raises:
            Unsupported: the input has no zero point.
        """
        options, source, places = operator.options, operator.input(), operator.output.shape[1:3]
        stride = (options.StrideH(), options.StrideW())
        dilated = hasattr(options, "DilationHFactor")
        dilation = (options.DilationHFactor(), options.DilationWFactor()) if dilated else (1, 1)
        whole = [
            (places[axis] - 1) * stride[axis] + (size[axis] - 1) * dilation[axis] + 1 - source.shape[1 + axis]
            for axis in (0, 1)
        ]
        missing = [max(each, 0) if options.Padding() == schema.Padding.SAME else 0 for each in whole]
        before = (missing[0] // 2, missing[1] // 2)
        after = (missing[0] - before[0], missing[1] - before[1])
        return cls(size, stride, dilation, before, after, (places[0], places[1]), source.zero_point)

    def centred(self, values: Array, dtype: np.dtype[Any], fill: float = 0.0) -> Array:
        """The values less their zero point, with what is padded around them."""
        samples, height, width, channels = values.shape
        sides = [sum(each) for each in zip(self.before, self.after, strict=True)]
        if not any(sides):
            return np.subtract(values, self.zero_point, dtype=dtype)
        found = np.full((samples, height + sides[0], width + sides[1], channels), fill, dtype)
        top, left = self.before
        inside = found[:, top : top + height, left : left + width]
        np.subtract(values, self.zero_point, out=inside, dtype=dtype)
        return found

    def views(self, padded: Array) -> Array:
        """A view of (samples, places, places, channels, height, width) of the windows."""
        reach = tuple((size - 1) * dilation + 1 for size, dilation in zip(self.size, self.dilation, strict=True))
        found = sliding_window_view(padded, reach, axis=(1, 2))
        rows, columns = self.places
        return found[:, :: self.stride[0], :: self.stride[1], :, :: self.dilation[0], :: self.dilation[1]][
            :, :rows, :columns
        ]

    def matrix(self, values: Array, dtype: np.dtype[Any]) -> Array:
        """A row for each window: its values by height, width and channel."""
        padded = self.centred(values, dtype)
        if self.size == self.stride == (1, 1):
            return padded.reshape(-1, padded.shape[-1])
        found = self.views(padded).transpose(0, 1, 2, 4, 5, 3)
        return found.reshape(-1, found.shape[3] * found.shape[4] * found.shape[5])

    def parts(self, values: Array, dtype: np.dtype[Any], times: int = 1) -> Iterator[tuple[int, int, Array]]:
        """Place by place in the window, what lies there of all windows: (samples, places, places, channels).

        Args:
            times: how often each channel is there.
        """
        padded = self.centred(values, dtype)
        padded = padded if times == 1 else padded.repeat(times, axis=-1)
        views = self.views(padded)
        for row in range(self.size[0]):
            for column in range(self.size[1]):
                yield row, column, views[..., row, column]

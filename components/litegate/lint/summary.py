"""What the samples of one input look like, collected one sample at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

__all__ = ["Collector", "Summary", "digest_of", "summary_of"]

Array = np.ndarray[Any, np.dtype[Any]]
_KEPT = 4096
"""Values of each sample from which quantiles are taken; more would change them little."""
TAILS = (0.001, 0.999)


def digest_of(features: Mapping[str, Array]) -> bytes:
    """A digest of the content of one sample: names, types, shapes and values."""
    digest = blake2b(digest_size=16)
    for name, value in sorted(features.items()):
        digest.update(f"{name}:{value.dtype.str}:{value.shape};".encode())
        digest.update(np.ascontiguousarray(value).data if value.size else b"")
    return digest.digest()


@dataclass(frozen=True)
class Summary:
    """Statistics over all values of an input, in real numbers.

    Attributes:
        size: values in a sample; 0 where samples differ in size.
        low, high, mean, std: over all finite values.
        tails: the 0.1 and 99.9 % quantiles.
        values: a part of every sample's values, the same positions of each.
        constant: positions of samples (by number) whose values are all the same, where a sample has several.
        not_finite: numbers of samples with NaN or infinity.
        least, most: by position in the sample, over all samples; empty where sizes differ.
    """

    samples: int
    size: int
    low: float
    high: float
    mean: float
    std: float
    tails: tuple[float, float]
    values: Array
    constant: tuple[int, ...]
    not_finite: tuple[int, ...]
    least: Array
    most: Array

    @property
    def moving(self) -> Array:
        """By position in the sample, whether its values differ between samples; empty where sizes differ."""
        found: Array = np.not_equal(self.least, self.most)
        return found

    @property
    def span(self) -> float:
        """From the least to the largest value: what min/max calibration covers."""
        return self.high - self.low

    @property
    def spread(self) -> float:
        """Between the tails, so that single outliers do not count; the standard deviation where that is nothing."""
        return (self.tails[1] - self.tails[0]) or self.std


class Collector:
    """Makes a `Summary` of samples that arrive one by one."""

    def __init__(self) -> None:
        self._parts: list[Array] = []
        self._moments: list[tuple[int, float, float, float, float]] = []
        self._constant: list[int] = []
        self._not_finite: list[int] = []
        self._extremes: tuple[Array, Array] = (np.zeros(0), np.zeros(0))
        self._sizes: set[int] = set()
        self._seen = 0
        self._kept: dict[int, Array] = {}

    def add(self, value: Array) -> None:
        """One sample, without a batch axis."""
        flat = value.reshape(-1)
        finite = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat
        if finite.size < flat.size:
            self._not_finite.append(self._seen)
        if finite.size:
            self._add_finite(flat, finite.astype(np.float64))
        self._seen += 1

    def summary(self) -> Summary:
        """Of all that was added.

        Raises:
            ValueError: nothing finite was.
        """
        counts, means, squares, lows, highs = map(np.array, zip(*self._moments, strict=True))
        mean = float((counts * means).sum() / counts.sum())
        variance = float((counts * (squares + (means - mean) ** 2)).sum() / counts.sum())
        values = np.concatenate(self._parts)
        same = len(self._sizes) == 1
        least, most = self._extremes if same else (np.zeros(0), np.zeros(0))
        return Summary(
            samples=self._seen,
            size=next(iter(self._sizes)) if same else 0,
            low=float(lows.min()),
            high=float(highs.max()),
            mean=mean,
            std=float(np.sqrt(variance)),
            tails=(float(np.quantile(values, TAILS[0])), float(np.quantile(values, TAILS[1]))),
            values=values,
            constant=tuple(self._constant),
            not_finite=tuple(self._not_finite),
            least=least,
            most=most,
        )

    def _add_finite(self, flat: Array, finite: Array) -> None:
        low, high = float(finite.min()), float(finite.max())
        if low == high and finite.size > 1:
            self._constant.append(self._seen)
        self._moments.append((finite.size, float(finite.mean()), float(finite.var()), low, high))
        size = finite.size
        if size > _KEPT and size not in self._kept:
            self._kept[size] = np.random.default_rng(size).permutation(size)[:_KEPT]
        self._parts.append((finite[self._kept[size]] if size > _KEPT else finite).astype(np.float32))
        self._sizes.add(flat.size)
        if len(self._sizes) == 1:
            least, most = self._extremes if self._extremes[0].size else (flat, flat)
            self._extremes = (np.fmin(least, flat), np.fmax(most, flat))


def summary_of(values: Array) -> Summary | None:
    """The summary of (n, ...) samples; None where nothing of them is finite."""
    collector = Collector()
    for value in values:
        collector.add(value)
    try:
        return collector.summary()
    except ValueError:
        return None

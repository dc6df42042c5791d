"""How far a file is from float32 on the samples that the search is tuned on; no label is asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from litegate.records import Tuned
from litegate.runtimes.litert import LiteRTModel

__all__ = ["Tuner"]

Array = np.ndarray[Any, np.dtype[Any]]

_TIMED = 5
_LARGEST = 1e9
"""Stands for errors beyond it, and for outputs that are not finite."""


class Tuner:
    """Compares files with float32.

    Args:
        float32: its bytes.
        features: the samples by input name, of shape (samples, ...).
        signature: key of the one that is run.
        output: name of the one that is judged; None if it is the only one.
        classifies: whether it holds scores of classes.
    """

    def __init__(
        self, float32: bytes, features: Mapping[str, Array], signature: str, output: str | None, classifies: bool
    ) -> None:
        self._features, self._signature = features, signature
        self._float32 = LiteRTModel(float32, signature).predict(features)
        name = output if output is not None else next(iter(self._float32)) if len(self._float32) == 1 else None
        scores = self._float32[name] if classifies and name is not None else None
        # One score of two classes is a prediction only by a threshold, which the metric has and the search does not.
        self._judged = name if scores is not None and scores.ndim == 2 and scores.shape[1] > 1 else None
        self._compared = (name,) if name is not None else tuple(self._float32)

    def measure(self, content: bytes) -> Tuned:
        """Run a file on all samples.

        Raises:
            RuntimeError, ValueError: it cannot be run.
        """
        model = LiteRTModel(content, self._signature)
        found = model.predict(self._features)
        return Tuned(
            disagreement=self._disagreement(found),
            error=max(relative_error(found[name], self._float32[name]) for name in self._compared),
            bytes=len(content),
            milliseconds=_milliseconds(model, {name: value[:1] for name, value in self._features.items()}),
        )

    def _disagreement(self, found: Mapping[str, Array]) -> float | None:
        if self._judged is None:
            return None
        ours, theirs = (outputs[self._judged].argmax(axis=1) for outputs in (found, self._float32))
        return float(np.mean(ours != theirs))


def relative_error(found: Array, float32: Array) -> float:
    """Root mean square of the differences, as a share of the root mean square of float32's values."""
    theirs = float32.astype(np.float64)
    size = float(np.sqrt(np.mean(theirs**2))) if theirs.size else 0.0
    difference = float(np.sqrt(np.mean((found.astype(np.float64) - theirs) ** 2))) if theirs.size else 0.0
    share = difference / size if size else (0.0 if difference == 0 else _LARGEST)
    return min(share, _LARGEST) if np.isfinite(share) else _LARGEST


def _milliseconds(model: LiteRTModel, sample: Mapping[str, Array]) -> float:
    """The median of a few, after one that is not timed."""
    times = []
    for _ in range(_TIMED + 1):
        begin = time.perf_counter()
        model.predict(sample)
        times.append(time.perf_counter() - begin)
    return round(1000 * float(np.median(times[1:])), 4)

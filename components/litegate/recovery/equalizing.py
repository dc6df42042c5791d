"""The float32 file whose channels are equalized, and the proof that it computes what it did before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.recovery.equalization import equalized, pairs_of
from litegate.recovery.tuning import relative_error
from litegate.runtimes.activations import Activations
from litegate.runtimes.batches import batches
from litegate.runtimes.litert import LiteRTModel

__all__ = ["TOLERANCE", "Equalized", "equalize"]

Array = np.ndarray[Any, np.dtype[Any]]

TOLERANCE = 1e-3
"""Of the outputs' root mean square: further apart the two files are not the same model."""


@dataclass(frozen=True)
class Equalized:
    """A file that computes the same.

    Attributes:
        content: its bytes.
        pairs: how many pairs of layers were equalized.
        difference: root mean square of what the outputs differ by, as a share of that of the outputs.
    """

    content: bytes
    pairs: int
    difference: float


def equalize(float32: bytes, signature: str, graph: int, features: Mapping[str, Array], batch: int) -> Equalized | None:
    """None where there is nothing to equalize, or where it would change what is computed.

    Args:
        float32: bytes of the baseline.
        signature: its key.
        graph: the index of its graph in the file.
        features: samples that show the ranges of channels, by input name.
        batch: how many of them are run at once.
    """
    pairs = pairs_of(float32, graph)
    if not pairs:
        return None
    file = Activations(float32, signature, graph, {pair.tensor for pair in pairs})
    content = equalized(float32, _ranges(file, features, batch), graph)
    ours, theirs = (LiteRTModel(each, signature).predict(features) for each in (content, float32))
    difference = max(relative_error(ours[name], theirs[name]) for name in theirs)
    return Equalized(content, len(pairs), difference) if difference <= TOLERANCE else None


def _ranges(file: Activations, features: Mapping[str, Array], batch: int) -> dict[str, Array]:
    """The largest absolute value of each channel, (channels,), by tensor."""
    found: dict[str, Array] = {}
    for some in batches(features, batch):
        for name, values in file.run(some).items():
            largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            found[name] = np.maximum(found[name], largest) if name in found else largest
    return found

"""The two parts of the calibration samples: one finds ranges, the other tunes, and no sample is in both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from litegate.datasets.representative import Samples
from litegate.errors import BadInput

__all__ = ["FEWEST", "halves"]

Array = np.ndarray[Any, np.dtype[Any]]

FEWEST = 20
"""Different samples, of which one half tunes."""


def halves(samples: Samples, seed: int) -> tuple[dict[str, dict[str, Array]], dict[str, dict[str, Array]]]:
    """Both parts, by signature and input name.

    A sample's part and its place there follow from its bytes and the seed, so that the order of the samples changes
    nothing, and a sample that is there twice is not in both.

    Raises:
        BadInput: a signature has fewer than `FEWEST` different samples.
    """
    parts = {key: _parts(features, seed) for key, features in samples.items()}
    return {key: ranges for key, (ranges, _) in parts.items()}, {key: tuning for key, (_, tuning) in parts.items()}


def _parts(features: Mapping[str, Array], seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    digests = _digests(features, seed)
    different = sorted(set(digests))
    if len(different) < FEWEST:
        wanted = f"at least {FEWEST} different samples to recover with, of which one half tunes"
        raise BadInput("calibration.samples", wanted, str(len(different)))
    middle = different[len(different) // 2]
    order = sorted(range(len(digests)), key=digests.__getitem__)
    first, second = ([i for i in order if (digests[i] < middle) is below] for below in (True, False))
    return _taken(features, first), _taken(features, second)


def _digests(features: Mapping[str, Array], seed: int) -> list[bytes]:
    names = sorted(features)
    return [
        hashlib.sha256(b"".join([str(seed).encode(), *(features[name][index].tobytes() for name in names)])).digest()
        for index in range(len(features[names[0]]))
    ]


def _taken(features: Mapping[str, Array], places: list[int]) -> dict[str, Array]:
    return {name: value[places] for name, value in features.items()}

"""The representative samples as a file: one array per input, named `<signature>/<input>`, first axis the samples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Samples", "load_samples", "save_samples"]

Array = np.ndarray[Any, np.dtype[Any]]
Samples = Mapping[str, Mapping[str, Array]]


def save_samples(path: Path, samples: Samples) -> None:
    """Write samples, by signature and input name."""
    flat = {f"{key}/{name}": value for key, features in samples.items() for name, value in features.items()}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **flat)


def load_samples(path: Path) -> dict[str, dict[str, Array]]:
    """Read samples back, by signature and input name."""
    samples: dict[str, dict[str, Array]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for flat in archive.files:
            key, _, name = flat.partition("/")
            samples.setdefault(key, {})[name] = archive[flat]
    return samples

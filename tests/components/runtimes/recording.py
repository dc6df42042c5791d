"""What a device would give of a file, made with LiteRT here, and changed as a test wants it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litegate.runtimes.device_evidence import fed_digests
from litegate.runtimes.litert import LiteRTModel

Array = np.ndarray[Any, np.dtype[Any]]
IMAGES = np.random.default_rng(5).normal(size=(6, 8, 8, 1)).astype(np.float32)
IDS = np.array([f"sample/{number}".encode() for number in range(len(IMAGES))])


def recorded(content: bytes, features: Mapping[str, Array], ids: Array, device: str = "pi5") -> dict[str, Array]:
    """The arrays of such a file, as honest as can be."""
    model = LiteRTModel(content)
    raw = model.predict(model.quantize(features), raw=True)
    return {
        "format": np.array(1),
        "artifact": np.array(hashlib.sha256(content).hexdigest()),
        "device": np.array(device),
        "runtime": np.array("LiteRT of the tests"),
        "id": ids,
        "fed": fed_digests(features),
        "seconds": np.linspace(0.001, 0.002, len(ids)),
    } | {f"output/{name}": value for name, value in raw.items()}


def written(path: Path, arrays: Mapping[str, Array]) -> Path:
    """Such a file; arrays that are None are left out."""
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path

"""The same runtime on another machine: it gives the next class at every sample that the file's fourth word divides."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.components.evaluation import faulty

__all__ = ["load"]


class Model(faulty.Model):
    """As there, but for some samples."""

    def __init__(self, does: str, at: float, first: int, every: int) -> None:
        super().__init__(does, at, first)
        self._every = every

    def predict(self, features: dict[str, Any]) -> dict[str, Any]:
        outputs = super().predict(features)["y"]
        (values,) = features.values()
        other = values[:, 0].astype(int) % self._every == 0
        return {"y": np.where(other[:, np.newaxis], np.roll(outputs, 1, axis=1), outputs)}


def load(content: bytes, signature: str | None = None) -> Model:
    """From the words of `faulty`, and how often it differs; it fails only where they say `_elsewhere`."""
    does, at, first, *every = content.decode().split()
    here = does.removesuffix("_elsewhere") if does.endswith("_elsewhere") else "nothing"
    return Model(here, float(at), int(first), int(every[0]) if every else 10**9)

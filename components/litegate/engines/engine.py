"""What an engine is to those who call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from litegate.failures import FailureKind

__all__ = ["Calibration", "CannotMake", "Engine", "Source"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Source:
    """What files are made of.

    Attributes:
        saved_model: the folder of the SavedModel.
        baseline: bytes of the float32 .tflite that was converted from it.
    """

    saved_model: Path
    baseline: bytes


@dataclass(frozen=True)
class Calibration:
    """The representative samples.

    Attributes:
        samples: by signature and input name, real values of shape (samples, ...).
        seen: is to be told of each sample that the engine has taken.
    """

    samples: Mapping[str, Mapping[str, Array]]
    seen: Callable[[], None]

    def __len__(self) -> int:
        """How many samples an engine takes that takes all: those of every signature."""
        return sum(len(next(iter(features.values()))) for features in self.samples.values())


class CannotMake(Exception):
    """An engine cannot make a file by a recipe.

    Args:
        kind: `UNSUPPORTED`, or another kind that says why.
        detail: the reason, of which the variant is the subject: what is wrong in a few words.
    """

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Engine(Protocol):
    """A module that makes .tflite files; it runs in a confined child process of its own."""

    def make(self, source: Source, recipe: Mapping[str, Any], calibration: Calibration | None) -> bytes:
        """Make a file.

        Args:
            recipe: the variant's settings, as `litegate.variants` has them; what they mean is the engine's to say.
            calibration: None for a variant that needs none.

        Returns:
            The bytes of a .tflite file, for the same arguments the same.

        Raises:
            CannotMake: the engine refused, would die of the model, or did not calibrate.
        """
        ...

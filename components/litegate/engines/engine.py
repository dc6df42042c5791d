"""What an engine is to the step that calls it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from litegate.datasets.representative import Samples
from litegate.failures import FailureKind
from litegate.variants import Recipe

__all__ = ["Calibration", "Engine", "Refused", "SourceModel"]


@dataclass(frozen=True)
class SourceModel:
    """The model to quantize, in the forms in which the pipeline has it.

    Attributes:
        saved_model: folder of the SavedModel.
        float32: bytes of the baseline, its conversion without quantization.
    """

    saved_model: Path
    float32: bytes


@dataclass(frozen=True)
class Calibration:
    """The representative dataset.

    Attributes:
        samples: by signature and input name, arrays of shape (samples, ...), not batched and in a fixed order.
        count: samples of each signature.
    """

    samples: Samples
    count: int


class Refused(Exception):
    """An engine makes no file of this model by this recipe.

    Args:
        kind: what kind of failure that is: `UNSUPPORTED`, or `NOT_CALIBRATED`.
        detail: what it said, with the recipe's name.
    """

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


class Engine(Protocol):
    """Makes quantized files, in a confined child process. Equal arguments must give equal bytes."""

    @abstractmethod
    def make(
        self, model: SourceModel, recipe: Recipe, calibration: Calibration | None, say: Callable[..., None]
    ) -> bytes:
        """The bytes of a .tflite file. What they are is for the inspection to find out: an engine is not believed.

        Args:
            calibration: the representative dataset, if `recipe.calibrated`, else None.
            say: takes a line of the log, with arguments as `logging` does.

        Raises:
            Refused: the model or the recipe is beyond the engine, or it did not use the samples that it was given.
        """

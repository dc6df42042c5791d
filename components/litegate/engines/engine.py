"""What an engine is to the step that calls it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from litegate.datasets.representative import Samples
from litegate.failures import FailureKind
from litegate.variants import Recipe

__all__ = ["Calibrated", "Calibration", "Engine", "Refused", "SourceModel"]


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


@dataclass(frozen=True)
class Calibrated:
    """A calibrated model: float, with the range of each activation in it.

    Attributes:
        content: its bytes, in a form of the engine's own.
        recipes: names of the recipes that `quantize` gives the same file for as `make` does.
    """

    content: bytes
    recipes: tuple[str, ...]


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

    def calibrate(
        self,
        model: SourceModel,  # noqa: ARG002 (an engine that calibrates once does otherwise)
        recipes: Sequence[Recipe],  # noqa: ARG002
        calibration: Calibration,  # noqa: ARG002
        say: Callable[..., None],  # noqa: ARG002
    ) -> Calibrated | None:
        """Calibrate once for several recipes, where that is known to change nothing of the files.

        Returns:
            None where it is not known or does not work out: then `make` does all of it, or says why it cannot. None
            also for an engine that always calibrates anew.
        """
        return None

    def quantize(self, calibrated: bytes, recipe: Recipe) -> bytes:
        """The bytes that `make` would give, from what `calibrate` gave for this recipe.

        Raises:
            Refused: as `make` does.
        """
        raise NotImplementedError

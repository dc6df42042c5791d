"""Training with quantization in the loop: what is asked, and what came of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from litegate.records.base import FileRef, Record
from litegate.records.fields import Count
from litegate.records.recovery import Tuned
from litegate.records.sources import FilesRef, ModelRef, UserCode
from litegate.spec.fine_tune import Base

__all__ = ["FineTuneRequest", "FineTuning"]


class FineTuneRequest(Record):
    """What is trained, by what and on what. The evaluation data are no part of it.

    Attributes:
        training: the user's training data, pinned.
        arguments: of the user's function, by name.
        time_limit: seconds for the training.
        fixed_batch: whether only a model of a fixed batch is of use, as for the source model.
        seed: of all that draws numbers.
        signature: the one that is evaluated; the default one if None.
        output: the one that is judged; the only one if None.
        classifies: whether it holds scores of classes.
    """

    model: ModelRef
    code: UserCode
    training: FilesRef
    arguments: dict[str, JsonValue]
    base: Base
    time_limit: Count
    fixed_batch: bool
    seed: int
    signature: str | None = None
    output: str | None = None
    classifies: bool = False


class FineTuning(Record):
    """How the file `fine_tuned` came to be.

    Attributes:
        layers: those whose 8 bits were simulated, by name.
        left: those that were trained in float, though the file may round them: by name and kind.
        samples: how many calibration samples both files are compared with float32 on.
        before: the base file of the model as it was.
        after: the file that was made.
        seconds: that the training took.
        model: the trained model, as a `.keras` file.
        float32: the same, converted without quantization.
    """

    base: Base
    layers: tuple[str, ...]
    left: tuple[str, ...] = ()
    samples: Count
    before: Tuned
    after: Tuned
    seconds: Annotated[float, Field(ge=0)]
    model: FileRef
    float32: FileRef

"""The float32 conversion of the source model, and the check that it is one."""

from __future__ import annotations

from pydantic import Field

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Share
from litegate.records.samples import SampleSet
from litegate.records.sources import ModelRef

__all__ = ["ConversionCheck", "ConversionCheckRequest", "ConvertRequest", "Converted"]


class ConvertRequest(Record):
    model: ModelRef


class Converted(Record):
    """The float32 baseline, and the SavedModel that every variant is quantized from."""

    artifact: Artifact
    saved_model: tuple[FileRef, ...]
    tools: dict[str, str]


class ConversionCheckRequest(Record):
    """The source model and its float32 conversion, to be run on the representative samples.

    Attributes:
        classifies: whether the only output holds scores of classes, so that predictions can be compared.
    """

    model: ModelRef
    artifact: Artifact
    samples: SampleSet
    signature: str | None = None
    classifies: bool = False


class ConversionCheck(Record):
    """The float32 conversion against the source model, on the representative samples.

    Attributes:
        agreement: share of samples with the same prediction; None where the model is no classifier.
        not_compared: outputs that depend on an operator which only the converter implements, with its name: in the
            source model a placeholder stands for it.
    """

    samples: Count
    max_abs_difference: float
    agreement: Share | None
    not_compared: dict[str, str] = Field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the check could not tell."""
        operators = ", ".join(sorted(set(self.not_compared.values())))
        names = ", ".join(self.not_compared)
        said = f"the conversion check left out {names}: only the converter implements {operators}; the metric decides"
        return (said,) if self.not_compared else ()

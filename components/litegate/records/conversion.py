"""The float32 conversion of the source model, and the check that it is one."""

from __future__ import annotations

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
    """

    samples: Count
    max_abs_difference: float
    agreement: Share | None

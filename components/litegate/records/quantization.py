"""The quantization of a variant."""

from __future__ import annotations

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import VariantName
from litegate.records.samples import SampleSet

__all__ = ["QuantizeRequest"]


class QuantizeRequest(Record):
    """A variant to make, by an engine of `litegate.engines`."""

    variant: VariantName
    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet
    engine: str = "tf_converter"

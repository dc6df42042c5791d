"""The calibration for all variants, and the quantization of one."""

from __future__ import annotations

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import VariantName
from litegate.records.samples import SampleSet

__all__ = ["CalibrateRequest", "Calibrated", "QuantizeRequest"]


class CalibrateRequest(Record):
    """One calibration for all variants that an engine of `litegate.engines` can make from it."""

    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet
    engine: str = "tf_converter"


class Calibrated(Record):
    """The calibrated model, in a form of the engine's own, and the variants that are quantized from it.

    Neither where each variant has to be calibrated by itself.
    """

    file: FileRef | None
    variants: tuple[VariantName, ...]


class QuantizeRequest(Record):
    """A variant to make, by an engine of `litegate.engines`: from a calibrated model, or from the SavedModel.

    Without a calibrated model the engine needs the SavedModel, and samples if the variant is one that is calibrated.
    """

    variant: VariantName
    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet | None = None
    calibrated: FileRef | None = None
    engine: str = "tf_converter"

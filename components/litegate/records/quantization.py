"""The calibration for all variants, and the quantization of one."""

from __future__ import annotations

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import VariantName
from litegate.records.fine_tuning import FineTuneRequest
from litegate.records.recovery import RecoverRequest
from litegate.records.samples import SampleSet
from litegate.variants import TF_CONVERTER

__all__ = ["CalibrateRequest", "Calibrated", "QuantizeRequest"]


class CalibrateRequest(Record):
    """One calibration for all variants that an engine of `litegate.engines` can make from it."""

    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet
    engine: str = TF_CONVERTER


class Calibrated(Record):
    """The calibrated model, in a form of the engine's own, and the variants that are quantized from it.

    Neither where each variant has to be calibrated by itself.
    """

    file: FileRef | None
    variants: tuple[VariantName, ...]


class QuantizeRequest(Record):
    """A variant to make, by an engine of `litegate.engines`: from a calibrated model, or from the source model.

    Without a calibrated model the engine needs samples if the variant is one that is calibrated.

    Attributes:
        saved_model: what the engine begins with; empty where that is the baseline.
        engine: its name; `given` where nothing is made, `recovery` where operators are tried in other precisions,
            `fine_tuning` where the model is trained on.
        given: a finished file, which is the variant as it is; or, for an engine, the recipe that it is to follow.
        recover: what is searched for.
        fine_tune: what is trained.
    """

    variant: VariantName
    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet | None = None
    calibrated: FileRef | None = None
    engine: str = TF_CONVERTER
    given: FileRef | None = None
    recover: RecoverRequest | None = None
    fine_tune: FineTuneRequest | None = None

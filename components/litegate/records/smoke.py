"""How a .tflite file behaves on a few samples."""

from __future__ import annotations

from typing import Any, ClassVar

from litegate.records.artifacts import NAMES, Artifact
from litegate.records.base import Record
from litegate.records.fields import Count, Digest, Share, VariantName
from litegate.records.samples import SampleSet

__all__ = ["FileSmokeRun", "SmokeRequest", "SmokeRun"]


class SmokeRequest(Record):
    """A file to run on a few of the representative samples.

    Attributes:
        baseline: the float32 conversion, which tells a model that answers the same to everything from a broken
            variant; None where the file is that itself.
        in_float: whether it computes in float, so that all kernels must come to the same.
        classifies: whether its only output holds scores of classes, so that predictions can be compared.
        source: the model's URI as the user gave it, for messages.
        runtime: what runs it.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"artifact": NAMES, "baseline": NAMES, "source": True}

    artifact: Artifact
    baseline: Artifact | None
    samples: SampleSet
    in_float: bool
    classifies: bool = False
    source: str
    runtime: str = "litert"


class FileSmokeRun(Record):
    """How a file behaved.

    Attributes:
        samples: how many were run, of each signature.
        constant: whether all samples got the same outputs.
        reference_samples: how many were run on the reference kernels too; 0 where those cannot run the file.
        kernel_difference: median over samples of the largest difference between default and reference kernels,
            as a share of the outputs' range.
        kernel_agreement: share of samples with the same prediction on both; None where there is no prediction.
        warnings: what is odd and does not stop the variant.
        runtime: what ran it, with its version and its kernels.
    """

    artifact_digest: Digest
    samples: Count
    constant: bool
    reference_samples: Count
    kernel_difference: float | None
    kernel_agreement: Share | None
    warnings: tuple[str, ...] = ()
    runtime: str = ""


class SmokeRun(FileSmokeRun):
    """The same of a variant."""

    variant: VariantName

"""How a .tflite file behaves on a few samples."""

from __future__ import annotations

from typing import Any, ClassVar

from litegate.records.artifacts import NAMES, Artifact
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Digest, Share, VariantName
from litegate.records.placement import Placement
from litegate.records.samples import Chosen, SampleSet

__all__ = ["DeadOutput", "FileSmokeRun", "SmokeRequest", "SmokeRun"]


class SmokeRequest(Record):
    """A file to run on a few of the representative samples.

    Attributes:
        baseline: the float32 conversion, which tells a model that answers the same to everything from a broken
            variant; None where the file is that itself.
        trained: the float32 conversion of the trained model, where one was trained for this file.
        in_float: whether it computes in float, so that all kernels must come to the same.
        classifies: whether its only output holds scores of classes, so that predictions can be compared.
        source: the model's URI as the user gave it, for messages.
        runtime: what runs it.
        accelerator: the configuration that its operators are placed for; empty where there is no compiler to ask.
        chosen: where the samples are from, for messages about the model itself.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"artifact": NAMES, "baseline": NAMES, "source": True, "chosen": True}

    artifact: Artifact
    baseline: Artifact | None
    trained: FileRef | None = None
    samples: SampleSet
    in_float: bool
    classifies: bool = False
    source: str
    runtime: str = "litert"
    accelerator: str = ""
    chosen: Chosen | None = None


class DeadOutput(Record):
    """An output of a variant, or columns of one, that is no nearer to float32's values than a constant would be.

    Attributes:
        output: its name.
        columns: the first of those that are dead, along `axis` of the output; none if all of it is.
        dead, of: how many columns are dead, and how many there are.
        constant: whether the variant gives the same value for all samples.
        samples: how many different samples that was seen on.
        spread: by how much float32's values of what is dead vary.
        largest: the largest value of the whole output in float32.
        certain: whether it cannot be meant; else it may be chance, or columns that hardly count.
    """

    output: str
    axis: Count = 0
    columns: tuple[int, ...] = ()
    dead: Count = 1
    of: Count = 1
    constant: bool
    samples: Count
    spread: float
    largest: float
    certain: bool

    def __str__(self) -> str:
        """For people, without the variant's name."""
        beside = f", beside values of up to {self.largest:.3g}" * (self.largest > 2 * self.spread)
        how = "the same" if self.constant else "no nearer to float32's than a constant would be"
        said = f"{how} for all of {self.samples} different samples, while float32's vary by up to {self.spread:.3g}"
        if not self.columns:
            return f"its output {self.output} is {said}{beside}"
        more = f" and {self.dead - len(self.columns)} more" * (self.dead > len(self.columns))
        named = f"{', '.join(map(str, self.columns))}{more} of {self.of} of its output {self.output}"
        return f"{f'columns {named} are' if self.dead > 1 else f'column {named} is'} {said}{beside}"


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
        dead: outputs that say nothing any more; the gate decides what becomes of the variant.
        runtime: what ran it, with its version and its kernels.
        arena_bytes: of memory that it needs there, and `activation_bytes`: the part that is used again and again; None
            for a runtime that has no arena.
        placement: of its operators by the target's compiler; None where the target has none.
    """

    artifact_digest: Digest
    samples: Count
    constant: bool
    reference_samples: Count
    kernel_difference: float | None
    kernel_agreement: Share | None
    warnings: tuple[str, ...] = ()
    dead: tuple[DeadOutput, ...] = ()
    runtime: str = ""
    arena_bytes: Count | None = None
    activation_bytes: Count | None = None
    placement: Placement | None = None


class SmokeRun(FileSmokeRun):
    """The same of a variant."""

    variant: VariantName

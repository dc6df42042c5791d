"""The .tflite files."""

from __future__ import annotations

from typing import Any

from litegate.failures import FailureKind
from litegate.records.base import FileRef, Record
from litegate.records.fields import Digest, VariantName
from litegate.records.fine_tuning import FineTuning
from litegate.records.recovery import Recovery

__all__ = ["NAMES", "Artifact", "FileFailure", "Signature", "TensorSpec"]

NAMES: dict[str, Any] = {
    "variant": True,
    "file": {"name": True},
    "recovery": True,
    "fine_tuning": True,
    "made_on": True,
}
"""What an artifact is called, and how it came to be, which says nothing of its bytes; for `Record.unkeyed`."""


class TensorSpec(Record):
    """A LiteRT input or output: `shape` with -1 for free dimensions, and its quantization if any."""

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0


class Signature(Record):
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


class Artifact(Record):
    """A .tflite file of one variant, with its signatures by key, and how it came to be if no recipe has made it.

    Attributes:
        made_on: the type of the processor that it was made on, by which its bytes may differ; empty where nobody says.
    """

    variant: VariantName
    file: FileRef
    signatures: dict[str, Signature]
    recovery: Recovery | None = None
    fine_tuning: FineTuning | None = None
    made_on: str = ""

    @property
    def made_from(self) -> FileRef | None:
        """The float32 file that it was made from; None where that is the baseline."""
        if self.fine_tuning is not None:
            return self.fine_tuning.float32
        return self.recovery.made_from if self.recovery is not None else None


class FileFailure(Record):
    """Why a step that works on several files has no result for one of them."""

    artifact_digest: Digest
    kind: FailureKind
    message: str

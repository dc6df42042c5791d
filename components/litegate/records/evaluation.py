"""What an artifact scores on the evaluation data."""

from __future__ import annotations

from litegate.records.artifacts import Artifact, Profile
from litegate.records.base import FileRef, Record
from litegate.records.inputs import DataRef, UserCode

__all__ = ["Candidate", "EvaluateRequest", "Evaluated"]


class EvaluateRequest(Record):
    artifact: Artifact
    data: DataRef
    metric: str
    max_samples: int | None
    seed: int
    preprocess: UserCode | None = None
    signature: str | None = None


class Evaluated(Record):
    """What an artifact scored; `outcomes` is an npz with `index`, `label`, `prediction`, `correct`."""

    variant: str
    artifact_digest: str
    metric: str
    value: float
    samples: int
    outcomes: FileRef
    seconds: float
    kernels: str


class Candidate(Record):
    """All that is known about a variant when the gate judges it."""

    artifact: Artifact
    evaluated: Evaluated
    profile: Profile | None = None

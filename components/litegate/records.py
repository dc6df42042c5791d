"""The frozen records that steps exchange: small, JSON, and the only things that travel in XCom.

Files travel by reference: a `FileRef` names bytes in the workspace by their own digest.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from litegate.spec import Gate, Spec

__all__ = [
    "Artifact",
    "BaselineSummary",
    "Candidate",
    "Champion",
    "ConvertRequest",
    "Converted",
    "DataRef",
    "EvaluateRequest",
    "Evaluated",
    "Failure",
    "FileRef",
    "GateRequest",
    "ModelRef",
    "Parity",
    "ParityRequest",
    "ProduceRequest",
    "Produced",
    "Profile",
    "ProfileRequest",
    "PromoteRequest",
    "Promotion",
    "QuantizeRequest",
    "Reason",
    "Record",
    "RegisterRequest",
    "ResolveRequest",
    "Resolved",
    "RunResult",
    "SampleRequest",
    "SampleSet",
    "SelectRequest",
    "Selection",
    "Signature",
    "TensorSpec",
    "UserCode",
    "VariantRow",
    "Verdict",
    "Verdicts",
]


class Record(BaseModel):
    """Base of all records: frozen, no unknown keys, JSON both ways."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values; `model_validate` is the way back."""
        return self.model_dump(mode="json")


class FileRef(Record):
    """Bytes in the workspace.

    Attributes:
        name: relative POSIX path that the file has for its users.
        digest: SHA-256 of the bytes.
        bytes: how many there are.
    """

    name: str
    digest: str
    bytes: int

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError("a relative path without '..'")
        return value


class ModelRef(Record):
    """The source model, pinned: `digest` covers all of `files`."""

    uri: str
    format: Literal["saved_model", "keras", "h5"]
    digest: str
    files: tuple[FileRef, ...]


class DataRef(Record):
    """A data set, pinned: `manifest` lists its objects with sizes and versions, `digest` covers it."""

    uri: str
    format: Literal["images", "npz"]
    digest: str
    manifest: FileRef


class UserCode(Record):
    """The user's `package.module:function`, where it is searched, and the digest of its source."""

    reference: str
    folder: str
    digest: str


class ResolveRequest(Record):
    spec: Spec
    folder: str


class Resolved(Record):
    """The spec with every input pinned; all that follows is keyed by these digests."""

    spec: Spec
    model: ModelRef
    calibration: DataRef
    evaluation: DataRef
    preprocess: UserCode | None = None


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
    """A .tflite file of one variant, with its signatures by key."""

    variant: str
    file: FileRef
    signatures: dict[str, Signature]


class ConvertRequest(Record):
    model: ModelRef


class Converted(Record):
    """The float32 baseline, and the SavedModel that every variant is quantized from."""

    artifact: Artifact
    saved_model: tuple[FileRef, ...]
    tools: dict[str, str]


class SampleRequest(Record):
    data: DataRef
    artifact: Artifact
    samples: int
    seed: int
    preprocess: UserCode | None = None


class SampleSet(Record):
    """The representative samples after `preprocess`: an npz with one array per input, named `<signature>/<input>`.

    `labels` counts the samples of each label, and is empty where there are no labels.
    """

    file: FileRef
    samples: int
    available: int
    labels: dict[str, int]


class ParityRequest(Record):
    model: ModelRef
    artifact: Artifact
    samples: SampleSet
    signature: str | None = None


class Parity(Record):
    """The float32 conversion against the source model, on the representative samples."""

    samples: int
    max_abs_difference: float
    agreement: float


class QuantizeRequest(Record):
    variant: str
    saved_model: tuple[FileRef, ...]
    baseline: Artifact
    samples: SampleSet


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


class ProfileRequest(Record):
    artifact: Artifact
    samples: SampleSet
    signature: str | None = None


class Profile(Record):
    """Median and 95th percentile of single-threaded `invoke`, in milliseconds, on the named host."""

    variant: str
    latency_ms: float
    latency_p95_ms: float
    runs: int
    host: str
    kernels: str


class Candidate(Record):
    """All that is known about a variant when the gate judges it."""

    artifact: Artifact
    evaluated: Evaluated
    profile: Profile | None = None


class Failure(Record):
    """A step that did not deliver, for one variant or for the run as a whole (`variant` is None)."""

    step: str
    kind: str
    message: str
    variant: str | None = None


class GateRequest(Record):
    policy: Gate
    target: str
    variants: tuple[str, ...]
    baseline: Candidate
    candidates: tuple[Candidate, ...]
    failures: tuple[Failure, ...] = ()


class Reason(Record):
    """Why a verdict is what it is: a fixed `code`, and a sentence for people."""

    code: str
    message: str


class Verdict(Record):
    """The gate's answer for one variant.

    `drop` is baseline minus variant on the paired samples; `drop_low` and `drop_high` are its
    one-sided confidence bounds, each at the policy's confidence. All are None where nothing was measured.
    """

    variant: str
    state: Literal["baseline", "passed", "failed", "inconclusive"]
    reasons: tuple[Reason, ...] = ()
    value: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    samples: int = 0
    lost: int = 0
    gained: int = 0
    digest: str | None = None


class Verdicts(Record):
    verdicts: tuple[Verdict, ...]


class SelectRequest(Record):
    rule: Literal["smallest", "fastest", "most_accurate"]
    verdicts: tuple[Verdict, ...]
    candidates: tuple[Candidate, ...]


class Selection(Record):
    """The variant to promote, or None where nothing passed; `why` in one sentence."""

    variant: str | None
    why: str


class RegisterRequest(Record):
    """Everything about a run; `run_key` names the pipeline run and makes recording idempotent."""

    run_key: str
    links: dict[str, str]
    resolved: Resolved
    parity: Parity
    samples: SampleSet
    tools: dict[str, str]
    baseline: Candidate
    candidates: tuple[Candidate, ...]
    verdicts: tuple[Verdict, ...]
    selection: Selection


class BaselineSummary(Record):
    bytes: int
    metric: str
    value: float
    samples: int


class VariantRow(Record):
    """One row of the result table."""

    variant: str
    bytes: int | None
    value: float | None
    drop: float | None
    drop_low: float | None
    drop_high: float | None
    samples: int
    verdict: str
    reasons: tuple[str, ...]
    latency_ms: float | None
    digest: str | None
    uri: str | None
    mlflow_run_id: str | None


class Champion(Record):
    variant: str
    version: int
    digest: str


class RunResult(Record):
    """What a pipeline run found, as recorded; `selected` is the version that may be promoted."""

    model: str
    outcome: Literal["promoted", "rejected"]
    selected: Champion | None
    baseline: BaselineSummary
    variants: tuple[VariantRow, ...]
    experiment_id: str
    mlflow_run_id: str


class PromoteRequest(Record):
    registry: str
    alias: str
    selected: Champion


class Promotion(Record):
    """The alias after promotion; `previous` is the version it pointed to before, if any."""

    champion: Champion
    previous: int | None
    moved: bool


class ProduceRequest(Record):
    """A call of the user's `package.module:function(folder, **arguments)`, whose file goes to `uri`."""

    entry_point: str
    folder: str
    arguments: dict[str, str | int | float]
    uri: str


class Produced(Record):
    """The object that the call left at `uri`."""

    uri: str
    digest: str
    bytes: int

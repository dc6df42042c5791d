"""What is recorded, selected and promoted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from litegate.records.artifacts import Artifact
from litegate.records.base import Record
from litegate.records.benchmark import Benchmark
from litegate.records.candidate import Candidate
from litegate.records.conversion import ConversionCheck
from litegate.records.device import TimedOnDevice
from litegate.records.disagreement import Disagreement
from litegate.records.fields import Count, Digest, Moment, VariantName, renamed
from litegate.records.footprint import Footprint
from litegate.records.inputs import Resolved
from litegate.records.lint import Lint
from litegate.records.promotion import RegisteredAlias
from litegate.records.recovery import Assessment
from litegate.records.samples import SampleSet
from litegate.records.verdicts import (
    ClassLoss,
    Clause,
    Flip,
    GateRequest,
    RareClass,
    Selection,
    SliceLoss,
    VariantOutcome,
    Verdict,
)

__all__ = [
    "BaselineSummary",
    "Champion",
    "ChampionFile",
    "ChampionRequest",
    "PromoteRequest",
    "Promotion",
    "PromotionState",
    "RegisterRequest",
    "RunOrigin",
    "RunResult",
    "VariantRow",
]


PromotionState = Literal["promoted", "pending_approval", "blocked"]


class RunOrigin(Record):
    """Where a pipeline run comes from; empty what is not known.

    Attributes:
        began: when the run began, which is before it is recorded.
        user: who started it.
        source: what made it: a DAG's id.
    """

    began: Moment | None = None
    user: str = ""
    source: str = ""


class RegisterRequest(Record):
    """Everything about a run; `run_key` names the pipeline run and makes recording idempotent.

    Attributes:
        gate: what the gate was asked, from which its verdicts can be found again; None where that is not known.
    """

    run_key: str
    links: dict[str, str]
    origin: RunOrigin = RunOrigin()
    resolved: Resolved
    conversion_check: ConversionCheck
    samples: SampleSet
    lint: Lint | None = None
    tools: dict[str, str]
    baseline: Candidate
    candidates: tuple[Candidate, ...]
    verdicts: tuple[Verdict, ...]
    assessments: tuple[Assessment, ...] = ()
    selection: Selection
    gate: GateRequest | None = None


class BaselineSummary(Record):
    """What the variants are compared with.

    Attributes:
        bytes: size of the float32 file.
        metric: its name; `value` is its value on `samples` samples, None if it is not finite.
        percent: whether people read it in percent, for its values are shares.
    """

    bytes: Count
    metric: str
    higher_is_better: bool = True
    percent: bool = True
    value: float | None
    samples: Count


def _outcome_by_verdict(row: dict[str, Any]) -> VariantOutcome:
    """Of a row that does not say it, as those of earlier releases: what has no number was not measured.

    Args:
        row: the fields before it that are valid; where some are not, the row as a whole is refused.
    """
    match row.get("verdict"):
        case "baseline":
            return "baseline"
        case "passed":
            return "passed"
        case "inconclusive":
            return "undecided"
        case _:
            return "failed" if row.get("drop") is None else "rejected"


class VariantRow(Record):
    """One row of the result table.

    Attributes:
        clusters: how many clusters the samples are in; None where each sample is independent of the others.
        outcome: what the verdict comes to: `rejected` breaks the policy, `undecided` needs more evidence, `failed`
            could not be built or measured.
        needed: how many samples, or clusters where there are any, would decide an inconclusive verdict.
        scheme: what the file is by its bytes.
        float_share: share of its multiply-accumulates that are computed on floats.
        warnings: what is odd about the file and did not stop it.
        benchmark: its latency with its share of float32's, where and when it was measured, and what disturbed that.
        on_target: how the target's runtime and the host differ on the file, as a sentence; empty where they are one.
        disagreement: the same as numbers.
        footprint: what it takes on a device that has it in its firmware; None for other targets.
        on_device: the real device that judged it, what ran there, and how fast; None where none did.
        recovered: which operators have another precision, what that cost and what it brought, as a sentence; empty for
            files that were not searched for.
        fine_tuned: how a file was trained for quantization, and what that brought, as a sentence; empty for others.
    """

    variant: VariantName
    bytes: Count | None
    value: float | None
    drop: float | None
    drop_low: float | None
    drop_high: float | None
    samples: Count
    clusters: Count | None = None
    verdict: str
    outcome: VariantOutcome = Field(default_factory=_outcome_by_verdict)
    sentence: str = ""
    reasons: tuple[str, ...]
    confidence: float | None = None
    needed: int | None = None
    agreement: float | None = None
    clauses: tuple[Clause, ...] = ()
    classes: tuple[ClassLoss, ...] = ()
    slices: tuple[SliceLoss, ...] = ()
    slice_count: Count = 0
    rare: tuple[RareClass, ...] = ()
    rare_classes: Count = 0
    flipped: Count = 0
    flips: tuple[Flip, ...] = ()
    scheme: str | None = None
    float_share: float | None = None
    warnings: tuple[str, ...] = ()
    latency_ms: float | None
    benchmark: Benchmark | None = None
    digest: Digest | None
    uri: str | None
    mlflow_run_id: str | None
    mlflow_model_id: str | None = None
    on_target: str = ""
    disagreement: Disagreement | None = None
    footprint: Footprint | None = None
    on_device: TimedOnDevice | None = None
    recovered: str = ""
    fine_tuned: str = ""


class Champion(Record):
    variant: VariantName
    version: int
    digest: Digest


class ChampionRequest(Record):
    """Which registered model, and which alias of it."""

    registry: str
    alias: str


class ChampionFile(Record):
    """The version that carried the alias when it was asked for, and its file; both None where nothing did."""

    version: int | None
    artifact: Artifact | None


class RunResult(Record):
    """What a pipeline run found, as recorded; `selected` is the version that may be promoted.

    An override run selects none, whatever passed.

    Attributes:
        outcome: where nothing passed, why: see `VariantOutcome`.
        confidence: of the policy: that what passes keeps every limit, whatever the number of variants.
        warnings: what is odd about the data that all of this rests on.
        not_made: which files were not needed, and why, as sentences.
        report: address of the page in MLflow that answers which file to ship.
    """

    model: str
    outcome: Annotated[
        Literal["selected", "rejected", "undecided", "failed", "override_run"], renamed({"trial": "override_run"})
    ]
    selected: Champion | None
    baseline: BaselineSummary
    variants: tuple[VariantRow, ...]
    experiment_id: str
    mlflow_run_id: str
    confidence: float | None = None
    warnings: tuple[str, ...] = ()
    not_made: tuple[str, ...] = ()
    report: str


class PromoteRequest(Record):
    """The version that a run selected, and what the ledger is to say of it.

    Attributes:
        begun: how many entries the ledger had when the run began; what was accepted after them came later.
        order: the moment for which the run was due, which decides between runs that overlapped.
        approval: whether a person must accept it first.
        compared_with: the champion that the verdict compares with, 0 for none; None if it compares with none.
    """

    channel: RegisteredAlias
    selected: Champion
    begun: Count | None = None
    order: Moment
    actor: str
    run_key: str
    mlflow_run_id: str
    verdict: str = ""
    approval: Literal["none", "human"] = "none"
    compared_with: int | None = None


class Promotion(Record):
    """What became of the selected version.

    Attributes:
        champion: of the alias now.
        previous: the champion before, if any.
        moved: whether the champion is another one because of this.
        state: `promoted`: it is champion; `pending_approval`: a person must accept it; `blocked`: it may not be
            champion now, and `why` says so.
    """

    selected: Champion
    champion: Champion | None
    previous: int | None
    moved: bool
    state: Annotated[PromotionState, renamed({"waiting": "pending_approval", "held": "blocked"})] = "promoted"
    why: str = ""

"""The frozen records that steps exchange: small, JSON, and the only things that travel in XCom.

Files travel by reference: a `FileRef` names bytes in the workspace by their own digest.
"""

from __future__ import annotations

from litegate.records.approval import ApprovalDecision
from litegate.records.artifacts import Artifact, Signature, TensorSpec
from litegate.records.base import FileRef, Record
from litegate.records.benchmark import Benchmark, BenchmarkRequest, FileBenchmark
from litegate.records.candidate import Candidate, warnings_of
from litegate.records.cleaning import LEAST_DAYS, Cleaned, CleanRequest, Fate, Pile
from litegate.records.comparison import Comparison
from litegate.records.conversion import ConversionCheck, ConversionCheckRequest, Converted, ConvertRequest
from litegate.records.evaluation import (
    Evaluated,
    EvaluateRequest,
    FileEvaluation,
    Reference,
    ReferenceOutcomes,
    Stopping,
)
from litegate.records.inputs import (
    Announcement,
    Produced,
    ProduceRequest,
    Resolved,
    ResolveRequest,
    TrainRequest,
)
from litegate.records.inspection import (
    BufferUse,
    Computing,
    Finding,
    Inspection,
    InspectRequest,
    LargeBuffer,
    OperatorUse,
)
from litegate.records.lint import DataFinding, Lint, LintRequest
from litegate.records.notices import Notice
from litegate.records.overrides import Change, Overrides
from litegate.records.promotion import (
    Action,
    Aliases,
    ChannelState,
    Decided,
    Decision,
    LedgerEntry,
    LedgerRequest,
    Position,
    PositionRequest,
    RegisteredAlias,
    Revoked,
)
from litegate.records.quantization import QuantizeRequest
from litegate.records.requalification import (
    Acted,
    ActRequest,
    ChampionEvidence,
    Drift,
    DriftFinding,
    DriftReference,
    DriftRequest,
    FoundChampion,
    InputDrift,
    Requalification,
    RequalifyRequest,
    Snapshot,
    SnapshotRequest,
)
from litegate.records.results import (
    BaselineSummary,
    Champion,
    ChampionFile,
    ChampionRequest,
    PromoteRequest,
    Promotion,
    PromotionState,
    RegisterRequest,
    RunResult,
    VariantRow,
)
from litegate.records.samples import SampleRequest, SampleSet
from litegate.records.schema import DataField, InferredSchema, InferSchemaRequest
from litegate.records.smoke import FileSmokeRun, SmokeRequest, SmokeRun
from litegate.records.sources import DataRef, ModelRef, UserCode
from litegate.records.statistics import InputStatistics
from litegate.records.verdicts import (
    LOST_CLASS,
    ClassLoss,
    Clause,
    Failure,
    Flip,
    GateRequest,
    RareClass,
    Reason,
    Selection,
    SelectRequest,
    Verdict,
    Verdicts,
)
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "LEAST_DAYS",
    "LOST_CLASS",
    "ActRequest",
    "Acted",
    "Action",
    "Aliases",
    "Announcement",
    "ApprovalDecision",
    "Artifact",
    "BaselineSummary",
    "Benchmark",
    "BenchmarkRequest",
    "BufferUse",
    "Candidate",
    "Champion",
    "ChampionEvidence",
    "ChampionFile",
    "ChampionRequest",
    "Change",
    "ChannelState",
    "ClassLoss",
    "Clause",
    "CleanRequest",
    "Cleaned",
    "Comparison",
    "Computing",
    "ConversionCheck",
    "ConversionCheckRequest",
    "ConvertRequest",
    "Converted",
    "DataField",
    "DataFinding",
    "DataRef",
    "Decided",
    "Decision",
    "Drift",
    "DriftFinding",
    "DriftReference",
    "DriftRequest",
    "EvaluateRequest",
    "Evaluated",
    "Failure",
    "Fate",
    "FileBenchmark",
    "FileEvaluation",
    "FileRef",
    "FileSmokeRun",
    "Finding",
    "Flip",
    "FoundChampion",
    "GateRequest",
    "InferSchemaRequest",
    "InferredSchema",
    "InputDrift",
    "InputStatistics",
    "InspectRequest",
    "Inspection",
    "LargeBuffer",
    "LedgerEntry",
    "LedgerRequest",
    "Lint",
    "LintRequest",
    "MetricFacts",
    "ModelRef",
    "Notice",
    "OperatorUse",
    "Overrides",
    "Pile",
    "Position",
    "PositionRequest",
    "ProduceRequest",
    "Produced",
    "PromoteRequest",
    "Promotion",
    "PromotionState",
    "QuantizeRequest",
    "RareClass",
    "Reason",
    "Record",
    "Reference",
    "ReferenceOutcomes",
    "RegisterRequest",
    "RegisteredAlias",
    "Requalification",
    "RequalifyRequest",
    "ResolveRequest",
    "Resolved",
    "Revoked",
    "RunResult",
    "SampleRequest",
    "SampleSet",
    "SelectRequest",
    "Selection",
    "Signature",
    "SmokeRequest",
    "SmokeRun",
    "Snapshot",
    "SnapshotRequest",
    "Stopping",
    "TensorSpec",
    "TrainRequest",
    "UserCode",
    "VariantRow",
    "Verdict",
    "Verdicts",
    "warnings_of",
]

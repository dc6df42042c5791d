"""The frozen records that steps exchange: small, JSON, and the only things that travel in XCom.

Files travel by reference: a `FileRef` names bytes in the workspace by their own digest.
"""

from __future__ import annotations

from litegate.metrics.facts import MetricFacts
from litegate.records.artifacts import (
    Artifact,
    Converted,
    ConvertRequest,
    Parity,
    ParityRequest,
    Profile,
    ProfileRequest,
    QuantizeRequest,
    SampleRequest,
    SampleSet,
    Signature,
    TensorSpec,
)
from litegate.records.base import FileRef, Record
from litegate.records.evaluation import Candidate, Evaluated, EvaluateRequest, Reference, ReferenceOutcomes, Stopping
from litegate.records.inputs import DataRef, ModelRef, Produced, ProduceRequest, Resolved, ResolveRequest, UserCode
from litegate.records.results import (
    BaselineSummary,
    Champion,
    ChampionFile,
    ChampionRequest,
    PromoteRequest,
    Promotion,
    RegisterRequest,
    RunResult,
    VariantRow,
)
from litegate.records.verdicts import (
    ClassLoss,
    Clause,
    Failure,
    Flip,
    GateRequest,
    Reason,
    Selection,
    SelectRequest,
    Verdict,
    Verdicts,
)

__all__ = [
    "Artifact",
    "BaselineSummary",
    "Candidate",
    "Champion",
    "ChampionFile",
    "ChampionRequest",
    "ClassLoss",
    "Clause",
    "ConvertRequest",
    "Converted",
    "DataRef",
    "EvaluateRequest",
    "Evaluated",
    "Failure",
    "FileRef",
    "Flip",
    "GateRequest",
    "MetricFacts",
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
    "Reference",
    "ReferenceOutcomes",
    "RegisterRequest",
    "ResolveRequest",
    "Resolved",
    "RunResult",
    "SampleRequest",
    "SampleSet",
    "SelectRequest",
    "Selection",
    "Signature",
    "Stopping",
    "TensorSpec",
    "UserCode",
    "VariantRow",
    "Verdict",
    "Verdicts",
]

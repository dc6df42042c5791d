"""The frozen records that steps exchange: small, JSON, and the only things that travel in XCom.

Files travel by reference: a `FileRef` names bytes in the workspace by their own digest.
"""

from __future__ import annotations

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
from litegate.records.evaluation import Candidate, Evaluated, EvaluateRequest
from litegate.records.inputs import DataRef, ModelRef, Produced, ProduceRequest, Resolved, ResolveRequest, UserCode
from litegate.records.results import (
    BaselineSummary,
    Champion,
    PromoteRequest,
    Promotion,
    RegisterRequest,
    RunResult,
    VariantRow,
)
from litegate.records.verdicts import Failure, GateRequest, Reason, Selection, SelectRequest, Verdict, Verdicts

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

"""The steps: each is a module with `run(request, work) -> result`, called in a child process.

A step module may import the light core and its own heavy library, never another step.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from litegate import records
from litegate.records import Record

__all__ = ["STEPS", "Step"]


@dataclass(frozen=True)
class Step:
    """What the caller must know of a step without importing it.

    Attributes:
        name: also the name of its module in this package.
        request, result: the record types of the contract.
        environment: which Python runs it: `tensorflow` (the lean one) or `service` (MLflow's).
        cached: whether equal inputs give a stored result; steps that look at or change the world are not.
        storage: whether the child may use S3 itself, and so gets the credentials for it: the user's own training
            code, and the clean-up of the workspace. All others get data through `litegate.broker`.
        tracking: whether the child may use MLflow, and so gets its address and credentials.
        timeout: wall-clock limit in seconds.
        memory: the least limit of the address space in GiB, for each process; it grows with the step's files.
        grace: seconds that the child has to end by itself when it is to be killed, as one that records runs in
            MLflow: it ends them. Less than the 5 that Airflow gives a task.
    """

    name: str
    request: type[Record]
    result: type[Record]
    environment: str = "tensorflow"
    cached: bool = True
    storage: bool = False
    tracking: bool = False
    timeout: float = 1800.0
    memory: float = 4.0
    grace: float = 0.0

    @property
    def confined(self) -> bool:
        """Whether the child is shut off from network, secrets and other files: it loads what users bring."""
        return not (self.storage or self.tracking)


STEPS = MappingProxyType(
    {
        step.name: step
        for step in (
            Step("prepare", records.ProduceRequest, records.Produced, "service", cached=False, storage=True, memory=64),
            Step("train", records.TrainRequest, records.Produced, cached=False, storage=True, memory=64),
            Step("resolve", records.ResolveRequest, records.Resolved, cached=False),
            Step("convert", records.ConvertRequest, records.Converted),
            Step("survey", records.SurveyRequest, records.Surveyed, cached=False),
            Step("sample", records.SampleRequest, records.SampleSet),
            Step("lint", records.LintRequest, records.Lint),
            Step("parity", records.ParityRequest, records.Parity),
            Step("quantize", records.QuantizeRequest, records.Artifact),
            Step("inspect", records.InspectRequest, records.Inspection),
            Step("smoke", records.SmokeRequest, records.SmokeRun),
            Step("champion", records.ChampionRequest, records.ChampionFile, "service", cached=False, tracking=True),
            Step("evaluate", records.EvaluateRequest, records.Evaluated, timeout=6 * 3600, memory=8),
            Step("profile", records.ProfileRequest, records.Profile),
            Step("judge", records.GateRequest, records.Verdicts, "service"),
            Step(
                "register", records.RegisterRequest, records.RunResult, "service", cached=False, tracking=True, grace=3
            ),
            Step("promote", records.PromoteRequest, records.Promotion, "service", cached=False, tracking=True),
            Step("read_ledger", records.PositionRequest, records.Position, "service", tracking=True),
            Step("decide", records.Decision, records.Decided, "service", cached=False, tracking=True),
            Step("pin", records.PinRequest, records.Pinned, cached=False),
            Step("incumbent", records.ChampionRequest, records.FoundIncumbent, "service", cached=False, tracking=True),
            Step("drift", records.DriftRequest, records.Drift),
            Step(
                "requalify",
                records.RequalifyRequest,
                records.Requalification,
                "service",
                cached=False,
                tracking=True,
                grace=3,
            ),
            Step("conclude", records.ConcludeRequest, records.Conclusion, "service", cached=False, tracking=True),
            Step("ledger", records.LedgerRequest, records.ChannelState, "service", cached=False, tracking=True),
            Step(
                "clean",
                records.CleanRequest,
                records.Cleaned,
                "service",
                cached=False,
                storage=True,
                tracking=True,
                timeout=6 * 3600,
            ),
        )
    }
)

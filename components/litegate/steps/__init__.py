"""The steps: each is a module with `run(request, work) -> result`, called in a child process.

A step module may import the light core and its own heavy library, never another step.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from litegate import records
from litegate.execution import needs
from litegate.execution.machine import Machine
from litegate.execution.step import Step

__all__ = ["STEPS"]

_EVALUATE_FILE = Step(
    "evaluate",
    records.EvaluateRequest,
    records.FileEvaluation,
    environment_of=needs.where_it_is_run,
    unused=needs.of_evaluation,
    timeout=6 * 3600,
    memory=8,
)

_EVALUATE_SHARD = Step(
    "evaluate_shard",
    records.ShardRequest,
    records.FileShard,
    environment_of=needs.where_it_is_run,
    unused=needs.of_shard,
    timeout=6 * 3600,
    memory=8,
)

STEPS = MappingProxyType(
    {
        step.name: step
        for step in (
            Step("prepare", records.ProduceRequest, records.Produced, "service", cached=False, storage=True, memory=64),
            Step("train", records.TrainRequest, records.Produced, cached=False, storage=True, memory=64),
            Step("resolve", records.ResolveRequest, records.Resolved, cached=False),
            Step("convert", records.ConvertRequest, records.Converted),
            Step("infer_schema", records.InferSchemaRequest, records.InferredSchema, cached=False),
            Step("sample", records.SampleRequest, records.SampleSet),
            Step("lint", records.LintRequest, records.Lint),
            Step("conversion_check", records.ConversionCheckRequest, records.ConversionCheck),
            Step(
                "calibrate",
                records.CalibrateRequest,
                records.Calibrated,
                environment_of=needs.where_it_is_calibrated,
                unused=needs.of_quantization,
            ),
            Step(
                "quantize",
                records.QuantizeRequest,
                records.Artifact,
                environment_of=needs.where_it_is_made,
                unused=needs.of_quantization,
                resumes=needs.searches,
            ),
            Step("device_samples", records.DeviceSamplesRequest, records.DeviceSamples),
            Step("inspect", records.InspectRequest, records.Inspection, machine=Machine.NOTHING),
            Step(
                "smoke",
                records.SmokeRequest,
                records.FileSmokeRun,
                environment_of=needs.where_it_is_run,
                unused=needs.of_smoke_run,
            ),
            Step(
                "fetch_champion", records.ChampionRequest, records.ChampionFile, "service", cached=False, tracking=True
            ),
            replace(
                _EVALUATE_FILE,
                request=records.EvaluateFilesRequest,
                result=records.FileEvaluations,
                each=_EVALUATE_FILE,
            ),
            replace(
                _EVALUATE_SHARD, request=records.ShardFilesRequest, result=records.FileShards, each=_EVALUATE_SHARD
            ),
            Step(
                "benchmark",
                records.BenchmarkRequest,
                records.Benchmarks,
                machine=Machine.HOST,
                environment_of=needs.where_it_is_run,
                unused=needs.of_benchmark,
            ),
            Step("gate", records.GateRequest, records.Verdicts, "service", machine=Machine.NOTHING),
            Step(
                "register",
                records.RegisterRequest,
                records.RunResult,
                "service",
                cached=False,
                tracking=True,
                signs=True,
                grace=3,
            ),
            Step(
                "promote", records.PromoteRequest, records.Promotion, "service", cached=False, tracking=True, signs=True
            ),
            Step(
                "read_ledger",
                records.PositionRequest,
                records.Position,
                "service",
                machine=Machine.NOTHING,
                tracking=True,
            ),
            Step("decide", records.Decision, records.Decided, "service", cached=False, tracking=True, signs=True),
            Step("snapshot", records.SnapshotRequest, records.Snapshot, cached=False),
            Step(
                "fetch_champion_evidence",
                records.ChampionRequest,
                records.FoundChampion,
                "service",
                cached=False,
                tracking=True,
            ),
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
            Step("act", records.ActRequest, records.Acted, "service", cached=False, tracking=True, signs=True),
            Step(
                "fetch_version", records.VersionRequest, records.RegisteredFile, "service", cached=False, tracking=True
            ),
            Step(
                "fetch_evidence",
                records.EvidenceRequest,
                records.VersionEvidence,
                "service",
                cached=False,
                tracking=True,
            ),
            Step(
                "ledger",
                records.LedgerRequest,
                records.ChannelState,
                "service",
                cached=False,
                tracking=True,
                signs=True,
            ),
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

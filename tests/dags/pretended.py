"""Steps that only pretend, for tests of which tasks Airflow runs, fails or skips."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from litegate.diagnosis import kind_of, message_of
from litegate.digest import digest_json
from litegate.errors import LitegateError, StepFailed
from litegate.execution.step import Step
from litegate.records import (
    Artifact,
    BaselineSummary,
    Benchmarks,
    Calibrated,
    Champion,
    ChampionFile,
    ConversionCheck,
    Converted,
    DataRef,
    FileBenchmark,
    FileEvaluation,
    FileEvaluations,
    FileFailure,
    FileRef,
    FileShard,
    FileShards,
    FileSmokeRun,
    Inspection,
    Lint,
    MetricFacts,
    ModelRef,
    Position,
    Promotion,
    Record,
    Resolved,
    RunResult,
    SampleSet,
    VariantRow,
    Verdict,
    Verdicts,
)
from tests.operators.runtime.test_run_records import inspection, smoke

__all__ = ["CRASH", "EVERYTHING", "FILE", "SPEC", "Outcome", "Run", "Steps", "artifact"]

SPEC = """
model: {{name: m, uri: m.keras}}
calibration: {{uri: c.npz, format: npz}}
evaluation: {{uri: e.npz, format: npz, max_samples: 50, max_samples_by_variant: {{int8: 20}}{evaluation}}}
variants: {variants}
gate: {{on_reject: {on_reject}, max_drop_from_champion: {from_champion}}}
recover: {recover}
"""

FILE = FileRef(name="f", digest="0" * 64, bytes=10)
METRIC = MetricFacts(name="top1")
DATA = DataRef(uri="d.npz", format="npz", digest="1" * 64, manifest=FILE)


def artifact(variant: str) -> Artifact:
    return Artifact(
        variant=variant, file=FileRef(name=f"{variant}.tflite", digest=digest_json(variant), bytes=10), signatures={}
    )


@dataclass(eq=False)
class Steps:
    """Stands in for `StepRun`: keeps the requests, fails where it is told to, else gives a plausible result.

    `labels` are what their times are kept for.
    `losing` are variants that do not pass, whether the others do or not.
    `known` are the steps and variants whose results an earlier run has left; `EVERYTHING` are all.
    """

    failing: dict[tuple[str, str], LitegateError] = field(default_factory=dict)
    passing: bool = True
    losing: frozenset[str] = frozenset()
    promoted_before: bool = True
    known: set[tuple[str, str]] = field(default_factory=set)
    requests: dict[tuple[str, str], Any] = field(default_factory=dict)
    looked_up: dict[tuple[str, str], Any] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    step: str = ""
    variant: str = ""
    request: Any = None
    computed: bool = True

    def __call__(self, step: Step, request: Any, settings: Any, label: str = "") -> Steps:
        self.labels.add(label)
        artifact = getattr(request, "artifact", None)
        variant = getattr(request, "variant", artifact.variant if artifact and step.name != "sample" else "")
        run = copy(self)  # several may run at once
        run.step, run.variant, run.request = step.name, variant, request
        return run

    @property
    def parts(self) -> dict[tuple[str, str], Any]:
        """What is asked, by step and variant."""
        if self.step == "evaluate":
            return {(self.step, file.artifact.variant): file for file in self.request.files}
        if self.step == "evaluate_shard":
            return {(f"{self.step} {each.number}", each.file.artifact.variant): each for each in self.request.files}
        return {(self.step, self.variant): self.request}

    def find(self) -> Record | None:
        self.looked_up |= self.parts
        known = self.parts.keys() <= self.known or EVERYTHING in self.known
        return getattr(self, self.step)(self.request) if known else None

    def find_each(self) -> tuple[Record | None, ...]:
        found = getattr(self, self.step)(self.request).files
        known = [part in self.known or EVERYTHING in self.known for part in self.parts]
        return tuple(each if there else None for each, there in zip(found, known, strict=True))

    def run(self) -> Record:
        for part in self.parts.keys() - self.known:
            self.requests[part] = self.parts[part]
        if error := self.failing.get((self.step, self.variant)):
            raise error
        result: Record = getattr(self, self.step)(self.request)
        if isinstance(result, FileShards):  # as in a workspace
            there = zip(self.parts, result.files, strict=True)
            self.known.update(part for part, each in there if isinstance(each, FileShard))
        return result

    def resolve(self, request: Any) -> Resolved:
        model = ModelRef(uri="m.keras", format="keras", digest="2" * 64, files=(FILE,))
        return Resolved(
            spec=request.spec,
            model=model,
            calibration=DATA,
            evaluation=DATA,
            metric=METRIC,
            overrides=request.overrides,
        )

    def convert(self, request: Any) -> Converted:
        return Converted(artifact=artifact("float32"), saved_model=(FILE,), tools={})

    def sample(self, request: Any) -> SampleSet:
        return SampleSet(file=FILE, samples=3, available=5, labels={})

    def lint(self, request: Any) -> Lint:
        return Lint(findings=(), samples=3, compared=3, searched=3)

    def conversion_check(self, request: Any) -> ConversionCheck:
        return ConversionCheck(samples=3, max_abs_difference=0.0, agreement=1.0)

    def calibrate(self, request: Any) -> Calibrated:
        return Calibrated(file=FILE, variants=("int8", "int16x8"))

    def quantize(self, request: Any) -> Artifact:
        return artifact(request.variant)

    def inspect(self, request: Any) -> Inspection:
        return inspection(request.artifact.variant)

    def smoke(self, request: Any) -> FileSmokeRun:
        return FileSmokeRun.model_validate(smoke(request.artifact.variant).model_dump(exclude={"variant"}))

    def fetch_champion(self, request: Any) -> ChampionFile:
        if not self.promoted_before:
            return ChampionFile(version=None, artifact=None)
        return ChampionFile(version=7, artifact=artifact("champion"))

    def read_ledger(self, request: Any) -> Position:
        return Position(entries=4)

    def evaluate(self, request: Any) -> FileEvaluations:
        return FileEvaluations(files=tuple(self._evaluate_file(file.artifact) for file in request.files))

    def _evaluate_file(self, artifact: Artifact) -> FileEvaluation | FileFailure:
        digest, error = artifact.file.digest, self.failing.get(("evaluate", artifact.variant))
        if error is not None:
            return FileFailure(artifact_digest=digest, kind=kind_of(error), message=message_of(error))
        found = {"metric": METRIC, "samples": 9, "available": 9, "outcomes": FILE, "seconds": 0.1, "kernels": "x"}
        return FileEvaluation(artifact_digest=digest, **found)

    def evaluate_shard(self, request: Any) -> FileShards:
        return FileShards(files=tuple(self._evaluate_shard(each) for each in request.files))

    def _evaluate_shard(self, asked: Any) -> FileShard | FileFailure:
        artifact = asked.file.artifact
        digest, part = artifact.file.digest, (f"evaluate_shard {asked.number}", artifact.variant)
        error = self.failing.get(part)
        if error is not None:
            return FileFailure(artifact_digest=digest, kind=kind_of(error), message=message_of(error))
        return FileShard(artifact_digest=digest, samples=3, runs=(FILE,), seconds=0.1)

    def benchmark(self, request: Any) -> Benchmarks:
        found = {"latency_ms": 1.0, "latency_p95_ms": 2.0, "runs": 9, "host": "h", "kernels": "x"}
        files = tuple(FileBenchmark(artifact_digest=item.file.digest, **found) for item in request.files)
        return Benchmarks(files=files, remeasured=request.remeasure)

    def gate(self, request: Any) -> Verdicts:
        timed = request.policy.max_latency_ratio is not None or any(item.benchmark for item in request.candidates)
        measured = {item.artifact.variant for item in request.candidates if item.benchmark or not timed}
        passed = measured - self.losing if self.passing else set()
        return Verdicts(
            verdicts=tuple(
                Verdict(variant=name, state="passed" if name in passed else "failed", digest=digest_json(name))
                for name in request.variants
            )
        )

    def register(self, request: Any) -> RunResult:
        overrides = request.resolved.overrides is not None
        chosen = None if overrides else request.selection.variant
        row = {"bytes": None, "value": None, "drop": None, "drop_low": None, "drop_high": None, "samples": 0}
        row |= {"reasons": (), "latency_ms": None, "digest": None, "uri": None}
        return RunResult(
            model="m",
            outcome="override_run" if overrides else "selected" if chosen else "rejected",
            selected=Champion(variant=chosen, version=1, digest=digest_json(chosen)) if chosen else None,
            baseline=BaselineSummary(bytes=10, metric="top1", value=0.9, samples=9),
            variants=tuple(
                VariantRow(
                    variant=v.variant,
                    verdict=v.state,
                    mlflow_run_id=f"run-{v.variant}",
                    mlflow_model_id=f"m-{v.variant}",
                    **row,
                )
                for v in request.verdicts
            ),
            experiment_id="1",
            mlflow_run_id="run-1",
            report="http://mlflow/report",
        )

    def promote(self, request: Any) -> Promotion:
        return Promotion(selected=request.selected, champion=request.selected, previous=None, moved=True)


@dataclass
class Outcome:
    steps: Steps
    tasks: dict[str, Any]

    def state(self, task_id: str) -> str:
        return str(self.tasks[task_id].state)

    def pull(self, task_id: str, key: str = "return_value") -> Any:
        instance = self.tasks[task_id]
        return instance.xcom_pull(task_ids=instance.task_id, key=key, map_indexes=instance.map_index)

    @property
    def note(self) -> str:
        """What Airflow shows beside the run, once its scheduler has seen that it ended."""
        from airflow.models import DagRun
        from airflow.utils.session import create_session

        run_id = next(iter(self.tasks.values())).run_id
        with create_session() as session:
            run = session.query(DagRun).filter_by(dag_id="quantize__m", run_id=run_id).one()
            run.notify_dagrun_state_changed("ended")
            return str(run.note)


Run = Callable[..., Outcome]
EVERYTHING = ("*", "*")
CRASH = StepFailed("quantize", "segfault", "SIGSEGV")

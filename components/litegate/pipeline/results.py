"""The results of a run's steps, as later steps need them. Where they are kept is a runner's own business."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.tasks import task_of
from litegate.records import (
    Artifact,
    Assessment,
    Benchmark,
    Benchmarks,
    Calibrated,
    Candidate,
    ChampionFile,
    ConversionCheck,
    Converted,
    Evaluated,
    Failure,
    FileRef,
    Inspection,
    Lint,
    Record,
    RegisteredAlias,
    Resolved,
    SampleSet,
    Selection,
    SmokeRun,
    Verdict,
    Verdicts,
)
from litegate.variants import BASELINE, CHAMPION, in_order

__all__ = ["Results"]

R = TypeVar("R", bound=Record)


class Results(ABC):
    """What the steps of one run have come to so far.

    Steps are named as in `litegate.steps`. The variant is empty for a step that works for the run as a whole, and
    `BASELINE` or `CHAMPION` for one that works on these.

    Every method raises `StepFailed` where there is no result that it cannot do without.
    """

    @abstractmethod
    def one(self, record: type[R], step: str, variant: str = "") -> R:
        """The result of a step."""

    @abstractmethod
    def all(self, record: type[R], step: str) -> tuple[R, ...]:
        """The results of a step for the quantized variants, as far as there are any."""

    @abstractmethod
    def failures(self) -> tuple[Failure, ...]:
        """Why variants have no result of a step."""

    def maybe(self, record: type[R], step: str, variant: str = "") -> R | None:
        """The result of a step, or None."""
        try:
            return self.one(record, step, variant)
        except StepFailed:
            return None

    def resolved(self) -> Resolved:
        """The spec with its inputs pinned."""
        return self.one(Resolved, "resolve")

    def converted(self) -> Converted:
        """The float32 baseline and the SavedModel."""
        return self.one(Converted, "convert")

    def samples(self) -> SampleSet:
        """The representative samples."""
        return self.one(SampleSet, "sample")

    def lint(self) -> Lint:
        """The findings about the data."""
        return self.one(Lint, "lint")

    def conversion_check(self) -> ConversionCheck:
        """How close the baseline is to the source model."""
        return self.one(ConversionCheck, "conversion_check")

    def calibrated(self, variant: str) -> FileRef | None:
        """The calibrated model to quantize a variant from; None where the engine calibrates for it alone."""
        calibrated = self.maybe(Calibrated, "calibrate")
        return calibrated.file if calibrated is not None and variant in calibrated.variants else None

    def artifact(self, variant: str) -> Artifact:
        """The file of the baseline, of the champion or of a quantized variant."""
        if variant == BASELINE:
            return self.converted().artifact
        if variant == CHAMPION and (champion := self.champion_artifact()) is not None:
            return champion
        return self.one(Artifact, "quantize", variant)

    def baseline(self) -> Candidate:
        """The baseline as inspected and measured; its benchmark may be missing."""
        return Candidate(
            artifact=self.converted().artifact,
            evaluated=self.one(Evaluated, "evaluate", BASELINE),
            benchmark=self._benchmark(self.converted().artifact),
            inspection=self.one(Inspection, "inspect", BASELINE),
            smoke=self.one(SmokeRun, "smoke", BASELINE),
        )

    def champion_artifact(self) -> Artifact | None:
        """The file that carried the registry's alias when the run asked for it; None if there was none."""
        return self.one(ChampionFile, "fetch_champion").artifact

    def champion(self) -> Candidate | None:
        """The champion as measured, or None if there is none; one that is there but not measured is an error."""
        artifact = self.champion_artifact()
        if artifact is None:
            return None
        evaluated = self.one(Evaluated, "evaluate", CHAMPION)
        if evaluated.artifact_digest != artifact.file.digest:
            task = task_of("evaluate", CHAMPION).id
            detail = f"the champion has changed since the task {task}: clear it with all that follows"
            raise StepFailed(task, FailureKind.OUTDATED, detail)
        return Candidate(artifact=artifact, evaluated=evaluated)

    def candidates(self) -> tuple[Candidate, ...]:
        """Every variant that was quantized and evaluated, in litegate's order of the variants."""
        evaluated = {item.variant: item for item in self.all(Evaluated, "evaluate")}
        inspections = {item.variant: item for item in self.all(Inspection, "inspect")}
        smokes = {item.variant: item for item in self.all(SmokeRun, "smoke")}
        artifacts = {item.variant: item for item in self.all(Artifact, "quantize")}
        # In one order, whichever was ready first: the same results are the same request.
        return tuple(
            Candidate(
                artifact=item,
                evaluated=evaluated[item.variant],
                benchmark=self._benchmark(item),
                inspection=inspections.get(item.variant),
                smoke=smokes.get(item.variant),
            )
            for item in (artifacts[name] for name in in_order(artifacts.keys() & evaluated.keys()))
        )

    def assessments(self) -> tuple[Assessment, ...]:
        """Whether files had to be recovered, as far as that was asked."""
        return self.all(Assessment, "assess")

    def judged_variants(self) -> tuple[str, ...]:
        """What the gate is asked about; a recovery that nobody has assessed is among them, and has not passed."""
        spec, unneeded = self.resolved().spec, {each.variant for each in self.assessments() if not each.needed}
        return tuple(name for name in spec.quantized_variants if name not in unneeded)

    def benchmark_failures(self) -> tuple[Failure, ...]:
        """Why variants that were evaluated have no latency, as far as the step that timed all of them knows."""
        found = self._benchmarks()
        failed = {item.artifact_digest: item for item in found.failures} if found else {}
        pairs = ((item.artifact.variant, failed.get(item.artifact.file.digest)) for item in self.candidates())
        return tuple(
            Failure(step="benchmark", kind=failure.kind, message=failure.message, variant=variant)
            for variant, failure in pairs
            if failure is not None
        )

    def _benchmarks(self) -> Benchmarks | None:
        return self.maybe(Benchmarks, "benchmark")

    def _benchmark(self, artifact: Artifact) -> Benchmark | None:
        """Of the variant that has the file: equal bytes are timed once."""
        found = self._benchmarks()
        same = (item for item in found.files if item.artifact_digest == artifact.file.digest) if found else ()
        return next((Benchmark(**dict(item), variant=artifact.variant) for item in same), None)

    def channel(self) -> RegisteredAlias:
        """The registered model and the alias that the run is about."""
        return RegisteredAlias.of(self.resolved().spec.registry)

    def verdicts(self) -> tuple[Verdict, ...]:
        """The gate's answers."""
        return self.one(Verdicts, "gate").verdicts

    def selection(self) -> Selection:
        """The variant to promote, if any passed."""
        return self.one(Selection, "select")

"""What the tasks of a quantize run have left for the later ones.

A run's tasks have fixed ids, so that an operator needs no wiring and the graph shows only what waits for what.
"""

from __future__ import annotations

from litegate.errors import StepFailed
from litegate.records import (
    Answer,
    Artifact,
    Candidate,
    ChampionFile,
    Channel,
    Converted,
    Decided,
    Evaluated,
    Failure,
    Inspection,
    Lint,
    Parity,
    Position,
    Profile,
    Promotion,
    Resolved,
    RunResult,
    SampleSet,
    Selection,
    SmokeRun,
    Verdict,
    Verdicts,
)
from litegate.variants import BASELINE, CHAMPION
from litegate_airflow.xcom import DECIDED, FAILURE, RESOLVED, RETURN_VALUE, SMOKE, Records

__all__ = ["RunRecords"]

_COMPARED_WITH = ("evaluate_baseline", "evaluate_champion")


class RunRecords(Records):
    """What the earlier tasks of this DAG run found.

    Each method raises `StepFailed` where a record that it cannot do without is missing.
    """

    def resolved(self) -> Resolved:
        """The spec with its inputs pinned."""
        return self._one(Resolved, "resolve", RESOLVED)

    def expanded(self) -> list[str]:
        """The variants that mapped tasks were expanded over, in the order of their instances."""
        names: list[str] | None = self._left("recall")
        return names or []

    def converted(self) -> Converted:
        """The float32 baseline and the SavedModel."""
        return self._one(Converted, "convert")

    def samples(self) -> SampleSet:
        """The representative samples."""
        return self._one(SampleSet, "sample")

    def lint(self) -> Lint:
        """What was found about the representative samples."""
        return self._one(Lint, "lint")

    def parity(self) -> Parity:
        """How close the baseline is to the source model."""
        return self._one(Parity, "check_parity")

    def artifact(self, variant: str) -> Artifact:
        """The baseline's, the champion's, or the one that was quantized in the caller's own mapped instance."""
        if variant == BASELINE:
            return self.converted().artifact
        if variant == CHAMPION and (champion := self.champion_artifact()) is not None:
            return champion
        return self._one(Artifact, "variant.quantize", map_index=self.ti.map_index or 0, variant=variant)

    def baseline(self) -> Candidate:
        """The baseline as inspected and measured; its profile may be missing."""
        profiles = self._all(Profile, "profile_baseline")
        return Candidate(
            artifact=self.converted().artifact,
            evaluated=self._one(Evaluated, "evaluate_baseline"),
            profile=profiles[0] if profiles else None,
            inspection=self._one(Inspection, "inspect_baseline"),
            smoke=self._one(SmokeRun, "inspect_baseline", SMOKE),
        )

    def champion_artifact(self) -> Artifact | None:
        """The file that carried the registry's alias when this run asked for it; None if nothing did."""
        return self._one(ChampionFile, "fetch_champion").artifact

    def champion_version(self) -> int | None:
        """The version that the champion's file belongs to; None if there was no champion."""
        return self._one(ChampionFile, "fetch_champion").version

    def compared_with(self) -> int | None:
        """The champion that the verdicts compare with, 0 where there was none; None if they compare with none."""
        compares = self.resolved().spec.gate.max_drop_from_champion is not None
        return self.champion_version() or 0 if compares else None

    def channel(self) -> Channel:
        """The registered model and the alias that the run is about."""
        registry = self.resolved().spec.registry
        return Channel(registry=registry.name, alias=registry.alias)

    def champion(self) -> Candidate | None:
        """The champion as measured, or None if there is none; one that is there but not measured is an error."""
        artifact = self.champion_artifact()
        if artifact is None:
            return None
        evaluated = self._one(Evaluated, "evaluate_champion")
        if evaluated.artifact_digest != artifact.file.digest:
            detail = "the champion has changed since the task evaluate_champion: clear it with all that follows"
            raise StepFailed("evaluate_champion", "outdated", detail)
        return Candidate(artifact=artifact, evaluated=evaluated)

    def candidates(self) -> tuple[Candidate, ...]:
        """Every variant that was quantized and evaluated."""
        evaluated = {item.variant: item for item in self._all(Evaluated, "variant.evaluate")}
        profiles = {item.variant: item for item in self._all(Profile, "variant.profile")}
        inspections = {item.variant: item for item in self._all(Inspection, "variant.inspect")}
        smokes = {item.variant: item for item in self._all(SmokeRun, "variant.inspect", SMOKE)}
        return tuple(
            Candidate(
                artifact=item,
                evaluated=evaluated[item.variant],
                profile=profiles.get(item.variant),
                inspection=inspections.get(item.variant),
                smoke=smokes.get(item.variant),
            )
            for item in self._all(Artifact, "variant.quantize")
            if item.variant in evaluated
        )

    def failures(self) -> tuple[Failure, ...]:
        """What the variants' failed tasks left instead of a result."""
        tasks = ("variant.quantize", "variant.inspect", "variant.evaluate", "variant.profile")
        recalled = self._recalled("variant.quantize", RETURN_VALUE)
        found = (failure for task in tasks for failure in self._all(Failure, task, FAILURE))
        return tuple(failure for failure in found if failure.variant not in recalled)

    def check_measured(self) -> None:
        """What everything is compared with was measured or recalled by this very try of the run.

        Raises:
            StepFailed: a task before it failed, so that what is there was left by an earlier try.
        """
        tasks = [task for task in _COMPARED_WITH if not self._recalled(task, RETURN_VALUE)]
        states = self.ti.get_task_states(self.ti.dag_id, run_ids=[self.ti.run_id]).get(self.ti.run_id, {})
        for task in tasks:
            if states.get(task, "success") not in ("success", "skipped"):
                raise StepFailed(task, "no_result", f"the task {task} did not succeed ({states[task]}): see the others")

    def position(self) -> Position:
        """How far the ledger was when the run began."""
        return self._one(Position, "read_ledger")

    def verdicts(self) -> tuple[Verdict, ...]:
        """The gate's answers."""
        return self._one(Verdicts, "gate").verdicts

    def selection(self) -> Selection:
        """The variant to promote, if any passed."""
        return self._one(Selection, "select")

    def run_result(self) -> RunResult:
        """The run as recorded in MLflow."""
        return self._one(RunResult, "register")

    def promotion(self) -> Promotion:
        """What became of the selected version, before a person was asked."""
        return self._one(Promotion, "promote")

    def answer(self) -> Answer:
        """What the person said who was asked, or the time-out."""
        return self._one(Answer, "approve")

    def decided(self) -> Decided | None:
        """What the caller's own task has decided, also where it ended red for it."""
        value = self._left(self.ti.task_id, DECIDED)
        return None if value is None else Decided.model_validate(value)

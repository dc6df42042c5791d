"""The only way to and from XCom: records in and out, found by the ids of the tasks that left them.

A run's tasks have fixed ids, so that an operator needs no wiring and the graph shows only what waits for what.
Values of mapped tasks are matched by the variant's name inside them: a failed instance leaves a gap, so map
indexes do not line up.

What the task `recall` has found goes before what a task has left: that may be of an earlier try of the same run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow.sdk.execution_time.xcom import XCom

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
    Profile,
    Promotion,
    Record,
    Resolved,
    RunResult,
    SampleSet,
    Selection,
    SmokeRun,
    Verdict,
    Verdicts,
)
from litegate.variants import BASELINE, CHAMPION

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = [
    "DECIDED",
    "FAILURE",
    "RECALLED",
    "RESOLVED",
    "RETURN_VALUE",
    "SMOKE",
    "Found",
    "RunRecords",
    "TaskPlace",
    "leave",
    "push",
    "recorded",
    "registered_model",
]

DECIDED = "decided"
FAILURE = "failure"
RECALLED = "recalled"
RESOLVED = "resolved"
SMOKE = "smoke"
RETURN_VALUE = "return_value"

R = TypeVar("R", bound=Record)
Found = dict[str, dict[str, dict[str, Any]]]
"""Recalled values by task, XCom key and variant; the variant is empty where a task works for the run as a whole."""


_COMPARED_WITH = ("evaluate_baseline", "evaluate_champion")


def push(ti: RuntimeTaskInstanceProtocol, key: str, record: Record) -> None:
    """Leave a record under a key of its own, beside the task's return value."""
    ti.xcom_push(key, record.to_json())


class TaskPlace(NamedTuple):
    """An instance of a task in a DAG run."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int


def leave(place: TaskPlace, key: str, value: str) -> None:
    """Leave a value as another task."""
    XCom.set(key, value, **place._asdict())


def recorded(dag_id: str, run_id: str) -> RunResult | None:
    """A DAG run as recorded in MLflow; None before it is."""
    value = XCom.get_one(key=RETURN_VALUE, dag_id=dag_id, run_id=run_id, task_id="register", map_index=-1)
    return None if value is None else RunResult.model_validate(value)


def registered_model(dag_id: str, run_id: str) -> str | None:
    """The name under which a DAG run registers what passes; None before its spec is read."""
    value = XCom.get_one(key=RESOLVED, dag_id=dag_id, run_id=run_id, task_id="resolve", map_index=-1)
    return None if value is None else Resolved.model_validate(value).spec.registry.name


class RunRecords:
    """What the earlier tasks of this DAG run found.

    Each method raises `StepFailed` where a record that it cannot do without is missing.

    Args:
        found: what was recalled; if not given, what the task `recall` says.
    """

    def __init__(self, ti: RuntimeTaskInstanceProtocol, found: Found | None = None) -> None:
        self.ti, self._found = ti, found

    def resolved(self) -> Resolved:
        """The spec with its inputs pinned."""
        return self._one(Resolved, "resolve", RESOLVED)

    def expanded(self) -> list[str]:
        """The variants that mapped tasks were expanded over, in the order of their instances."""
        names: list[str] | None = self.ti.xcom_pull(task_ids="recall", key=RETURN_VALUE, map_indexes=-1)
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
        value = self.ti.xcom_pull(task_ids=self.ti.task_id, key=DECIDED, map_indexes=-1)
        return None if value is None else Decided.model_validate(value)

    def _one(self, record: type[R], task_id: str, key: str = RETURN_VALUE, map_index: int = -1, variant: str = "") -> R:
        value = self._recalled(task_id, key).get(variant)
        if value is None:
            value = self._left(task_id, key, map_index)
        if value is None:
            detail = f"the task {task_id} left no {record.__name__}: open its log and clear it"
            raise StepFailed(task_id, "no_result", detail)
        return record.model_validate(value)

    def _all(self, record: type[R], task_id: str, key: str = RETURN_VALUE) -> tuple[R, ...]:
        """Asked by a list of ids, since a single id gives a bare value for one mapped instance, else a list."""
        recalled = list(self._recalled(task_id, key).values())
        variants = {value["variant"] for value in recalled}
        left = self.ti.xcom_pull(task_ids=[task_id], key=key)
        values = recalled + [value for value in left if value is not None and value["variant"] not in variants]
        return tuple(record.model_validate(value) for value in values)

    def _left(self, task_id: str, key: str, map_index: int) -> Any | None:
        return self.ti.xcom_pull(task_ids=task_id, key=key, map_indexes=map_index)

    def _recalled(self, task_id: str, key: str) -> dict[str, Any]:
        """Values by variant."""
        if self._found is None:
            self._found = self.ti.xcom_pull(task_ids="recall", key=RECALLED, map_indexes=-1) or {}
        return self._found.get(task_id, {}).get(key, {})

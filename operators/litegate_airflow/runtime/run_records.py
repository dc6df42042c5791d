"""What the tasks of a quantize run have left for the later ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.promotion import Asking
from litegate.pipeline.results import Results
from litegate.pipeline.tasks import APPROVE, EACH, LOOKUP_CACHE, TASKS, Job, task_of, tasks_of
from litegate.records import (
    ApprovalDecision,
    ChampionFile,
    Decided,
    Failure,
    FileFailure,
    Position,
    Promotion,
    Record,
    RunResult,
)
from litegate.variants import BASELINE
from litegate_airflow.runtime.dag_run import actor, moment
from litegate_airflow.runtime.xcom import DECIDED, FAILURE, FAILURES, Records

__all__ = ["RunRecords"]

R = TypeVar("R", bound=Record)

_OF_VARIANTS = tuple(task for task in TASKS if task.mapped)
_CHECK, _EVALUATE = task_of("lint"), task_of("evaluate", EACH)
_SHARD = task_of("evaluate_shard")


class RunRecords(Records, Results):
    """What the earlier tasks of this DAG run found.

    Each method raises `StepFailed` where a record that it cannot do without is missing.
    """

    @override
    def one(self, record: type[R], step: str, variant: str = "") -> R:
        return self._one(record, task_of(step, variant), Job(step, variant))

    @override
    def all(self, record: type[R], step: str) -> tuple[R, ...]:
        return self._all(record, tasks_of(step), step)

    def expanded(self) -> list[str]:
        """The variants that mapped tasks were expanded over, in the order of their instances."""
        tasks = self.wiring.all(LOOKUP_CACHE) or self.wiring.all(task_of("resolve"))
        names: list[str] | None = self._left(tasks[0])
        return names or []

    def run_key(self) -> str:
        """Names this run of the pipeline; a DAG may hold several, each of which begins with a task of its own."""
        (begins,) = (task for task in self.wiring.ids if not task.needs)
        name = self.wiring.one(begins)
        key = f"{self.ti.dag_id}/{self.ti.run_id}"
        return key if name == begins.id else f"{key}/{name}"

    def champion_version(self) -> int | None:
        """The version that the champion's file belongs to; None if there was no champion."""
        return self.one(ChampionFile, "fetch_champion").version

    def compares_with_champion(self) -> bool:
        """Whether the policy compares with a champion, and there is one."""
        compares = self.resolved().spec.gate.max_drop_from_champion is not None
        return compares and self.champion_artifact() is not None

    def compared_with(self) -> int | None:
        """The champion that the verdicts compare with, 0 where there was none; None if they compare with none."""
        compares = self.resolved().spec.gate.max_drop_from_champion is not None
        return self.champion_version() or 0 if compares else None

    @override
    def failures(self) -> tuple[Failure, ...]:
        """What the variants' failed tasks left instead of a result."""
        found = [value for task in _OF_VARIANTS for value in self._of_instances(task, FAILURE)]
        if self.wiring.all(_EVALUATE):
            found += self._left_by(_EVALUATE, "evaluate").get(FAILURES, ())
        failures = map(Failure.model_validate, found)
        return tuple(each for each in failures if str(Job(each.step, each.variant or "")) not in self._cached())

    @override
    def benchmark_failures(self) -> tuple[Failure, ...]:
        """Those of single files; where their task failed as a whole, its own for every variant."""
        tasks = self.wiring.all(task_of("benchmark"))
        value = self._left(tasks[0], FAILURE) if tasks and self._benchmarks() is None else None
        if value is None:
            return super().benchmark_failures()
        whole = Failure.model_validate(value)
        return tuple(whole.model_copy(update={"variant": item.artifact.variant}) for item in self.candidates())

    def unchecked(self) -> str:
        """Why nothing may be measured: the checks did not succeed in this very try of the run; empty if they did."""
        return self._unfinished(self.wiring.all(_CHECK))

    def unsharded(self) -> str:
        """Why shards cannot be merged: one was not evaluated in this very try of the run; empty if all were.

        One that was skipped had nothing to do.
        """
        numbered = [re.compile(rf"{re.escape(task)}_\d+") for task in self.wiring.all(_SHARD)]
        instances = [task for task in self._states() if any(name.fullmatch(task) for name in numbered)]
        return self._unfinished(instances, ("success", "skipped"))

    def failed_in_shards(self) -> dict[str, FileFailure]:
        """Why files have no outcomes on a shard, by variant; of several the first shard's."""
        found: dict[str, FileFailure] = {}
        for left in self._of_instances(_SHARD):
            failed = {Job(*job.split("/")).variant: each for job, each in left.items() if "kind" in each}
            found = {variant: FileFailure.model_validate(each) for variant, each in failed.items()} | found
        return found

    def unmeasured(self) -> str:
        """Why nothing may be judged: the evaluation did not succeed in this very try of the run; empty if it did."""
        return self._unfinished(self.wiring.all(_EVALUATE))

    def check_measured(self) -> None:
        """What everything depends on was checked and measured by this very try of the run, or is cached.

        Raises:
            StepFailed: a task before it failed, so that what is there was left by an earlier try.
        """
        if str(Job("evaluate", BASELINE)) in self._cached():  # only where all is
            return
        if problem := self.unchecked() or self.unmeasured():
            raise StepFailed(self.wiring.one(_EVALUATE), FailureKind.NO_RESULT, f"{problem}: see the others")

    def _unfinished(self, tasks: Iterable[str], well: Sequence[str] = ("success",)) -> str:
        states = self._states()
        wrong = [task for task in tasks if states.get(task, "success") not in well]
        return "".join(f"the task {task} did not succeed ({states[task]})" for task in wrong[:1])

    def _states(self) -> dict[str, str]:
        """Of the run's tasks; the ids of mapped instances end with their number."""
        found: dict[str, dict[str, str]] = self.ti.get_task_states(self.ti.dag_id, run_ids=[self.ti.run_id])
        return found.get(self.ti.run_id, {})

    def asking(self) -> Asking:
        """Who asks for a promotion, and with which champion the verdicts compare."""
        return Asking(actor(self.ti), self.run_key(), moment(self.ti), self.compared_with())

    def position(self) -> Position:
        """How far the ledger was when the run began."""
        return self.one(Position, "read_ledger")

    def run_result(self) -> RunResult:
        """The run as recorded in MLflow."""
        return self.one(RunResult, "register")

    def promotion(self) -> Promotion:
        """What became of the selected version, before a person was asked."""
        return self.one(Promotion, "promote")

    def approval_decision(self) -> ApprovalDecision:
        """What the person said who was asked, or the time-out."""
        return self.returned(ApprovalDecision, APPROVE)

    def decided(self) -> Decided | None:
        """What the caller's own task has decided, also where it ended red for it."""
        value = self._left(self.ti.task_id, DECIDED)
        return None if value is None else Decided.model_validate(value)

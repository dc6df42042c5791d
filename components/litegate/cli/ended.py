"""From an ended run to its outcome: what its tasks have left behind, and a pure function of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litegate.cli.dags import ENDED_BY
from litegate.cli.outcome import Outcome, failed, quantized_outcomes
from litegate.errors import BadInput
from litegate.exit_codes import ExitCode
from litegate.failures import FailureKind
from litegate.gate.outcome import EXIT_CODES, run_outcome
from litegate.pipeline.tasks import TASKS, task_of
from litegate.records import Champion, Decided, Failure, Promotion, RunResult, nothing_passed
from litegate.stack.airflow_api import AirflowApi, RunId, TaskState
from litegate.variants import BASELINE

__all__ = ["TaskFailure", "outcome_of", "pending", "read_failures", "read_outcome", "registry_of"]

_ORDER = [task.id for task in TASKS]


@dataclass(frozen=True)
class TaskFailure:
    """A task that failed, and what it said."""

    task: str
    failure: Failure


def read_outcome(airflow: AirflowApi, run: RunId, model: str) -> Outcome:
    """What an ended run of a quantize DAG came to."""
    tasks = airflow.tasks(run)
    succeeded = {task.task for task in tasks if task.state == "success"}

    def returned(task: str) -> Any | None:
        return airflow.xcom(run, task, "return_value") if task in succeeded else None

    result, promotion = returned(task_of("register").id), returned(task_of("promote").id)
    outcome = outcome_of(
        model,
        None if result is None else RunResult.model_validate(result),
        None
        if promotion is None
        else _settled(Promotion.model_validate(promotion), airflow.xcom(run, task_of("decide").id, "decided")),
        read_failures(airflow, run, tasks),
    )
    note = airflow.note(run) or ""
    return (
        failed(model, f"the run was {note}") if outcome.outcome == "failed" and note.startswith(ENDED_BY) else outcome
    )


def registry_of(airflow: AirflowApi, run: RunId) -> str:
    """The name under which a run registers what passes; empty before its spec was read."""
    resolved = airflow.xcom(run, task_of("resolve").id, "resolved")
    return "" if resolved is None else str(resolved["spec"]["registry"]["name"])


def read_failures(airflow: AirflowApi, run: RunId, tasks: Sequence[TaskState]) -> list[TaskFailure]:
    """What the failed tasks of a run say; the end of its log for one that says nothing."""
    return [TaskFailure(task.task, _failure(airflow, run, task)) for task in tasks if task.state == "failed"]


def _settled(promotion: Promotion, decided: Any | None) -> Promotion:
    """The promotion as it is after a person's answer, if there is one."""
    if decided is None:
        return promotion
    result = Decided.model_validate(decided)
    decision, selected = result.entry.decision, promotion.selected
    if result.aliases.champion == selected.version:
        return promotion.model_copy(update={"state": "promoted", "why": "", "champion": selected})
    why = f"it was {decision.action} by {decision.actor} ({decision.why})"
    return promotion.model_copy(update={"state": "blocked", "why": why})


def _failure(airflow: AirflowApi, run: RunId, task: TaskState) -> Failure:
    said = airflow.xcom(run, task.task, "failure", task.map_index)
    if said is not None:
        return Failure.model_validate(said)
    tail = "\n  ".join(airflow.log(run, task)[-10:])
    return Failure(
        step=task.task,
        kind=FailureKind.UNREPORTED,
        message=f"failed without a reason; its log ends with:\n  {tail}",
        variant=None if task.map_index < 0 else task.name,
    )


def outcome_of(
    model: str, result: RunResult | None, promotion: Promotion | None, failures: Sequence[TaskFailure]
) -> Outcome:
    """The outcome of an ended run.

    Args:
        result: what the task `register` returned.
        promotion: what the task `promote` returned, if it succeeded.
        failures: the failed tasks, in any order.
    """
    if result is not None and result.outcome == "override_run":
        return Outcome(model, "override_run", EXIT_CODES[run_outcome(quantized_outcomes(result))], result)
    if result is not None and result.outcome != "selected":
        return _without_any(model, result)
    if result is not None and promotion is not None:
        return _promotion_outcome(model, result, promotion)
    ordered = sorted(failures, key=_place_in_flow)
    for item in ordered:
        if item.failure.kind is FailureKind.BAD_INPUT and _is_the_users(item.failure):
            return failed(model, item.failure.message, BadInput.exit_code)
    if ordered:
        return failed(model, f"{ordered[0].task}: {ordered[0].failure.message}")
    return failed(model, "the run ended without a result, and no task says why")


def _without_any(model: str, result: RunResult) -> Outcome:
    """The outcome of a run in which nothing passed."""
    found = run_outcome(quantized_outcomes(result))
    if found == "failed":
        error = nothing_passed(found, result.variants)
        return Outcome(model, "failed", EXIT_CODES[found], result, error=error)
    return Outcome(model, "undecided" if found == "undecided" else "rejected", EXIT_CODES[found], result)


def pending(model: str, result: RunResult, champion: Champion | None, why: str) -> Outcome:
    """The outcome of a run whose version is not champion before a person accepts it."""
    return Outcome(model, "pending_approval", ExitCode.NOT_CHAMPION, result, champion, why)


def _promotion_outcome(model: str, result: RunResult, promotion: Promotion) -> Outcome:
    match promotion.state:
        case "promoted":
            return Outcome(model, "promoted", 0, result, promotion.champion)
        case "pending_approval":
            return pending(model, result, promotion.champion, promotion.why)
        case "blocked":
            return Outcome(model, "blocked", ExitCode.NOT_CHAMPION, result, promotion.champion, promotion.why)


def _is_the_users(failure: Failure) -> bool:
    """Not what the steps of one variant or of the champion refuse, or those that ask the registry."""
    return failure.variant in (None, BASELINE) and failure.step not in ("fetch_champion", "read_ledger")


def _place_in_flow(item: TaskFailure) -> int:
    return _ORDER.index(item.task) if item.task in _ORDER else len(_ORDER)

"""What a pipeline run came to: a pure function of what its tasks left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from litegate.errors import BadInput, LitegateError
from litegate.exit_codes import ExitCode
from litegate.failures import FailureKind
from litegate.gate.outcome import EXIT_CODES, run_outcome
from litegate.pipeline.tasks import TASKS
from litegate.records import Champion, Failure, Promotion, RunResult, VariantOutcome, nothing_passed
from litegate.variants import BASELINE

__all__ = ["Outcome", "Place", "TaskFailure", "failed", "outcome_of", "pending", "under_way"]

# The words of the field `outcome`, which programs that were written for earlier releases read.
_OLD_STATES = {"pending_approval": "waiting", "blocked": "held"}
_ORDER = [task.id for task in TASKS]


@dataclass(frozen=True)
class TaskFailure:
    """A task that failed, and what it said."""

    task: str
    failure: Failure


@dataclass(frozen=True)
class Place:
    """The DAG run that a command follows, and its page in Airflow."""

    dag: str
    run: str
    page: str


@dataclass(frozen=True)
class Outcome:
    """How a command ends.

    Attributes:
        model: the model's name; None if the spec could not be read.
        outcome: `pending_approval`: a person must accept what passed; `blocked`: it may not be champion now;
            `override_run`: nothing of it is promoted, whatever passed;
            `under_way`: the command has ended before the run, which goes on in Airflow; `rejected`, `undecided` and
            `failed`: nothing passed, or the run has ended before it came so far.
        result: everything that was measured, if the run came that far.
        champion: the present champion of a run that selected a version; None where there is none.
        why: for `pending_approval`, `blocked` and `under_way`.
        error: why it failed, or why the command ended; None unless `outcome` is `failed` or `under_way`.
        place: where the run is; None before there is one.
        required: the variants that decide the exit code, if any do.
    """

    model: str | None
    outcome: Literal[
        "promoted", "pending_approval", "blocked", "rejected", "undecided", "override_run", "failed", "under_way"
    ]
    exit_code: int
    result: RunResult | None = None
    champion: Champion | None = None
    why: str | None = None
    error: str | None = None
    place: Place | None = None
    required: tuple[str, ...] = ()

    @property
    def selected(self) -> Champion | None:
        """The version that passed the gate and was picked."""
        return None if self.result is None else self.result.selected

    def requiring(self, variants: Sequence[str]) -> Outcome:
        """The same, where variants that have to pass decide the exit code.

        Raises:
            BadInput: one of them is none of the run's.
        """
        if self.result is None or not variants:
            return self
        found = _variants(self.result)
        for name in variants:
            if name not in found:
                raise BadInput("--require", f"one of the run's variants {', '.join(found)}", repr(name))
        answer = run_outcome(found, variants)
        code = self.exit_code if answer == "passed" else EXIT_CODES[answer]
        return replace(self, exit_code=code, required=tuple(variants))

    def to_json(self) -> dict[str, Any]:
        """The content of the file that `--json` names."""
        result = self.result
        found = {
            "model": self.model,
            "state": self.outcome,
            "outcome": _OLD_STATES.get(self.outcome, self.outcome),
            "run": self.place.run if self.place else None,
            "dag": self.place.dag if self.place else None,
            "page": self.place.page if self.place else None,
            "why": self.why,
            "champion": self.champion.to_json() if self.champion else None,
            "selected": self.selected.to_json() if self.selected else None,
            "baseline": result.baseline.to_json() if result else None,
            "variants": [row.to_json() for row in result.variants] if result else [],
            "warnings": list(result.warnings) if result else [],
            "required": list(self.required),
            "exit_code": int(self.exit_code),
            "report": result.report if result else None,
        }
        error = {"error": self.error} if self.outcome in ("failed", "under_way") else {}
        return found | error | {"deprecated": {"outcome": "state"}}


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
        return Outcome(model, "override_run", EXIT_CODES[run_outcome(_variants(result))], result)
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
    found = run_outcome(_variants(result))
    if found == "failed":
        error = nothing_passed(found, result.variants)
        return Outcome(model, "failed", EXIT_CODES[found], result, error=error)
    return Outcome(model, "undecided" if found == "undecided" else "rejected", EXIT_CODES[found], result)


def _variants(result: RunResult) -> dict[str, VariantOutcome]:
    return {row.variant: row.outcome for row in result.variants if row.variant != BASELINE}


def pending(model: str, result: RunResult, champion: Champion | None, why: str) -> Outcome:
    """The outcome of a run whose version is not champion before a person accepts it."""
    return Outcome(model, "pending_approval", ExitCode.NOT_CHAMPION, result, champion, why)


def failed(model: str | None, error: str, exit_code: int = LitegateError.exit_code) -> Outcome:
    """The outcome of a run that did not come to a result."""
    return Outcome(model, "failed", exit_code, error=error)


def under_way(model: str | None, error: str, goes_on: str, exit_code: int) -> Outcome:
    """The outcome of a command that ended while its run goes on, and how to follow that."""
    return Outcome(model, "under_way", exit_code, why=goes_on, error=error)


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

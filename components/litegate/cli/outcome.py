"""How a command about a run ends, and what it says of that as JSON.

The records of what was measured are not imported here: a command that begins a run does so before it loads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from litegate.errors import BadInput, LitegateError
from litegate.variants import BASELINE

if TYPE_CHECKING:
    from litegate.records import Champion, RunResult, VariantOutcome

__all__ = ["Outcome", "Place", "failed", "quantized_outcomes", "under_way"]

# The words of the field `outcome`, which programs that were written for earlier releases read.
_OLD_STATES = {"pending_approval": "waiting", "blocked": "held"}


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
        from litegate.gate.outcome import EXIT_CODES, run_outcome

        found = quantized_outcomes(self.result)
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


def quantized_outcomes(result: RunResult) -> dict[str, VariantOutcome]:
    """What came of each variant but the baseline."""
    return {row.variant: row.outcome for row in result.variants if row.variant != BASELINE}


def failed(model: str | None, error: str, exit_code: int = LitegateError.exit_code) -> Outcome:
    """The outcome of a run that did not come to a result."""
    return Outcome(model, "failed", exit_code, error=error)


def under_way(model: str | None, error: str, goes_on: str, exit_code: int) -> Outcome:
    """The outcome of a command that ended while its run goes on, and how to follow that."""
    return Outcome(model, "under_way", exit_code, why=goes_on, error=error)

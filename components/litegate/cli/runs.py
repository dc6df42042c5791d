"""`litegate runs`: the runs of all models, or of one, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from litegate.cli.attempt import Attempt
from litegate.cli.ended import read_outcome
from litegate.cli.following import with_pages_of
from litegate.cli.outcome import Outcome, Place
from litegate.cli.output import answer
from litegate.cli.screen import Column, print_columns, say, screen
from litegate.cli.serving import attached
from litegate.errors import BadInput
from litegate.stack import Home, Stack
from litegate.stack.airflow_api import AirflowApi, DagRun

__all__ = ["show"]

_PREFIX = "quantize__"
_ENDED = ("success", "failed")


@dataclass(frozen=True)
class _Line:
    """A run; `outcome` is None while it is under way."""

    run: DagRun
    model: str
    page: str
    outcome: Outcome | None

    @property
    def state(self) -> str:
        return self.outcome.outcome if self.outcome else "under_way"

    @property
    def said(self) -> str:
        """What came of it, in words."""
        if self.outcome is None:
            return "under way" if self.run.state == "running" else self.run.state
        return next(iter((self.run.note or "").strip().splitlines()), "") or _words(self.outcome)

    @property
    def seconds(self) -> float | None:
        """How long it has taken so far."""
        if self.run.began is None:
            return None
        end = datetime.fromisoformat(self.run.ended) if self.run.ended else datetime.now(UTC)
        return (end - datetime.fromisoformat(self.run.began)).total_seconds()

    @property
    def report(self) -> str:
        result = self.outcome.result if self.outcome else None
        return result.report if result else ""

    def to_json(self) -> dict[str, Any]:
        place = Place(self.run.id.dag, self.run.id.run, self.page)
        version = self.outcome.selected if self.outcome else None
        return {
            "model": self.model,
            "run": place.run,
            "dag": place.dag,
            "state": self.state,
            "said": self.said,
            "selected": version.to_json() if version else None,
            "began": self.run.began,
            "seconds": self.seconds,
            "page": place.page,
            "report": self.report or None,
        }


def show(home: Home, model: str | None, limit: int, target: Path | None) -> int:
    """List runs; returns the exit code.

    Args:
        limit: how many at most.

    Raises:
        BadInput: there is no such model.
        StackError: no servers run, or Airflow does not answer.
    """
    with attached(Attempt(home)) as (airflow, stack):
        found = list(islice(airflow.listed(f"{_PREFIX}{model or '*'}"), limit))
        if not found and model is not None:
            known = ", ".join(sorted(dag["dag_id"].removeprefix(_PREFIX) for dag in airflow.dags(_PREFIX))) or "none"
            raise BadInput("MODEL", f"a model that has had a run (models with a DAG: {known})", repr(model))
        lines = [_line(airflow, stack, run) for run in found]
    answer([line.to_json() for line in lines], target, lambda: _print(lines))
    return 0


def _line(airflow: AirflowApi, stack: Stack, run: DagRun) -> _Line:
    model = run.id.dag.removeprefix(_PREFIX)
    ended = run.state in _ENDED
    outcome = with_pages_of(stack, read_outcome(airflow, run.id, model)) if ended else None
    return _Line(run, model, airflow.page_of(run.id), outcome)


def _print(lines: list[_Line]) -> None:
    console = screen()
    if not lines:
        say(console, "no run so far; `litegate run SPEC.yaml` begins one")
        return
    columns = (
        Column("began (UTC)", [_time(line.run.began) for line in lines], rank=1),
        Column("took", [_took(line.seconds) for line in lines], rank=2, number=True),
        Column("model", [line.model for line in lines]),
        Column("run", [line.run.id.run for line in lines], styles=[f"link {line.page}" for line in lines]),
    )
    said = Column("what came of it", [line.said for line in lines])
    if console.is_terminal:  # which opens the page of a run from its id
        print_columns(console, columns, said)
        return
    links = (Column("Airflow", [line.page for line in lines]), Column("report", [line.report or "-" for line in lines]))
    print_columns(console, (*columns, said, *links))


def _time(moment: str | None) -> str:
    return "-" if moment is None else f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M}"


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _words(outcome: Outcome) -> str:
    version, rows = outcome.selected, outcome.result.variants if outcome.result else ()
    passed = ", ".join(row.variant for row in rows if row.verdict == "passed") or "nothing"
    named = f"version {version.version} ({version.variant})" if version else ""
    said = {
        "promoted": f"promoted {named}",
        "pending_approval": f"pending approval: {named}",
        "blocked": f"{named} passed and is not champion: {outcome.why}",
        "override_run": f"override run: {passed} passed, and nothing is promoted",
    }
    return said.get(outcome.outcome) or _first_line(outcome.error) or outcome.outcome


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]

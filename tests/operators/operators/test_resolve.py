"""What a run begins with: how far the ledger is, read once and never too late, and then its inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from litegate.errors import BadInput
from litegate.execution.step import Step
from litegate.records import Position
from litegate.spec import parse_spec
from litegate_airflow.operators.resolve import ResolveOperator
from tests.operators.operators.test_gate import SPEC

STORED, NOW = Position(entries=4), Position(entries=9)


@dataclass
class Ledger:
    """Stands in for `StepRun`: what an earlier try has stored, and what the ledger says now; the model is not there."""

    stored: Position | None
    steps: list[str] = field(default_factory=list)
    computed: bool = False

    def __call__(self, step: Step, *_: Any, label: str = "") -> Ledger:
        self.steps.append(step.name)
        return self

    def find(self) -> Position | None:
        return self.stored

    def run(self) -> Position:
        if self.steps[-1] == "resolve":
            raise BadInput("model.uri", "a model", "nothing")
        return self.stored or NOW

    __hash__ = object.__hash__


@pytest.mark.parametrize(
    ("max_tries", "stored", "expected"),
    [
        pytest.param(1, None, NOW, id="when the run begins"),
        pytest.param(1, STORED, STORED, id="a retry finds what the first try has stored"),
        pytest.param(3, STORED, STORED, id="so does a run that is cleared"),
        pytest.param(3, None, Position(entries=0), id="what nobody read in time is not made up for later"),
    ],
)
def test_a_run_that_is_cleared_gains_no_place_by_it(
    ti: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    max_tries: int,
    stored: Position | None,
    expected: Position,
) -> None:
    """It has its place before its inputs are read, and keeps it where one of these is put right and it is cleared."""
    ledger = Ledger(stored)
    monkeypatch.setattr("litegate_airflow.operators.step.StepRun", ledger)
    ti.task = operator = ResolveOperator(spec=parse_spec(SPEC), folder=tmp_path, retries=1)
    ti.max_tries = max_tries
    with pytest.raises(AirflowFailException, match=r"model\.uri"):
        operator.execute({"ti": ti})
    assert ti.pushed("position") == expected.to_json()
    assert ti.pushed("failure")["step"] == ledger.steps[-1] == "resolve"

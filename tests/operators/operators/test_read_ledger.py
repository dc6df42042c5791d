"""How far the ledger was when a run began: read once, and never too late."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from litegate.records import Position, RegisteredAlias
from litegate_airflow.operators.read_ledger import ReadLedgerOperator
from tests.operators.wiring import NAMED

STORED, NOW = Position(entries=4), Position(entries=9)


class Ledger:
    """Stands in for `StepRun`: what an earlier try has stored, and what the ledger says now."""

    def __init__(self, stored: Position | None) -> None:
        self.stored = stored

    def __call__(self, *request: Any) -> Ledger:
        return self

    def find(self) -> Position | None:
        return self.stored

    def run(self) -> Position:
        return self.stored or NOW


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
    ti: Any, monkeypatch: pytest.MonkeyPatch, max_tries: int, stored: Position | None, expected: Position
) -> None:
    monkeypatch.setattr("litegate_airflow.operators.step.StepRun", Ledger(stored))
    operator = ReadLedgerOperator(upstream=NAMED, task_id="read_ledger", retries=1)
    ti.max_tries = max_tries
    records: Any = SimpleNamespace(ti=ti, channel=lambda: RegisteredAlias(registry="m"), run_key=lambda: "d/r")
    assert operator.run_step("read_ledger", operator.request(records)) == expected

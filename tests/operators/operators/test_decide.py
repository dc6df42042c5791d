"""What a filled-in form becomes."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.records import Decision, RegisteredAlias
from litegate_airflow.operators.decide import DecideOperator
from litegate_airflow.runtime.run_records import RunRecords

FORM = {"model": "m", "decision": "rollback", "alias": "champion", "why": "slow"}


@pytest.fixture
def clicked(ti: Any) -> Any:
    ti.dag_id, ti.run_id, ti.user = "set_champion", "manual__1", "alice"
    ti.params = FORM | {"version": None, "to": 2}
    return ti


def test_the_decision_names_the_run_and_the_person_who_triggered_it(clicked: Any) -> None:
    assert DecideOperator(task_id="decide").request(RunRecords(clicked)) == Decision(
        channel=RegisteredAlias(registry="m"),
        action="rolled_back",
        key="set_champion/manual__1",
        run_key="set_champion/manual__1",
        actor="set_champion/manual__1 (triggered by alice)",
        why="slow",
        version=None,
        to=2,
    )


def test_a_form_without_versions_is_about_none(clicked: Any) -> None:
    clicked.params = FORM | {"decision": "unfreeze"}
    decision = DecideOperator(task_id="decide").request(RunRecords(clicked))
    assert (decision.action, decision.version, decision.to) == ("unfrozen", None, None)


def test_every_try_of_a_run_is_one_decision(clicked: Any) -> None:
    operator = DecideOperator(task_id="decide")
    first, second = (operator.request(RunRecords(clicked)) for _ in range(2))
    clicked.run_id = "manual__2"
    assert first.key == second.key != operator.request(RunRecords(clicked)).key

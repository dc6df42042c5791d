"""The forms for real: Airflow runs their DAGs, and a real MLflow server keeps what was decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from litegate.records import ChannelState, RegisteredAlias
from litegate.tracking.deciding import state_of
from tests.registering import accept, new_name, register

pytestmark = pytest.mark.usefixtures("warm_mlflow_steps")

Trigger = Callable[..., Any]


@pytest.fixture
def toy(mlflow_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model of two accepted versions; the second is champion."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    client, name = MlflowClient(), new_name()
    for number, variant in enumerate(("dynamic_range", "int8"), 1):
        accept(client, name, register(client, name, variant), f"run-{number}", f"2026-01-0{number}T00:00:00+00:00")
    return name


@pytest.fixture
def trigger(load_dags: Callable[..., dict[str, Any]], run_dag: Callable[..., Any]) -> Trigger:
    """Fill in a form and run its DAG; the only task of the run."""

    def run(decision: str, at: datetime | None = None, **form: Any) -> Any:
        dag = load_dags(kind="set_champion")["set_champion"]
        when = {} if at is None else {"logical_date": at, "run_after": at}
        (task,) = run_dag(dag, run_conf=form | {"decision": decision}, **when).get_task_instances()
        return task

    return run


def state(name: str) -> ChannelState:
    return state_of(MlflowClient(), RegisteredAlias(registry=name))


def alias(name: str) -> str:
    return MlflowClient().get_registered_model(name).aliases["champion"]


def test_a_champion_is_rolled_back_frozen_unfrozen_and_reinstated_by_forms(toy: str, trigger: Trigger) -> None:
    rolled_back = trigger("rollback", model=toy, why="slow at the edge")
    assert (rolled_back.state, alias(toy)) == ("success", "1")
    entry = state(toy).entries[-1]
    assert entry.decision.key == f"set_champion/{rolled_back.run_id}"
    assert entry.decision.actor.startswith(f"set_champion/{rolled_back.run_id}")
    assert (entry.decision.version, entry.decision.why, entry.after) == (2, "slow at the edge", 1)

    assert trigger("freeze", model=toy, version=1, why="hold").state == "success"
    assert trigger("reinstate", model=toy, version=2, why="mended").state == "success"
    assert alias(toy) == "1"
    assert trigger("unfreeze", model=toy, why="go on").state == "success"
    assert alias(toy) == "2"


def test_what_cannot_be_done_fails_at_once_and_writes_nothing(toy: str, trigger: Trigger) -> None:
    before = state(toy)
    task = trigger("rollback", model=toy, to=7, why="slow")

    assert (task.state, task.try_number) == ("failed", 1)
    said = task.xcom_pull(task_ids="decide", key="failure")
    assert (said["kind"], said["message"]) == (
        "bad_input",
        f"{toy}@champion version 7: expected an accepted version (1), got a version that was never accepted",
    )
    assert (state(toy), alias(toy)) == (before, "2")


def test_what_the_decision_has_no_use_for_or_needs_is_said(toy: str, trigger: Trigger) -> None:
    before = state(toy)
    wrong = {
        "freeze": ({}, "version: expected the version to freeze, got nothing"),
        "unfreeze": ({"version": 1}, "version: expected nothing: unfreeze ends whatever freeze there is, got 1"),
        "reinstate": ({"version": 1, "to": 2}, "to: expected nothing: reinstate has no use for it, got 2"),
    }
    for decision, (form, said) in wrong.items():
        task = trigger(decision, model=toy, why="slow", **form)
        assert task.state == "failed"
        assert task.xcom_pull(task_ids="decide", key="failure")["message"] == said
    assert state(toy) == before


def test_a_rollback_that_is_cleared_and_runs_again_rolls_nothing_else_back(toy: str, trigger: Trigger) -> None:
    client, run = MlflowClient(), {"at": datetime(2026, 5, 1, tzinfo=UTC), "model": toy, "why": "slow"}
    accept(client, toy, register(client, toy, "float16"), "run-3", "2026-01-03T00:00:00+00:00")
    first = trigger("rollback", **run)
    entries = state(toy).entries

    again = trigger("rollback", **run)
    assert (again.state, again.run_id) == ("success", first.run_id)
    assert (state(toy).entries, alias(toy)) == (entries, "2")

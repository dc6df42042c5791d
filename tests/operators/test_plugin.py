"""The note of a DAG run, as the scheduler's listener writes it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from litegate_airflow import plugin


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the tasks of a run have left; the scheduler has a session."""
    found = ["promoted v2 int8"]
    monkeypatch.setattr(plugin, "_said_last", lambda _run, _session: found[-1] if found else None)
    monkeypatch.setattr("sqlalchemy.orm.object_session", lambda run: run.session)
    return found


def run(note: Any = None, session: Any = "a session") -> Any:
    return SimpleNamespace(dag_run_note=note, note=None, session=session, run_id="r", dag_id="d")


def test_an_ended_run_is_noted_in_the_name_of_litegate(said: list[str]) -> None:
    found = run()
    plugin.on_dag_run_success(dag_run=found)
    assert found.note == ("promoted v2 int8", plugin.AUTHOR)


def test_a_run_that_ends_again_gets_a_new_note_and_a_person_s_stays(said: list[str]) -> None:
    own = SimpleNamespace(content="rejected", user_id=plugin.AUTHOR)
    persons = SimpleNamespace(content="ended by alice", user_id="alice")
    for note in (own, persons):
        plugin.on_dag_run_failed(dag_run=run(note))
    assert (own.content, persons.content) == ("promoted v2 int8", "ended by alice")


def test_other_peoples_runs_and_those_of_no_scheduler_are_left_alone(said: list[str]) -> None:
    found, elsewhere = run(), run(session=None)
    plugin.on_dag_run_success(dag_run=elsewhere)
    said.clear()
    plugin.on_dag_run_success(dag_run=found)
    assert found.note is elsewhere.note is None


def test_a_note_that_cannot_be_written_stops_no_scheduler(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "_said_last", lambda *_: 1 / 0)
    plugin.on_dag_run_success(dag_run=run())


def test_the_distribution_names_the_plugin_and_it_loads_nothing_slow() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["airflow.plugins"] == {"litegate": "litegate_airflow.plugin:LitegatePlugin"}
    assert plugin.LitegatePlugin.listeners == [plugin]
    script = """
import sys
import airflow.plugins_manager, airflow.listeners
before = set(sys.modules)
import litegate_airflow.plugin
print(sorted(set(sys.modules) - before - {"litegate_airflow"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = ("api_writes", "plugin", "runtime", "runtime.note")
    assert done.stdout.splitlines()[-1] == str([f"litegate_airflow.{name}" for name in names])

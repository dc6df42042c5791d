"""What Airflow makes of specs that ask for requalification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Load = Callable[..., dict[str, Any]]

SPEC = """
model: {{name: {name}, uri: m.keras}}
calibration: {{uri: c.npz, format: npz}}
evaluation: {{uri: e.npz, format: npz}}
{requalify}
"""
SECTION = 'requalify: {uri: fresh.npz, format: npz, schedule: "0 4 * * 1", on_failure: rollback}'

UPSTREAM = {
    "snapshot": set(),
    "fetch_champion": {"snapshot"},
    "evaluate_baseline": {"fetch_champion"},
    "evaluate_champion": {"fetch_champion"},
    "drift": {"evaluate_champion"},
    "gate": {"evaluate_baseline", "evaluate_champion"},
    "record": {"drift", "gate"},
    "act": {"record"},
}


@pytest.fixture
def load(load_dags: Load, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def load(**specs: str) -> dict[str, Any]:
        for name, section in specs.items():
            (tmp_path / f"{name}.yaml").write_text(SPEC.format(name=name, requalify=section))
        return load_dags(tmp_path, kind="requalify")

    return load


def test_only_a_spec_that_asks_for_it_has_the_dag(load: Load) -> None:
    assert set(load(with_section=SECTION, without="", broken="requalify: {uri: x}")) == {"requalify__with_section"}


def test_tasks_wait_for_exactly_what_they_need_and_one_run_for_the_other(load: Load) -> None:
    dag = load(m=SECTION)["requalify__m"]
    assert {task_id: task.upstream_task_ids for task_id, task in dag.task_dict.items()} == UPSTREAM
    assert {str(task.trigger_rule.value) for task in dag.tasks} == {"all_success"}
    assert dag.max_active_runs == 1
    alone = {task.task_id for task in dag.tasks if task.pool == "litegate" and task.pool_slots == 2}
    assert alone == {"evaluate_baseline", "evaluate_champion", "act"}


def test_it_runs_by_its_cron_expression_or_by_hand(load: Load) -> None:
    dags = load(weekly=SECTION, by_hand="requalify: {uri: fresh.npz, format: npz}")
    assert dags["requalify__weekly"].timetable.expression == "0 4 * * 1"
    assert not dags["requalify__by_hand"].timetable.can_be_scheduled
    assert "A broken limit: rollback." in dags["requalify__weekly"].doc_md

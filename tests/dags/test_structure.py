"""What Airflow makes of the files in `dags/`: ids, order, trigger rules, pools and schedules."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from litegate.pipeline.tasks import TASKS
from tests.dags.specs import DAGS, EVERYTHING, Load, write_spec

UPSTREAM = {
    "resolve": set(),
    "lookup_cache": {"resolve"},
    "convert": {"lookup_cache"},
    "sample": {"convert"},
    "check": {"sample"},
    "calibrate": {"sample"},
    "quantize": {"check", "calibrate", "lookup_cache"},
    "evaluate": {"quantize"},
    "benchmark": {"evaluate"},
    "gate": {"benchmark"},
    "register": {"gate"},
    "promote": {"register"},
}

COMPARED = UPSTREAM | {
    "fetch_champion": {"resolve"},
    "lookup_cache": {"resolve", "fetch_champion"},
}

SLOTS = {
    "resolve": 1,
    "convert": 1,
    "sample": 1,
    "check": 1,
    "calibrate": 1,
    "quantize": 1,
    "evaluate": 2,
    "benchmark": 2,
}


def test_tasks_wait_for_exactly_what_they_need(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    assert {task_id: task.upstream_task_ids for task_id, task in tasks.items()} == UPSTREAM


def test_everything_waits_for_the_champion_if_it_is_compared_with(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, gate="{max_drop_from_champion: 0.01}")
    tasks = load_dags(tmp_path)["quantize__m"].task_dict
    assert {task_id: task.upstream_task_ids for task_id, task in tasks.items()} == COMPARED


def test_a_person_is_asked_between_promote_and_decide_only_where_the_spec_says_so(
    load_dags: Load, tmp_path: Path
) -> None:
    write_spec(tmp_path, approval="{timeout_hours: 48, on_timeout: reject, users: [ann]}")
    dag = load_dags(tmp_path)["quantize__m"]
    waits_for = {task_id: task.upstream_task_ids for task_id, task in dag.task_dict.items()}
    assert waits_for == UPSTREAM | {"approve": {"promote"}, "decide": {"approve"}}
    approve = dag.get_task("approve")
    assert approve.response_timeout == timedelta(hours=48)
    assert approve.defaults == ["Reject"]
    assert approve.assigned_users == [{"id": "ann", "name": "ann"}]
    assert dag.dagrun_timeout == timedelta(hours=72), "a run must be able to wait as long as the spec allows"


def test_a_run_has_a_deadline_only_where_the_spec_sets_one(load_dags: Load, tmp_path: Path) -> None:
    notify = "notify: [{events: [late], notifier: litegate_airflow.webhook.WebhookNotifier, arguments: {conn_id: c}}]"
    write_spec(tmp_path, more=f"deadline_minutes: 1.5\n{notify}")
    dags = load_dags(tmp_path)
    (alert,) = dags["quantize__m"].deadline
    assert alert.interval == timedelta(seconds=90)
    assert alert.callback.path == "litegate_airflow.events.deadline.tell_late"
    assert not dags["quantize__digits"].deadline


def test_the_dag_has_the_tasks_of_the_pipeline_in_their_order(
    load_dags: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEGATE_EVALUATION_SHARDS", "2")
    write_spec(tmp_path, gate="{max_drop_from_champion: 0.01}", approval="human", recover="{}")
    dag = load_dags(tmp_path)["quantize__m"]
    order = [task.id for task in TASKS]
    assert set(order) == set(dag.task_dict)
    upstream = {task_id: task.get_flat_relative_ids(upstream=True) for task_id, task in dag.task_dict.items()}
    assert all(upstream[task_id] <= set(order[:place]) for place, task_id in enumerate(order))


def test_the_environment_names_queues_and_shards(load_dags: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_QUEUE", "convert")
    monkeypatch.setenv("LITEGATE_EVALUATION_QUEUE", "evaluate")
    monkeypatch.setenv("LITEGATE_EVALUATION_SHARDS", "2")
    dags = load_dags(kind="")
    queues = {name: task.queue for name, task in dags["quantize__digits"].task_dict.items()}
    evaluating = {"evaluate_shard", "evaluate", "benchmark"}
    assert queues == {name: "evaluate" if name in evaluating else "convert" for name in queues}
    others = {task.queue for dag_id, dag in dags.items() if dag_id != "quantize__digits" for task in dag.tasks}
    assert others == {"convert"}


def test_only_a_spec_that_asks_for_it_recovers(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, recover="{}")
    dags = load_dags(tmp_path)
    with_it, without = dags["quantize__m"], dags["quantize__digits"]
    assert "requantize" not in without.task_dict
    task = with_it.get_task("requantize")
    assert (task.task_group.group_id, task.max_active_tis_per_dagrun) == ("recover", 1)
    assert str(with_it.get_task("benchmark").trigger_rule.value) == "all_done"


def test_the_evaluation_and_the_gate_run_when_variants_failed(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    rules = {task_id: str(task.trigger_rule.value) for task_id, task in tasks.items()}
    assert {rules.pop("evaluate"), rules.pop("gate")} == {"all_done"}
    assert set(rules.values()) == {"all_success"}


def test_what_uses_all_cores_or_measures_takes_the_whole_pool(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    assert {task_id: task.pool_slots for task_id, task in tasks.items() if task.pool == "litegate"} == SLOTS


def test_mapped_instances_are_named_after_their_variant(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    mapped = {task_id for task_id, task in tasks.items() if task.map_index_template == "{{ task.variant }}"}
    assert mapped == {"quantize"}


def test_a_new_model_starts_quantization(load_dags: Load) -> None:
    (asset,) = load_dags()["quantize__digits"].timetable.asset_condition.objects
    (outlet,) = load_dags(kind="retrain")["retrain__digits"].get_task("train").outlets
    assert asset == outlet
    assert asset.uri == "s3://litegate/examples/digits/model.keras"


def test_a_cron_expression_is_added_to_the_asset(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, name="nightly", schedule="0 3 * * 1")
    timetable = load_dags(tmp_path)["quantize__nightly"].timetable
    assert timetable.timetable.expression == "0 3 * * 1"
    assert len(timetable.asset_condition.objects) == 1


@pytest.mark.parametrize("file", sorted(path.name for path in DAGS.glob("*.py")))
def test_parsing_loads_no_heavy_library(file: str) -> None:
    script = f"""
import runpy, sys
runpy.run_path({str(DAGS / file)!r})
heavy = {{"tensorflow", "keras", "mlflow", "boto3", "botocore", "kubernetes", "sklearn", "pandas"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_tasks_link_to_what_there_is_of_them(load_dags: Load, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(EVERYTHING)
    tasks = load_dags(tmp_path)["quantize__m"].task_dict
    names = {task_id: [link.name for link in task.operator_extra_links] for task_id, task in tasks.items()}
    registered = {"register", "promote", "approve", "decide"}
    for task_id, found in names.items():
        own = ["Artifact"] if task_id == "quantize" else ["Model version"] if task_id in registered else []
        assert found == ["MLflow run", "Report", *own], task_id


def test_the_form_has_the_values_of_the_spec(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, gate="{max_drop: 0.03}")
    params = load_dags(tmp_path)["quantize__m"].params
    assert params["gate.max_drop"] == 0.03
    assert "gate.max_drop_from_champion" not in params


def test_the_person_who_is_asked_sees_a_form_of_their_own(load_dags: Load, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(EVERYTHING)
    assert set(load_dags(tmp_path)["quantize__m"].get_task("approve").params) == {"note"}

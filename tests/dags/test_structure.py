"""What Airflow makes of the files in `dags/`: ids, order, trigger rules, pools and schedules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from litegate.pipeline.tasks import TASKS
from litegate.spec import spec_digest

DAGS = Path(__file__).parents[2] / "dags"
Load = Callable[..., dict[str, Any]]

SPEC = """
model: {{name: {name}, uri: {uri}}}
calibration: {{uri: c.npz, format: npz}}
evaluation: {{uri: e.npz, format: npz, metric: "{metric}"}}
schedule: {schedule}
gate: {gate}
approval: {approval}
{more}
"""

UPSTREAM = {
    "resolve": set(),
    "lookup_cache": {"resolve"},
    "convert": {"lookup_cache"},
    "sample": {"convert"},
    "check": {"sample"},
    "calibrate": {"check"},
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
    "check": 2,
    "calibrate": 1,
    "quantize": 1,
    "evaluate": 2,
    "benchmark": 2,
}

WORDS = {"name": "m", "uri": "m.keras", "schedule": "null", "gate": "{}", "metric": "top1"}
WORDS |= {"approval": "none", "more": ""}


def write_spec(
    folder: Path,
    file: str = "m.yaml",
    name: str = "m",
    uri: str = "m.keras",
    schedule: str = "null",
    gate: str = "{}",
    metric: str = "top1",
    **keys: str,
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / file
    words = {"name": name, "uri": uri, "schedule": schedule, "gate": gate, "metric": metric}
    path.write_text(SPEC.format(**WORDS | words | keys))
    return path


def test_without_the_example_and_any_spec_there_is_the_form_alone(
    load_dags: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(load_dags(kind="")) == {"quantize__digits", "retrain__digits", "prepare__digits", "set_champion"}
    monkeypatch.setattr("tests.dags.conftest.EXAMPLES", ())
    assert set(load_dags(kind="")) == {"set_champion"}


def test_the_models_come_before_the_administration(load_dags: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    ordered = [dag for _, dag in sorted(load_dags(kind="").items())]  # as Airflow lists them
    administrative = ["administration" in dag.tags for dag in ordered]
    assert administrative == [False] * 3 + [True] * 2


def test_a_worker_reads_the_spec_files_once(load_dags: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_spec(tmp_path)
    read: list[Path] = []
    monkeypatch.setattr("litegate_airflow.runtime.spec_files._read_folder", lambda folder: read.append(folder) or [])
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "quantize__m")
    load_dags(tmp_path)
    assert read.count(tmp_path) == 1


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


def test_the_dag_has_the_tasks_of_the_pipeline_in_their_order(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, gate="{max_drop_from_champion: 0.01}", approval="human")
    dag = load_dags(tmp_path)["quantize__m"]
    order = [task.id for task in TASKS]
    assert set(order) == set(dag.task_dict)
    upstream = {task_id: task.get_flat_relative_ids(upstream=True) for task_id, task in dag.task_dict.items()}
    assert all(upstream[task_id] <= set(order[:place]) for place, task_id in enumerate(order))


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


def test_the_form_asks_for_what_a_decision_needs(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, name="mine")
    dag = load_dags(tmp_path, kind="set_champion")["set_champion"]
    assert list(dag.params) == ["model", "decision", "version", "to", "alias", "why"]
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert all(schema["title"] and schema["description_md"] for schema in schemas.values())
    assert schemas["model"]["examples"] == ["digits", "mine"]
    assert schemas["decision"]["enum"] == ["rollback", "reinstate", "freeze", "unfreeze"]
    assert all(f"`{decision}`" in dag.doc_md for decision in schemas["decision"]["enum"])
    (task,) = dag.tasks
    assert task.pool == "default_pool", "nobody waits for a measurement in order to roll back"


FILLED = {"model": "m", "decision": "rollback", "why": "slow"}


@pytest.mark.parametrize(
    "form",
    [
        {"model": ""},
        {"why": ""},
        {"decision": "rolled_back"},
        {"to": 0},
        {"version": "3"},
        {"alias": "a.b"},
        *({name: ...} for name in FILLED),
    ],
    ids=str,
)
def test_a_form_that_is_not_filled_in_is_refused(load_dags: Load, form: dict[str, Any]) -> None:
    params = load_dags(kind="set_champion")["set_champion"].params

    def fill_in() -> None:
        params.update({name: value for name, value in (FILLED | form).items() if value is not ...})
        params.validate()

    with pytest.raises(ParamValidationError):
        fill_in()


def test_a_form_needs_only_the_model_the_decision_and_the_reason(load_dags: Load) -> None:
    params = load_dags(kind="set_champion")["set_champion"].params
    params.update(FILLED)
    assert params.validate() == FILLED | {"version": None, "to": None, "alias": "champion"}


def test_the_clean_up_has_a_dag_where_it_has_a_schedule_and_deletes_nothing_by_hand_unless_told(
    load_dags: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LITEGATE_CLEAN_SCHEDULE", raising=False)
    assert load_dags(kind="workspace_clean") == {}
    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    monkeypatch.setenv("LITEGATE_CLEAN_DAYS", "90")
    dag = load_dags(kind="workspace_clean")["workspace_clean"]
    assert (dag.params["days"], dag.params["dry_run"]) == (90, True)
    assert dag.params.get_param("days").schema["minimum"] == 2
    assert dag.timetable.expression == "0 4 * * 0"


def test_a_new_model_starts_quantization(load_dags: Load) -> None:
    (asset,) = load_dags()["quantize__digits"].timetable.asset_condition.objects
    (outlet,) = load_dags(kind="retrain")["retrain__digits"].get_task("train").outlets
    assert asset == outlet
    assert asset.uri == "s3://litegate/examples/digits/model.keras"


def test_a_folder_of_the_user_adds_dags_and_overrides_by_dag_id(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path / "a", "digits.yaml", "digits", "first.keras")
    write_spec(tmp_path / "a", "mine.yaml", "mine")
    write_spec(tmp_path / "b", "other name.yaml", "digits", "second.keras")
    dags = load_dags(tmp_path / "a", tmp_path / "b", tmp_path / "not there")
    assert set(dags) == {"quantize__digits", "quantize__mine"}
    assert dags["quantize__digits"].get_task("resolve").source.path == str(tmp_path / "b" / "other name.yaml")


def test_links_to_specs_are_followed_and_dangling_ones_ignored(load_dags: Load, tmp_path: Path) -> None:
    real = write_spec(tmp_path / "elsewhere", name="linked")
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "linked.yaml").symlink_to(real)
    (folder / "dangling.yaml").symlink_to(tmp_path / "gone.yaml")
    dags = load_dags(folder)
    assert set(dags) == {"quantize__digits", "quantize__linked"}
    (asset,) = dags["quantize__linked"].timetable.asset_condition.objects
    assert asset.uri == (tmp_path / "elsewhere" / "m.keras").as_uri()


def test_a_cron_expression_is_added_to_the_asset(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, name="nightly", schedule="0 3 * * 1")
    timetable = load_dags(tmp_path)["quantize__nightly"].timetable
    assert timetable.timetable.expression == "0 3 * * 1"
    assert len(timetable.asset_condition.objects) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: [", "valid YAML"),
        ("models: {}", "model: expected a value"),
        (SPEC.format(**WORDS | {"schedule": "99 99 * * *"}), "a cron expression"),
        (SPEC.format(**WORDS | {"uri": "airflow://m"}), "s3://bucket/key, or a local path"),
    ],
)
def test_a_broken_spec_becomes_a_dag_that_says_so(load_dags: Load, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "my model.yaml").write_text(text)
    dags = load_dags(tmp_path)
    assert set(dags) == {"quantize__digits", "quantize__my_model"}
    broken = dags["quantize__my_model"]
    assert set(broken.task_dict) == {"resolve"}
    assert "broken-spec" in broken.tags
    assert said in broken.doc_md


def test_a_broken_spec_takes_no_good_ones_place(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, name="zz").rename(tmp_path / "aa.yaml")
    (tmp_path / "zz.yaml").write_text("x: [")
    (tmp_path / "digits.yaml").write_text("x: [")
    dags = load_dags(tmp_path)
    assert set(dags) == {"quantize__digits", "quantize__digits__broken", "quantize__zz", "quantize__zz__broken"}
    assert "promote" in dags["quantize__zz"].task_dict
    assert "promote" in dags["quantize__digits"].task_dict


def test_the_second_spec_of_a_name_is_broken_and_says_so_when_it_is_run(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, name="same").rename(tmp_path / "one.yaml")
    write_spec(tmp_path, name="same").rename(tmp_path / "two.yaml")
    dags = load_dags(tmp_path)
    assert set(dags) == {"quantize__digits", "quantize__same", "quantize__two"}
    problem = str(dags["quantize__two"].get_task("resolve").problem)
    assert "two.yaml: model.name: expected a name that no other spec has" in problem
    assert "which is also that of one.yaml" in problem


def test_two_links_to_one_spec_are_one_dag(load_dags: Load, tmp_path: Path) -> None:
    real = write_spec(tmp_path / "elsewhere", name="renamed")
    for name in ("before", "renamed"):
        (tmp_path / f"{name}.yaml").symlink_to(real)
    assert set(load_dags(tmp_path)) == {"quantize__digits", "quantize__renamed"}


def test_the_documentation_names_what_is_promoted(load_dags: Load) -> None:
    doc = load_dags()["quantize__digits"].doc_md
    assert "| gate | top1 drops by at most 2.00 points, with 95 % confidence |" in doc
    assert "the smallest that passes, as `digits@champion`" in doc


@pytest.mark.parametrize("kind", ["quantize", "retrain"])
def test_the_documentation_tells_which_file_was_read(load_dags: Load, tmp_path: Path, kind: str) -> None:
    real, folder = tmp_path / "real.yaml", tmp_path / "specs"
    real.write_text(EVERYTHING)
    folder.mkdir()
    (folder / "m.yaml").symlink_to(real)
    digest = spec_digest(folder / "m.yaml")
    assert digest in load_dags(folder, kind=kind)[f"{kind}__m"].doc_md
    real.write_text(EVERYTHING.replace("0.01", "0.02"))
    assert digest not in load_dags(folder, kind=kind)[f"{kind}__m"].doc_md


@pytest.mark.parametrize(
    ("metric", "gate", "clauses"),
    [
        ("top1", {"max_prediction_shift": None}, ["top1 drops by at most 1.00 points, with 95 % confidence"]),
        (
            "mae",
            {"max_drop": 2.5, "max_prediction_shift": None, "max_drop_from_champion": 0.125, "min_value": 4},
            [
                "mae worsens by at most 2.5, with 95 % confidence",
                "mae worsens by at most 0.125 from today's `m@champion`",
                "the baseline itself must reach at most 4",
            ],
        ),
        (
            "iou",
            {"drop": "relative", "confidence": 0.99, "max_prediction_shift": 0.5, "min_value": 0.7},
            [
                "iou drops by at most 1.00 % of the baseline's value, with 99 % confidence",
                "the baseline itself must reach at least 70.00 %",
            ],
        ),
        (
            "mine.metrics:Dice",
            {"max_prediction_shift": None, "max_class_drop": 0.1, "min_class_samples": 20},
            [
                "Dice worsens by at most 0.01, with 95 % confidence",
                "no class loses more than 10.00 points, proved for those with 20 samples or more",
            ],
        ),
        (
            "top5",
            {"max_prediction_shift": 0.5, "max_bytes": 10**6, "min_size_ratio": 3.5, "max_latency_ratio": 0.8}
            | {"latency_host": "phone", "integer_only": True},
            [
                "top5 drops by at most 1.00 points, with 95 % confidence",
                "no class's share of a classifier's predictions changes by more than 50.00 points",
                "at most 1,000,000 bytes",
                "at least 3.5 times smaller than the baseline",
                "at most 0.8 of the baseline's latency on phone",
                "integers only: no operator, input or output is float",
            ],
        ),
    ],
)
def test_the_documentation_names_every_clause_of_the_policy(
    load_dags: Load, tmp_path: Path, metric: str, gate: dict[str, Any], clauses: list[str]
) -> None:
    write_spec(tmp_path, metric=metric, gate=json.dumps(gate))
    rows = load_dags(tmp_path)["quantize__m"].doc_md.splitlines()
    first = next(number for number, row in enumerate(rows) if row.startswith("| gate |"))
    last = next(number for number, row in enumerate(rows) if row.startswith("| promoted |"))
    assert [row.split(" | ", 1)[1].removesuffix(" |") for row in rows[first:last]] == clauses


def test_a_worker_builds_only_its_own_dag(load_dags: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(tmp_path)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "quantize__m")
    assert set(load_dags(tmp_path)) == {"quantize__m"}


@pytest.mark.parametrize("file", sorted(path.name for path in DAGS.glob("*.py")))
def test_parsing_loads_no_heavy_library(file: str) -> None:
    script = f"""
import runpy, sys
runpy.run_path({str(DAGS / file)!r})
print(sorted({{"tensorflow", "keras", "mlflow", "boto3", "botocore", "sklearn", "pandas"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


EVERYTHING = """
model: {name: m, uri: s3://models/m.keras}
calibration: {uri: c.npz, format: npz}
evaluation: {uri: e.npz, format: npz}
gate: {max_drop_from_champion: 0.01}
approval: human
retrain: {entry_point: "training:train"}
requalify: {uri: fresh.npz, format: npz}
"""
KINDS = ("quantize", "requalify", "retrain", "prepare", "set_champion", "workspace_clean")


@pytest.mark.parametrize("kind", KINDS)
def test_every_dag_says_what_it_does_and_what_kind_it_is(
    load_dags: Load, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    (tmp_path / "m.yaml").write_text(EVERYTHING)
    dags = load_dags(tmp_path, kind=kind)
    assert dags
    for dag in dags.values():
        assert dag.doc_md, dag.dag_id
        assert "litegate" in dag.tags
        assert {"quantize", "requalify", "retrain", "prepare", "administration"} & set(dag.tags)


@pytest.mark.parametrize("name", ["quantize", "requalify"])
def test_every_task_says_what_it_does_and_what_it_leaves(load_dags: Load, tmp_path: Path, name: str) -> None:
    (tmp_path / "m.yaml").write_text(EVERYTHING)
    tasks = load_dags(tmp_path, kind=name)[f"{name}__m"].task_dict
    assert all("**Leaves**" in task.doc_md for task in tasks.values())


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

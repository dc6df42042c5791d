"""What Airflow makes of the files in `dags/`: ids, order, trigger rules, pools and schedules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Load = Callable[..., dict[str, Any]]

SPEC = """
model: {{name: {name}, uri: {uri}}}
calibration: {{uri: c.npz, format: npz}}
evaluation: {{uri: e.npz, format: npz}}
schedule: {schedule}
"""

UPSTREAM = {
    "resolve": set(),
    "convert": {"resolve"},
    "sample": {"convert"},
    "check_parity": {"sample"},
    "evaluate_baseline": {"check_parity"},
    "profile_baseline": {"check_parity"},
    "variant.quantize": {"check_parity", "resolve"},
    "variant.evaluate": {"variant.quantize", "resolve"},
    "variant.profile": {"variant.evaluate", "resolve"},
    "gate": {"evaluate_baseline", "profile_baseline", "variant.profile"},
    "select": {"gate"},
    "register": {"select"},
    "promote": {"register"},
}

SLOTS = {
    "convert": 1,
    "sample": 1,
    "check_parity": 1,
    "variant.quantize": 1,
    "evaluate_baseline": 2,
    "profile_baseline": 2,
    "variant.evaluate": 2,
    "variant.profile": 2,
    "promote": 2,
}


def write_spec(
    folder: Path, file: str = "m.yaml", name: str = "m", uri: str = "m.keras", schedule: str = "null"
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / file
    path.write_text(SPEC.format(name=name, uri=uri, schedule=schedule))
    return path


def test_the_shipped_specs_become_dags(load_dags: Load) -> None:
    assert set(load_dags()) == {"quantize__digits"}
    assert set(load_dags(file="retrain_digits.py")) == {"retrain__digits"}


def test_tasks_wait_for_exactly_what_they_need(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    assert {task_id: task.upstream_task_ids for task_id, task in tasks.items()} == UPSTREAM


def test_only_the_gate_runs_when_variants_failed(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    rules = {task_id: str(task.trigger_rule.value) for task_id, task in tasks.items()}
    assert rules.pop("gate") == "all_done_min_one_success"
    assert set(rules.values()) == {"all_success"}


def test_measurements_and_promotion_take_the_whole_pool(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    assert {task_id: task.pool_slots for task_id, task in tasks.items() if task.pool == "litegate"} == SLOTS


def test_mapped_instances_are_named_after_their_variant(load_dags: Load) -> None:
    tasks = load_dags()["quantize__digits"].task_dict
    mapped = {task_id for task_id, task in tasks.items() if task.map_index_template == "{{ task.variant }}"}
    assert mapped == {"variant.quantize", "variant.evaluate", "variant.profile"}


def test_a_new_model_starts_quantization(load_dags: Load) -> None:
    (asset,) = load_dags()["quantize__digits"].timetable.asset_condition.objects
    (outlet,) = load_dags(file="retrain_digits.py")["retrain__digits"].get_task("train").outlets
    assert asset == outlet
    assert asset.uri == "s3://litegate/examples/digits/model.keras"


def test_a_folder_of_the_user_adds_dags_and_overrides_by_dag_id(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path / "a", "digits.yaml", "digits", "first.keras")
    write_spec(tmp_path / "a", "mine.yaml", "mine")
    write_spec(tmp_path / "b", "other name.yaml", "digits", "second.keras")
    dags = load_dags(tmp_path / "a", tmp_path / "b", tmp_path / "not there")
    assert set(dags) == {"quantize__digits", "quantize__mine"}
    assert dags["quantize__digits"].get_task("resolve").spec_path == str(tmp_path / "b" / "other name.yaml")


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
        (SPEC.format(name="m", uri="m.keras", schedule="99 99 * * *"), "a cron expression"),
        (SPEC.format(name="m", uri="airflow://m", schedule="null"), "s3://bucket/key, or a local path"),
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
    assert "model.name is also that of one.yaml" in dags["quantize__two"].get_task("resolve").problem


def test_two_links_to_one_spec_are_one_dag(load_dags: Load, tmp_path: Path) -> None:
    real = write_spec(tmp_path / "elsewhere", name="renamed")
    for name in ("before", "renamed"):
        (tmp_path / f"{name}.yaml").symlink_to(real)
    assert set(load_dags(tmp_path)) == {"quantize__digits", "quantize__renamed"}


def test_the_documentation_names_what_is_promoted(load_dags: Load) -> None:
    doc = load_dags()["quantize__digits"].doc_md
    assert "top1 drops by at most 2.00%, with 95% confidence" in doc
    assert "the smallest that passes, as `digits@champion`" in doc


def test_a_worker_builds_only_its_own_dag(load_dags: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(tmp_path)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "quantize__m")
    assert set(load_dags(tmp_path)) == {"quantize__m"}


@pytest.mark.parametrize("file", ["quantize.py", "retrain_digits.py"])
def test_parsing_loads_no_heavy_library(file: str) -> None:
    script = f"""
import runpy, sys
runpy.run_path({str(Path(__file__).parents[2] / "dags" / file)!r})
print(sorted({{"tensorflow", "keras", "mlflow", "boto3", "botocore", "sklearn", "pandas"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

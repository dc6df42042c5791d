"""Which spec files become DAGs, and what a broken one becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk.definitions.param import ParamsDict

from tests.dags.specs import SPEC, WORDS, Load, write_spec


def test_a_worker_reads_the_spec_files_once(load_dags: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_spec(tmp_path)
    read: list[Path] = []
    monkeypatch.setattr("litegate_airflow.runtime.spec_files._read_folder", lambda folder: read.append(folder) or [])
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "quantize__m")
    load_dags(tmp_path)
    assert read.count(tmp_path) == 1


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


def test_a_worker_builds_only_its_own_dag(load_dags: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(tmp_path)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "quantize__m")
    assert set(load_dags(tmp_path)) == {"quantize__m"}


def test_a_worker_has_the_form_as_it_was_read(load_dags: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(tmp_path)
    form = load_dags(tmp_path)["quantize__m"].params
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "quantize__m")
    (dag,) = load_dags(tmp_path).values()
    assert isinstance(dag.params, ParamsDict)
    assert {name: param.serialize() for name, param in dag.params.items()} == {
        name: param.serialize() for name, param in form.items()
    }

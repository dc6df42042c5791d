"""DAGs that are made before their workers are forked: a worker takes them where nothing has changed since."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from litegate_airflow.dags import ahead
from litegate_airflow.dags.ahead import make_ahead

DAG_FILE = Path(__file__).parents[3] / "dags" / "litegate_dags.py"
CONTEXT = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
DATA = {"uri": "data.npz", "format": "npz"}

Read = Callable[[str], DAG]


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ahead, "_made", ahead._made.copy())
    ahead._made.clear()
    monkeypatch.setenv("LITEGATE_SPEC_FOLDERS", str(tmp_path))
    write(tmp_path, "eights", 0.02)
    return tmp_path


def write(folder: Path, name: str, max_drop: float) -> Path:
    path = folder / f"{name}.yaml"
    spec = {"model": {"name": name, "uri": "model.keras"}, "calibration": DATA, "evaluation": DATA}
    path.write_text(yaml.safe_dump(spec | {"gate": {"max_drop": max_drop}}))
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The DAG as a worker reads it from the DAG file, to run one of its tasks."""

    def as_a_worker(dag_id: str) -> DAG:
        monkeypatch.setenv(CONTEXT, dag_id)
        bag = DagBag(DAG_FILE, load_op_links=False)
        assert not bag.import_errors
        return bag.dags[dag_id]

    return as_a_worker


def test_a_worker_takes_the_dag_that_is_there(read):
    make_ahead("quantize__eights")
    there = ahead._made["quantize__eights"].dag
    assert read("quantize__eights") is there
    make_ahead("quantize__eights")
    assert read("quantize__eights") is there, "of the next task too"


def test_it_is_the_dag_that_the_worker_would_make(read):
    made = DagSerialization.to_dict(read("quantize__eights"))
    make_ahead("quantize__eights")
    assert DagSerialization.to_dict(read("quantize__eights")) == made


def test_a_spec_file_that_has_changed_since_is_read_anew(read, specs):
    make_ahead("quantize__eights")
    there = ahead._made["quantize__eights"].dag
    write(specs, "eights", 0.5)
    assert read("quantize__eights") is not there
    make_ahead("quantize__eights")
    assert read("quantize__eights") is ahead._made["quantize__eights"].dag is not there


def test_another_spec_that_changes_what_is_made_of_this_one_counts_too(read, specs):
    watched = yaml.safe_load((specs / "eights.yaml").read_text())
    watched["model"] |= {"watch": 600}
    (specs / "eights.yaml").write_text(yaml.safe_dump(watched))
    make_ahead("quantize__eights")
    watched["model"] |= {"name": "others", "watch": 60}  # the same model: the shortest interval counts
    (specs / "others.yaml").write_text(yaml.safe_dump(watched))
    assert read("quantize__eights") is not ahead._made["quantize__eights"].dag


def test_the_dag_of_another_owner_is_made_anew(read, monkeypatch):
    make_ahead("quantize__eights")
    monkeypatch.setenv("LITEGATE_QUEUE", "edge")
    assert read("quantize__eights").task_dict["sample"].queue == "edge"


def test_whoever_reads_the_file_for_all_dags_makes_them(monkeypatch):
    make_ahead("quantize__eights")
    monkeypatch.delenv(CONTEXT, raising=False)
    assert DagBag(DAG_FILE).dags["quantize__eights"] is not ahead._made["quantize__eights"].dag


def test_of_a_spec_file_that_is_not_there_nothing_is_made():
    make_ahead("quantize__gone")
    assert not ahead._made


@pytest.mark.parametrize("dag_id", ["set_champion", "requalify__eights", "somebody_elses"])
def test_for_tasks_of_other_dags_no_spec_file_is_read(dag_id, monkeypatch):
    read: list[tuple[Path, ...]] = []
    monkeypatch.setattr(ahead, "read_spec_files", lambda *folders: read.append(folders))
    make_ahead(dag_id)
    assert not read


def test_of_a_spec_that_cannot_be_used_any_more_nothing_is_left(specs):
    make_ahead("quantize__eights")
    (specs / "eights.yaml").write_text("gate: nonsense")
    make_ahead("quantize__eights")
    assert not ahead._made


def test_a_file_that_is_gone_is_told_and_no_failure(specs, caplog):
    make_ahead("quantize__eights")
    (specs / "eights.yaml").unlink()
    with caplog.at_level(logging.WARNING, "litegate"):
        make_ahead("quantize__eights")
    assert "quantize__eights is not made before its tasks begin: SpecError: " in caplog.text


def test_those_that_were_not_asked_for_longest_are_forgotten(specs, monkeypatch):
    monkeypatch.setattr(ahead, "_MOST", 2)
    for name in ("nines", "tens"):
        write(specs, name, 0.02)
    for name in ("eights", "nines", "eights", "tens"):
        make_ahead(f"quantize__{name}")
    assert list(ahead._made) == ["quantize__eights", "quantize__tens"]

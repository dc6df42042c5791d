"""Retrain DAGs, the asset that joins them to the quantize DAGs, and what a run gets to know of its model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.servers import MlflowServer

Load = Callable[..., dict[str, Any]]
Run = Callable[..., Any]

KINDS = ("quantize", "retrain")


def write_spec(folder: Path, name: str = "m", uri: str = "m.keras", **keys: Any) -> Path:
    model = {"name": name, "uri": uri} | keys.pop("model", {})
    data = {"uri": "data.npz", "format": "npz"}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"model": model, "calibration": data, "evaluation": data} | keys))
    return path


def assets(dag: Any) -> list[Any]:
    """Every asset that a DAG names."""
    condition = getattr(dag.timetable, "asset_condition", None)
    named = condition.objects if condition else []
    return [*named, *(asset for task in dag.tasks for asset in (*task.inlets, *task.outlets))]


def test_only_a_spec_that_says_how_to_train_has_a_retrain_dag(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, "plain")
    write_spec(tmp_path, "trained", retrain={"command": ["true"]})
    (tmp_path / "broken.yaml").write_text("modle: {}")
    assert set(load_dags(tmp_path, kind="retrain")) == {"retrain__digits", "retrain__trained"}


def test_a_retrain_dag_has_the_schedule_of_its_section(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, schedule="@daily", retrain={"command": ["true"], "schedule": "0 3 * * 1", "time_limit": 3600})
    dags = load_dags(tmp_path, kind="retrain")
    weekly = dags["retrain__m"]
    assert (weekly.timetable.expression, weekly.catchup, weekly.max_active_runs) == ("0 3 * * 1", False, 1)
    assert weekly.dagrun_timeout.total_seconds() == 25 * 3600
    assert (weekly.get_task("train").pool, weekly.get_task("train").pool_slots) == ("litegate", 2)
    assert not dags["retrain__digits"].timetable.can_be_scheduled


def test_a_worker_builds_only_its_own_retrain_dag(
    load_dags: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_spec(tmp_path, retrain={"command": ["true"]})
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "retrain__m")
    assert set(load_dags(tmp_path, kind="retrain")) == {"retrain__m"}


def test_every_dag_that_names_a_watched_model_names_its_watcher(load_dags: Load, tmp_path: Path) -> None:
    """Airflow takes the watchers of an asset from whichever DAG file it has parsed last."""
    write_spec(tmp_path, uri="s3://b/models/*.keras", model={"watch": 30}, retrain={"command": ["true"]})
    dags = load_dags(tmp_path) | load_dags(tmp_path, kind="retrain")
    named = assets(dags["quantize__m"]) + assets(dags["retrain__m"])
    assert len(named) == 3
    triggers = {watcher.trigger.serialize() == expected_trigger(30) for asset in named for watcher in asset.watchers}
    assert triggers == {True}
    assert {(asset.name, asset.uri) for asset in named} == {("s3://b/models/*.keras",) * 2}


def expected_trigger(interval: int, uri: str = "s3://b/models/*.keras") -> tuple[str, dict[str, Any]]:
    return "litegate_airflow.events.watch.ModelTrigger", {"uri": uri, "interval": interval}


def test_a_model_that_nobody_watches_has_no_watcher(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path)
    assert [asset.watchers for asset in assets(load_dags(tmp_path)["quantize__m"])] == [[], []]


def test_specs_that_share_a_model_share_its_watcher(load_dags: Load, tmp_path: Path) -> None:
    uri = "s3://b/m.keras"
    for name, model in (("a", {"watch": 60}), ("b", {}), ("c", {"watch": 20})):
        write_spec(tmp_path, name, uri, model=model)
    dags = load_dags(tmp_path)
    for name in "abc":
        for asset in assets(dags[f"quantize__{name}"]):
            assert [each.trigger.serialize() for each in asset.watchers] == [expected_trigger(20, uri)]


@pytest.mark.parametrize(
    "uri", ["s3://b/models/*.keras", "s3://b/m-?.keras", "s3://b/a#b.keras", "s3://b/*/saved_model.pb"]
)
def test_the_asset_is_named_like_its_uri_whatever_is_in_it(load_dags: Load, tmp_path: Path, uri: str) -> None:
    write_spec(tmp_path, uri=uri)
    for asset in assets(load_dags(tmp_path)["quantize__m"]):
        assert asset.name == asset.uri == uri.replace("?", "%3F").replace("#", "%23")


def test_airflow_can_store_and_restore_a_watched_dag(load_dags: Load, tmp_path: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    write_spec(tmp_path, uri="s3://b/models/*.keras", model={"watch": 30})
    dag = load_dags(tmp_path)["quantize__m"]
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    ((_, asset),) = again.timetable.asset_condition.iter_assets()
    assert [watcher.trigger["classpath"] for watcher in asset.watchers] == [expected_trigger(30)[0]]


TRAINING = """
def train(folder, seed):
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3)])
    model.save(folder / "model.keras")
    return folder / "model.keras"
"""


@pytest.fixture
def spec(tmp_path: Path, mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "training.py").write_text(TRAINING)
    np.savez(tmp_path / "specs" / "data.npz", x=np.zeros((9, 4), np.float32), label=np.zeros(9, int))
    return write_spec(
        tmp_path / "specs",
        uri="models/*.keras",
        retrain={"entry_point": "training:train", "arguments": {"seed": 1}},
    )


def asset_events(uri: str) -> list[Any]:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        events = session.query(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id).filter_by(uri=uri)
        return [event.extra for event in events.order_by(AssetEvent.timestamp)]


def announce(uri: str, extra: dict[str, Any]) -> None:
    """An asset event, as Airflow's API makes it."""
    from airflow.assets.manager import AssetManager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        asset = session.query(AssetModel).filter_by(uri=uri).one()
        AssetManager().register_asset_change(asset=asset, extra=extra, session=session)


def test_a_new_model_is_announced_with_its_digest_and_the_run_that_it_begins_takes_only_that(
    load_dags: Load, run_dag: Run, spec: Path
) -> None:
    train, quantize = (load_dags(spec.parent, kind=kind) for kind in reversed(KINDS))
    (model,) = train["retrain__m"].get_task("train").outlets

    def resolve() -> Any:
        dag_run = run_dag(quantize["quantize__m"], asset_uri=model.uri, but="(?!resolve).*")
        return dag_run.get_task_instance("resolve")

    trained = run_dag(train["retrain__m"])
    made = trained.get_task_instance("train").xcom_pull(task_ids="train")
    assert asset_events(model.uri) == [made]
    assert set(made) == {"uri", "digest", "bytes"}
    assert Path(made["uri"]).parent == spec.parent / "models"

    begun = resolve()
    assert str(begun.state) == "success"
    resolved = begun.xcom_pull(task_ids="resolve", key="resolved")
    assert (resolved["model"]["uri"], resolved["model"]["digest"]) == (made["uri"], made["digest"])
    assert resolved["trigger"]["digest"] == made["digest"]
    assert resolved["trigger"]["source"] == f"retrain__m ({trained.run_id})"

    stranger = spec.parent / "models" / "z.keras"
    stranger.write_bytes(Path(made["uri"]).read_bytes() + b"\0")
    refused = resolve()
    assert str(refused.state) == "failed"
    failure = refused.xcom_pull(task_ids="resolve", key="failure")
    assert failure["kind"] == "bad_input"
    assert (
        f"model.uri {stranger}: expected the model that retrain__m ({trained.run_id}) announced" in failure["message"]
    )

    announce(model.uri, {})
    taken = resolve()
    assert str(taken.state) == "success", "who does not know the digest is believed, and the newest event counts"
    trigger = taken.xcom_pull(task_ids="resolve", key="resolved")["trigger"]
    assert (trigger["digest"], trigger["source"]) == (None, "somebody through Airflow's API")

    announce(model.uri, {"digest": "sha256:1234"})
    odd = resolve().xcom_pull(task_ids="resolve", key="failure")
    assert odd["kind"] == "bad_input"
    assert "expected a SHA-256 of 64 hexadecimal digits, or no digest, got 'sha256:1234'" in odd["message"]


def test_a_run_that_no_event_began_takes_what_is_there(load_dags: Load, run_dag: Run, spec: Path) -> None:
    run_dag(load_dags(spec.parent, kind="retrain")["retrain__m"])
    by_hand = run_dag(load_dags(spec.parent)["quantize__m"], but="(?!resolve).*").get_task_instance("resolve")
    assert by_hand.xcom_pull(task_ids="resolve", key="resolved")["trigger"] is None

"""The shipped DAGs for real: prepare and train the digits, then quantize, gate, register and promote them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.server import ThreadedMotoServer

from litegate import storage

pytestmark = pytest.mark.e2e

DAGS = Path(__file__).parents[2] / "dags"
Run = Callable[[Any], Any]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    storage.s3_client.cache_clear()
    storage.s3_client().create_bucket(Bucket="litegate")
    yield
    storage.s3_client().close()
    storage.s3_client.cache_clear()
    server.stop()


@pytest.fixture
def workspace(bucket: None, mlflow_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LITEGATE_WORKSPACE", "s3://litegate/workspace")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)


def states(dag_run: Any) -> dict[str, str]:
    return {f"{i.task_id}/{i.rendered_map_index or ''}".rstrip("/"): str(i.state) for i in dag_run.get_task_instances()}


def pull(dag_run: Any, task_id: str, key: str = "return_value") -> Any:
    return dag_run.get_task_instance(task_id).xcom_pull(task_ids=task_id, key=key)


def asset_event_extra(uri: str) -> Any:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        (event,) = session.query(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id).filter_by(uri=uri)
        return event.extra


def test_the_example_goes_from_training_to_a_champion(
    workspace: None, load_dags: Callable[..., dict[str, Any]], run_dag: Run, tmp_path: Path
) -> None:
    prepared = run_dag(load_dags(file="prepare_digits.py")["prepare__digits"])
    assert set(states(prepared).values()) == {"success"}
    trained = run_dag(load_dags(file="retrain.py")["retrain__digits"])
    assert set(states(trained).values()) == {"success"}
    assert asset_event_extra("s3://litegate/examples/digits/model.keras")["digest"] == pull(trained, "train")["digest"]

    spec = yaml.safe_load((DAGS / "model_specs" / "digits.yaml").read_text())
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(spec | {"variants": ["dynamic_range", "int8"]}))
    dag = load_dags(tmp_path)["quantize__digits"]
    first = run_dag(dag)
    assert set(states(first).values()) == {"success"}
    result, promotion = pull(first, "register"), pull(first, "promote")
    assert result["model"] == "digits"
    assert result["baseline"]["value"] > 0.97
    assert promotion["champion"] == result["selected"]
    assert promotion["moved"]

    compared = spec["gate"] | {"max_drop_from_champion": 0.02}
    (tmp_path / "digits.yaml").write_text(
        yaml.safe_dump(spec | {"variants": ["dynamic_range", "float16"], "gate": compared})
    )
    second = run_dag(load_dags(tmp_path)["quantize__digits"])
    assert set(states(second).values()) == {"success"}
    champion = pull(second, "fetch_champion")
    assert champion["version"] == promotion["champion"]["version"]
    assert champion["artifact"]["file"]["digest"] == promotion["champion"]["digest"]
    verdicts = {verdict["variant"]: verdict for verdict in pull(second, "gate")["verdicts"]}
    clauses = {clause["name"]: clause for clause in verdicts["float16"]["clauses"]}
    assert clauses["max_drop_from_champion"]["samples"] == 697
    assert clauses["max_drop_from_champion"]["state"] == "passed"

"""The shipped DAGs for real: prepare and train the digits, then quantize, gate, register and promote them."""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import yaml
from moto.server import ThreadedMotoServer

from litegate.execution.step_run import StepRun
from litegate.storage.s3 import client_for, s3_client
from tests.models.once import Maker

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("warm_steps")]

DAGS = Path(__file__).parents[2] / "dags"
MAKERS = Path(__file__).parents[1] / "models"
Run = Callable[..., Any]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client_for.cache_clear()
    s3_client().create_bucket(Bucket="litegate")
    yield
    s3_client().close()
    client_for.cache_clear()
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
    workspace: None,
    load_dags: Callable[..., dict[str, Any]],
    run_dag: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepared = run_dag(load_dags(kind="prepare")["prepare__digits"])
    assert set(states(prepared).values()) == {"success"}
    trained = run_dag(load_dags(kind="retrain")["retrain__digits"])
    assert set(states(trained).values()) == {"success"}
    assert asset_event_extra("s3://litegate/examples/digits/model.keras")["digest"] == pull(trained, "train")["digest"]

    spec = yaml.safe_load((DAGS / "examples" / "digits.yaml").read_text())
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
    monkeypatch.setenv("LITEGATE_EVALUATION_SHARDS", "2")
    second = run_dag(load_dags(tmp_path)["quantize__digits"])
    assert set(states(second).values()) == {"success"}
    assert {f"evaluate_shard/shard {number} of 2" for number in (1, 2)} <= set(states(second))
    assert pull(second, "lookup_cache") == ["float16"], "the other one was measured by the first run"
    champion = pull(second, "fetch_champion")
    assert champion["version"] == promotion["champion"]["version"]
    assert champion["artifact"]["file"]["digest"] == promotion["champion"]["digest"]
    verdicts = {verdict["variant"]: verdict for verdict in pull(second, "gate")["gate"]["verdicts"]}
    clauses = {clause["name"]: clause for clause in verdicts["float16"]["clauses"]}
    assert clauses["max_drop_from_champion"]["samples"] == 697
    assert clauses["max_drop_from_champion"]["state"] == "passed"


@dataclass
class Children:
    """Every step that was computed in a child process, in place of being found."""

    steps: list[str] = field(default_factory=list)

    def new(self) -> list[str]:
        """Those since the last call."""
        found, self.steps = self.steps, []
        return found


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    counted, compute = Children(), StepRun._compute

    def counting(step_run: StepRun, request: Any) -> Any:
        counted.steps.append(step_run.step.name)
        return compute(step_run, request)

    monkeypatch.setattr(StepRun, "_compute", counting)
    return counted


# Of two variants; the float32 baseline is converted, and measured like them.
COMPUTED = {"convert": 1, "quantize": 2, "inspect": 3, "smoke": 3, "evaluate": 1, "benchmark": 1}


def test_nothing_is_done_twice_and_a_clean_up_costs_no_champion(
    own_mlflow_server: Any,
    load_dags: Callable[..., dict[str, Any]],
    run_dag: Run,
    children: Children,
    maker: Maker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = tmp_path / "workspace"
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LITEGATE_WORKSPACE", str(workspace))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", own_mlflow_server.url)
    program = str(MAKERS / "make_models.py")
    maker.make(tmp_path, program, "{folder}", sources=(Path(program),))
    name = f"twice-{uuid.uuid4().hex[:8]}"

    def run(**gate: Any) -> Any:
        spec = {
            "model": {"name": name, "uri": str(tmp_path / "keras3.keras")},
            "calibration": {"uri": str(tmp_path / "calibration.npz"), "format": "npz", "samples": 100},
            "evaluation": {"uri": str(tmp_path / "test.npz"), "format": "npz"},
            "variants": ["dynamic_range", "int8"],
            "gate": {"max_drop": 0.02} | gate,
        }
        (tmp_path / "specs").mkdir(exist_ok=True)
        (tmp_path / "specs" / "m.yaml").write_text(yaml.safe_dump(spec))
        return run_dag(load_dags(tmp_path / "specs")[f"quantize__{name}"])

    def verdicts(dag_run: Any) -> dict[str, Any]:
        return {verdict["variant"]: verdict for verdict in pull(dag_run, "gate")["gate"]["verdicts"]}

    first = run()
    assert set(states(first).values()) == {"success"}
    assert Counter(COMPUTED) <= Counter(children.new())

    again = run()
    assert children.new() == ["read_ledger", "resolve", "register", "promote"]
    assert verdicts(again) == verdicts(first)
    assert pull(again, "promote")["champion"] == pull(first, "promote")["champion"]

    int8_is_too_large = {"min_size_ratio": 2.4}
    for gate in ({"max_drop": 0.03}, {"confidence": 0.9}, int8_is_too_large, {"max_prediction_shift": None}):
        changed = run(**gate)
        assert children.new() == ["read_ledger", "resolve", "gate", "register", "promote"], gate
        assert verdicts(changed) != verdicts(first)

    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    # A month later, nobody has used anything.
    for path in workspace.rglob("*"):
        os.utime(path, (time.time() - 40 * 86_400,) * 2)
    assert run_dag(load_dags(kind="workspace_clean")["workspace_clean"]).state == "success"
    assert list((workspace / "results").glob("*/*.json")), "a dry run"
    cleaned = run_dag(load_dags(kind="workspace_clean")["workspace_clean"], run_conf={"dry_run": False})
    assert pull(cleaned, "clean")["applied"]
    assert not list((workspace / "results").glob("*/*.json"))
    assert list((workspace / "files").iterdir()), "what the champion needs"
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    (scores,) = model.predict({"image": np.zeros((2, 8, 8, 1), "float32")}).values()
    assert scores.shape[0] == 2

    children.new()
    recomputed = run()
    assert Counter(COMPUTED) <= Counter(children.new())
    assert pull(recomputed, "promote")["champion"] == pull(first, "promote")["champion"]

    # Found by a run today, and so kept, although it was made long ago.
    for path in workspace.rglob("*"):
        os.utime(path, (time.time() - 40 * 86_400,) * 2)
    children.new()
    run()
    run_dag(load_dags(kind="workspace_clean")["workspace_clean"], run_conf={"dry_run": False})
    children.new()
    run()
    assert children.new() == ["read_ledger", "resolve", "register", "promote"]

"""Models from elsewhere through the real servers: the watcher, and events through Airflow's API."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest
import yaml

from litegate.digest import digest_file

pytestmark = pytest.mark.e2e

DAG = "quantize__watched"
URI = "s3://litegate/watched/*.keras"
Api = Callable[..., Any]


@pytest.fixture(scope="module")
def api(litegate: Any) -> Iterator[Api]:
    """Airflow's API as any program may use it."""
    status = yaml.safe_load(litegate("status", "--json").output)
    password = Path(status["password_file"]).read_text()
    with httpx.Client(base_url=status["airflow"], timeout=60, trust_env=False) as client:
        token = client.post("/auth/token", json={"username": status["airflow_user"], "password": password}).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}

        def call(method: str, path: str, **arguments: Any) -> Any:
            answer = client.request(method, f"/api/v2/{path}", headers=headers, **arguments)
            assert answer.is_success, answer.text
            return answer.json()

        yield call


def until(found: Callable[[], Any], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.5)
    return value


def runs(api: Api) -> list[str]:
    """The run ids of the DAG, the oldest first."""
    return [
        run["dag_run_id"] for run in api("GET", f"dags/{DAG}/dagRuns", params={"order_by": "run_after"})["dag_runs"]
    ]


def path_of(run: str) -> str:
    return f"dags/{DAG}/dagRuns/{quote(run, safe=':+')}"


def ended(api: Api, run: str, task: str) -> str | None:
    """How a task ended, once it has."""
    state = api("GET", f"{path_of(run)}/taskInstances/{task}")["state"]
    return state if state in ("success", "failed", "upstream_failed") else None


def pushed(api: Api, run: str, key: str) -> Any:
    return api("GET", f"{path_of(run)}/taskInstances/resolve/xcomEntries/{key}")["value"]


def announce(api: Api, digest: str) -> str:
    """Send an event and wait for the run that it begins."""
    before = runs(api)
    (asset,) = api("GET", "assets", params={"uri_pattern": URI})["assets"]
    api("POST", "assets/events", json={"asset_id": asset["id"], "extra": {"digest": digest}})
    return str(until(lambda: next((run for run in runs(api) if run not in before), None)))


def triggerer(home: Path) -> psutil.Process | None:
    """That of the servers of this home: the one with the logs there, not its own child."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        line, environment = process.info["cmdline"] or [], process.info["environ"] or {}
        if "triggerer" in line and environment.get("LITEGATE_HOME") == str(home):
            parent = process.parent()
            if parent is not None and "triggerer" not in parent.cmdline():
                return process
    return None


def test_a_model_from_elsewhere_is_noticed_or_announced_and_only_announced_bytes_are_taken(
    litegate: Any, api: Api, s3: Any, models: Path, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    spec = {
        "model": {"name": "watched", "uri": URI, "watch": 2},
        "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
        "variants": ["dynamic_range"],
        "gate": {"max_drop": 0.02},
    }
    (litegate.home / "specs" / "watched.yaml").write_text(yaml.safe_dump(spec))
    (token, *_) = {dag["file_token"] for dag in api("GET", "dags", params={"dag_id_pattern": "quantize__"})["dags"]}
    api("PUT", f"parseDagFile/{token}")  # or it would have to wait for the file's turn
    until(lambda: api("GET", "dags", params={"dag_id_pattern": DAG})["dags"])

    s3.upload_file(str(models / "keras3.keras"), "litegate", "watched/2026-01-01.keras")
    (first,) = until(lambda: runs(api))
    assert until(lambda: ended(api, first, "promote"), 1200) == "success"
    assert pushed(api, first, "resolved")["model"]["uri"] == "s3://litegate/watched/2026-01-01.keras"
    assert pushed(api, first, "resolved")["trigger"]["source"] == "the watcher"
    client = MlflowClient(litegate.environment()["MLFLOW_TRACKING_URI"])
    version = client.get_model_version_by_alias("watched", "champion")
    run = client.get_run(str(version.run_id))
    parent = client.get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.data.tags["trigger"] == "the watcher"

    wrong = announce(api, "0" * 64)
    assert until(lambda: ended(api, wrong, "promote")) == "upstream_failed"
    said = pushed(api, wrong, "failure")
    assert said["kind"] == "bad_input"
    assert f"of digest {'0' * 64}, got one of digest {digest_file(models / 'keras3.keras')}" in said["message"]

    right = announce(api, digest_file(models / "keras3.keras"))
    assert until(lambda: ended(api, right, "resolve")) == "success"
    assert pushed(api, right, "resolved")["trigger"]["digest"] == digest_file(models / "keras3.keras")
    api("PATCH", path_of(right), json={"state": "failed"})

    old = triggerer(litegate.home)
    assert old is not None
    os.kill(old.pid, signal.SIGKILL)
    s3.upload_file(str(models / "sine.keras"), "litegate", "watched/2026-01-02.keras")
    before = runs(api)
    (late,) = until(lambda: [run for run in runs(api) if run not in before])
    assert until(lambda: ended(api, late, "resolve")) == "success"
    assert pushed(api, late, "resolved")["model"]["uri"] == "s3://litegate/watched/2026-01-02.keras"
    api("PATCH", path_of(late), json={"state": "failed"})
    (litegate.home / "specs" / "watched.yaml").unlink()
    assert len(runs(api)) == 4, "nothing was announced twice"

"""A cluster that is not one: Kubernetes' API over HTTP, and pods whose containers are processes of this host."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import tenacity
import yaml
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager

from litegate.settings import Settings, settings
from litegate_airflow.runtime.pods.executor import PodExecutor
from tests.models.once import Maker
from tests.operators.runtime.pods.fake_api import FakeKubernetes, fake_kubernetes
from tests.operators.runtime.pods.kubelet import cannot_run

TESTS = Path(__file__).parents[3]
TEMPLATE = TESTS.parent / "deploy" / "kubernetes" / "step-pod.yaml"


@pytest.fixture(scope="session")
def models(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the models and datasets that `make_models.py` writes."""
    program = TESTS / "models" / "make_models.py"
    return maker.make(tmp_path_factory.mktemp("models"), str(program), "{folder}", sources=(program,))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between tries and looks."""
    for name in ("create_pod", "delete_pod", "read_pod", "read_pod_logs"):
        monkeypatch.setattr(getattr(PodManager, name).retry, "wait", tenacity.wait_none())
    monkeypatch.setattr(PodExecutor, "poll", 0.05)


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one in deploy/, for an image that is this host."""
    found = yaml.safe_load(TEMPLATE.read_text())
    for container in [*found["spec"]["initContainers"], *found["spec"]["containers"]]:
        container["command"][0] = str(settings().pythons["tensorflow"])
    path = tmp_path / "step-pod.yaml"
    path.write_text(yaml.safe_dump(found))
    monkeypatch.setenv("LITEGATE_POD_TEMPLATE", str(path))
    return path


@pytest.fixture
def kubernetes(template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKubernetes]:
    with fake_kubernetes() as cluster:
        extra = json.dumps({"kube_config": json.dumps(cluster.config)})
        monkeypatch.setenv("AIRFLOW_CONN_CLUSTER", json.dumps({"conn_type": "kubernetes", "extra": extra}))
        monkeypatch.setenv("LITEGATE_POD_CONNECTION", "cluster")
        cluster.image["LITEGATE_TENSORFLOW_PYTHON"] = str(settings().pythons["tensorflow"])
        yield cluster
        port = urlsplit(cluster.url).port
        left = [each for each in psutil.Process().net_connections("tcp") if each.raddr[1:] == (port,)]
        assert not left, "a step that has ended leaves no connection to the cluster"


@pytest.fixture
def real_pods(kubernetes: FakeKubernetes, s3_server: str) -> FakeKubernetes:
    """Pods whose containers are run, with the keys of the S3 server as secrets."""
    if why := cannot_run():
        (pytest.fail if "CI" in os.environ else pytest.skip)(why)
    keys = {"access-key": "test", "secret-key": "test", "endpoint": s3_server, "region": "us-east-1"}
    kubernetes.secrets |= {"litegate-workspace": keys, "litegate-data": keys}
    return kubernetes


@pytest.fixture
def remote_places(tmp_path: Path, s3_bucket: str) -> Settings:
    """A workspace on S3, and steps that are pods."""
    home = tmp_path / "home"
    places = Settings(f"s3://{s3_bucket}/ws", home / "cache", home / "scratch", settings().pythons, waits=())
    return replace(places, executor="pod")

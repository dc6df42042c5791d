"""Connections stand in the place of environment variables: for the step that needs them, and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import StackError
from litegate.execution.confinement import child_environment
from litegate.steps import STEPS
from litegate.storage.access import access_variables
from litegate.storage.s3 import s3_client
from litegate.surroundings import variables
from litegate_airflow.runtime.connections import connected
from litegate_airflow.ui.pages import mlflow_url

AWS = {
    "conn_type": "aws",
    "login": "their-key",
    "password": "their-secret",
    "extra": {"endpoint_url": "http://s3.example:9000", "region_name": "eu-west-9"},
}
MLFLOW = {"conn_type": "http", "host": "mlflow.example", "schema": "https", "port": 8443}
MLFLOW |= {"login": "robot", "password": "hidden"}


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_THEIRS", json.dumps(AWS))
    monkeypatch.setenv("AIRFLOW_CONN_RUNS", json.dumps(MLFLOW))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")
    monkeypatch.delenv("LITEGATE_MLFLOW_URL", raising=False)


def test_a_connection_reaches_the_steps_that_need_it_and_no_other(tmp_path: Path) -> None:
    with connected("theirs", "runs"):
        found = {name: child_environment(step, tmp_path) for name, step in STEPS.items()}
    for name, step in STEPS.items():
        assert ("their-secret" in found[name].values()) == (step.storage and not step.confined), name
        assert ("hidden" in found[name].values()) == (step.tracking and not step.confined), name
    registers = found["register"]
    assert registers["MLFLOW_TRACKING_URI"] == "https://mlflow.example:8443"
    assert (registers["MLFLOW_TRACKING_USERNAME"], registers["MLFLOW_TRACKING_PASSWORD"]) == ("robot", "hidden")
    assert "MLFLOW_TRACKING_TOKEN" not in registers


def test_nothing_of_it_is_in_the_process_s_own_environment() -> None:
    before = dict(os.environ)
    with connected("theirs", "runs"):
        assert dict(os.environ) == before
        assert variables()["MLFLOW_TRACKING_PASSWORD"] == "hidden"
        assert access_variables()["AWS_ACCESS_KEY_ID"] == "their-key"
        assert access_variables()["AWS_SESSION_TOKEN"] is None, "of other credentials"
    assert access_variables() == {}
    assert variables()["AWS_ACCESS_KEY_ID"] == "own-key"


def test_the_signing_key_of_a_connection_reaches_the_steps_that_sign_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SIGNS", json.dumps({"conn_type": "generic", "password": "-----BEGIN\nsecret"}))
    monkeypatch.setenv("LITEGATE_SIGNING_KEY", "own-key.pem")
    with connected(None, None, "signs"):
        found = {name: child_environment(step, tmp_path) for name, step in STEPS.items()}
        assert "-----BEGIN\nsecret" not in os.environ.values()
    signing = {name for name, variables in found.items() if "LITEGATE_SIGNING_KEY" in variables}
    assert signing == {"register", "promote", "decide", "act", "ledger"}
    assert {found[name]["LITEGATE_SIGNING_KEY"] for name in signing} == {"-----BEGIN\nsecret"}


def test_a_signing_connection_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SIGNS", json.dumps({"conn_type": "generic", "host": "x"}))
    with pytest.raises(StackError, match="connection signs: expected a private key"), connected(None, None, "signs"):
        pass


def test_s3_is_reached_as_the_connection_says() -> None:
    with connected("theirs", None):
        client: Any = s3_client()
        assert client.meta.endpoint_url == "http://s3.example:9000"
        assert client.meta.region_name == "eu-west-9"
        assert s3_client() is client
        found = client._request_signer._credentials.get_frozen_credentials()
        assert (found.access_key, found.secret_key, found.token) == ("their-key", "their-secret", None)


def test_people_are_sent_to_the_connection_s_server_without_its_password() -> None:
    with connected(None, "runs"):
        assert mlflow_url("models/m").startswith("https://mlflow.example:8443/#/models/m")


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        (AWS | {"password": ""}, "expected login and password"),
        (AWS | {"login": None, "extra": {"aws_secret_access_key": "x"}}, "expected login and password"),
    ],
)
def test_a_connection_that_says_too_little_is_named(
    connection: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_THEIRS", json.dumps(connection))
    with pytest.raises(StackError, match=f"the Airflow connection theirs: .*{said}"), connected("theirs", None):
        pass


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ({"conn_type": "http", "password": "x"}, "expected the host of MLflow"),
        (MLFLOW | {"password": ""}, "expected login and password"),
        (MLFLOW | {"extra": {"verify": False}}, "expected the path of a file with certificates"),
    ],
)
def test_a_connection_to_mlflow_that_says_too_little_is_named(
    connection: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RUNS", json.dumps(connection))
    with pytest.raises(StackError, match=f"the Airflow connection runs: .*{said}"), connected(None, "runs"):
        pass
